//! Which alarms are on, and which were.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use posthouse_pump::health::{Alarm, Change};

/// Changes that are remembered.
const PAST_MAX: usize = 1_000;

/// An alarm that is on.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// The source that it is about.
    pub(crate) source: Arc<str>,
    /// The alarm.
    pub(crate) alarm: Alarm,
}

/// An alarm that began or ended.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// The source that it is about.
    pub(crate) source: Arc<str>,
    /// When, by this node's clock, Unix milliseconds.
    pub(crate) at_ms: i64,
    /// Which of both, and the alarm.
    pub(crate) change: Change,
}

#[derive(Default)]
struct Known {
    standing: BTreeMap<Arc<str>, Vec<Alarm>>,
    past: VecDeque<Past>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Board {
    known: RwLock<Known>,
}

impl Board {
    /// What a look at a source has found.
    pub(super) fn put(&self, source: &Arc<str>, standing: Vec<Alarm>, past: Vec<Past>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.standing.insert(source.clone(), standing);
        known.past.extend(past);
        while known.past.len() > PAST_MAX {
            known.past.pop_front();
        }
    }

    pub(super) fn standing(&self) -> Vec<Standing> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let of_source = |(source, alarms): (&Arc<str>, &Vec<Alarm>)| {
            let source = source.clone();
            let alarms = alarms.clone().into_iter();
            alarms.map(move |alarm| Standing { source: source.clone(), alarm })
        };
        known.standing.iter().flat_map(of_source).collect()
    }

    pub(super) fn past(&self) -> Vec<Past> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.past.iter().rev().cloned().collect()
    }
}
