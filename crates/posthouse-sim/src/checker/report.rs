//! What the checker has to say.

use std::fmt;

use crate::history::Key;

/// What can be wrong. Each is reported by one or two checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// A message that was confirmed, or seen, is nowhere.
    Lost,
    /// Something arrived that was never sent, was refused, or was not asked for.
    Unexpected,
    /// A message arrived again for no reason.
    Duplicated,
    /// An acknowledged message arrived again.
    Unacknowledged,
    /// Messages changed places.
    Order,
    /// A transaction happened in part.
    Atomicity,
    /// A durable subscription missed a message.
    Incomplete,
    /// A subscriber missed a message, or got one from before its time.
    Subscriber,
    /// A redelivery was counted wrongly, or a message was given up too soon.
    Redelivery,
    /// Something was seen before its commit, or tried again before its time.
    Early,
    /// A message arrived after its expiry.
    Expired,
    /// A consumer was given more than it asked for.
    Credit,
    /// A browser was shown what was not there.
    Browsing,
    /// What waited was not consumed in time.
    Progress,
}

impl Check {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Check::Lost => "lost",
            Check::Unexpected => "unexpected",
            Check::Duplicated => "duplicated",
            Check::Unacknowledged => "unacknowledged",
            Check::Order => "order",
            Check::Atomicity => "atomicity",
            Check::Incomplete => "incomplete",
            Check::Subscriber => "subscriber",
            Check::Redelivery => "redelivery",
            Check::Early => "early",
            Check::Expired => "expired",
            Check::Credit => "credit",
            Check::Browsing => "browsing",
            Check::Progress => "progress",
        }
    }

    /// The promise that it is about, as the manual numbers them.
    pub fn promise(self) -> &'static str {
        match self {
            Check::Lost => "P2",
            Check::Unexpected | Check::Browsing | Check::Expired => "P9",
            Check::Duplicated => "P3",
            Check::Unacknowledged => "P8",
            Check::Order => "P4",
            Check::Atomicity | Check::Early => "P5",
            Check::Incomplete | Check::Subscriber => "P6",
            Check::Redelivery => "P7",
            Check::Credit => "P12",
            Check::Progress => "P13",
        }
    }
}

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which kind.
    pub check: Check,
    /// The message that it is about, if it is about one.
    pub key: Option<Key>,
    /// What happened.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): ", self.check.name(), self.check.promise())?;
        self.key.map_or(Ok(()), |key| write!(f, "message {key} "))?;
        f.write_str(&self.detail)
    }
}

/// How many messages went which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages that somebody tried to send.
    pub attempt: u64,
    /// Of these, confirmed.
    pub acknowledged: u64,
    /// Of the confirmed, found again.
    pub ok: u64,
    /// Not confirmed, and found all the same.
    pub recovered: u64,
    /// Confirmed, and nowhere.
    pub lost: u64,
    /// Arrived again without a reason.
    pub duplicated: u64,
    /// Arrived and should not have.
    pub unexpected: u64,
}

/// Everything that the checker found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The figures.
    pub figures: Figures,
    /// The broken promises; none is what one hopes for.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Adds a broken promise about a message.
    pub(super) fn blame(&mut self, check: Check, key: Key, detail: String) {
        self.violations.push(Violation { check, key: Some(key), detail });
    }

    /// Adds a broken promise that is about no single message.
    pub(super) fn complain(&mut self, check: Check, detail: String) {
        self.violations.push(Violation { check, key: None, detail });
    }

    /// How many promises of this kind were broken.
    pub fn count(&self, check: Check) -> usize {
        self.violations.iter().filter(|violation| violation.check == check).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { attempt, acknowledged, ok, recovered, lost, duplicated, unexpected } =
            self.figures;
        write!(f, "attempt {attempt}, acknowledged {acknowledged}, ok {ok}, ")?;
        write!(f, "recovered {recovered}, lost {lost}, duplicated {duplicated}, ")?;
        write!(f, "unexpected {unexpected}, order errors {}, ", self.count(Check::Order))?;
        write!(f, "atomicity errors {}, ", self.count(Check::Atomicity))?;
        write!(f, "redelivery errors {}, ", self.count(Check::Redelivery))?;
        write!(f, "early {}, expired {}", self.count(Check::Early), self.count(Check::Expired))?;
        self.violations.iter().try_for_each(|violation| write!(f, "\n  {violation}"))
    }
}
