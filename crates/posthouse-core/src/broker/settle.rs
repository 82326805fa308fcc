//! What consumers say about their deliveries, and what becomes of the messages.

use crate::broker::Broker;
use crate::broker::consumer::{Slot, SlotState};
use crate::command::{AckMode, Applied, Settle, Verdict};
use crate::ids::{BacklogKey, ConsumerId, DeliveryNo, Seq};
use crate::message::DeadLetterReason;
use crate::policy::OnReject;
use crate::record::{Attempt, Record};
use crate::refusal::{Code, Refusal};
use crate::time::Now;

/// The least wait before a message that was refused in a dead-letter queue is shown again.
const DEAD_LETTER_DELAY_MS: u64 = 1_000;

impl Broker {
    pub(super) fn settle(&mut self, now: Now, settle: Settle) -> Result<Applied, Refusal> {
        let Settle { consumer: id, delivery, verdict, transaction, receipt } = settle;
        let consumer = self.consumer_mut(id)?;
        let holder = consumer.holder;
        let numbers = consumer_numbers(consumer, delivery, verdict)?;
        if let Some(transaction) = transaction {
            self.check_transaction(holder, transaction, 0)?;
            self.stage_settles(transaction, id, &numbers, verdict);
            self.revive(id);
            self.owe_receipt(holder, crate::ids::BatchNo(0), receipt);
            return Ok(Applied::Done);
        }
        let mark = self.records.len();
        #[cfg(feature = "planted-bugs")]
        let numbers = self.forget_some(numbers);
        self.settle_numbers(now, id, &numbers, verdict);
        self.revive(id);
        let gate = self.gate_since(mark, holder);
        self.owe_receipt(holder, gate, receipt);
        Ok(Applied::Done)
    }

    /// A planted bug: a cumulative acknowledgement covers only what it names.
    #[cfg(feature = "planted-bugs")]
    fn forget_some(&self, numbers: Vec<DeliveryNo>) -> Vec<DeliveryNo> {
        if !self.has_bug(super::planted::PlantedBug::CumulativeAcksOne) {
            return numbers;
        }
        numbers.last().copied().into_iter().collect()
    }

    fn settle_numbers(
        &mut self,
        now: Now,
        id: ConsumerId,
        numbers: &[DeliveryNo],
        verdict: Verdict,
    ) {
        let Some(consumer) = self.consumers.get_mut(id.0) else { return };
        let slots = numbers.iter().filter_map(|number| consumer.inflight.settle(*number));
        let slots: Vec<(BacklogKey, Seq)> =
            slots.filter_map(|slot| Some((slot.from?, slot.seq))).collect();
        match verdict {
            Verdict::Ack => self.acknowledge(&slots),
            Verdict::Reject | Verdict::Requeue | Verdict::DeadLetter => {
                for (key, seq) in slots {
                    self.turn_down(now, key, seq, verdict);
                }
            }
        }
    }

    /// Messages are dealt with. Neighbours of one backlog share a record.
    pub(super) fn acknowledge(&mut self, slots: &[(BacklogKey, Seq)]) {
        for run in slots.chunk_by(|a, b| a.0 == b.0) {
            let Some((key, _)) = run.first() else { continue };
            let seqs: Vec<Seq> = run.iter().map(|(_, seq)| *seq).collect();
            self.count(key.destination, |counters| counters.acknowledged += seqs.len() as u64);
            #[cfg(feature = "planted-bugs")]
            if self.has_bug(super::planted::PlantedBug::AckForgotten) {
                for seq in &seqs {
                    self.release(*key, *seq);
                }
                continue;
            }
            self.finish(*key, &seqs);
        }
    }

    /// A message was not dealt with.
    pub(super) fn turn_down(&mut self, now: Now, key: BacklogKey, seq: Seq, verdict: Verdict) {
        let Some(place) = self.places.get(&key.destination) else { return };
        let requeue = match verdict {
            Verdict::DeadLetter => false,
            Verdict::Reject => place.policy.on_reject == OnReject::Requeue,
            Verdict::Requeue | Verdict::Ack => true,
        };
        let attempt = self.attempt_after(key, seq, true);
        if requeue || self.is_dead_letter(key, seq) {
            self.give_back(now, key, attempt);
        } else {
            self.note_attempt(key, attempt);
            self.set_aside(now, key, seq, DeadLetterReason::Rejected);
        }
    }

    /// Whether the message is in a dead-letter queue already, set aside or sent there: it is not
    /// set aside again, whatever happens to it there.
    fn is_dead_letter(&self, key: BacklogKey, seq: Seq) -> bool {
        let place = self.places.get(&key.destination);
        let provenance = place.and_then(|p| p.log.get(seq)).and_then(|e| e.look.provenance());
        provenance.is_some_and(|provenance| provenance.reason.is_some())
            || self.is_dead_letter_queue(key.destination)
    }

    /// A message goes back to its backlog after an attempt: to be tried again now or later, or to
    /// be given up if it has failed often enough or has expired meanwhile.
    pub(super) fn give_back(&mut self, now: Now, key: BacklogKey, attempt: Attempt) {
        let Some(place) = self.places.get(&key.destination) else { return };
        let Some(entry) = place.log.get(attempt.seq) else { return };
        let redelivery = place.policy.redelivery;
        let priority = entry.look.priority();
        let has_expired = entry.look.is_expired(now.wall_ms);
        let is_dead = self.is_dead_letter(key, attempt.seq);
        let limit = redelivery.attempts_max;
        self.note_attempt(key, attempt);
        if has_expired {
            self.expire(now, key, attempt.seq);
            return;
        }
        if limit != 0 && attempt.failures >= limit && !is_dead {
            self.set_aside(now, key, attempt.seq, DeadLetterReason::DeliveryLimit);
            return;
        }
        let mut delay_ms =
            if attempt.failures == 0 { 0 } else { redelivery.delay_after(attempt.failures) };
        if is_dead && attempt.failures > 0 {
            delay_ms = delay_ms.max(DEAD_LETTER_DELAY_MS);
        }
        if delay_ms > 0 {
            let due_ms = now.mono_ms.saturating_add(delay_ms);
            if let Some(backlog) = self.backlog_mut(key) {
                backlog.delay(attempt.seq, priority, due_ms);
            }
            self.delayed.insert((due_ms, key, attempt.seq));
        }
        self.make_runnable(key);
    }

    /// Remembers an attempt, by a record if records know the message; it is ready again.
    fn note_attempt(&mut self, key: BacklogKey, attempt: Attempt) {
        let place = self.places.get(&key.destination);
        let entry = place.and_then(|place| place.log.get(attempt.seq));
        if entry.is_some_and(|entry| entry.look.recorded()) {
            self.record(Record::Returned { backlog: key, attempts: vec![attempt] });
        } else {
            self.return_to(key, &[attempt]);
        }
    }

    /// A message that was handed out but never reached its consumer goes back as it was.
    pub(super) fn put_back_untouched(&mut self, now: Now, key: BacklogKey, seq: Seq) {
        let Some(place) = self.places.get_mut(&key.destination) else { return };
        let Some(entry) = place.log.get(seq) else { return };
        let has_expired = entry.look.is_expired(now.wall_ms);
        let priority = entry.look.priority();
        let Some(backlog) = place.backlogs.get_mut(&key.subscription) else { return };
        backlog.put_back(seq, priority);
        if has_expired {
            self.expire(now, key, seq);
        } else {
            self.make_runnable(key);
        }
    }

    /// Deliveries have been written out: the credit of those that need no acknowledgement returns.
    pub(super) fn written(
        &mut self,
        id: ConsumerId,
        up_to: DeliveryNo,
    ) -> Result<Applied, Refusal> {
        let Some(consumer) = self.consumers.get_mut(id.0) else { return Ok(Applied::Done) };
        consumer.written = consumer.written.max(up_to);
        if consumer.ack != AckMode::Auto {
            return Ok(Applied::Done);
        }
        let mut slots: Vec<(BacklogKey, Seq)> = Vec::new();
        while let Some(Slot { from, seq, .. }) = consumer.inflight.pop_up_to(up_to) {
            slots.extend(from.map(|key| (key, seq)));
        }
        self.acknowledge(&slots);
        self.revive(id);
        Ok(Applied::Done)
    }
}

/// The deliveries that a word about `delivery` is about.
fn consumer_numbers(
    consumer: &mut super::Consumer,
    delivery: DeliveryNo,
    verdict: Verdict,
) -> Result<Vec<DeliveryNo>, Refusal> {
    let known = consumer.inflight.get_mut(delivery);
    let is_open = known.is_some_and(|slot| slot.state == SlotState::Open);
    if !is_open || consumer.ack == AckMode::Auto {
        let detail = "the delivery is settled already, or was never made to this subscription";
        return Err(Refusal::new(Code::DeliveryUnknown, detail));
    }
    if consumer.ack == AckMode::Cumulative && verdict == Verdict::Ack {
        return Ok(consumer.inflight.open_up_to(delivery));
    }
    Ok(vec![delivery])
}
