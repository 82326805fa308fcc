//! Requests that are withheld one by one, because they have no key or their group has no order.
//!
//! Nothing depends on them: they are remembered only to be counted, so that people see that
//! something waits, up to a bound.

use std::collections::BTreeMap;

use super::Pump;
use super::withheld::Cause;
use crate::limits::SINGLES_MAX;
use crate::request::{RequestId, Slot};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Singles {
    by_id: BTreeMap<RequestId, (Slot, Cause)>,
}

impl Singles {
    /// Takes note of one that is withheld.
    pub fn add(&mut self, id: RequestId, slot: Slot, cause: Cause) {
        if self.by_id.len() < SINGLES_MAX || self.by_id.contains_key(&id) {
            self.by_id.insert(id, (slot, cause));
        }
    }

    /// One is withheld no longer.
    pub fn remove(&mut self, id: RequestId) {
        self.by_id.remove(&id);
    }

    /// Those of a part, both ends included.
    pub fn part(&self, part: (RequestId, RequestId)) -> impl Iterator<Item = (RequestId, Slot)> {
        self.by_id.range(part.0..=part.1).map(|(id, (slot, _))| (*id, *slot))
    }

    /// Keeps those in some slots.
    pub fn keep(&mut self, is_ours: impl Fn(Slot) -> bool) {
        self.by_id.retain(|_, (slot, _)| is_ours(*slot));
    }

    /// How many there are of each cause.
    pub fn count(&self) -> BTreeMap<&Cause, usize> {
        let mut counts = BTreeMap::new();
        for (_, cause) in self.by_id.values() {
            *counts.entry(cause).or_default() += 1;
        }
        counts
    }
}

impl Pump {
    /// Forgets what belongs to buckets that are not held any more.
    pub(super) fn keep_own_singles(&mut self) {
        let buckets = &self.buckets;
        let is_ours = |slot| buckets.held(slot).is_some();
        self.singles.keep(is_ours);
        self.unreadable.retain(|_, slot| is_ours(*slot));
    }
}
