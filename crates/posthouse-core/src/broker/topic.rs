//! Publishing: to every durable subscription that wants the message, and to every plain
//! subscriber of the moment.
//!
//! A plain subscriber with credit is handed the message at once; nothing is kept for it. What one
//! without credit misses waits for it as [`laggard`](super::laggard) says.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::consumer::{Slot, SlotState, Source};
use crate::broker::log::Facts;
use crate::effect::{Delivery, Effect, Stream};
use crate::ids::{BatchNo, ConsumerId, DestinationId, HolderId, MessageId, Seq, SubscriptionId};
use crate::message::{Envelope, Selectable};
use crate::record::{Enqueued, Record};
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
        consumer_id: ConsumerId,
        sender: HolderId,
        id: MessageId,
        message: &Envelope,
    ) -> Want {
        let Some(consumer) = self.consumers.get(consumer_id.0) else { return Want::No };
        let Source::Plain(plain) = &consumer.source else { return Want::No };
        if plain.no_local && consumer.holder == sender {
            return Want::No;
        }
        let selector = consumer.selector.as_ref();
        if selector.is_some_and(|selector| !selector.matches(&Selectable::new(message, id))) {
            return Want::No;
        }
        let can_take =
            plain.is_up_to_date() && self.can_take(consumer_id) && !self.is_bursting(consumer_id);
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
        self.note_burst(holder, bytes as usize);
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
        self.emit(holder, Stream::Consumer(consumer_id), gate, Effect::Deliver(delivery));
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
            self.producers.note_volatile(producer);
        }
        if late > 0 || !subscriptions.is_empty() {
            let (facts, body) = self.volatile(message);
            let facts = Facts { waiting: late, ..facts };
            self.keep(destination, seq, facts, Some(body), &subscriptions);
        }
    }

    fn add_waiters(&mut self, destination: DestinationId, seq: Seq, late: u32) {
        if late > 0
            && let Some(place) = self.places.get_mut(&destination)
        {
            place.log.add_waiting(seq, late);
        }
    }
}

enum Want {
    No,
    Now,
    Later,
}
