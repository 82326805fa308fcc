//! The plan: which codes are sent, to where, when, and what to do when it fails.
//!
//! It is loaded at the beginning of every round and replaced as a whole. Everything in it has been
//! checked: names resolve, windows are possible, numbers are within bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::calendar::Window;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The region of this relay: requests of others are not its business.
    pub region: Arc<str>,
    /// Request groups, by name.
    pub groups: BTreeMap<Arc<str>, Group>,
    /// Request codes, by name.
    pub codes: BTreeMap<Arc<str>, Code>,
    /// Endpoints, by name.
    pub endpoints: BTreeMap<Arc<str>, Endpoint>,
    /// Processing windows, by name.
    pub windows: BTreeMap<Arc<str>, Arc<Window>>,
}

/// Codes that are switched and governed together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its switch.
    pub is_active: bool,
    /// The region whose relays send it, whatever its switch says; `None`: all do.
    pub region: Option<Arc<str>>,
    /// What its order extends over.
    pub order: Order,
    /// How a request is taken before it is tried.
    pub claim: Claim,
    /// What happens to the key of a request that was given up.
    pub on_failure: OnFailure,
    /// What happens to the key of a request that has expired.
    pub on_expired: OnExpired,
    /// After so many tries a request is given up; 0: never before its expiry.
    pub attempts_max: u32,
    /// The wait after a failure.
    pub backoff: Backoff,
    /// The name of its processing window, if it has one.
    pub window: Option<Arc<str>>,
}

impl Group {
    /// Whether it is of another region than this one.
    pub fn is_foreign(&self, region: &str) -> bool {
        self.region.as_deref().is_some_and(|own| own != region)
    }

    /// Whether its requests are sent by relays of this region.
    pub fn is_sent(&self, region: &str) -> bool {
        self.is_active && !self.is_foreign(region)
    }
}

/// What order extends over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All requests with one business id, whatever their codes. The default.
    Key,
    /// Requests with one business id and one code.
    KeyAndCode,
    /// None: business ids mean nothing here.
    None,
}

/// How a request is taken before it is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// By the lease of its bucket: nothing is written. The default.
    #[default]
    Lease,
    /// By a mark in its row, too, so that others who take requests from the same table leave it
    /// alone. Only without an order.
    Mark,
}

/// What happens to the key of a request that was given up or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// It waits until an operator decides. The default.
    Block,
    /// It goes on.
    Skip,
    /// It goes on, and the next request tells the receiver which one is missing.
    SkipAndMark,
    /// It waits so many milliseconds, then goes on.
    BlockFor {
        /// How long.
        ms: u64,
    },
}

/// What happens to the key of a request that has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExpired {
    /// It goes on. The default.
    Skip,
    /// It waits until an operator decides.
    Block,
}

/// The wait after the n-th failure: `base_ms` doubled n - 1 times, at most `cap_ms`, times a
/// random factor from 0.5 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure, in milliseconds.
    pub base_ms: u64,
    /// At most, in milliseconds.
    pub cap_ms: u64,
}

/// One request code.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// Its group.
    pub group: Arc<str>,
    /// Where its requests go.
    pub endpoint: Arc<str>,
    /// The name of its processing window, beside its group's, if it has one.
    pub window: Option<Arc<str>>,
}

/// Where requests go, and how much it can bear.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// At most so many attempts at a time.
    pub concurrency_max: u32,
    /// At most so many attempts a second; 0: no limit.
    pub rate_per_s: u32,
    /// An attempt takes at most so long, in milliseconds.
    pub timeout_ms: u64,
    /// When to stop trying.
    pub breaker: Breaker,
}

/// When to stop trying an endpoint, and when to see whether it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Opens after so many failures in a row that are the endpoint's fault; 0: never.
    pub failures_max: u32,
    /// Lets one trial through after so many milliseconds, doubled while trials fail.
    pub pause_ms: u64,
    /// At most so many milliseconds between trials.
    pub pause_cap_ms: u64,
}
