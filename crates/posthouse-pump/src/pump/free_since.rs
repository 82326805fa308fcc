//! Since when operators and configurations let things go. What was parked is no older than the end
//! of its parking: a request could not have gone before its group was switched on, its code was
//! known, its window was changed from one that was shut, or the hold on it was lifted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::input::Hold;
use crate::plan::Plan;
use crate::time::Now;

/// Holds that are remembered after they were lifted; beyond that, the oldest are forgotten.
const LIFTED_MAX: usize = 1_000;

/// See the module. Instants are Unix milliseconds of the source; only what has changed while
/// running is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct FreeSince {
    groups: BTreeMap<Arc<str>, i64>,
    codes: BTreeMap<Arc<str>, i64>,
    windows: BTreeMap<Arc<str>, i64>,
    holds: BTreeMap<Hold, i64>,
}

impl FreeSince {
    /// Takes note of a plan in the place of another one.
    pub fn note_plan(&mut self, now: Now, old: &Plan, new: &Plan) {
        let is_sent = |plan: &Plan, name: &Arc<str>| {
            plan.groups.get(name).map(|group| group.is_sent(&plan.region))
        };
        for name in new.groups.keys() {
            if is_sent(old, name) == Some(false) && is_sent(new, name) == Some(true) {
                self.groups.insert(name.clone(), now.source_ms);
            }
        }
        self.groups.retain(|name, _| is_sent(new, name) == Some(true));
        if !old.codes.is_empty() {
            let learnt = new.codes.keys().filter(|name| !old.codes.contains_key(*name));
            self.codes.extend(learnt.map(|name| (name.clone(), now.source_ms)));
        }
        self.codes.retain(|name, _| new.codes.contains_key(name));
        for (name, window) in &new.windows {
            let was = old.windows.get(name).filter(|was| *was != window);
            if was.is_some_and(|was| !was.is_open(now.source_ms)) {
                self.windows.insert(name.clone(), now.source_ms);
            }
        }
        self.windows.retain(|name, _| new.windows.contains_key(name));
    }

    /// Takes note of the holds in the place of others.
    pub fn note_holds(&mut self, now: Now, old: &BTreeSet<Hold>, new: &BTreeSet<Hold>) {
        self.holds.retain(|hold, _| !new.contains(hold));
        let lifted = old.difference(new);
        self.holds.extend(lifted.map(|hold| (hold.clone(), now.source_ms)));
        if self.holds.len() > LIFTED_MAX {
            let mut instants: Vec<i64> = self.holds.values().copied().collect();
            instants.sort_unstable();
            let first = instants.get(instants.len() - LIFTED_MAX).copied();
            self.holds.retain(|_, at_ms| Some(*at_ms) >= first);
        }
    }

    /// Since when a window is another one, if that was shut.
    pub fn window(&self, name: &str) -> Option<i64> {
        self.windows.get(name).copied()
    }

    /// Since when all of this lets a request of a code and group go that these holds would keep;
    /// `None` if it was always so.
    pub fn of(&self, code: &str, group: &str, holds: impl Iterator<Item = Hold>) -> Option<i64> {
        let own = [self.groups.get(group), self.codes.get(code)].into_iter().flatten().copied();
        let lifted = holds.filter_map(|hold| self.holds.get(&hold)).copied();
        let lifted = if self.holds.is_empty() { None } else { lifted.max() };
        own.chain(lifted).max()
    }
}
