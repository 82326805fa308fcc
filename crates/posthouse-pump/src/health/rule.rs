//! The rules, and from where on each is broken.

use std::collections::BTreeMap;

/// One thing that may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The oldest request of a code that could go has waited for long.
    ClaimableAge,
    /// Requests of a group could go, and none has ended for long.
    NoProgress,
    /// Requests of a group have failed or were rejected lately.
    EndedBadly,
    /// Requests of a group have expired lately.
    Expired,
    /// Business ids of a group are blocked.
    BlockedKeys,
    /// What waits for a window will not have gone by when it shuts.
    Backlog,
    /// Outcomes were refused lately, because another node had their bucket by then.
    Fenced,
    /// Buckets have no owner.
    UnownedBuckets,
    /// Requests have a code, window or group that the configuration does not have.
    Unknown,
    /// Requests cannot be read.
    Unreadable,
    /// Business ids wait for a number that nobody has written.
    MissingNumbers,
    /// Outcomes cannot be recorded, because somebody else has locked their rows.
    Locked,
    /// So many business ids are withheld that nothing new is read.
    WithheldFull,
    /// The database does not answer, or is not as it must be.
    Trouble,
    /// The breaker of an endpoint lets nothing through but trials.
    EndpointDown,
    /// No healthy instance of a service is known.
    NoInstances,
    /// What is known of the instances of a service is old.
    StaleInstances,
    /// The clocks of the database and of this node differ.
    ClockOffset,
    /// The dates of a window end soon, or have ended.
    CalendarEnds,
    /// Much of the request table is dead rows.
    DeadRows,
    /// A transaction keeps dead rows of the database from being removed.
    OldTransaction,
    /// The write-ahead log of the database is large.
    LogSize,
}

/// How a rule measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Ms,
    /// A number of things.
    Count,
    /// Parts of a hundred.
    Percent,
    /// Days that are left; fewer are worse.
    DaysLeft,
    /// 2^20 bytes.
    MiB,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It should be seen to.
    Warning,
    /// Requests wait, or are lost to their receivers.
    Error,
}

/// From where on a rule is broken, and how long that must last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// In the unit of the rule: broken from here on; of days that are left, up to here.
    pub value: u64,
    /// So long until it is an alarm, in milliseconds.
    pub for_ms: u64,
    /// So long it must be over until the alarm ends, in milliseconds.
    pub clear_ms: u64,
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

impl Rule {
    /// Every one.
    pub const ALL: [Rule; 22] = [
        Rule::ClaimableAge,
        Rule::NoProgress,
        Rule::EndedBadly,
        Rule::Expired,
        Rule::BlockedKeys,
        Rule::Backlog,
        Rule::Fenced,
        Rule::UnownedBuckets,
        Rule::Unknown,
        Rule::Unreadable,
        Rule::MissingNumbers,
        Rule::Locked,
        Rule::WithheldFull,
        Rule::Trouble,
        Rule::EndpointDown,
        Rule::NoInstances,
        Rule::StaleInstances,
        Rule::ClockOffset,
        Rule::CalendarEnds,
        Rule::DeadRows,
        Rule::OldTransaction,
        Rule::LogSize,
    ];

    /// Its name in configuration, metrics and alarms.
    pub fn name(self) -> &'static str {
        match self {
            Rule::ClaimableAge => "claimable-age",
            Rule::NoProgress => "no-progress",
            Rule::EndedBadly => "ended-badly",
            Rule::Expired => "expired",
            Rule::BlockedKeys => "blocked-keys",
            Rule::Backlog => "backlog",
            Rule::Fenced => "fenced",
            Rule::UnownedBuckets => "unowned-buckets",
            Rule::Unknown => "unknown",
            Rule::Unreadable => "unreadable",
            Rule::MissingNumbers => "missing-numbers",
            Rule::Locked => "locked",
            Rule::WithheldFull => "withheld-full",
            Rule::Trouble => "trouble",
            Rule::EndpointDown => "endpoint-down",
            Rule::NoInstances => "no-instances",
            Rule::StaleInstances => "stale-instances",
            Rule::ClockOffset => "clock-offset",
            Rule::CalendarEnds => "calendar-ends",
            Rule::DeadRows => "dead-rows",
            Rule::OldTransaction => "old-transaction",
            Rule::LogSize => "log-size",
        }
    }

    /// The rule of a name.
    pub fn named(name: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// The kind of its subjects, as in [`Subject::kind`](super::Subject::kind).
    pub fn subject_kind(self) -> &'static str {
        match self {
            Rule::ClaimableAge => "code",
            Rule::NoProgress | Rule::EndedBadly | Rule::Expired | Rule::BlockedKeys => "group",
            Rule::Backlog | Rule::CalendarEnds => "window",
            Rule::EndpointDown => "endpoint",
            Rule::NoInstances | Rule::StaleInstances => "service",
            _ => "source",
        }
    }

    /// How it measures.
    pub fn unit(self) -> Unit {
        match self {
            Rule::ClaimableAge
            | Rule::NoProgress
            | Rule::Backlog
            | Rule::Locked
            | Rule::StaleInstances
            | Rule::ClockOffset
            | Rule::OldTransaction => Unit::Ms,
            Rule::DeadRows => Unit::Percent,
            Rule::CalendarEnds => Unit::DaysLeft,
            Rule::LogSize => Unit::MiB,
            _ => Unit::Count,
        }
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Rule::Fenced
            | Rule::Expired
            | Rule::StaleInstances
            | Rule::ClockOffset
            | Rule::CalendarEnds
            | Rule::DeadRows
            | Rule::OldTransaction
            | Rule::LogSize => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// What holds where nothing else is said; `None`: the rule is off.
    pub fn default_limit(self) -> Option<Limit> {
        let (value, for_ms, clear_ms) = match self {
            // That something expires while its window is shut is as its writer wanted it.
            Rule::Expired => return None,
            Rule::ClaimableAge | Rule::NoProgress => (5 * MINUTE, 0, MINUTE),
            Rule::Backlog => (MINUTE, MINUTE, 5 * MINUTE),
            Rule::Locked => (MINUTE, 0, 30 * SECOND),
            Rule::StaleInstances => (MINUTE, 0, 30 * SECOND),
            Rule::ClockOffset => (SECOND, 30 * SECOND, MINUTE),
            Rule::OldTransaction => (10 * MINUTE, 0, MINUTE),
            Rule::DeadRows => (50, 10 * MINUTE, 10 * MINUTE),
            Rule::CalendarEnds => (30, 0, 0),
            Rule::LogSize => (1_024, 5 * MINUTE, 5 * MINUTE),
            Rule::EndpointDown | Rule::MissingNumbers => (1, MINUTE, 30 * SECOND),
            Rule::Trouble | Rule::UnownedBuckets => (1, 30 * SECOND, 30 * SECOND),
            Rule::NoInstances => (1, 10 * SECOND, 30 * SECOND),
            _ => (1, 0, 30 * SECOND),
        };
        Some(Limit { value, for_ms, clear_ms })
    }
}

/// The limits of all rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// What holds for a rule in the place of its default; `None`: it is off.
    pub rules: BTreeMap<Rule, Option<Limit>>,
    /// What holds for one subject of a rule, by its name, in the place of that.
    pub subjects: BTreeMap<(Rule, String), Option<Limit>>,
}

impl Limits {
    /// What holds for a subject of a rule; `None`: the rule is off for it.
    pub fn of(&self, rule: Rule, subject: &str) -> Option<Limit> {
        match self.subjects.get(&(rule, subject.to_owned())) {
            Some(limit) => *limit,
            None => self.rules.get(&rule).copied().unwrap_or_else(|| rule.default_limit()),
        }
    }
}

impl Limit {
    /// Whether a measure is beyond it.
    pub(super) fn is_broken(&self, unit: Unit, value: i64) -> bool {
        let limit = i64::try_from(self.value).unwrap_or(i64::MAX);
        match unit {
            Unit::DaysLeft => value <= limit,
            _ => value >= limit.max(1),
        }
    }
}
