//! What people and health rules want to know. Figures are kept as things happen, so that asking costs what the answer is long.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Pump;
use super::lane::LaneNo;
use super::withheld::Cause;
use crate::request::{RequestId, Slot};

/// The figures of one pump.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Requests in memory.
    pub resident: usize,
    /// Their bytes, roughly.
    pub resident_bytes: usize,
    /// Keys of which something is withheld.
    pub withheld_keys: usize,
    /// Keys that are blocked.
    pub blocked_keys: usize,
    /// Outcomes that have not been sent to the source yet.
    pub unsettled: usize,
    /// Everything up to this id has been read at least once.
    pub read_up_to: RequestId,
    /// By request code.
    pub codes: BTreeMap<Arc<str>, CodeFigures>,
    /// By endpoint.
    pub endpoints: BTreeMap<Arc<str>, EndpointFigures>,
    /// By cause.
    pub withheld: Vec<WithheldFigures>,
}

/// The figures of one request code. All but the first two count since the pump was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeFigures {
    /// Requests in memory.
    pub resident: u64,
    /// Attempts under way.
    pub in_flight: u64,
    /// Delivered.
    pub done: u64,
    /// Given up after their tries.
    pub failed: u64,
    /// Expired.
    pub expired: u64,
    /// Turned down by their receivers.
    pub rejected: u64,
    /// Failed tries that are followed by others.
    pub retried: u64,
    /// Finished by somebody else.
    pub gone: u64,
}

/// The figures of one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointFigures {
    /// Requests in memory.
    pub resident: usize,
    /// Keys, and requests without one, that could go as far as they are concerned.
    pub runnable: usize,
    /// Attempts under way.
    pub in_flight: u32,
    /// Whether its breaker lets nothing through but trials.
    pub is_down: bool,
    /// Since when the oldest of the runnable could have gone, Unix milliseconds of the source.
    pub oldest_ms: Option<i64>,
}

/// What is withheld for one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithheldFigures {
    /// The cause.
    pub cause: Cause,
    /// Keys whose first withheld request is withheld for this.
    pub keys: usize,
    /// The lowest id that may be withheld for this.
    pub lowest: RequestId,
}

/// A request that was given up and holds its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The request.
    pub id: RequestId,
    /// Its key.
    pub key: Arc<str>,
    /// Its slot.
    pub slot: Slot,
    /// Its code.
    pub code: Arc<str>,
    /// How many tries were made.
    pub attempts: u32,
    /// When it was written, Unix milliseconds of the source.
    pub created_ms: i64,
    /// What was wrong, if it was this pump that gave it up.
    pub error: Option<String>,
    pub(super) lane: LaneNo,
    pub(super) since: u64,
}

impl Pump {
    /// All figures.
    pub fn figures(&self) -> Figures {
        let withheld = self.withheld.causes().map(|(cause, keys, lowest)| WithheldFigures {
            cause: cause.clone(),
            keys,
            lowest,
        });
        let endpoints = self.stations.iter().map(|(name, station)| {
            let figures = EndpointFigures {
                resident: station.rows,
                runnable: station.runnable.len(),
                in_flight: station.in_flight,
                is_down: station.breaker.is_open(),
                oldest_ms: station.oldest_ms(),
            };
            (name.clone(), figures)
        });
        Figures {
            resident: self.rows.len(),
            resident_bytes: self.bytes,
            withheld_keys: self.withheld.keys(),
            blocked_keys: self.blocked.len(),
            unsettled: self.settling.pending(),
            read_up_to: self.high_water,
            codes: self.counts.clone(),
            endpoints: endpoints.collect(),
            withheld: withheld.collect(),
        }
    }

    /// Blocked requests by id, at most so many.
    pub fn blocked(&self, limit: usize) -> Vec<Blocked> {
        self.blocked.values().take(limit).cloned().collect()
    }

    /// The figures of a code.
    pub(super) fn count(&mut self, code: &Arc<str>) -> &mut CodeFigures {
        self.counts.entry(code.clone()).or_default()
    }
}
