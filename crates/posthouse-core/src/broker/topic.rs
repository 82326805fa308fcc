//! Publishing: to every durable subscription that wants the message, and to every plain
//! subscriber of the moment.
//!
//! A plain subscriber with credit is handed the message at once; nothing is kept for it. One
//! without credit has the position queued, and the topic's log keeps the one copy that all slow
//! subscribers share.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::consumer::{Plain, Slot, SlotState, Source};
use crate::broker::log::Entry;
use crate::effect::{Delivery, Effect, Stream};
use crate::ids::{BatchNo, ConsumerId, DestinationId, HolderId, MessageId, Seq, SubscriptionId};
use crate::message::{Envelope, Selectable};
use crate::policy::WhenSlow;
use crate::record::{Enqueued, Record};
use crate::refusal::{Code, Refusal};
use crate::time::Now;

impl Broker {
    pub(super) fn publish(
        &mut self,
        now: Now,
        holder: HolderId,
        destination: DestinationId,
        message: Arc<Envelope>,
        recorded: bool,
    ) {
        let place = self.places.get_mut(&destination).expect("looked up by the caller");
        let seq = place.log.allocate();
        let id = MessageId { destination, origin: 0, seq };
        let subscriptions = self.durable_takers(id, &message);
        let must_record = recorded && !subscriptions.is_empty();
        let gate = if must_record { self.open_batch } else { self.commit_gate };
        let late = if message.is_expired(now.wall_ms) {
            self.count_expired(destination, &subscriptions);
            Vec::new()
        } else {
            self.hand_to_plain(holder, id, &message, gate)
        };
        self.keep_published(id, message, subscriptions, must_record, late.len() as u32);
        for consumer in late {
            self.queue_for_plain(consumer, destination, seq);
        }
    }

    /// A message that has expired on its way in reaches nobody. Durable subscriptions count it
    /// themselves when they give it up.
    fn count_expired(&mut self, destination: DestinationId, takers: &[SubscriptionId]) {
        if takers.is_empty() {
            self.count(destination, |counters| counters.expired += 1);
        }
    }

    /// The durable subscriptions that want the message. The others never hear of it: in their
    /// backlogs it is a hole from the start.
    fn durable_takers(&self, id: MessageId, message: &Envelope) -> Vec<SubscriptionId> {
        let place = &self.places[&id.destination];
        let wants = |subscription: &&SubscriptionId| {
            let subscription = &self.subscriptions[*subscription];
            #[cfg(feature = "planted-bugs")]
            if self.has_bug(super::planted::PlantedBug::AwayMisses) && subscription.user.is_none() {
                return false;
            }
            let selector = subscription.selector.as_ref();
            selector.is_none_or(|selector| selector.matches(&Selectable::new(message, id)))
        };
        place.backlogs.keys().filter(wants).copied().collect()
    }

    /// Hands the message to the plain subscribers that can take it; answers those that cannot.
    fn hand_to_plain(
        &mut self,
        holder: HolderId,
        id: MessageId,
        message: &Arc<Envelope>,
        gate: BatchNo,
    ) -> Vec<ConsumerId> {
        let mut late = Vec::new();
        let place = &self.places[&id.destination];
        for index in 0..place.plain.len() {
            let consumer_id = self.places[&id.destination].plain[index];
            match self.plain_wants(consumer_id, holder, id, message) {
                Want::No => {}
                Want::Later => late.push(consumer_id),
                Want::Now => self.deliver_plain(consumer_id, id, message.clone(), gate),
            }
        }
        late
    }

    fn plain_wants(
        &self,
        id: ConsumerId,
        sender: HolderId,
        message_id: MessageId,
        message: &Envelope,
    ) -> Want {
        let Some(consumer) = self.consumers.get(id.0) else { return Want::No };
        let Source::Plain(plain) = &consumer.source else { return Want::No };
        if plain.no_local && consumer.holder == sender {
            return Want::No;
        }
        let selectable = Selectable::new(message, message_id);
        let selector = consumer.selector.as_ref();
        if selector.is_some_and(|selector| !selector.matches(&selectable)) {
            return Want::No;
        }
        let can_take = plain.waiting.is_empty() && self.can_take(id);
        if can_take { Want::Now } else { Want::Later }
    }

    pub(super) fn deliver_plain(
        &mut self,
        consumer_id: ConsumerId,
        id: MessageId,
        message: Arc<Envelope>,
        gate: BatchNo,
    ) {
        let Some(consumer) = self.consumers.get_mut(consumer_id.0) else { return };
        let bytes = message.size_bytes() as u32;
        let slot = Slot { from: None, seq: id.seq, bytes, state: SlotState::Open };
        let number = consumer.inflight.push(slot);
        let holder = consumer.holder;
        let Some(place) = self.places.get_mut(&id.destination) else { return };
        place.counters.delivered += 1;
        self.counters.delivered += 1;
        let delivery = Delivery {
            consumer: consumer_id,
            number,
            id,
            destination: place.name.clone(),
            message,
            redeliveries: 0,
            provenance: None,
        };
        self.emit_delivery(holder, gate, delivery);
    }

    /// Keeps the message if anybody has to wait for it.
    fn keep_published(
        &mut self,
        id: MessageId,
        message: Arc<Envelope>,
        subscriptions: Vec<SubscriptionId>,
        must_record: bool,
        late: u32,
    ) {
        let MessageId { destination, seq, .. } = id;
        if must_record {
            self.record(Record::Enqueued(Enqueued { destination, seq, subscriptions, message }));
            self.add_waiters(destination, seq, late);
            return;
        }
        if let Some(producer) = message.producer {
            self.producers.note(producer, BatchNo(0));
        }
        if late > 0 || !subscriptions.is_empty() {
            let entry = Entry { waiting: late, ..self.volatile_entry(message) };
            self.keep(destination, seq, entry, &subscriptions);
        }
    }

    fn add_waiters(&mut self, destination: DestinationId, seq: Seq, late: u32) {
        let place = self.places.get_mut(&destination);
        if let Some(entry) = place.and_then(|place| place.log.get_mut(seq)) {
            entry.waiting += late;
        }
    }

    fn queue_for_plain(&mut self, id: ConsumerId, destination: DestinationId, seq: Seq) {
        let place = &self.places[&destination];
        let Some(entry) = place.log.get(seq) else { return };
        let (bytes, policy) = (entry.message.size_bytes() as u32, place.policy.clone());
        let Some(plain) = self.plain_mut(id) else { return };
        plain.waiting.push_back((destination, seq, bytes));
        plain.waiting_bytes += u64::from(bytes);
        if !plain.exceeds(policy.slow_messages_max, policy.slow_bytes_max) {
            return;
        }
        match policy.when_slow {
            WhenSlow::Block => self.block_for(id, true),
            WhenSlow::Disconnect => self.evict_slow(id),
            WhenSlow::DropOldest => {
                while self.plain_mut(id).is_some_and(|plain| {
                    plain.exceeds(policy.slow_messages_max, policy.slow_bytes_max)
                }) {
                    self.drop_oldest_waiting(id);
                }
            }
        }
    }

    fn plain_mut(&mut self, id: ConsumerId) -> Option<&mut Plain> {
        match &mut self.consumers.get_mut(id.0)?.source {
            Source::Plain(plain) => Some(plain),
            _ => None,
        }
    }

    fn drop_oldest_waiting(&mut self, id: ConsumerId) {
        let Some((destination, seq)) = self.pop_waiting(id) else { return };
        if let Some(plain) = self.plain_mut(id) {
            plain.missed += 1;
        }
        self.release_entry(destination, seq);
        self.count(destination, |counters| counters.dropped += 1);
        self.make_room(destination);
    }

    fn pop_waiting(&mut self, id: ConsumerId) -> Option<(DestinationId, Seq)> {
        let plain = self.plain_mut(id)?;
        let (destination, seq, bytes) = plain.waiting.pop_front()?;
        plain.waiting_bytes -= u64::from(bytes);
        Some((destination, seq))
    }

    fn evict_slow(&mut self, id: ConsumerId) {
        let Some(consumer) = self.consumers.get(id.0) else { return };
        let (holder, target) = (consumer.holder, consumer.target.clone());
        let detail = format!("the subscriber of {target} does not keep up with what is published");
        let refusal = Refusal::new(Code::SubscriberTooSlow, detail);
        self.emit(holder, Stream::Holder(holder), BatchNo(0), Effect::Evict { refusal });
    }

    /// Makes the producers of a subscriber's topics wait for it, or no longer.
    pub(super) fn block_for(&mut self, id: ConsumerId, block: bool) {
        let Some(plain) = self.plain_mut(id) else { return };
        if plain.is_blocking == block {
            return;
        }
        plain.is_blocking = block;
        let topics = self.consumers.get(id.0).map(|c| c.places.clone()).unwrap_or_default();
        for topic in topics {
            let Some(place) = self.places.get_mut(&topic) else { continue };
            if block {
                place.blocking_subscribers += 1;
            } else {
                place.blocking_subscribers -= 1;
                self.make_room(topic);
            }
        }
    }

    /// Hands a plain subscriber what waits for it, as far as its credit goes. Answers how many
    /// messages and bytes that was.
    pub(super) fn drain_plain(&mut self, wall_ms: u64, id: ConsumerId, most: usize) -> usize {
        let mut handed = 0;
        while handed < most && self.can_take(id) {
            self.tell_missed(id);
            let Some((destination, seq)) = self.pop_waiting(id) else { break };
            let entry = self.places.get(&destination).and_then(|place| place.log.get(seq));
            let Some(entry) = entry else { continue };
            let (message, batch) = (entry.message.clone(), entry.batch);
            self.release_entry(destination, seq);
            if message.is_expired(wall_ms) {
                self.make_room(destination);
                self.count(destination, |counters| counters.expired += 1);
                continue;
            }
            let message_id = MessageId { destination, origin: 0, seq };
            self.deliver_plain(id, message_id, message, batch);
            self.make_room(destination);
            handed += 1;
        }
        if self.plain_mut(id).is_some_and(|plain| plain.waiting.is_empty()) {
            self.block_for(id, false);
        }
        handed
    }

    fn tell_missed(&mut self, id: ConsumerId) {
        let Some(plain) = self.plain_mut(id) else { return };
        let count = std::mem::take(&mut plain.missed);
        if count > 0 {
            let holder = self.consumers.get(id.0).expect("just looked at").holder;
            let missed = Effect::Missed { consumer: id, count };
            self.emit(holder, Stream::Consumer(id), BatchNo(0), missed);
        }
    }
}

enum Want {
    No,
    Now,
    Later,
}

impl Plain {
    fn exceeds(&self, messages_max: u64, bytes_max: u64) -> bool {
        self.waiting.len() as u64 > messages_max || self.waiting_bytes > bytes_max
    }
}
