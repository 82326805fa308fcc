//! Transactions: sends and acknowledgements in any number of destinations, all or none.
//!
//! Until its commit a transaction only remembers. Its sends have their room reserved, its
//! acknowledgements mark their deliveries, and nothing of it is visible. The commit then does
//! everything as if it were asked for now, and gathers the records of it into one.

use std::sync::Arc;

use crate::broker::Broker;
use crate::command::{Applied, ReceiptToken, Verdict};
use crate::ids::TransactionId;
use crate::ids::{BacklogKey, BatchNo, ConsumerId, DeliveryNo, DestinationId, HolderId, Seq};
use crate::limits::{
    TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX, TRANSACTIONS_PER_HOLDER_MAX,
};
use crate::message::Envelope;
use crate::record::Record;
use crate::refusal::{Code, Refusal};
use crate::time::Now;

/// One thing that a commit will do.
#[derive(Debug)]
enum Step {
    Send {
        destination: DestinationId,
        message: Arc<Envelope>,
    },
    Settle {
        consumer: ConsumerId,
        number: DeliveryNo,
        from: Option<BacklogKey>,
        seq: Seq,
        verdict: Verdict,
    },
}

/// A transaction that has not ended.
#[derive(Debug)]
pub struct Transaction {
    holder: HolderId,
    steps: Vec<Step>,
    bytes: usize,
}

impl Broker {
    pub(super) fn begin(
        &mut self,
        id: HolderId,
        receipt: Option<ReceiptToken>,
    ) -> Result<Applied, Refusal> {
        let gone = || Refusal::new(Code::TransactionUnknown, "the holder has left");
        let holder = self.holders.get_mut(id.0).ok_or_else(gone)?;
        if holder.transactions.len() >= TRANSACTIONS_PER_HOLDER_MAX {
            let detail = format!("{TRANSACTIONS_PER_HOLDER_MAX} transactions are open already");
            return Err(Refusal::new(Code::LimitReached, detail));
        }
        self.last_transaction += 1;
        let transaction = TransactionId(self.last_transaction);
        holder.transactions.insert(transaction);
        let started = Transaction { holder: id, steps: Vec::new(), bytes: 0 };
        self.transactions.insert(transaction, started);
        self.owe_receipt(id, BatchNo(0), receipt);
        Ok(Applied::Transaction(transaction))
    }

    /// Checks that the transaction is this holder's and takes a further step of `bytes`.
    pub(super) fn check_transaction(
        &self,
        holder: HolderId,
        id: TransactionId,
        bytes: usize,
    ) -> Result<(), Refusal> {
        let transaction = self.transactions.get(&id).filter(|t| t.holder == holder);
        let Some(transaction) = transaction else { return Err(unknown_transaction()) };
        if transaction.steps.len() >= TRANSACTION_OPERATIONS_MAX
            || transaction.bytes + bytes > TRANSACTION_BYTES_MAX
        {
            let detail = format!(
                "a transaction holds at most {TRANSACTION_OPERATIONS_MAX} steps and \
                 {TRANSACTION_BYTES_MAX} bytes"
            );
            return Err(Refusal::new(Code::TransactionTooLarge, detail));
        }
        Ok(())
    }

    /// Remembers a send and reserves its room.
    pub(super) fn stage_send(
        &mut self,
        id: TransactionId,
        destination: DestinationId,
        message: Arc<Envelope>,
    ) {
        let bytes = message.size_bytes();
        self.reserve(destination, bytes as u64, true);
        if let Some(transaction) = self.transactions.get_mut(&id) {
            transaction.bytes += bytes;
            transaction.steps.push(Step::Send { destination, message });
        }
    }

    fn reserve(&mut self, destination: DestinationId, bytes: u64, more: bool) {
        let Some(place) = self.places.get_mut(&destination) else { return };
        if more {
            place.reserved_messages += 1;
            place.reserved_bytes += bytes;
            self.resident_bytes += bytes;
        } else {
            place.reserved_messages -= 1;
            place.reserved_bytes -= bytes;
            self.resident_bytes -= bytes;
        }
    }

    /// Remembers what is said about deliveries.
    pub(super) fn stage_settles(
        &mut self,
        id: TransactionId,
        consumer: ConsumerId,
        numbers: &[DeliveryNo],
        verdict: Verdict,
    ) {
        let Some(transaction) = self.transactions.get_mut(&id) else { return };
        let Some(inflight) = self.consumers.get_mut(consumer.0).map(|c| &mut c.inflight) else {
            return;
        };
        for number in numbers {
            let Some(slot) = inflight.stage(*number, id) else { continue };
            let (from, seq, number) = (slot.from, slot.seq, *number);
            transaction.steps.push(Step::Settle { consumer, number, from, seq, verdict });
        }
    }

    pub(super) fn commit(
        &mut self,
        now: Now,
        holder: HolderId,
        id: TransactionId,
        receipt: Option<ReceiptToken>,
    ) -> Result<Applied, Refusal> {
        let transaction = self.take_transaction(holder, id)?;
        let mark = self.records.len();
        self.commit_gate =
            if self.needs_records(&transaction) { self.open_batch } else { BatchNo(0) };
        let mut arrived = BatchNo(0);
        for step in transaction.steps {
            arrived = arrived.max(self.carry_out(now, holder, step));
        }
        self.commit_gate = BatchNo(0);
        self.bracket(mark);
        let gate = self.gate_since(mark, holder).max(arrived);
        self.owe_receipt(holder, gate, receipt);
        Ok(Applied::Done)
    }

    /// Makes one record of those since `mark`.
    fn bracket(&mut self, mark: usize) {
        #[cfg_attr(not(feature = "planted-bugs"), expect(unused_mut))]
        let mut steps = self.records.split_off(mark);
        #[cfg(feature = "planted-bugs")]
        if self.has_bug(super::planted::PlantedBug::HalfTransaction) && steps.len() > 1 {
            steps.pop();
        }
        if !steps.is_empty() {
            self.records.push(Record::Transaction(steps));
        }
    }

    fn needs_records(&self, transaction: &Transaction) -> bool {
        transaction.steps.iter().any(|step| match step {
            Step::Send { message, .. } => message.persistent,
            Step::Settle { from, seq, .. } => {
                let place = from.and_then(|key| self.places.get(&key.destination));
                place.and_then(|place| place.log.get(*seq)).is_some_and(|e| e.look.recorded())
            }
        })
    }

    /// Does what was remembered. Answers the batch with which a message that came another way in
    /// the meantime is safe.
    fn carry_out(&mut self, now: Now, holder: HolderId, step: Step) -> BatchNo {
        match step {
            Step::Send { destination, message } => {
                self.reserve(destination, message.size_bytes() as u64, false);
                if let Some(batch) = self.arrived_before(&message) {
                    self.count(destination, |counters| counters.duplicates += 1);
                    self.make_room(destination);
                    return batch;
                }
                self.enqueue(now, holder, destination, message);
                // Not everything that was reserved is kept.
                self.make_room(destination);
            }
            Step::Settle { consumer, number, from, seq, verdict } => {
                if let Some(consumer) = self.consumers.get_mut(consumer.0) {
                    consumer.inflight.settle(number);
                }
                match (from, verdict) {
                    (Some(key), Verdict::Ack) => self.acknowledge(&[(key, seq)]),
                    (Some(key), verdict) => self.turn_down(now, key, seq, verdict),
                    (None, _) => {}
                }
            }
        }
        BatchNo(0)
    }

    pub(super) fn abort(
        &mut self,
        now: Now,
        holder: HolderId,
        id: TransactionId,
        receipt: Option<ReceiptToken>,
    ) -> Result<Applied, Refusal> {
        let is_own = self.transactions.get(&id).is_some_and(|t| t.holder == holder);
        if !is_own {
            return Err(unknown_transaction());
        }
        if let Some(holder) = self.holders.get_mut(holder.0) {
            holder.transactions.remove(&id);
        }
        let mark = self.records.len();
        self.roll_back(now, id);
        let gate = self.gate_since(mark, holder);
        self.owe_receipt(holder, gate, receipt);
        Ok(Applied::Done)
    }

    /// Undoes what a transaction has remembered: its deliveries are unacknowledged again, or go
    /// back if their consumer has ended meanwhile.
    pub(super) fn roll_back(&mut self, now: Now, id: TransactionId) {
        let Some(transaction) = self.transactions.remove(&id) else { return };
        for step in transaction.steps {
            match step {
                Step::Send { destination, message } => {
                    self.reserve(destination, message.size_bytes() as u64, false);
                    self.make_room(destination);
                }
                Step::Settle { consumer, number, from, seq, .. } => {
                    self.unsettle(now, consumer, number, from, seq);
                }
            }
        }
    }

    fn unsettle(
        &mut self,
        now: Now,
        consumer: ConsumerId,
        number: DeliveryNo,
        from: Option<BacklogKey>,
        seq: Seq,
    ) {
        #[cfg(feature = "planted-bugs")]
        if self.has_bug(super::planted::PlantedBug::AbortSettles) {
            let slots: Vec<(BacklogKey, Seq)> = from.map(|key| (key, seq)).into_iter().collect();
            self.acknowledge(&slots);
            return;
        }
        if let Some(consumer) = self.consumers.get_mut(consumer.0) {
            consumer.inflight.unstage(number);
        } else if let Some(key) = from {
            let attempt = self.attempt_after(key, seq, false);
            self.give_back(now, key, attempt);
        }
    }

    fn take_transaction(
        &mut self,
        holder: HolderId,
        id: TransactionId,
    ) -> Result<Transaction, Refusal> {
        let is_own = self.transactions.get(&id).is_some_and(|t| t.holder == holder);
        let transaction = if is_own { self.transactions.remove(&id) } else { None };
        if let Some(holder) = self.holders.get_mut(holder.0) {
            holder.transactions.remove(&id);
        }
        transaction.ok_or_else(unknown_transaction)
    }
}

fn unknown_transaction() -> Refusal {
    Refusal::new(Code::TransactionUnknown, "there is no such transaction, or it has ended")
}
