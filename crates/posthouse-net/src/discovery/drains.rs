//! Instances that get nothing new, because somebody wants it so. They stand apart from what the
//! discovery says, so that an instance that goes and comes back is still drained.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::limits::DRAINED_MAX;
use crate::pool::lock;

/// An instance that is drained.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drain {
    /// The discovery.
    pub discovery: Arc<str>,
    /// The service.
    pub service: Arc<str>,
    /// The instance.
    pub instance: Arc<str>,
}

/// See the module. Copies are of the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Drains(Arc<Mutex<BTreeSet<Drain>>>);

impl Drains {
    /// Drains one. `false` if that would be too many.
    pub(super) fn add(&self, drain: Drain) -> bool {
        let mut drains = lock(&self.0);
        let has_room = drains.len() < DRAINED_MAX || drains.contains(&drain);
        if has_room {
            drains.insert(drain);
        }
        has_room
    }

    /// Lets one work again. Whether it was drained.
    pub(super) fn remove(&self, drain: &Drain) -> bool {
        lock(&self.0).remove(drain)
    }

    /// All of one service.
    pub(super) fn of(&self, discovery: &str, service: &str) -> BTreeSet<Arc<str>> {
        let drains = lock(&self.0);
        let ours = drains.iter().filter(|one| &*one.discovery == discovery);
        let ours = ours.filter(|one| &*one.service == service);
        ours.map(|one| one.instance.clone()).collect()
    }
}
