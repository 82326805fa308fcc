//! Bodies leave memory and come back.
//!
//! What is known of a message always stays; its body goes when the node holds more than its
//! budget and the store has the record for good. It is asked for again, with those behind it,
//! when it is the next to be handed out, and whoever waited for it goes on when it has come.
//! Pages that came last go first: in a long backlog they are the last to be wanted again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::log::{Body, Facts, PAGE_LEN};
use crate::broker::place::Place;
use crate::ids::{BacklogKey, BatchNo, ConsumerId, DestinationId, Seq, SubscriptionId};
use crate::limits::{LOAD_AHEAD_BYTES, LOAD_AHEAD_MESSAGES, PAGES_LOOKED_AT_PER_TURN};
use crate::record::{Enqueued, Record, codec};
use crate::store::{Kept, Loaded, Locator, Relocated};

/// Backlogs that are asked whether they are about to need a page.
const BACKLOGS_ASKED: usize = 16;

/// Pages that are kept from where a backlog with consumers is being handed out.
const PAGES_AHEAD: u64 = 2;

/// A page of more than this is not kept in memory because it will be wanted soon.
const PAGE_KEPT_BYTES_MAX: u64 = 4 << 20;

/// Who goes on when a body has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Waiter {
    /// A backlog of the destination.
    Backlog(SubscriptionId),
    /// A plain subscriber or a browser.
    Consumer(ConsumerId),
}

/// Takes records of messages that need not survive; answers where the first lies.
pub type Spool<'a> = dyn FnMut(Vec<u8>) -> Locator + 'a;

/// What the broker remembers about bodies.
#[derive(Debug, Default)]
pub(super) struct Paging {
    /// Message records in the open batch.
    in_batch: u32,
    /// Messages that do not know their place yet.
    unplaced: Vec<(DestinationId, Seq)>,
    /// Pages with bodies; those at the back go first.
    pages: VecDeque<(DestinationId, u64)>,
    /// Pages that were loaded since the last time that bodies left, and the time before: they
    /// stay until those who waited for them had their turn.
    fresh: BTreeSet<(DestinationId, u64)>,
    fresh_before: BTreeSet<(DestinationId, u64)>,
    wanted: Vec<Kept>,
    waiters: BTreeMap<DestinationId, BTreeSet<Waiter>>,
    /// Spooled messages that are not wanted any more.
    forgotten: Vec<(Locator, u32)>,
    /// Spooled records that more than one message refers to, and how many more.
    shared: BTreeMap<Locator, u32>,
    /// What a person must be told.
    alarms: Vec<String>,
}

impl Paging {
    /// The place of the next message record of the open batch.
    pub(super) fn next_in_batch(&mut self) -> Locator {
        self.in_batch += 1;
        Locator::in_open_batch(self.in_batch - 1)
    }

    /// Remembers a message whose place is known only once its batch is placed.
    pub(super) fn note_unplaced(&mut self, destination: DestinationId, seq: Seq, at: Locator) {
        if at.ordinal().is_some() {
            self.unplaced.push((destination, seq));
        }
    }

    /// The page of a new message lets its bodies go first.
    pub(super) fn list_last(&mut self, destination: DestinationId, seq: Seq) {
        self.pages.push_back((destination, seq / PAGE_LEN));
    }

    fn list_first(&mut self, destination: DestinationId, seq: Seq) {
        self.pages.push_front((destination, seq / PAGE_LEN));
    }

    /// If the message lies in the spool, its room there is free.
    pub(super) fn forget_spooled(&mut self, facts: &Facts) {
        if facts.recorded || !facts.locator.is_placed() {
            return;
        }
        match self.shared.get_mut(&facts.locator) {
            None => self.forgotten.push((facts.locator, facts.bytes)),
            Some(1) => drop(self.shared.remove(&facts.locator)),
            Some(more) => *more -= 1,
        }
    }

    /// One message more refers to the record, if it lies in the spool.
    pub(super) fn share_spooled(&mut self, facts: &Facts) {
        if !facts.recorded && facts.locator.is_placed() {
            *self.shared.entry(facts.locator).or_default() += 1;
        }
    }
}

impl Broker {
    /// The open batch has been placed: its message records begin at `offsets` after `first`.
    pub fn place_batch(&mut self, first: Locator, offsets: &[u32]) {
        self.paging.in_batch = 0;
        for (destination, seq) in std::mem::take(&mut self.paging.unplaced) {
            let Some(place) = self.places.get_mut(&destination) else { continue };
            let ordinal = place.log.get(seq).and_then(|entry| entry.look.locator.ordinal());
            let Some(ordinal) = ordinal else { continue };
            let offset = offsets.get(ordinal).copied();
            let locator = offset.map_or(Locator::NONE, |offset| first.after(offset as usize));
            place.log.set_locator(seq, locator);
        }
    }

    /// Takes the messages that are to be loaded.
    pub fn take_wanted(&mut self) -> Vec<Kept> {
        std::mem::take(&mut self.paging.wanted)
    }

    /// Takes the spooled messages that are not wanted any more, each with the bytes it counts.
    pub fn take_forgotten(&mut self) -> Vec<(Locator, u32)> {
        std::mem::take(&mut self.paging.forgotten)
    }

    /// Takes what a person must be told.
    pub fn take_alarms(&mut self) -> Vec<String> {
        std::mem::take(&mut self.paging.alarms)
    }

    /// Asks for the body at `seq` and for those behind it that are likely to be wanted next.
    pub(super) fn fetch(&mut self, key: BacklogKey, seq: Seq, priority: u8, waiter: Waiter) {
        self.paging.waiters.entry(key.destination).or_default().insert(waiter);
        let Some(place) = self.places.get_mut(&key.destination) else { return };
        let mut next = Some(seq);
        let mut bytes = 0;
        for _ in 0..LOAD_AHEAD_MESSAGES {
            let Some(seq) = next.filter(|_| bytes < LOAD_AHEAD_BYTES) else { return };
            if let Some(kept) = ask(place, seq) {
                bytes += kept.bytes as usize;
                self.paging.wanted.push(kept);
            }
            let backlog = place.backlogs.get(&key.subscription);
            next = backlog.and_then(|backlog| backlog.ready_from(seq + 1, priority));
        }
    }

    /// A message that cannot be read may have come back since, and must not stand in the way of
    /// those behind it.
    pub(super) fn is_set_apart(&mut self, key: BacklogKey, seq: Seq, priority: u8) -> bool {
        let Some(place) = self.places.get_mut(&key.destination) else { return false };
        let is_unreadable = place.unreadable.contains(&seq);
        if is_unreadable && let Some(backlog) = place.backlogs.get_mut(&key.subscription) {
            backlog.take(seq, priority);
        }
        is_unreadable
    }

    /// Asks for one body.
    pub(super) fn fetch_one(&mut self, destination: DestinationId, seq: Seq, waiter: Waiter) {
        self.paging.waiters.entry(destination).or_default().insert(waiter);
        let place = self.places.get_mut(&destination);
        self.paging.wanted.extend(place.and_then(|place| ask(place, seq)));
    }

    /// Bodies that were asked for have come.
    pub fn loaded(&mut self, loaded: Vec<Loaded>) {
        let mut destinations = BTreeSet::new();
        for Loaded { kept, message } in loaded {
            destinations.insert(kept.destination);
            match message {
                Ok(message) => {
                    // It may have been moved here by a record that is not durable yet.
                    let body = Body { message, batch: self.recorded_batch };
                    self.take_in(&kept, body);
                }
                Err(why) => self.give_up(&kept, &why),
            }
        }
        for destination in destinations {
            for waiter in self.paging.waiters.remove(&destination).unwrap_or_default() {
                match waiter {
                    Waiter::Consumer(consumer) => self.list(consumer),
                    Waiter::Backlog(subscription) => {
                        self.make_runnable(BacklogKey { destination, subscription });
                    }
                }
            }
        }
    }

    fn take_in(&mut self, kept: &Kept, body: Body) {
        let Some(place) = self.places.get_mut(&kept.destination) else { return };
        let (has_come, is_new) = place.log.settle(kept.seq, Some(body));
        self.paging.fresh.insert((kept.destination, kept.seq / PAGE_LEN));
        self.resident_bytes += if has_come { u64::from(kept.bytes) } else { 0 };
        if is_new {
            self.paging.list_first(kept.destination, kept.seq);
        }
    }

    /// A body cannot be had. The message stays where it is, and nobody is handed it.
    fn give_up(&mut self, kept: &Kept, why: &str) {
        let Some(place) = self.places.get_mut(&kept.destination) else { return };
        place.log.settle(kept.seq, None);
        let Some(entry) = place.log.get(kept.seq) else { return };
        let priority = entry.look.priority();
        for backlog in place.backlogs.values_mut() {
            backlog.take(kept.seq, priority);
        }
        place.unreadable.insert(kept.seq);
        let name = place.name.clone();
        self.paging.alarms.push(format!("message {:x} of {name} cannot be read: {why}", kept.seq));
    }

    /// Messages lie elsewhere from now on.
    pub fn relocated(&mut self, relocated: Vec<Relocated>) {
        for Relocated { kept, to } in relocated {
            let Some(place) = self.places.get_mut(&kept.destination) else { continue };
            let is_there = place.log.get(kept.seq).is_some_and(|e| e.look.locator == kept.locator);
            if is_there {
                place.log.set_locator(kept.seq, to);
            }
        }
    }

    /// Lets bodies go until no more are in memory than the budget allows, as far as the store has
    /// them; `durable` says what it has. Beyond half of all memory, messages that need not survive
    /// go to the spool.
    pub fn page_out(&mut self, durable: BatchNo, spool: &mut Spool<'_>) {
        let before = self.resident_bytes;
        self.page_out_some(durable, spool);
        self.paging.fresh_before = std::mem::take(&mut self.paging.fresh);
        if self.resident_bytes < before {
            self.wake_memory_waiters();
        }
    }

    fn page_out_some(&mut self, durable: BatchNo, spool: &mut Spool<'_>) {
        let budget = self.policies.resident_bytes_max;
        for _ in 0..PAGES_LOOKED_AT_PER_TURN {
            if budget == 0 || self.resident_bytes <= budget {
                return;
            }
            let Some((destination, number)) = self.paging.pages.pop_back() else { return };
            let page = (destination, number);
            let is_fresh =
                self.paging.fresh.contains(&page) || self.paging.fresh_before.contains(&page);
            if is_fresh || self.is_wanted_soon(destination, number) {
                self.paging.pages.push_front((destination, number));
                continue;
            }
            if self.policies.memory_bytes_max / 2 < self.resident_bytes {
                self.spool_page(destination, number, spool);
            }
            let Some(place) = self.places.get_mut(&destination) else { continue };
            self.resident_bytes -= place.log.page_out(number, durable);
            if place.log.is_listed(number) {
                self.paging.pages.push_front((destination, number));
            }
        }
    }

    /// Whether a backlog that somebody takes from will get to the page soon.
    fn is_wanted_soon(&self, destination: DestinationId, number: u64) -> bool {
        let Some(place) = self.places.get(&destination) else { return false };
        if place.log.page_bytes(number) > PAGE_KEPT_BYTES_MAX {
            return false;
        }
        let consumed = place.backlogs.values().take(BACKLOGS_ASKED);
        let mut consumed = consumed.filter(|backlog| !backlog.consumers().is_empty());
        consumed.any(|backlog| {
            let first = backlog.first_ready().map(|(seq, _)| seq / PAGE_LEN);
            first.is_some_and(|first| (first..=first + PAGES_AHEAD).contains(&number))
        })
    }

    fn spool_page(&mut self, destination: DestinationId, number: u64, spool: &mut Spool<'_>) {
        let Some(place) = self.places.get_mut(&destination) else { return };
        let volatile = place.log.volatile(number);
        if volatile.is_empty() {
            return;
        }
        let mut records = Vec::new();
        let mut offsets = Vec::new();
        for (seq, message) in volatile {
            offsets.push((seq, records.len()));
            // As long as it counts, so that its room can be counted when it is forgotten.
            let end = records.len() + message.size_bytes();
            encode_spooled(destination, seq, message, &mut records);
            records.resize(end.max(records.len()), 0);
        }
        let first = spool(records);
        for (seq, offset) in offsets {
            place.log.set_locator(seq, first.after(offset));
        }
    }
}

fn encode_spooled(
    destination: DestinationId,
    seq: Seq,
    message: Arc<crate::message::Envelope>,
    out: &mut Vec<u8>,
) {
    let enqueued = Enqueued { destination, seq, subscriptions: Vec::new(), message };
    codec::encode(&Record::Enqueued(enqueued), out);
}

/// Asks for one body, unless it is there, on its way, or cannot be had.
fn ask(place: &mut Place, seq: Seq) -> Option<Kept> {
    let look = place.log.get(seq)?.look;
    let (locator, bytes) = (look.locator, look.bytes());
    if place.unreadable.contains(&seq) || !place.log.ask(seq) {
        return None;
    }
    Some(Kept { destination: place.id, seq, locator, bytes })
}
