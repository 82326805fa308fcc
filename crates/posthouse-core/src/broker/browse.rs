//! Looking without taking: a page at a time, at any depth, in the order in which messages would
//! be handed out.

use std::ops::Bound;
use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::consumer::{Slot, SlotState, Source};
use crate::broker::dispatch::select;
use crate::broker::paging::Waiter;
use crate::broker::place::Place;
use crate::broker::view::{
    BrokerStats, BrowseCursor, BrowsePage, Browsed, DestinationStats, Standing, SubscriptionStats,
};
use crate::destination::DestinationName;
use crate::effect::{Delivery, Effect, Stream};
use crate::ids::{BacklogKey, ConsumerId, DestinationId, MessageId, Seq, SubscriptionId};
use crate::limits::{BROWSE_PAGE_MAX, SELECTION_STEPS_PER_TURN};
use crate::message::Selectable;
use crate::selector::Selector;

impl Broker {
    /// Up to `limit` messages of a queue from `from` on, those that `selector` wants, and where
    /// to go on. Work is bounded: a page may be short although there is more. It ends before a
    /// message that has to be loaded first.
    pub fn look(
        &self,
        destination: DestinationId,
        from: BrowseCursor,
        limit: usize,
        selector: Option<&Selector>,
    ) -> BrowsePage {
        let place = self.places.get(&destination);
        let steps = &mut { SELECTION_STEPS_PER_TURN };
        place.map_or_else(Default::default, |place| {
            browse_within(place, from, Seq::MAX, limit, selector, steps)
        })
    }

    /// The same; a message that has to be loaded first is asked for.
    pub fn browse(
        &mut self,
        destination: DestinationId,
        from: BrowseCursor,
        limit: usize,
        selector: Option<&Selector>,
    ) -> BrowsePage {
        let page = self.look(destination, from, limit, selector);
        if let Some((seq, priority)) = page.absent {
            let key = BacklogKey { destination, subscription: SubscriptionId::QUEUE };
            self.fetch(key, seq, priority, Waiter::Backlog(key.subscription));
        }
        page
    }

    /// Goes on with a browsing consumer; answers how many messages it was handed.
    pub(super) fn browse_on(&mut self, id: ConsumerId, most: usize, steps: &mut usize) -> usize {
        let Some(consumer) = self.consumers.get(id.0) else { return 0 };
        let Source::Browse(browse) = &consumer.source else { return 0 };
        let is_able = self.can_take(id) && !self.is_bursting(id);
        let Some(from) = browse.next.filter(|_| is_able) else { return 0 };
        let credit = (consumer.prefetch - consumer.inflight.open_len()) as usize;
        let (until, queue) = (browse.until, browse.queue);
        let selector = consumer.selector.as_deref();
        let place = self.places.get(&queue);
        let page = place.map_or_else(Default::default, |place| {
            browse_within(place, from, until, most.min(credit), selector, steps)
        });
        let handed = page.messages.len();
        for browsed in page.messages {
            self.show(id, queue, browsed);
        }
        if let Some((seq, priority)) = page.absent {
            let key = BacklogKey { destination: queue, subscription: SubscriptionId::QUEUE };
            self.fetch(key, seq, priority, Waiter::Consumer(id));
            self.set_browser(id, page.next);
        } else {
            self.move_browser(id, page.next);
        }
        handed
    }

    fn set_browser(&mut self, id: ConsumerId, next: Option<BrowseCursor>) {
        let Some(consumer) = self.consumers.get_mut(id.0) else { return };
        if let Source::Browse(browse) = &mut consumer.source {
            browse.next = next;
        }
    }

    fn move_browser(&mut self, id: ConsumerId, next: Option<BrowseCursor>) {
        self.set_browser(id, next);
        let Some(holder) = self.consumers.get(id.0).map(|consumer| consumer.holder) else { return };
        if next.is_none() {
            let end = Effect::BrowseEnd { consumer: id };
            self.emit(holder, Stream::Consumer(id), crate::ids::BatchNo(0), end);
        } else {
            self.list_if_able(id);
        }
    }

    fn list_if_able(&mut self, id: ConsumerId) {
        if self.can_take(id) {
            self.list(id);
        }
    }

    fn show(&mut self, id: ConsumerId, queue: DestinationId, browsed: Browsed) {
        let Some(place) = self.places.get(&queue) else { return };
        let (name, batch) = (place.name.clone(), place.log.get(browsed.id.seq).map(|e| e.batch()));
        let Some(consumer) = self.consumers.get_mut(id.0) else { return };
        let bytes = browsed.message.size_bytes() as u32;
        let slot = Slot { from: None, seq: browsed.id.seq, bytes, state: SlotState::Open };
        let (number, holder) = (consumer.inflight.push(slot), consumer.holder);
        self.note_burst(holder, bytes as usize);
        let first_id = browsed.provenance.as_ref().map(|provenance| provenance.first_id);
        let delivery = Delivery {
            consumer: id,
            number,
            id: first_id.unwrap_or(browsed.id),
            destination: name,
            message: browsed.message,
            redeliveries: browsed.deliveries,
            provenance: browsed.provenance,
        };
        let gate = batch.unwrap_or_default();
        self.emit(holder, Stream::Consumer(id), gate, Effect::Deliver(delivery));
    }

    /// Destinations as they stand, by id: at most `limit` of those after `after`.
    pub fn destinations(
        &self,
        after: Option<DestinationId>,
        limit: usize,
    ) -> Vec<DestinationStats> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.places.range((start, Bound::Unbounded)).take(limit).map(|(_, p)| stats_of(p)).collect()
    }

    /// One destination as it stands.
    pub fn destination(&self, name: &DestinationName) -> Option<DestinationStats> {
        let id = self.names.get(name)?;
        self.places.get(id).map(stats_of)
    }

    /// Durable subscriptions as they stand, by id: at most `limit` of those after `after`.
    pub fn subscriptions(
        &self,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Vec<SubscriptionStats> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = self.subscriptions.range((start, Bound::Unbounded)).take(limit);
        page.map(|(id, _)| self.subscription_stats(*id)).collect()
    }

    fn subscription_stats(&self, id: SubscriptionId) -> SubscriptionStats {
        let subscription = &self.subscriptions[&id];
        let places = || subscription.topics.iter().filter_map(|topic| self.places.get(topic));
        let backlogs = || places().filter_map(|place| place.backlogs.get(&id));
        let pending = backlogs().map(|backlog| backlog.pending_len()).sum();
        let waiting: u64 = backlogs().map(|b| b.ready_len() + b.delayed_len()).sum();
        SubscriptionStats {
            id,
            client: subscription.client.clone(),
            name: subscription.name.clone(),
            pattern: subscription.pattern.path().to_owned(),
            selector: subscription.selector.as_ref().map(|selector| selector.text().into()),
            active: subscription.user.is_some(),
            pending,
            unacknowledged: pending - waiting,
        }
    }

    /// The whole node in figures.
    pub fn stats(&self) -> BrokerStats {
        BrokerStats {
            holders: self.holders.len() as u64,
            consumers: self.consumers.len() as u64,
            destinations: self.places.len() as u64,
            subscriptions: self.subscriptions.len() as u64,
            transactions: self.transactions.len() as u64,
            messages: self.messages,
            bytes: self.bytes,
            resident_bytes: self.resident_bytes,
            counters: self.counters,
        }
    }
}

fn stats_of(place: &Place) -> DestinationStats {
    let queue = place.backlogs.get(&SubscriptionId::QUEUE);
    let of_queue = |figure: fn(&super::backlog::Backlog) -> u64| queue.map_or(0, figure);
    let durable: usize = place.backlogs.values().map(|backlog| backlog.consumers().len()).sum();
    let unreadable = place.unreadable.len() as u64;
    DestinationStats {
        id: place.id,
        name: Arc::clone(&place.name),
        messages: place.log.len(),
        bytes: place.log.bytes(),
        unreadable,
        ready: of_queue(|backlog| backlog.ready_len()),
        // What cannot be read may at the same time be delayed.
        unacknowledged: of_queue(|b| b.pending_len() - b.ready_len() - b.delayed_len())
            .saturating_sub(unreadable),
        delayed: of_queue(|backlog| backlog.delayed_len()),
        consumers: (durable + place.plain.len()) as u64,
        blocked_producers: place.waiters.len() as u64,
        counters: place.counters,
    }
}

/// Looks at the messages before position `until`, within `steps` of work, of which it takes what
/// it needs.
fn browse_within(
    place: &Place,
    from: BrowseCursor,
    until: Seq,
    limit: usize,
    selector: Option<&Selector>,
    steps: &mut usize,
) -> BrowsePage {
    let mut page = BrowsePage { next: Some(from), ..BrowsePage::default() };
    while *steps > 0 && page.messages.len() < limit.min(BROWSE_PAGE_MAX) {
        let Some(at) = page.next else { break };
        let Some((priority, seq)) = next_pending(place, at) else {
            page.next = None;
            break;
        };
        if seq >= until {
            page.next = priority.checked_sub(1).map(|priority| BrowseCursor { priority, seq: 0 });
            continue;
        }
        let Some(browsed) = look_at(place, seq) else {
            if !place.unreadable.contains(&seq) {
                page.absent = Some((seq, priority));
                break;
            }
            page.next = Some(BrowseCursor { priority, seq: seq + 1 });
            continue;
        };
        page.next = Some(BrowseCursor { priority, seq: seq + 1 });
        let seen = Selectable::new(&browsed.message, browsed.id);
        if selector.is_none_or(|selector| select(selector, &seen, steps)) {
            page.messages.push(browsed);
        }
    }
    page
}

/// The next message at or after `at` in the order of handing out.
fn next_pending(place: &Place, at: BrowseCursor) -> Option<(u8, Seq)> {
    let backlog = place.backlogs.get(&SubscriptionId::QUEUE)?;
    let mut lanes = backlog.occupied().filter(|(priority, _)| *priority <= at.priority);
    lanes.find_map(|(priority, lane)| {
        let from = if priority == at.priority { at.seq } else { 0 };
        lane.pending.first_from(from).map(|seq| (priority, seq))
    })
}

fn look_at(place: &Place, seq: Seq) -> Option<Browsed> {
    let backlog = place.backlogs.get(&SubscriptionId::QUEUE)?;
    let entry = place.log.get(seq)?;
    let body = entry.body?;
    let standing = if backlog.is_ready(seq, entry.look.priority()) {
        Standing::Ready
    } else if backlog.is_delayed(seq) {
        Standing::Delayed
    } else {
        Standing::Unacknowledged
    };
    Some(Browsed {
        id: MessageId { destination: place.id, origin: 0, seq },
        message: Arc::clone(&body.message),
        standing,
        deliveries: backlog.attempts(seq).deliveries,
        provenance: entry.look.provenance().cloned(),
    })
}
