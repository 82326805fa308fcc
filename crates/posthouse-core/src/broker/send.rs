//! A message on its way in: recognised if it has come before, admitted if there is room, kept.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::flow::Admission;
use crate::broker::log::{Body, Facts};
use crate::command::{Applied, Send};
use crate::destination::Kind;
use crate::ids::{BatchNo, DestinationId, HolderId, SubscriptionId};
use crate::message::Envelope;
use crate::record::{Enqueued, Record};
use crate::refusal::Refusal;
use crate::time::Now;

impl Broker {
    pub(super) fn send(&mut self, now: Now, send: Send) -> Result<Applied, Refusal> {
        let Send { holder, destination, message, transaction, receipt } = send;
        self.place(destination)?;
        if let Some(gate) = self.arrived_before(&message) {
            self.count(destination, |counters| counters.duplicates += 1);
            self.owe_receipt(holder, gate, receipt);
            return Ok(Applied::Done);
        }
        if let Some(transaction) = transaction {
            self.check_transaction(holder, transaction, message.size_bytes())?;
        }
        if self.admit(now, holder, destination, &message)? == Admission::Held {
            return Ok(Applied::Held);
        }
        self.stop_waiting(holder);
        if let Some(transaction) = transaction {
            self.stage_send(transaction, destination, message);
            self.owe_receipt(holder, BatchNo(0), receipt);
            return Ok(Applied::Done);
        }
        let mark = self.records.len();
        self.enqueue(now, holder, destination, message);
        let gate = self.gate_since(mark, holder);
        self.owe_receipt(holder, gate, receipt);
        Ok(Applied::Done)
    }

    /// Whether the message has come before, and the batch with which it is safe.
    pub(super) fn arrived_before(&self, message: &Envelope) -> Option<BatchNo> {
        #[cfg(feature = "planted-bugs")]
        if self.has_bug(super::planted::PlantedBug::DuplicateAccepted) {
            return None;
        }
        self.producers.seen(message.producer?)
    }

    /// Takes a message over, whatever the limits say.
    pub(super) fn enqueue(
        &mut self,
        now: Now,
        holder: HolderId,
        destination: DestinationId,
        message: Arc<Envelope>,
    ) {
        let Some(place) = self.places.get(&destination) else { return };
        let recorded = place.policy.persistence.keeps(message.persistent);
        let kind = place.name.kind;
        self.count(destination, |counters| counters.enqueued += 1);
        match kind {
            Kind::Queue => {
                self.take_over(destination, message, vec![SubscriptionId::QUEUE], recorded);
            }
            Kind::Topic => self.publish(now, holder, destination, message, recorded),
        }
    }

    /// Keeps a new message for the backlogs of `subscriptions`, by a record if it must survive.
    pub(super) fn take_over(
        &mut self,
        destination: DestinationId,
        message: Arc<Envelope>,
        subscriptions: Vec<SubscriptionId>,
        recorded: bool,
    ) {
        let place = self.places.get_mut(&destination).expect("looked up by the caller");
        let seq = place.log.allocate();
        if recorded {
            self.record(Record::Enqueued(Enqueued { destination, seq, subscriptions, message }));
            return;
        }
        if let Some(producer) = message.producer {
            self.producers.note_volatile(producer);
        }
        let (facts, body) = self.volatile(message);
        self.keep(destination, seq, facts, Some(body), &subscriptions);
    }

    /// A message that no record tells of. Inside a commit it must still not be seen before the
    /// commit's own records are durable.
    pub(super) fn volatile(&self, message: Arc<Envelope>) -> (Facts, Body) {
        (Facts::of(&message), Body { message, batch: self.commit_gate })
    }
}
