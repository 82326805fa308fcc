//! The three platforms: what each knows, what it sends to whom, and when it is there.
//!
//! All of them keep the same records, one for each order. Each owns one part of a record and tells
//! the other two of every change to it, in its own request table. What a change does is written
//! with the change itself, so that the last one says it all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use posthouse_pump::calendar::{Window, WindowSpec};
use posthouse_pump::input::Hold;
use posthouse_pump::plan::{
    Backoff, Breaker, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
};
use posthouse_pump::request::RequestId;

use crate::table::Table;

/// One of them; also which part of a record it owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Members: they place orders, day and night.
    Participant,
    /// The bank: it settles what was traded.
    Collaboration,
    /// The exchange: it trades.
    Operation,
}

impl Name {
    pub const ALL: [Name; 3] = [Name::Participant, Name::Collaboration, Name::Operation];

    pub fn word(self) -> &'static str {
        match self {
            Name::Participant => "participant",
            Name::Collaboration => "collaboration",
            Name::Operation => "operation",
        }
    }

    pub fn named(word: &str) -> Name {
        Name::ALL.into_iter().find(|name| name.word() == word).unwrap_or_else(|| panic!("{word}"))
    }

    /// The code under which it tells another platform of a change.
    pub fn code_to(self, other: Name) -> &'static str {
        use Name::{Collaboration, Operation, Participant};
        match (self, other) {
            (Participant, Operation) => "ORDER",
            (Participant, Collaboration) => "ORDER_NOTE",
            (Operation, Participant) => "TRADE",
            (Operation, Collaboration) => "TRADE_NOTE",
            (Collaboration, Participant) => "SETTLEMENT",
            (Collaboration, Operation) => "SETTLEMENT_NOTE",
            (same, _) => panic!("{same:?} tells itself nothing"),
        }
    }

    pub fn others(self) -> impl Iterator<Item = Name> {
        Name::ALL.into_iter().filter(move |name| *name != self)
    }

    /// When its services are there. Each has days off of its own, and the clocks of one change
    /// within the week.
    fn hours(self) -> WindowSpec {
        let (zone, weekly, dates): (&str, &[&str], &[&str]) = match self {
            Name::Participant => ("Asia/Shanghai", &["mon-sun 05:30-03:00"], &[]),
            Name::Collaboration => (
                "Europe/London",
                &["mon-fri 07:30-18:00", "sat 09:00-12:00"],
                &["2026-10-23 closed"],
            ),
            Name::Operation => (
                "Asia/Shanghai",
                &["mon-fri 09:00-10:15, 10:30-11:30, 13:30-15:00", "mon-thu 21:00-02:30 +1"],
                &["2026-10-21 closed", "2026-10-24 09:00-11:30"],
            ),
        };
        WindowSpec {
            zone: zone.to_owned(),
            weekly: weekly.iter().map(|entry| (*entry).to_owned()).collect(),
            dates: dates.iter().map(|entry| (*entry).to_owned()).collect(),
            // On the Friday thirty days of the exchange are left, which must be told.
            valid_until: Some(
                if self == Name::Operation { "2026-11-22" } else { "2027-03-31" }.to_owned(),
            ),
            after_valid_until: Some("closed".to_owned()),
            margin_before_close_ms: 0,
        }
    }
}

/// One part of a record: how often it has changed, and what it is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub version: u64,
    pub value: u64,
}

/// What a platform knows of an order, by the owner of each part.
pub type Record = BTreeMap<Name, Part>;

/// A change that one platform tells another of.
#[derive(Clone, Debug)]
pub struct Change {
    pub key: Arc<str>,
    pub part: Part,
}

/// See the module.
pub struct Platform {
    pub table: Table,
    pub records: BTreeMap<Arc<str>, Record>,
    /// What the requests in its table say, by id.
    pub says: BTreeMap<i64, Change>,
    /// Versions that an operator has given up: by receiver, order and version.
    pub given_up: BTreeSet<(Name, Arc<str>, u64)>,
    pub window: Arc<Window>,
    /// What operators have set, and its version.
    pub plan: Arc<Plan>,
    pub holds: Vec<Hold>,
    pub version: u64,
    pub changed: Vec<(u64, RequestId)>,
    pub is_database_down: bool,
    pub are_services_down: bool,
    /// Requests of this code are turned down.
    pub turns_down: Option<Arc<str>>,
    /// What a new program writes that the configuration does not know yet.
    pub writes_unknown: bool,
    /// Somebody is about to lock a row.
    pub locks_next: bool,
}

impl Platform {
    pub fn new(name: Name) -> Platform {
        Platform {
            table: Table::new(),
            records: BTreeMap::new(),
            says: BTreeMap::new(),
            given_up: BTreeSet::new(),
            window: window_of(name),
            plan: Arc::new(plan_of(name)),
            holds: Vec::new(),
            version: 1,
            changed: Vec::new(),
            is_database_down: false,
            are_services_down: false,
            turns_down: None,
            writes_unknown: false,
            locks_next: false,
        }
    }

    /// Changes what operators have set.
    pub fn replan(&mut self, change: impl FnOnce(&mut Plan)) {
        let mut plan = (*self.plan).clone();
        change(&mut plan);
        self.plan = Arc::new(plan);
        self.version += 1;
    }
}

fn window_of(name: Name) -> Arc<Window> {
    Arc::new(name.hours().check().unwrap_or_else(|faults| panic!("{faults:?}")))
}

/// What a platform sends: one code for each of the others, each within that one's hours, and
/// quotes, which are worth something for a minute only. The participant tells the others of an
/// order independently of each other; of the rest one waits for the other, whose hours differ.
fn plan_of(name: Name) -> Plan {
    let group = |order, window: Option<Name>| Group {
        is_active: true,
        region: None,
        order,
        claim: Claim::Lease,
        on_failure: OnFailure::Block,
        on_expired: OnExpired::Skip,
        attempts_max: 0,
        backoff: Backoff { base_ms: 500, cap_ms: 60_000 },
        window: window.map(|name| name.word().into()),
    };
    let code = |group: &str, to: Name| Code {
        group: group.into(),
        endpoint: to.word().into(),
        window: None,
    };
    let breaker = Breaker { failures_max: 5, pause_ms: 1_000, pause_cap_ms: 30_000 };
    let endpoint =
        |rate_per_s| Endpoint { concurrency_max: 16, rate_per_s, timeout_ms: 10_000, breaker };
    let order = if name == Name::Participant { Order::KeyAndCode } else { Order::Key };
    let mut plan = Plan { region: "here".into(), ..Plan::default() };
    for other in name.others() {
        let word: Arc<str> = other.word().into();
        plan.groups.insert(word.clone(), group(order, Some(other)));
        plan.codes.insert(name.code_to(other).into(), code(&word, other));
        let rate_per_s = if other == Name::Operation { 15 } else { 0 };
        plan.endpoints.insert(word.clone(), endpoint(rate_per_s));
        plan.windows.insert(word, window_of(other));
    }
    if name == Name::Participant {
        plan.groups.insert("quotes".into(), group(Order::None, Some(Name::Operation)));
        plan.codes.insert("QUOTE".into(), code("quotes", Name::Operation));
    }
    plan
}
