//! The driver: the one place that lets effects out.
//!
//! **The rule.** A command is applied; its records join the open batch; its effects wait at their
//! gates. At the end of a turn the batch goes to the store. An effect leaves when its gate is open
//! and nothing that came before it in its stream still waits. So a receipt, or a delivery, of
//! something that must survive is never seen outside before it does; and what need not survive
//! waits only for what is ahead of it.
//!
//! The driver does no I/O and has no clock, and runs unchanged in the simulator.

mod house;
mod start;

use std::collections::{BTreeMap, VecDeque};

use crate::broker::Broker;
use crate::broker::view::{BrowseCursor, BrowsePage};
use crate::command::{Applied, Command};
use crate::effect::{Effect, Emission, Stream};
use crate::ids::{BatchNo, DestinationId, HolderId};
use crate::record::codec;
use crate::refusal::Refusal;
use crate::selector::Selector;
use crate::store::{Batch, Completion, Store};
use crate::time::Now;

/// See the module.
pub struct Driver {
    broker: Broker,
    store: Box<dyn Store>,
    /// Bytes that may be submitted and not be durable; producers wait beyond it.
    unsynced_bytes_max: usize,
    open: Batch,
    /// Where in the open batch each message record begins.
    messages: Vec<u32>,
    durable: BatchNo,
    /// Batches that are submitted and not durable, with their bytes.
    in_flight: VecDeque<(BatchNo, usize)>,
    in_flight_bytes: usize,
    wants_checkpoint: bool,
    /// The batch of the last snapshot.
    checkpointed: BatchNo,
    waiting: BTreeMap<Stream, VecDeque<Emission>>,
    waiting_for: BTreeMap<BatchNo, Vec<Stream>>,
    released: VecDeque<(HolderId, Effect)>,
    failure: Option<String>,
}

impl Driver {
    /// Carries out a command, or refuses it and changes nothing.
    ///
    /// # Errors
    /// The refusal says why, with a code.
    pub fn apply(&mut self, now: Now, command: Command) -> Result<Applied, Refusal> {
        let applied = self.broker.apply(now, command);
        self.collect();
        self.mind_the_store();
        applied
    }

    /// Ends a turn: hands messages out, submits the batch, and lets go what may go.
    pub fn turn(&mut self, now: Now) {
        self.hear();
        self.broker.dispatch(now);
        self.collect();
        if self.batch_is_wanted() && self.store.is_ready(self.open.records.len()) {
            self.submit(now);
        }
        self.keep_house(now);
        self.hear();
    }

    /// Submits what a turn would have held back, because no further one will come.
    pub fn finish(&mut self, now: Now) {
        self.turn(now);
        if self.batch_is_wanted() {
            self.submit(now);
        }
    }

    /// The next effect that may leave, and whom it is for.
    pub fn next_effect(&mut self) -> Option<(HolderId, Effect)> {
        self.released.pop_front()
    }

    /// Whether another turn would go on at once.
    pub fn has_work(&self, now: Now) -> bool {
        self.broker.has_work(now) || self.broker.is_capturing()
    }

    /// When [`Command::Tick`] is due, in monotonic milliseconds.
    pub fn next_deadline_ms(&self, now: Now) -> Option<u64> {
        self.broker.next_deadline_ms(now)
    }

    /// The last batch that has anything of what was applied so far.
    pub fn last_batch(&self) -> BatchNo {
        // One that stays empty need never be submitted.
        BatchNo(self.open.number.0 - u64::from(self.open.records.is_empty()))
    }

    /// Whether everything up to a batch is durable.
    pub fn is_durable(&self, batch: BatchNo) -> bool {
        batch <= self.durable
    }

    /// Why the store no longer works, if it does not. Nothing that waits for it will ever leave;
    /// the node must stop.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The broker, to look at.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Looks into a queue: see [`Broker::browse`].
    pub fn browse(
        &mut self,
        destination: DestinationId,
        from: BrowseCursor,
        limit: usize,
        selector: Option<&Selector>,
    ) -> BrowsePage {
        self.broker.browse(destination, from, limit, selector)
    }

    /// The durable state as it is, if nothing is between two batches.
    #[cfg(test)]
    pub(crate) fn snapshot(&mut self) -> Option<crate::broker::Image> {
        if !self.open.records.is_empty() || self.broker.is_capturing() {
            return None;
        }
        self.broker.begin_snapshot(BatchNo(self.open.number.0 - 1));
        self.broker.capture_some(usize::MAX)
    }

    /// How many effects wait at their gates.
    pub fn waiting_len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    fn open_batch(&mut self, number: BatchNo) {
        self.open = Batch { number, wall_ms: 0, records: Vec::new() };
        self.broker.set_open_batch(number);
    }

    /// Takes over what the broker has produced.
    fn collect(&mut self) {
        for record in self.broker.take_records() {
            codec::encode_noting(&record, &mut self.open.records, &mut self.messages);
        }
        #[cfg(feature = "planted-bugs")]
        let planted = self.broker.planted();
        for emission in self.broker.take_emissions() {
            #[cfg(feature = "planted-bugs")]
            let emission = planted_gate(planted, emission, self.durable);
            // Mostly nothing waits, and then no stream need be looked up.
            if !self.waiting.is_empty()
                && let Some(queue) = self.waiting.get_mut(&emission.stream)
            {
                queue.push_back(emission);
            } else if emission.gate <= self.durable {
                self.released.push_back((emission.holder, emission.effect));
            } else {
                self.waiting_for.entry(emission.gate).or_default().push(emission.stream);
                self.waiting.insert(emission.stream, VecDeque::from([emission]));
            }
        }
    }

    /// A batch is submitted when it has records, or when something waits for its number.
    fn batch_is_wanted(&self) -> bool {
        !self.open.records.is_empty() || self.waiting_for.contains_key(&self.open.number)
    }

    fn submit(&mut self, now: Now) {
        let next = BatchNo(self.open.number.0 + 1);
        let mut batch = std::mem::take(&mut self.open);
        batch.wall_ms = now.wall_ms;
        let (number, bytes) = (batch.number, batch.records.len());
        let first = self.store.submit(batch);
        self.broker.place_batch(first, &self.messages);
        self.messages.clear();
        self.in_flight.push_back((number, bytes));
        self.in_flight_bytes += bytes;
        self.open_batch(next);
        self.begin_checkpoint(now);
    }

    /// Hears from the store. Call it also when the store says that it has news between turns.
    pub fn hear(&mut self) {
        while let Some(completion) = self.store.poll() {
            match completion {
                Completion::Durable(up_to) => self.open_gates(up_to),
                Completion::Full => self.broker.set_store_full(true),
                Completion::Room => self.broker.set_store_full(false),
                Completion::Loaded(loaded) => self.broker.loaded(loaded),
                Completion::Relocated(relocated) => self.broker.relocated(relocated),
                Completion::CheckpointWanted => self.wants_checkpoint = true,
                Completion::Fenced => self.fail("another node has taken the store over".into()),
                Completion::Unknown(why) | Completion::Failed(why) => self.fail(why),
            }
        }
    }

    fn fail(&mut self, why: String) {
        self.failure.get_or_insert(why);
    }

    fn open_gates(&mut self, up_to: BatchNo) {
        self.durable = self.durable.max(up_to);
        while let Some((_, bytes)) = self.in_flight.pop_front_if(|(n, _)| *n <= self.durable) {
            self.in_flight_bytes -= bytes;
        }
        self.mind_the_store();
        let later = self.waiting_for.split_off(&BatchNo(self.durable.0 + 1));
        let due = std::mem::replace(&mut self.waiting_for, later);
        for stream in due.into_values().flatten() {
            self.release(stream);
        }
    }

    /// Lets go the head of a stream, up to the next gate that is shut.
    fn release(&mut self, stream: Stream) {
        let Some(queue) = self.waiting.get_mut(&stream) else { return };
        while let Some(emission) = queue.pop_front() {
            if emission.gate > self.durable {
                self.waiting_for.entry(emission.gate).or_default().push(stream);
                queue.push_front(emission);
                return;
            }
            self.released.push_back((emission.holder, emission.effect));
        }
        self.waiting.remove(&stream);
    }
}

/// Planted bugs: gates that should be shut are open, or streams lose their order.
#[cfg(feature = "planted-bugs")]
fn planted_gate(
    planted: Option<crate::broker::planted::PlantedBug>,
    emission: Emission,
    durable: BatchNo,
) -> Emission {
    use crate::broker::planted::PlantedBug;
    use crate::ids::{ConsumerId, Key};
    let is_open = emission.gate <= durable;
    match (planted, &emission.effect) {
        (Some(PlantedBug::ReceiptTooEarly), Effect::Receipt { .. })
        | (Some(PlantedBug::DeliveryTooEarly), Effect::Deliver(_)) => {
            Emission { gate: BatchNo(0), ..emission }
        }
        (Some(PlantedBug::StreamOvertakes), _) if is_open => {
            let nobody = ConsumerId(Key { index: u32::MAX, generation: u32::MAX });
            Emission { stream: Stream::Consumer(nobody), ..emission }
        }
        _ => emission,
    }
}
