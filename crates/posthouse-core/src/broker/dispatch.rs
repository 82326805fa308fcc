//! Handing out: which message goes to which consumer, and when.
//!
//! Backlogs that may have something for somebody are on a list; one turn works through it within
//! bounds. Consumers take turns. One without credit drops out until it has some again; one with a
//! selector reads on from where it stopped, past what others are still to take, so that neither
//! holds anybody up.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::backlog::Backlog;
use crate::broker::consumer::{Slot, SlotState, Source};
use crate::broker::paging::Waiter;
use crate::effect::{Delivery, Effect, Stream};
use crate::ids::{BacklogKey, BatchNo, ConsumerId, MessageId, Seq};
use crate::limits::{
    DELIVERIES_PER_TURN, DELIVERY_BYTES_PER_TURN, SELECTION_STEPS_PER_CONSUMER,
    SELECTION_STEPS_PER_MESSAGE, SELECTION_STEPS_PER_TURN,
};
use crate::message::Selectable;
use crate::record::Record;
use crate::selector::{Selector, Tri};
use crate::time::Now;

/// Positions that are marked as dispatched ahead of time, so that one record covers many.
const DISPATCHED_AHEAD: u64 = 1_024;

/// What one turn may still do.
struct Budget {
    deliveries: usize,
    bytes: usize,
    selection_steps: usize,
}

impl Budget {
    fn of_a_turn() -> Budget {
        Budget {
            deliveries: DELIVERIES_PER_TURN,
            bytes: DELIVERY_BYTES_PER_TURN,
            selection_steps: SELECTION_STEPS_PER_TURN,
        }
    }

    fn is_spent(&self) -> bool {
        self.deliveries == 0 || self.bytes == 0 || self.selection_steps == 0
    }
}

/// What a consumer is to have next.
enum Choice {
    /// This message.
    Message(Seq, u8),
    /// This message, once its body is there.
    Absent(Seq, u8),
    /// Nothing that is there.
    Nothing,
    /// It has not looked at everything, but it is the others' turn.
    Later,
}

/// Holds a message against a selector and counts the work.
pub(super) fn select(selector: &Selector, message: &Selectable<'_>, steps: &mut usize) -> bool {
    let evaluation = selector.evaluate_counted(message);
    let work = SELECTION_STEPS_PER_MESSAGE + evaluation.steps as usize;
    *steps = steps.saturating_sub(work);
    evaluation.outcome == Tri::True
}

impl Broker {
    /// Hands out what can be handed out, within the bounds of one turn.
    pub fn dispatch(&mut self, now: Now) {
        self.turn += 1;
        let mut budget = Budget::of_a_turn();
        for _ in 0..self.listed.len() {
            if budget.is_spent() {
                break;
            }
            let Some(consumer) = self.listed.pop_front() else { break };
            self.serve_listed(now, consumer, &mut budget);
        }
        // Browsers and subscribers of topics must not keep the backlogs waiting.
        let mut budget = Budget::of_a_turn();
        while !budget.is_spent() {
            let Some(key) = self.runnable.pop_front() else { return };
            if self.dispatch_backlog(now, key, &mut budget) {
                self.runnable.push_back(key);
            } else if let Some(backlog) = self.backlog_mut(key) {
                backlog.is_runnable = false;
            }
        }
    }

    /// Whether the last turn stopped at a bound and another one would go on.
    pub fn has_work(&self, now: Now) -> bool {
        let is_due = self.expiring.first().is_some_and(|(wall_ms, ..)| *wall_ms <= now.wall_ms);
        !self.runnable.is_empty() || !self.listed.is_empty() || is_due
    }

    /// Plain subscribers and browsers take what they have credit for.
    fn serve_listed(&mut self, now: Now, id: ConsumerId, budget: &mut Budget) {
        let Some(consumer) = self.consumers.get_mut(id.0) else { return };
        consumer.is_listed = false;
        let most = budget.deliveries;
        let handed = match consumer.source {
            Source::Plain(_) => self.drain_plain(now.wall_ms, id, most),
            Source::Browse(_) => self.browse_on(id, most, &mut budget.selection_steps),
            Source::Queues | Source::Durable(_) => return,
        };
        budget.deliveries = budget.deliveries.saturating_sub(handed);
        if handed == most || self.is_bursting(id) {
            self.list(id);
        }
    }

    /// Hands out from one backlog; answers whether it stopped at a bound.
    fn dispatch_backlog(&mut self, now: Now, key: BacklogKey, budget: &mut Budget) -> bool {
        let mut passed_over = 0;
        while !budget.is_spent() {
            let Some(backlog) = self.backlog_mut(key) else { return false };
            if backlog.ready_len() == 0 || passed_over >= backlog.eligible().len() {
                return false;
            }
            let Some(consumer) = backlog.eligible().pop_front() else { return false };
            if !self.can_take(consumer) {
                self.starve(consumer, key);
                continue;
            }
            let choice = self.choose(now, consumer, key, budget);
            if let Some(backlog) = self.backlog_mut(key) {
                backlog.eligible().push_back(consumer);
            }
            match choice {
                Choice::Absent(seq, priority) if self.is_set_apart(key, seq, priority) => {
                    passed_over = 0;
                }
                Choice::Absent(seq, priority) => {
                    let waiter = Waiter::Backlog(key.subscription);
                    self.fetch(key, seq, priority, waiter);
                    // Whoever reads elsewhere in the backlog may have what it needs. If nobody
                    // went on before all had theirs, each load could push another one's out.
                    passed_over += 1;
                }
                Choice::Message(seq, _) if self.has_expired(now, key, seq) => {
                    // Whoever chose it has not been passed over: there may be more for them.
                    passed_over = 0;
                    self.expire(now, key, seq);
                }
                Choice::Message(seq, priority) => {
                    passed_over = 0;
                    let bytes = self.hand_out(consumer, key, seq, priority);
                    budget.deliveries -= 1;
                    budget.bytes = budget.bytes.saturating_sub(bytes);
                }
                Choice::Nothing => passed_over += 1,
                Choice::Later => passed_over = 0,
            }
        }
        true
    }

    /// The message that a consumer is to have next, if there is one for it.
    fn choose(&mut self, now: Now, id: ConsumerId, key: BacklogKey, budget: &mut Budget) -> Choice {
        let selects = self.consumers.get(id.0).is_some_and(|consumer| {
            consumer.selector.is_some() && matches!(consumer.source, Source::Queues)
        });
        if selects {
            return self.choose_selected(id, key, budget).unwrap_or(Choice::Nothing);
        }
        let Some(place) = self.places.get(&key.destination) else { return Choice::Nothing };
        let first = place.backlogs.get(&key.subscription).and_then(Backlog::first_ready);
        let Some((seq, priority)) = first else { return Choice::Nothing };
        match place.log.get(seq) {
            Some(entry) if entry.body.is_none() && !entry.look.is_expired(now.wall_ms) => {
                Choice::Absent(seq, priority)
            }
            _ => Choice::Message(seq, priority),
        }
    }

    fn choose_selected(
        &mut self,
        id: ConsumerId,
        key: BacklogKey,
        budget: &mut Budget,
    ) -> Option<Choice> {
        let selector = self.consumers.get(id.0)?.selector.as_ref()?;
        let place = self.places.get_mut(&key.destination)?;
        let backlog = place.backlogs.get_mut(&key.subscription)?;
        let enough = budget.selection_steps.saturating_sub(SELECTION_STEPS_PER_CONSUMER);
        while budget.selection_steps > enough {
            let (seq, priority) = backlog.next_unseen(id)?;
            let Some(body) = place.log.get(seq)?.body else {
                return Some(Choice::Absent(seq, priority));
            };
            let message_id = MessageId { destination: key.destination, origin: 0, seq };
            backlog.mark_seen(id, seq, priority);
            let message = Selectable::new(&body.message, message_id);
            if select(selector, &message, &mut budget.selection_steps) {
                return Some(Choice::Message(seq, priority));
            }
        }
        Some(Choice::Later)
    }

    fn has_expired(&self, now: Now, key: BacklogKey, seq: Seq) -> bool {
        #[cfg(feature = "planted-bugs")]
        if self.has_bug(super::planted::PlantedBug::ExpiredDelivered) {
            return false;
        }
        let entry = self.places.get(&key.destination).and_then(|place| place.log.get(seq));
        entry.is_some_and(|entry| entry.look.is_expired(now.wall_ms))
    }

    /// Hands one message to one consumer; answers how many bytes it counts.
    fn hand_out(&mut self, id: ConsumerId, key: BacklogKey, seq: Seq, priority: u8) -> usize {
        let gate = self.gate_of_delivery(key, seq);
        let Some(place) = self.places.get_mut(&key.destination) else { return 0 };
        let Some(backlog) = place.backlogs.get_mut(&key.subscription) else { return 0 };
        let Some(entry) = place.log.get(seq) else { return 0 };
        let Some(body) = entry.body else { return 0 };
        let Some(consumer) = self.consumers.get_mut(id.0) else { return 0 };
        assert!(backlog.take(seq, priority), "only what is ready is handed out");
        let bytes = entry.look.bytes() as usize;
        let slot = Slot { from: Some(key), seq, bytes: bytes as u32, state: SlotState::Open };
        let here = MessageId { destination: key.destination, origin: 0, seq };
        let delivery = Delivery {
            consumer: id,
            number: consumer.inflight.push(slot),
            id: entry.look.provenance().map_or(here, |provenance| provenance.first_id),
            destination: place.name.clone(),
            message: Arc::clone(&body.message),
            redeliveries: backlog.attempts(seq).deliveries,
            provenance: entry.look.provenance().cloned(),
        };
        let redelivered = u64::from(delivery.redeliveries > 0);
        place.counters.delivered += 1;
        place.counters.redelivered += redelivered;
        self.counters.delivered += 1;
        self.counters.redelivered += redelivered;
        let holder = consumer.holder;
        self.emit(holder, Stream::Consumer(id), gate, Effect::Deliver(delivery));
        bytes
    }

    /// The message's own record must be durable first, and so must the mark that it may have been
    /// handed out; the mark is set ahead, so that few deliveries need one.
    fn gate_of_delivery(&mut self, key: BacklogKey, seq: Seq) -> BatchNo {
        let Some(place) = self.places.get_mut(&key.destination) else { return BatchNo(0) };
        let Some(entry) = place.log.get(seq) else { return BatchNo(0) };
        let (batch, recorded) = (entry.batch(), entry.look.recorded());
        if !recorded {
            return batch;
        }
        let Some(backlog) = place.backlogs.get_mut(&key.subscription) else { return batch };
        if seq <= backlog.dispatched_up_to {
            return batch.max(backlog.dispatched_batch);
        }
        self.record(Record::Dispatched { backlog: key, up_to: seq + DISPATCHED_AHEAD });
        self.open_batch
    }

    /// Whether the consumer may be given a message: it has credit, and its holder has room.
    pub(super) fn can_take(&self, id: ConsumerId) -> bool {
        let Some(consumer) = self.consumers.get(id.0) else { return false };
        let holder = self.holders.get(consumer.holder.0);
        consumer.has_credit() && holder.is_some_and(|holder| holder.is_open)
    }

    fn starve(&mut self, id: ConsumerId, key: BacklogKey) {
        if let Some(consumer) = self.consumers.get_mut(id.0) {
            consumer.starved.push(key);
        }
    }

    /// The consumer may have credit again: it gets its turns back.
    pub(super) fn revive(&mut self, id: ConsumerId) {
        if !self.can_take(id) {
            return;
        }
        let Some(consumer) = self.consumers.get_mut(id.0) else { return };
        let has_more = match &consumer.source {
            Source::Plain(plain) => plain.has_news(),
            Source::Browse(browse) => browse.next.is_some(),
            Source::Queues | Source::Durable(_) => false,
        };
        if has_more {
            self.list(id);
            return;
        }
        for key in std::mem::take(&mut consumer.starved) {
            if let Some(backlog) = self.backlog_mut(key) {
                backlog.eligible().push_back(id);
                self.make_runnable(key);
            }
        }
    }

    /// Has the next turns look at the consumer, if it takes what no backlog holds.
    pub(super) fn list(&mut self, id: ConsumerId) {
        let Some(consumer) = self.consumers.get_mut(id.0) else { return };
        let is_listable = matches!(consumer.source, Source::Plain(_) | Source::Browse(_));
        if is_listable && !consumer.is_listed {
            consumer.is_listed = true;
            self.listed.push_back(id);
        }
    }

    /// Has the next turns look at the backlog.
    pub(super) fn make_runnable(&mut self, key: BacklogKey) {
        let Some(backlog) = self.backlog_mut(key) else { return };
        if !backlog.is_runnable {
            backlog.is_runnable = true;
            self.runnable.push_back(key);
        }
    }

    pub(super) fn backlog_mut(&mut self, key: BacklogKey) -> Option<&mut Backlog> {
        self.places.get_mut(&key.destination)?.backlogs.get_mut(&key.subscription)
    }
}
