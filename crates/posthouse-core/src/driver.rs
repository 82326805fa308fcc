//! The driver: the one place that lets effects out.
//!
//! **The rule.** A command is applied; its records join the open batch; its effects wait at their
//! gates. At the end of a turn the batch goes to the store. An effect leaves when its gate is open
//! and nothing that came before it in its stream still waits. So a receipt, or a delivery, of
//! something that must survive is never seen outside before it does; and what need not survive
//! waits only for what is ahead of it.
//!
//! The driver does no I/O and has no clock, and runs unchanged in the simulator.

use std::collections::{BTreeMap, VecDeque};

use crate::broker::Broker;
use crate::command::{Applied, Command};
use crate::effect::{Effect, Emission, Stream};
use crate::ids::{BatchNo, HolderId};
use crate::policy::Policies;
use crate::record::codec;
use crate::refusal::Refusal;
use crate::store::{Batch, Completion, Store};
use crate::time::Now;

/// See the module.
pub struct Driver {
    broker: Broker,
    store: Box<dyn Store>,
    open: Batch,
    durable: BatchNo,
    waiting: BTreeMap<Stream, VecDeque<Emission>>,
    waiting_for: BTreeMap<BatchNo, Vec<Stream>>,
    released: VecDeque<(HolderId, Effect)>,
    failure: Option<String>,
}

impl Driver {
    /// Rebuilds the broker from what the store has and starts its next run.
    ///
    /// # Errors
    /// A description of damage in the store, for a person.
    pub fn new(policies: Policies, store: Box<dyn Store>, now: Now) -> Result<Driver, String> {
        Driver::with_broker(Broker::new(policies), store, now)
    }

    /// The same with a broker that the caller has prepared.
    ///
    /// # Errors
    /// A description of damage in the store, for a person.
    pub fn with_broker(
        mut broker: Broker,
        mut store: Box<dyn Store>,
        now: Now,
    ) -> Result<Driver, String> {
        let mut durable = BatchNo(0);
        while let Some(found) = store.recover(BatchNo(durable.0 + 1))? {
            let batch = found.batch;
            if batch.number != BatchNo(durable.0 + 1) {
                return Err(format!("batch {} follows batch {}", batch.number.0, durable.0));
            }
            let records = codec::decode_all(&batch.records.into());
            let records = records.map_err(|e| format!("batch {}: {e}", batch.number.0))?;
            records.iter().for_each(|record| broker.evolve(record));
            durable = batch.number;
        }
        let mut driver = Driver {
            broker,
            store,
            open: Batch::default(),
            durable,
            waiting: BTreeMap::new(),
            waiting_for: BTreeMap::new(),
            released: VecDeque::new(),
            failure: None,
        };
        driver.open_batch(BatchNo(durable.0 + 1));
        driver.broker.start();
        driver.collect();
        driver.turn(now);
        Ok(driver)
    }

    /// Carries out a command, or refuses it and changes nothing.
    ///
    /// # Errors
    /// The refusal says why, with a code.
    pub fn apply(&mut self, now: Now, command: Command) -> Result<Applied, Refusal> {
        let applied = self.broker.apply(now, command);
        self.collect();
        applied
    }

    /// Ends a turn: hands messages out, submits the batch, and lets go what may go.
    pub fn turn(&mut self, now: Now) {
        self.broker.dispatch(now);
        self.collect();
        if self.batch_is_wanted() {
            self.submit(now);
        }
        self.hear();
    }

    /// The next effect that may leave, and whom it is for.
    pub fn next_effect(&mut self) -> Option<(HolderId, Effect)> {
        self.released.pop_front()
    }

    /// Whether another turn would go on at once.
    pub fn has_work(&self, now: Now) -> bool {
        self.broker.has_work(now)
    }

    /// When [`Command::Tick`] is due, in monotonic milliseconds.
    pub fn next_deadline_ms(&self, now: Now) -> Option<u64> {
        self.broker.next_deadline_ms(now)
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
            codec::encode(&record, &mut self.open.records);
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
        self.store.submit(batch);
        self.open_batch(next);
    }

    /// Hears from the store. Call it also when the store says that it has news between turns.
    pub fn hear(&mut self) {
        while let Some(completion) = self.store.poll() {
            match completion {
                Completion::Durable(up_to) => self.open_gates(up_to),
                Completion::Full
                | Completion::Room
                | Completion::Loaded(_)
                | Completion::Relocated(_)
                | Completion::CheckpointWanted => {}
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
