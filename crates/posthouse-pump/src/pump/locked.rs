//! Outcomes that could not be written because somebody else has a lock on the row.
//!
//! Such an outcome is kept, and settled again after a wait that grows. Until then its key waits for
//! it, as for any outcome that is not recorded; nothing else does.

use std::collections::BTreeMap;

use super::Pump;
use super::alarms::Alarm;
use super::figures::LockedFigures;
use crate::effect::Notice;
use crate::outcome::Outcome;
use crate::request::RequestId;
use crate::time::Now;

/// The wait before such an outcome is settled again, at first and at most, in milliseconds.
const WAIT_MS: (u64, u64) = (50, 1_000);

/// A lock that lasts so long, in milliseconds, is no part of somebody's daily work: people are
/// told.
const TOLD_AFTER_MS: u64 = 10_000;

#[derive(Clone, Debug)]
struct Kept {
    outcome: Outcome,
    wait_ms: u64,
    since_mono_ms: u64,
    since_ms: i64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Locked {
    kept: BTreeMap<RequestId, Kept>,
    /// Whether people have been told since something was locked that is so still.
    is_told: bool,
}

impl Locked {
    /// Whether the outcome of this request was kept from its row by a lock.
    pub fn has(&self, id: RequestId) -> bool {
        self.kept.contains_key(&id)
    }

    /// How many there are, the lowest, and since when there is one.
    pub fn figures(&self) -> Option<LockedFigures> {
        let lowest = *self.kept.first_key_value()?.0;
        let since_ms = self.kept.values().map(|kept| kept.since_ms).min()?;
        Some(LockedFigures { requests: self.kept.len(), lowest, since_ms })
    }

    /// The source has said something else of this request.
    pub fn forget(&mut self, id: RequestId) {
        self.kept.remove(&id);
        self.is_told &= !self.kept.is_empty();
    }

    /// Keeps an outcome; answers when it is to be settled again, on the steady clock.
    fn keep(&mut self, now: Now, outcome: Outcome) -> u64 {
        let kept = self.kept.entry(outcome.id).or_insert_with(|| Kept {
            outcome,
            wait_ms: WAIT_MS.0,
            since_mono_ms: now.mono_ms,
            since_ms: now.source_ms,
        });
        let at_mono_ms = now.mono_ms + kept.wait_ms;
        kept.wait_ms = (kept.wait_ms * 2).min(WAIT_MS.1);
        at_mono_ms
    }

    /// What people are to be told: once, until nothing is locked any more.
    fn news(&mut self, now: Now, id: RequestId) -> Option<Notice> {
        let kept = self.kept.get(&id).filter(|_| !self.is_told)?;
        let for_ms = now.mono_ms.saturating_sub(kept.since_mono_ms);
        if for_ms < TOLD_AFTER_MS {
            return None;
        }
        self.is_told = true;
        Some(Notice::Locked { id, requests: self.kept.len(), for_ms })
    }
}

impl Pump {
    /// The source could not write an outcome without waiting for somebody else.
    pub(super) fn keep_locked(&mut self, now: Now, outcome: Outcome) {
        let id = outcome.id;
        let at_mono_ms = self.locked.keep(now, outcome);
        self.alarms.set(at_mono_ms, Alarm::Locked(id));
        if let Some(notice) = self.locked.news(now, id) {
            self.tell(notice);
        }
    }

    /// Has an outcome that was kept settled again.
    pub(super) fn settle_locked(&mut self, id: RequestId) {
        if let Some(kept) = self.locked.kept.get(&id) {
            self.settling.put(kept.outcome.clone());
        }
    }
}
