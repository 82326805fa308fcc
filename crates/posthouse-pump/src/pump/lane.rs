//! A lane: what is in memory of one key, in order. A request without a key has a lane to itself.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::station::Rank;
use crate::outcome::BucketNo;
use crate::plan::Order;
use crate::read::ReadNo;
use crate::request::{Request, RequestId, Slot};

/// The hash of what order extends over. Two keys with the same one would only wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LaneNo(pub u64);

impl LaneNo {
    /// The lane of a request. The seed keeps writers from choosing keys that fall together.
    pub fn of(seed: u64, request: &Request, order: Order) -> LaneNo {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        match (&request.key, order) {
            (Some(key), Order::Key) => (0_u8, key).hash(&mut hasher),
            (Some(key), Order::KeyAndCode) => (1_u8, key, &request.code).hash(&mut hasher),
            (None, _) | (_, Order::None) => (2_u8, request.id).hash(&mut hasher),
        }
        LaneNo(hasher.finish())
    }
}

/// Where what is kept of a lane ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing is left out.
    Open,
    /// From this id on nothing is kept; there is more at the source, or may be.
    Cut(RequestId),
    /// This request is blocked. It and all after it are not kept.
    Blocked(RequestId),
}

/// Where a lane is queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere.
    Nowhere,
    /// Among those that may go, at this endpoint.
    Runnable(Arc<str>, Rank),
    /// Among those that wait until this instant, milliseconds of the steady clock.
    Waiting(u64),
}

/// How far reading a cut lane again has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refill {
    /// Nothing has been asked for.
    None,
    /// It stands in the queue.
    Queued,
    /// It is being read, and this is the first id that was left out meanwhile.
    Reading(ReadNo, Option<RequestId>),
}

/// One request of a lane that is in flight or being settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy {
    pub id: RequestId,
    /// Whether it has been tried, so that nothing else of its key may be.
    pub is_attempt: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// What its requests have in common; `None` for a lane of one.
    pub key: Option<Arc<str>>,
    pub slot: Slot,
    pub bucket: BucketNo,
    /// By ascending id.
    pub waiting: VecDeque<RequestId>,
    pub busy: Vec<Busy>,
    pub end: End,
    pub place: Place,
    pub refill: Refill,
    /// Since when its head could have gone as far as those before it are concerned, Unix
    /// milliseconds of the source: what waits behind something that is parked is no older than the
    /// end of that.
    pub since_ms: i64,
}

impl Lane {
    /// An empty lane for a request and those of its key.
    pub fn new(request: &Request, is_keyed: bool, bucket: BucketNo) -> Lane {
        Lane {
            key: request.key.clone().filter(|_| is_keyed),
            slot: request.slot,
            bucket,
            waiting: VecDeque::new(),
            busy: Vec::new(),
            end: End::Open,
            place: Place::Nowhere,
            refill: Refill::None,
            since_ms: i64::MIN,
        }
    }

    /// The first id that is not kept.
    pub fn end_id(&self) -> RequestId {
        match self.end {
            End::Open => RequestId(i64::MAX),
            End::Cut(id) | End::Blocked(id) => id,
        }
    }

    /// Puts a request in its place.
    pub fn insert(&mut self, id: RequestId) {
        if self.waiting.back().is_none_or(|last| *last < id) {
            self.waiting.push_back(id);
        } else if let Err(place) = self.waiting.binary_search(&id) {
            self.waiting.insert(place, id);
        }
    }

    /// Takes a request out.
    pub fn remove(&mut self, id: RequestId) {
        if self.waiting.front() == Some(&id) {
            self.waiting.pop_front();
        } else if let Ok(place) = self.waiting.binary_search(&id) {
            self.waiting.remove(place);
        }
    }

    /// Takes out everything from this id on.
    pub fn split_off(&mut self, id: RequestId) -> VecDeque<RequestId> {
        let place = self.waiting.partition_point(|waiting| *waiting < id);
        self.waiting.split_off(place)
    }

    /// The request that may start next, as far as the order of the lane is concerned.
    pub fn head(&self) -> Option<RequestId> {
        let head = *self.waiting.front()?;
        let is_free = self.busy.iter().all(|busy| !busy.is_attempt && busy.id > head);
        is_free.then_some(head)
    }

    /// Whether nothing would be lost if it were forgotten.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.busy.is_empty() && self.end == End::Open
    }
}
