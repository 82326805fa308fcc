//! What people and health rules want to know. Counts are kept as things happen; asking costs as
//! much as there are requests that are blocked or may go.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Pump;
use super::row::Row;
use super::withheld::Cause;
use crate::request::RequestId;

/// The figures of one pump.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Requests in memory.
    pub resident: usize,
    /// Their bytes, roughly.
    pub resident_bytes: usize,
    /// Keys of which something is withheld.
    pub withheld_keys: usize,
    /// Whether these are so many that nothing new is read.
    pub is_withheld_full: bool,
    /// Keys that are blocked.
    pub blocked_keys: usize,
    /// Outcomes that have not been sent to the source yet.
    pub unsettled: usize,
    /// Outcomes that a lock on their rows keeps from being recorded, if there are any.
    pub locked: Option<LockedFigures>,
    /// Everything up to this id has been read at least once.
    pub read_up_to: RequestId,
    /// By request code.
    pub codes: BTreeMap<Arc<str>, CodeFigures>,
    /// By request group, as far as the plan knows the codes.
    pub groups: BTreeMap<Arc<str>, CodeFigures>,
    /// By endpoint.
    pub endpoints: BTreeMap<Arc<str>, EndpointFigures>,
    /// By cause.
    pub withheld: Vec<WithheldFigures>,
}

/// Outcomes that a lock on their rows keeps from being recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedFigures {
    /// How many there are.
    pub requests: usize,
    /// The lowest of the requests.
    pub lowest: RequestId,
    /// Since when there has been one of them, Unix milliseconds of the source.
    pub since_ms: i64,
}

/// The figures of one request code. Those of what has been done count since the pump was made.
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
    /// Blocked now.
    pub blocked: u64,
    /// Since when the oldest that could go now could have gone, Unix milliseconds of the source.
    pub oldest_ms: Option<i64>,
}

impl CodeFigures {
    /// Adds those of another code.
    fn add(&mut self, other: &CodeFigures) {
        self.resident += other.resident;
        self.in_flight += other.in_flight;
        self.done += other.done;
        self.failed += other.failed;
        self.expired += other.expired;
        self.rejected += other.rejected;
        self.retried += other.retried;
        self.gone += other.gone;
        self.blocked += other.blocked;
        self.oldest_ms = self.oldest_ms.into_iter().chain(other.oldest_ms).min();
    }
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
    /// Requests without a key, or whose group has no order, that are withheld for this: as many as
    /// were seen, up to a bound.
    pub requests: usize,
    /// The lowest id that may be withheld for this.
    pub lowest: RequestId,
}

impl Pump {
    /// All figures.
    pub fn figures(&self) -> Figures {
        let singles = self.singles.count();
        let withheld = self.withheld.causes().map(|(cause, keys, lowest)| WithheldFigures {
            cause: cause.clone(),
            keys,
            requests: singles.get(cause).copied().unwrap_or_default(),
            lowest,
        });
        let codes = self.code_figures();
        let groups = self.group_figures(&codes);
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
            is_withheld_full: self.is_withheld_full(),
            blocked_keys: self.blocked.len(),
            unsettled: self.settling.pending(),
            locked: self.locked.figures(),
            read_up_to: self.read_up_to(),
            codes,
            groups,
            endpoints: endpoints.collect(),
            withheld: withheld.collect(),
        }
    }

    /// 0 while nothing has been read.
    fn read_up_to(&self) -> RequestId {
        match self.high_water {
            RequestId::LOWEST => RequestId(0),
            high_water => high_water,
        }
    }

    fn code_figures(&self) -> BTreeMap<Arc<str>, CodeFigures> {
        let mut codes = self.counts.clone();
        for blocked in self.blocked.values() {
            codes.entry(blocked.code.clone()).or_default().blocked += 1;
        }
        let runnable = self.stations.values().flat_map(|station| &station.runnable);
        let runnable = runnable.filter_map(|rank| self.rows.get(&rank.id));
        // What has failed waits for its next try, which makes it no younger.
        let tried = self.rows.values().filter(|row| row.request.attempts > 0);
        for row in runnable.chain(tried) {
            let since_ms = self.waiting_since_ms(row);
            let figures = codes.entry(row.request.code.clone()).or_default();
            figures.oldest_ms = Some(figures.oldest_ms.map_or(since_ms, |ms| ms.min(since_ms)));
        }
        codes
    }

    /// Since when a request could have gone, Unix milliseconds of the source.
    pub(super) fn waiting_since_ms(&self, row: &Row) -> i64 {
        let run_ms =
            row.endpoint.as_ref().and_then(|name| self.stations.get(name)?.failing.since_ms());
        let own_ms = self.rules.failing_since_ms(&row.request, run_ms);
        self.lanes.get(&row.lane).map_or(own_ms, |lane| lane.since_ms.max(own_ms))
    }

    fn group_figures(
        &self,
        codes: &BTreeMap<Arc<str>, CodeFigures>,
    ) -> BTreeMap<Arc<str>, CodeFigures> {
        let mut groups: BTreeMap<Arc<str>, CodeFigures> = BTreeMap::new();
        for (code, figures) in codes {
            if let Some(rule) = self.rules.of(code) {
                groups.entry(rule.group.clone()).or_default().add(figures);
            }
        }
        groups
    }

    /// The figures of a code.
    pub(super) fn count(&mut self, code: &Arc<str>) -> &mut CodeFigures {
        self.counts.entry(code.clone()).or_default()
    }
}
