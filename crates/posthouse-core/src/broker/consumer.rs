//! One consumer: what it may still be given, and what it has been given and not settled.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::broker::laggard::Plain;
use crate::broker::view::BrowseCursor;
use crate::command::AckMode;
use crate::destination::Pattern;
use crate::ids::{
    BacklogKey, DeliveryNo, DestinationId, HolderId, Seq, SubscriptionId, TransactionId,
};
use crate::limits::PREFETCH_BYTES_MAX;
use crate::selector::Selector;

/// Where one delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// Nothing has been said about it.
    Open,
    /// A transaction says something about it, should it commit.
    Staged(TransactionId),
    /// Settled.
    Settled,
}

/// One delivery that has been handed out.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The backlog it is from; `None` when nothing waits for its outcome (plain subscribers of
    /// topics, browsers).
    pub from: Option<BacklogKey>,
    /// Its position in the log.
    pub seq: Seq,
    /// What it counts against the consumer's credit.
    pub bytes: u32,
    /// Where it stands.
    pub state: SlotState,
}

/// Settled deliveries that may stand between open ones before those are moved out of the queue.
const SETTLED_BETWEEN_MAX: usize = 1_024;

/// The deliveries of one consumer that are not settled, by number. Numbers are dense, so they are
/// a queue with an offset; one that stays open for long moves to a map, or else the queue would
/// grow behind it with every delivery.
#[derive(Debug)]
pub struct Inflight {
    lasting: BTreeMap<u64, Slot>,
    first: u64,
    slots: VecDeque<Slot>,
    /// Settled deliveries among `slots`.
    settled: usize,
    open: u32,
    bytes: usize,
}

impl Default for Inflight {
    fn default() -> Inflight {
        let (lasting, slots) = (BTreeMap::new(), VecDeque::new());
        Inflight { lasting, first: 1, slots, settled: 0, open: 0, bytes: 0 }
    }
}

impl Inflight {
    /// Adds a delivery and gives it the next number.
    pub fn push(&mut self, slot: Slot) -> DeliveryNo {
        let number = self.first + self.slots.len() as u64;
        self.open += 1;
        self.bytes += slot.bytes as usize;
        self.slots.push_back(slot);
        DeliveryNo(number)
    }

    /// The delivery of this number, unless it is settled.
    pub fn get_mut(&mut self, number: DeliveryNo) -> Option<&mut Slot> {
        let Some(index) = number.0.checked_sub(self.first) else {
            return self.lasting.get_mut(&number.0);
        };
        let slot = self.slots.get_mut(usize::try_from(index).ok()?)?;
        (slot.state != SlotState::Settled).then_some(slot)
    }

    /// A transaction says something about an open delivery. That frees its credit, or else a
    /// transaction could never take more than the prefetch.
    pub fn stage(&mut self, number: DeliveryNo, transaction: TransactionId) -> Option<Slot> {
        let slot = self.get_mut(number).filter(|slot| slot.state == SlotState::Open)?;
        slot.state = SlotState::Staged(transaction);
        let staged = *slot;
        self.open -= 1;
        self.bytes -= staged.bytes as usize;
        Some(staged)
    }

    /// What a transaction said about a delivery does not hold; answers whether there was such.
    pub fn unstage(&mut self, number: DeliveryNo) -> bool {
        let Some(slot) = self.get_mut(number) else { return false };
        slot.state = SlotState::Open;
        let bytes = slot.bytes as usize;
        self.open += 1;
        self.bytes += bytes;
        true
    }

    /// Settles the delivery of this number and answers what it was.
    pub fn settle(&mut self, number: DeliveryNo) -> Option<Slot> {
        let slot = self.get_mut(number)?;
        let was = *slot;
        slot.state = SlotState::Settled;
        if was.state == SlotState::Open {
            self.open -= 1;
            self.bytes -= was.bytes as usize;
        }
        if self.lasting.remove(&number.0).is_none() {
            self.settled += 1;
            self.tidy();
        }
        Some(was)
    }

    /// Forgets what is settled at the front, and moves out what keeps too much behind it.
    fn tidy(&mut self) {
        while let Some(slot) = self.slots.front().copied() {
            let unsettled = self.slots.len() - self.settled;
            if slot.state == SlotState::Settled {
                self.settled -= 1;
            } else if self.settled > unsettled + SETTLED_BETWEEN_MAX {
                self.lasting.insert(self.first, slot);
            } else {
                return;
            }
            self.slots.pop_front();
            self.first += 1;
        }
    }

    /// The numbers of the deliveries up to `up_to` about which nothing has been said.
    pub fn open_up_to(&self, up_to: DeliveryNo) -> Vec<DeliveryNo> {
        let covered = self.iter().take_while(|(number, _)| *number <= up_to);
        let open = covered.filter(|(_, slot)| slot.state == SlotState::Open);
        open.map(|(number, _)| number).collect()
    }

    /// Takes the oldest delivery if its number is at most `up_to`. Only for consumers without
    /// staged deliveries.
    pub fn pop_up_to(&mut self, up_to: DeliveryNo) -> Option<Slot> {
        if self.first > up_to.0 {
            return None;
        }
        let slot = self.slots.pop_front()?;
        self.first += 1;
        self.open -= 1;
        self.bytes -= slot.bytes as usize;
        Some(slot)
    }

    /// The deliveries not settled, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (DeliveryNo, &Slot)> {
        let lasting = self.lasting.iter().map(|(number, slot)| (*number, slot));
        let numbered = lasting.chain((self.first..).zip(&self.slots));
        let unsettled = numbered.filter(|(_, slot)| slot.state != SlotState::Settled);
        unsettled.map(|(number, slot)| (DeliveryNo(number), slot))
    }

    /// How many are open: what counts against the credit.
    pub fn open_len(&self) -> u32 {
        self.open
    }
}

/// A browser: where it is, and where it ends.
#[derive(Debug)]
pub struct Browse {
    /// The queue it looks into.
    pub queue: DestinationId,
    /// Where it goes on; `None` once it has told the end.
    pub next: Option<BrowseCursor>,
    /// Positions from here on came after it had started.
    pub until: Seq,
}

/// What a consumer takes its messages from.
#[derive(Debug)]
pub enum Source {
    /// The backlogs of queues.
    Queues,
    /// The backlogs of a durable subscription.
    Durable(SubscriptionId),
    /// Topics, while it is there.
    Plain(Plain),
    /// A queue, without taking anything.
    Browse(Browse),
}

/// See the module.
#[derive(Debug)]
pub struct Consumer {
    /// Who consumes.
    pub holder: HolderId,
    /// What it asked for.
    pub target: Pattern,
    /// How it acknowledges.
    pub ack: AckMode,
    /// What it wants.
    pub selector: Option<Arc<Selector>>,
    /// Deliveries it may have open.
    pub prefetch: u32,
    /// What it takes from.
    pub source: Source,
    /// The destinations it is attached to.
    pub places: Vec<DestinationId>,
    /// Backlogs that passed it over because it had no credit.
    pub starved: Vec<BacklogKey>,
    /// What it has been given.
    pub inflight: Inflight,
    /// The last delivery that is wholly written to it.
    pub written: DeliveryNo,
    /// Whether it is on the broker's list of consumers to look at.
    pub is_listed: bool,
}

impl Consumer {
    /// Whether it may be given another message, as far as its own credit goes.
    pub fn has_credit(&self) -> bool {
        self.inflight.open < self.prefetch && self.inflight.bytes < PREFETCH_BYTES_MAX
    }

    /// The backlog of `destination` that it takes from, if it takes from backlogs.
    pub fn backlog_in(&self, destination: DestinationId) -> Option<BacklogKey> {
        let subscription = match self.source {
            Source::Queues => SubscriptionId::QUEUE,
            Source::Durable(subscription) => subscription,
            Source::Plain(_) | Source::Browse(_) => return None,
        };
        Some(BacklogKey { destination, subscription })
    }
}

#[cfg(test)]
mod tests {
    use super::{Inflight, SETTLED_BETWEEN_MAX, Slot, SlotState};
    use crate::ids::DeliveryNo;

    #[test]
    fn one_delivery_that_stays_open_does_not_make_the_others_stay() {
        let slot = Slot { from: None, seq: 0, bytes: 1, state: SlotState::Open };
        let mut inflight = Inflight::default();
        let lasting = inflight.push(slot);
        for _ in 0..10 * SETTLED_BETWEEN_MAX {
            let number = inflight.push(slot);
            assert!(inflight.settle(number).is_some() && inflight.settle(number).is_none());
            assert!(inflight.slots.len() <= 2 * SETTLED_BETWEEN_MAX);
        }
        let last = inflight.push(slot);
        assert_eq!(inflight.open_up_to(last), [lasting, last]);
        assert_eq!((inflight.open_len(), inflight.bytes), (2, 2));
        assert!(inflight.settle(lasting).is_some() && inflight.settle(lasting).is_none());
        assert_eq!(inflight.open_up_to(DeliveryNo(u64::MAX)), [last]);
        assert!(inflight.settle(last).is_some() && inflight.slots.is_empty());
        assert_eq!((inflight.open_len(), inflight.bytes, inflight.settled), (0, 0, 0));
    }
}
