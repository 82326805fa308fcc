//! Consumers come and go.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::consumer::{Browse, Consumer, Inflight, SlotState, Source};
use crate::broker::laggard::Plain;
use crate::broker::view::BrowseCursor;
use crate::command::{AckMode, Applied, ReceiptToken, Subscribe};
use crate::destination::Kind;
use crate::ids::{ConsumerId, DeliveryNo, DestinationId, Seq};
use crate::limits::{CONSUMERS_PER_HOLDER_MAX, PREFETCH_MESSAGES_MAX};
use crate::record::Attempt;
use crate::refusal::{Code, Refusal};
use crate::time::Now;

impl Broker {
    pub(super) fn subscribe(&mut self, wish: Subscribe) -> Result<Applied, Refusal> {
        let mark = self.records.len();
        self.check_consumer_count(&wish)?;
        let (source, places) = self.find_source(&wish)?;
        let is_durable = matches!(source, Source::Durable(_));
        let is_wildcard = wish.target.as_name().is_none() || is_durable;
        let consumer = Consumer {
            holder: wish.holder,
            target: wish.target,
            ack: if wish.browse { AckMode::Auto } else { wish.ack },
            selector: wish.selector.map(Arc::new),
            prefetch: wish.prefetch.clamp(1, PREFETCH_MESSAGES_MAX),
            source,
            places: Vec::new(),
            starved: Vec::new(),
            inflight: Inflight::default(),
            written: DeliveryNo(0),
            is_listed: false,
        };
        let id = self.start_consumer(consumer, is_wildcard);
        for place in places {
            self.attach_to(id, place);
        }
        self.list(id);
        let gate = self.gate_since(mark, wish.holder);
        // It may have been made a moment ago, by a connection that has gone since.
        let gate = if is_durable { gate.max(self.recorded_batch) } else { gate };
        self.owe_receipt(wish.holder, gate, wish.receipt);
        Ok(Applied::Consumer(id))
    }

    fn check_consumer_count(&self, wish: &Subscribe) -> Result<(), Refusal> {
        let Some(holder) = self.holders.get(wish.holder.0) else {
            return Err(Refusal::new(Code::ConsumerUnknown, "the holder has left"));
        };
        if holder.consumers.len() >= CONSUMERS_PER_HOLDER_MAX {
            let detail = format!("{CONSUMERS_PER_HOLDER_MAX} subscriptions are open already");
            return Err(Refusal::new(Code::LimitReached, detail));
        }
        Ok(())
    }

    /// What the consumer takes from, and the destinations that are there for it already.
    fn find_source(&mut self, wish: &Subscribe) -> Result<(Source, Vec<DestinationId>), Refusal> {
        if wish.browse {
            return self.find_browse(wish);
        }
        if let Some(name) = &wish.durable {
            return self.find_durable(wish, name);
        }
        let places = self.find_places(wish)?;
        let source = match wish.target.kind {
            Kind::Queue => Source::Queues,
            Kind::Topic => Source::Plain(Plain::new(wish.no_local)),
        };
        Ok((source, places))
    }

    fn find_places(&mut self, wish: &Subscribe) -> Result<Vec<DestinationId>, Refusal> {
        if let Some(name) = wish.target.as_name() {
            return Ok(vec![self.resolve(&name)?]);
        }
        Ok(self.taken_in(&wish.target))
    }

    fn find_browse(&mut self, wish: &Subscribe) -> Result<(Source, Vec<DestinationId>), Refusal> {
        let name = wish.target.as_name().filter(|name| name.kind == Kind::Queue);
        let Some(name) = name else {
            let detail = format!("{} cannot be browsed; name one queue", wish.target);
            return Err(Refusal::new(Code::NotOffered, detail));
        };
        let queue = self.resolve(&name)?;
        let until = self.places[&queue].log.next_seq();
        let browse = Browse { queue, next: Some(BrowseCursor::START), until };
        Ok((Source::Browse(browse), Vec::new()))
    }

    fn find_durable(
        &mut self,
        wish: &Subscribe,
        name: &str,
    ) -> Result<(Source, Vec<DestinationId>), Refusal> {
        if wish.target.kind == Kind::Queue {
            let detail =
                format!("{} is a queue; only topics have durable subscriptions", wish.target);
            return Err(Refusal::new(Code::NotOffered, detail));
        }
        if wish.no_local {
            let detail = "a durable subscription cannot leave out its own client's messages";
            return Err(Refusal::new(Code::NotOffered, detail));
        }
        let client = self.holders.get(wish.holder.0).and_then(|holder| holder.client.clone());
        let Some(client) = client else {
            let detail =
                "a durable subscription needs a client name at the start of the connection";
            return Err(Refusal::new(Code::SubscriptionNameMissing, detail));
        };
        if let Some(topic) = wish.target.as_name() {
            self.resolve(&topic)?;
        }
        let selector = wish.selector.as_ref();
        let id = self.durable_subscription(&client, name, &wish.target, selector)?;
        let topics = self.subscriptions[&id].topics.iter().copied().collect();
        Ok((Source::Durable(id), topics))
    }

    fn start_consumer(&mut self, consumer: Consumer, is_wildcard: bool) -> ConsumerId {
        let holder = consumer.holder;
        let durable = match &consumer.source {
            Source::Durable(subscription) => Some(*subscription),
            _ => None,
        };
        let id = ConsumerId(self.consumers.insert(consumer));
        if is_wildcard {
            self.wildcard_consumers.push(id);
        }
        if let Some(subscription) = durable.and_then(|d| self.subscriptions.get_mut(&d)) {
            subscription.user = Some(id);
        }
        if let Some(holder) = self.holders.get_mut(holder.0) {
            holder.consumers.insert(id);
        }
        id
    }

    /// The consumer takes from this destination from now on.
    pub(super) fn attach_to(&mut self, id: ConsumerId, destination: DestinationId) {
        let Some(consumer) = self.consumers.get_mut(id.0) else { return };
        let Some(place) = self.places.get_mut(&destination) else { return };
        consumer.places.push(destination);
        // A durable subscription has sorted out its messages when they were published.
        let selects = consumer.selector.is_some() && matches!(consumer.source, Source::Queues);
        let Some(key) = consumer.backlog_in(destination) else {
            // A subscriber that is behind holds the producers of this topic up, too; it lets them
            // all go together.
            let is_behind = matches!(&consumer.source, Source::Plain(plain) if plain.is_blocking);
            place.blocking_subscribers += u32::from(is_behind);
            place.plain.push(id);
            return;
        };
        if let Some(backlog) = place.backlogs.get_mut(&key.subscription) {
            backlog.attach(id, selects);
            self.make_runnable(key);
        }
    }

    pub(super) fn unsubscribe(
        &mut self,
        now: Now,
        id: ConsumerId,
        receipt: Option<ReceiptToken>,
    ) -> Result<Applied, Refusal> {
        let holder = self.consumer_mut(id)?.holder;
        let mark = self.records.len();
        self.end_consumer(now, id);
        if let Some(holder) = self.holders.get_mut(holder.0) {
            holder.consumers.remove(&id);
        }
        let gate = self.gate_since(mark, holder);
        self.owe_receipt(holder, gate, receipt);
        Ok(Applied::Done)
    }

    /// The consumer is gone: what it had goes back, what waited for it alone is dropped.
    pub(super) fn end_consumer(&mut self, now: Now, id: ConsumerId) {
        self.forget_laggard(id);
        let Some(consumer) = self.consumers.remove(id.0) else { return };
        if consumer.target.as_name().is_none() || matches!(consumer.source, Source::Durable(_)) {
            self.wildcard_consumers.retain(|other| *other != id);
        }
        for destination in &consumer.places {
            let Some(place) = self.places.get_mut(destination) else { continue };
            place.plain.retain(|other| *other != id);
            if let Some(key) = consumer.backlog_in(*destination)
                && let Some(backlog) = place.backlogs.get_mut(&key.subscription)
            {
                backlog.detach(id);
            }
        }
        if let Source::Durable(subscription) = consumer.source
            && let Some(subscription) = self.subscriptions.get_mut(&subscription)
        {
            subscription.user = None;
        }
        self.give_back_all(now, &consumer);
    }

    /// Returns the open deliveries of a consumer that is gone. What a transaction has staged stays
    /// with the transaction. What was never written to the consumer it cannot have seen, so that
    /// does not count; of the rest only the oldest, at which it must have been working, counts
    /// against the limit of attempts.
    fn give_back_all(&mut self, now: Now, consumer: &Consumer) {
        let open = consumer.inflight.iter().filter(|(_, slot)| slot.state == SlotState::Open);
        let mut worked_on = true;
        let mut unseen: Vec<(super::BacklogKey, Seq)> = Vec::new();
        for (number, slot) in open {
            let Some(from) = slot.from else { continue };
            if number > consumer.written || consumer.ack == AckMode::Auto {
                unseen.push((from, slot.seq));
                continue;
            }
            let attempt = self.attempt_after(from, slot.seq, worked_on);
            worked_on = false;
            self.give_back(now, from, attempt);
        }
        for (from, seq) in unseen {
            self.put_back_untouched(now, from, seq);
        }
    }

    /// How the message stands after one more delivery, that failed or not.
    pub(super) fn attempt_after(&self, key: super::BacklogKey, seq: Seq, failed: bool) -> Attempt {
        let place = self.places.get(&key.destination);
        let backlog = place.and_then(|place| place.backlogs.get(&key.subscription));
        let before = backlog.map(|backlog| backlog.attempts(seq)).unwrap_or_default();
        #[cfg(feature = "planted-bugs")]
        if self.has_bug(super::planted::PlantedBug::CountForgotten) {
            return Attempt { seq, deliveries: before.deliveries, failures: before.failures };
        }
        Attempt {
            seq,
            deliveries: before.deliveries + 1,
            failures: before.failures + u32::from(failed),
        }
    }
}
