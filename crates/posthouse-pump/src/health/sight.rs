//! What is known of a source at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::Plan;
use crate::pump::Figures;
use crate::time::Now;

/// A bound of error beyond which nothing is known of the source's clock, in milliseconds.
const CLOCK_ERROR_MS_MAX: i64 = 86_400_000;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The clocks.
    pub now: Now,
    /// This node's own wall clock, Unix milliseconds.
    pub wall_ms: i64,
    /// What is sent, and when.
    pub plan: &'a Plan,
    /// What the pump counts.
    pub figures: &'a Figures,
    /// What was wrong with the last round, if something was.
    pub trouble: Option<&'a str>,
    /// Outcomes that were refused since the node began.
    pub fenced: u64,
    /// Business ids that wait for a number that is not there.
    pub gap_keys: u64,
    /// What the database itself has told; `None` when it was not asked or did not answer.
    pub table: Option<&'a Table>,
    /// Where instances of services are found, for the endpoints of this source.
    pub finders: &'a [Finder],
}

/// What a database tells of its request table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Requests that are ready, by code: of so many as were counted.
    pub ready: BTreeMap<Arc<str>, u64>,
    /// Buckets of all nodes.
    pub buckets: u64,
    /// Buckets of this node.
    pub own_buckets: u64,
    /// Buckets whose slots nobody has a lease on.
    pub unowned_buckets: u64,
    /// Rows that are there, as far as the database says.
    pub live_rows: Option<u64>,
    /// Rows that are gone but not removed.
    pub dead_rows: Option<u64>,
    /// For how long the oldest transaction of the database has been open, in milliseconds.
    pub oldest_transaction_ms: Option<u64>,
    /// Bytes of the write-ahead log.
    pub log_bytes: Option<u64>,
}

/// What is known of the instances of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Finder {
    /// What people call it.
    pub name: Arc<str>,
    /// Instances to which something may go.
    pub healthy: u64,
    /// For how long there has been no answer, in milliseconds.
    pub stale_ms: Option<u64>,
    /// What was wrong, if something was.
    pub error: Option<String>,
}

impl Sight<'_> {
    /// How far the source's clock is ahead of this node's, in milliseconds, if that is known.
    pub(super) fn clock_offset_ms(&self) -> Option<i64> {
        let offset_ms = self.now.source_ms.saturating_sub(self.wall_ms);
        let sure_ms = offset_ms.saturating_abs().saturating_sub(self.now.error_ms).max(0);
        (self.now.error_ms < CLOCK_ERROR_MS_MAX).then_some(sure_ms)
    }
}
