//! The machine: commands go in; records and effects come out.
//!
//! Each concern has a file of its own that adds to `impl Broker`; this one only holds the state
//! and hands on. Two rules keep it honest:
//!
//! * Durable state changes only in [`Broker::evolve`], which sees nothing but a [`Record`]. A
//!   command decides, then calls `record`, which evolves and keeps the record for the store.
//!   Replaying the records therefore gives the same state.
//! * What is not durable (consumers, deliveries, transactions, messages that are not persistent)
//!   changes directly and is gone after a crash.
//!
//! Invariant: nothing here reads a clock, draws a random number, or iterates over anything whose
//! order could differ between two runs.

mod backlog;
mod browse;
mod consumer;
mod digest;
mod dispatch;
mod duplicate;
mod evolve;
mod expiry;
mod flow;
mod holder;
mod laggard;
mod log;
mod paging;
mod place;
mod scan;
mod send;
mod set_aside;
mod settle;
mod snapshot;
mod subscribe;
mod subscription;
mod topic;
mod transaction;
pub mod view;

#[cfg(feature = "planted-bugs")]
pub mod planted;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::arena::Arena;
use crate::command::{Applied, Command, ReceiptToken};
use crate::destination::DestinationName;
use crate::effect::{Effect, Emission, Stream};
use crate::ids::{
    BacklogKey, BatchNo, ConsumerId, DestinationId, HolderId, Seq, SubscriptionId, TransactionId,
};
use crate::policy::Policies;
use crate::record::Record;
use crate::refusal::{Code, Refusal};
use crate::time::Now;

use self::consumer::Consumer;
use self::duplicate::Producers;
use self::holder::Holder;
use self::paging::Paging;
use self::place::Place;
use self::snapshot::Capture;
pub use self::snapshot::Image;
use self::subscription::Subscription;
use self::transaction::Transaction;
use self::view::Counters;

/// All state of one node's messages. See the module.
#[derive(Debug, Default)]
pub struct Broker {
    policies: Policies,
    run: u32,
    places: BTreeMap<DestinationId, Place>,
    names: BTreeMap<Arc<DestinationName>, DestinationId>,
    last_destination: u32,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    subscription_names: BTreeMap<(Box<str>, Box<str>), SubscriptionId>,
    last_subscription: u32,
    /// Backlogs of all durable subscriptions together.
    durable_backlogs: usize,
    producers: Producers,

    holders: Arena<Holder>,
    consumers: Arena<Consumer>,
    wildcard_consumers: Vec<ConsumerId>,
    transactions: BTreeMap<TransactionId, Transaction>,
    last_transaction: u64,

    expiring: BTreeSet<(u64, DestinationId, Seq)>,
    delayed: BTreeSet<(u64, BacklogKey, Seq)>,
    blocked: BTreeSet<(u64, HolderId)>,
    memory_waiters: VecDeque<HolderId>,
    runnable: VecDeque<BacklogKey>,
    listed: VecDeque<ConsumerId>,
    laggards: BTreeSet<ConsumerId>,
    turn: u64,

    messages: u64,
    bytes: u64,
    /// Of these, and of what open transactions will bring, what is in memory.
    resident_bytes: u64,
    paging: Paging,
    capture: Option<Box<Capture>>,
    is_store_full: bool,
    is_store_behind: bool,
    counters: Counters,
    open_batch: BatchNo,
    /// The batch of the last record.
    recorded_batch: BatchNo,
    commit_gate: BatchNo,
    records: Vec<Record>,
    emissions: Vec<Emission>,
    #[cfg(feature = "planted-bugs")]
    planted: Option<planted::PlantedBug>,
}

impl Broker {
    /// A broker without any destinations.
    pub fn new(policies: Policies) -> Broker {
        Broker { policies, ..Broker::default() }
    }

    /// Carries out `command`, or refuses it and changes nothing.
    ///
    /// # Errors
    /// The refusal says why, with a code.
    pub fn apply(&mut self, now: Now, command: Command) -> Result<Applied, Refusal> {
        match command {
            Command::Attach { client } => self.attach(client),
            Command::Detach { holder } => self.detach(now, holder),
            Command::Flow { holder, open } => self.set_flow(holder, open),
            Command::Resolve { kind, path } => self.resolve_path(kind, &path),
            Command::Send(send) => self.send(now, send),
            Command::Subscribe(subscribe) => self.subscribe(*subscribe),
            Command::Unsubscribe { consumer, receipt } => self.unsubscribe(now, consumer, receipt),
            Command::Settle(settle) => self.settle(now, settle),
            Command::Written { consumer, up_to } => self.written(consumer, up_to),
            Command::Begin { holder, receipt } => self.begin(holder, receipt),
            Command::Commit { holder, transaction, receipt } => {
                self.commit(now, holder, transaction, receipt)
            }
            Command::Abort { holder, transaction, receipt } => {
                self.abort(now, holder, transaction, receipt)
            }
            Command::Confirm { holder, receipt } => self.confirm(holder, receipt),
            Command::RemoveSubscription { client, name, receipt } => {
                self.remove_subscription(&client, &name, receipt)
            }
            Command::Purge { destination, limit } => self.purge(destination, limit),
            Command::Redrive { destination, limit } => self.redrive(now, destination, limit),
            Command::RemoveDestination { destination } => self.remove_destination(destination),
            Command::Tick => self.tick(now),
        }
    }

    /// Tells which batch the records of the next commands will be part of.
    pub fn set_open_batch(&mut self, batch: BatchNo) {
        self.open_batch = batch;
    }

    /// Counts the starts of the node.
    pub fn run(&self) -> u32 {
        self.run
    }

    /// Takes the records that have arisen since the last call, in order.
    pub fn take_records(&mut self) -> std::vec::Drain<'_, Record> {
        self.records.drain(..)
    }

    /// Takes the effects that have arisen since the last call, in order.
    pub fn take_emissions(&mut self) -> std::vec::Drain<'_, Emission> {
        self.emissions.drain(..)
    }

    /// Starts the next run after the records of earlier ones have been replayed. What those runs
    /// may have handed out is marked so.
    pub fn start(&mut self) {
        for place in self.places.values_mut() {
            for backlog in place.backlogs.values_mut() {
                backlog.suspect_up_to = backlog.dispatched_up_to;
            }
        }
        self.record(Record::Started { run: self.run + 1 });
    }

    /// Changes durable state as `record` says and keeps it for the store.
    fn record(&mut self, record: Record) {
        self.recorded_batch = self.open_batch;
        self.evolve(&record);
        self.records.push(record);
    }

    fn emit(&mut self, holder: HolderId, stream: Stream, gate: BatchNo, effect: Effect) {
        self.emissions.push(Emission { holder, stream, gate, effect });
    }

    /// Owes `holder` a receipt, if one was asked for, once `gate` is durable.
    fn owe_receipt(&mut self, holder: HolderId, gate: BatchNo, receipt: Option<ReceiptToken>) {
        if let Some(token) = receipt {
            self.emit(holder, Stream::Holder(holder), gate, Effect::Receipt { token });
        }
    }

    /// The gate of what depends on the records since `mark`, and the holder's last such gate.
    fn gate_since(&mut self, mark: usize, holder: HolderId) -> BatchNo {
        if self.records.len() == mark {
            return BatchNo(0);
        }
        if let Some(holder) = self.holders.get_mut(holder.0) {
            holder.last_batch = self.open_batch;
        }
        self.open_batch
    }

    fn place(&self, destination: DestinationId) -> Result<&Place, Refusal> {
        self.places.get(&destination).ok_or_else(|| unknown_destination(destination))
    }

    fn consumer_mut(&mut self, consumer: ConsumerId) -> Result<&mut Consumer, Refusal> {
        let unknown = || Refusal::new(Code::ConsumerUnknown, "the consumer has ended");
        self.consumers.get_mut(consumer.0).ok_or_else(unknown)
    }

    /// Whether a bug is planted here on purpose, to prove that the checker sees it.
    #[cfg(feature = "planted-bugs")]
    fn has_bug(&self, bug: planted::PlantedBug) -> bool {
        self.planted == Some(bug)
    }
}

fn unknown_destination(destination: DestinationId) -> Refusal {
    let detail = format!("the destination with the id {} is gone", destination.0);
    Refusal::new(Code::DestinationUnknown, detail)
}
