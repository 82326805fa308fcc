//! Checkpoints: the durable state as of one batch, taken while the broker goes on.
//!
//! Taking a snapshot starts at the end of a batch. Destinations are then captured a few at a
//! time, and one that a record is about to change is captured first, so the image is of one
//! moment although it is taken over many turns. Captured pages are shared, not copied: whoever
//! changes one later gets a copy. The image is encoded elsewhere.

mod encode;
mod restore;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::backlog::{Attempts, Backlog};
use crate::broker::duplicate::Producer;
use crate::broker::log::Slots;
use crate::broker::place::Place;
use crate::destination::DestinationName;
use crate::ids::{BatchNo, DestinationId, Seq, SubscriptionId};
use crate::record::Record;
use crate::seq_set::SeqSet;

/// A snapshot that is being taken.
#[derive(Debug)]
pub(super) struct Capture {
    image: Image,
    left: BTreeSet<DestinationId>,
}

/// The durable state as of one batch.
#[derive(Debug)]
pub struct Image {
    batch: BatchNo,
    run: u32,
    last_destination: u32,
    last_subscription: u32,
    subscriptions: Vec<Record>,
    producers: Vec<(u128, Arc<Producer>)>,
    places: Vec<PlaceImage>,
}

#[derive(Debug)]
struct PlaceImage {
    id: DestinationId,
    name: Arc<DestinationName>,
    pages: Vec<(u64, Arc<Slots>)>,
    backlogs: Vec<BacklogImage>,
}

#[derive(Debug)]
struct BacklogImage {
    subscription: SubscriptionId,
    pending: Vec<(u8, SeqSet)>,
    attempts: BTreeMap<Seq, Attempts>,
    dispatched_up_to: Seq,
}

impl Broker {
    /// Starts to take a snapshot of the state after `batch`, which has just been placed. One that
    /// was being taken is given up.
    pub fn begin_snapshot(&mut self, batch: BatchNo) {
        let image = Image {
            batch,
            run: self.run,
            last_destination: self.last_destination,
            last_subscription: self.last_subscription,
            subscriptions: self.subscription_records(),
            producers: self.producers.share(),
            places: Vec::new(),
        };
        let left = self.places.keys().copied().collect();
        self.capture = Some(Box::new(Capture { image, left }));
    }

    /// Goes on with the snapshot by at most so many destinations. Answers it when it is complete.
    pub fn capture_some(&mut self, most: usize) -> Option<Image> {
        for _ in 0..most {
            let next = self.capture.as_ref()?.left.first().copied();
            let Some(destination) = next else {
                return self.capture.take().map(|capture| capture.image);
            };
            self.capture_place(destination);
        }
        None
    }

    /// Whether a snapshot is being taken.
    pub fn is_capturing(&self) -> bool {
        self.capture.is_some()
    }

    fn subscription_records(&self) -> Vec<Record> {
        let record = |(id, subscription): (&SubscriptionId, &super::Subscription)| {
            subscription.definition(*id)
        };
        self.subscriptions.iter().map(record).collect()
    }

    /// Captures what `record` is about to change.
    pub(super) fn capture_before(&mut self, record: &Record) {
        match record {
            Record::DestinationRemoved { id } => self.capture_place(*id),
            Record::SubscriptionRemoved { id } => {
                let topics = self.subscriptions.get(id).map(|found| found.topics.clone());
                topics.unwrap_or_default().into_iter().for_each(|topic| self.capture_place(topic));
            }
            Record::Enqueued(enqueued) => self.capture_place(enqueued.destination),
            Record::Removed(removed) => self.capture_place(removed.from.destination),
            Record::Returned { backlog, .. } | Record::Dispatched { backlog, .. } => {
                self.capture_place(backlog.destination);
            }
            Record::Moved(moved) => {
                self.capture_place(moved.from.destination);
                self.capture_place(moved.to.destination);
            }
            // Each record in a transaction comes by here itself; what is new is not part of it.
            Record::Transaction(_)
            | Record::Started { .. }
            | Record::DestinationDefined { .. }
            | Record::SubscriptionDefined { .. }
            | Record::Numbered { .. }
            | Record::Kept(_)
            | Record::Waiting(_)
            | Record::Produced(_) => {}
        }
    }

    fn capture_place(&mut self, destination: DestinationId) {
        let Some(capture) = self.capture.as_mut() else { return };
        if !capture.left.remove(&destination) {
            return;
        }
        if let Some(place) = self.places.get(&destination) {
            let last = SubscriptionId(capture.image.last_subscription);
            capture.image.places.push(image_of(place, last));
        }
    }
}

/// Subscriptions after `last` are not part of the snapshot.
fn image_of(place: &Place, last: SubscriptionId) -> PlaceImage {
    let backlogs = place.backlogs.range(..=last);
    PlaceImage {
        id: place.id,
        name: place.name.clone(),
        pages: place.log.share(),
        backlogs: backlogs.map(|(id, backlog)| image_of_backlog(*id, backlog)).collect(),
    }
}

fn image_of_backlog(subscription: SubscriptionId, backlog: &Backlog) -> BacklogImage {
    BacklogImage {
        subscription,
        pending: backlog.occupied().map(|(p, lane)| (p, lane.pending.clone())).collect(),
        attempts: backlog.all_attempts().clone(),
        dispatched_up_to: backlog.dispatched_up_to,
    }
}
