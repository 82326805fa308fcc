//! A history sorted by what it is about: messages, consumers, transactions.
//!
//! A *moment* is an index into the events; later events have higher ones.

mod read;
mod sort;

use std::collections::BTreeMap;

use crate::history::{
    Call, Consumer, Delivery, Durable, History, Key, Op, Send, Subscribe, Target, Transaction,
    Verdict,
};

/// An index into the events of the history.
pub type Moment = usize;

/// What is known about whether something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was, and the client was told so at this moment.
    Done(Moment),
    /// Nobody can tell.
    Maybe,
    /// It was not, and never will be.
    Never,
}

/// One call and its outcome.
#[derive(Debug)]
pub struct Called<'a> {
    /// Over which connection.
    pub connection: usize,
    /// When it was begun.
    pub invoked: Moment,
    /// What was asked.
    pub call: &'a Call,
    /// What became of it.
    pub standing: Standing,
}

/// One connection of one client.
#[derive(Debug)]
pub struct Connection {
    /// When it was over, if ever.
    pub closed: Option<Moment>,
    /// When it asked to leave in good order.
    pub disconnected: Option<Moment>,
}

/// One try to send a message.
#[derive(Debug)]
pub struct Attempt {
    /// Over which connection.
    pub connection: usize,
    /// When it was begun.
    pub invoked: Moment,
    /// From when on it can be seen: when it, or the commit of its transaction, was begun.
    pub visible: Option<Moment>,
    /// What became of it, its transaction taken into account.
    pub standing: Standing,
}

/// One message.
#[derive(Debug)]
pub struct Message<'a> {
    /// Its key.
    pub key: Key,
    /// The message as it was first sent.
    pub sent: &'a Send,
    /// Every try to send it, in order.
    pub attempts: Vec<Attempt>,
    /// Indices of its deliveries, browsers' included, in order.
    pub deliveries: Vec<usize>,
}

/// What a client said about a delivery.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// When it said so.
    pub invoked: Moment,
    /// When it began to hold: at once, or when the commit was begun.
    pub holds: Moment,
    /// What it said.
    pub verdict: Verdict,
    /// Whether that was done, its transaction taken into account.
    pub standing: Standing,
    /// The transaction that it was part of.
    pub transaction: Option<Transaction>,
}

/// One delivery, as the client saw it.
#[derive(Debug)]
pub struct Received<'a> {
    /// When.
    pub at: Moment,
    /// What.
    pub delivery: &'a Delivery,
    /// What the client said about it.
    pub words: Vec<Word>,
}

/// One consumer.
#[derive(Debug)]
pub struct Consuming<'a> {
    /// What it asked for.
    pub wish: &'a Subscribe,
    /// Over which connection.
    pub connection: usize,
    /// When it was begun.
    pub invoked: Moment,
    /// When that was confirmed.
    pub confirmed: Option<Moment>,
    /// When it ended, as its client saw it.
    pub ended: Option<Moment>,
    /// Indices of its deliveries, in order.
    pub deliveries: Vec<usize>,
}

/// One transaction.
#[derive(Debug, Default)]
pub struct Transacting {
    /// When its commit was begun.
    pub commit: Option<Moment>,
    /// What became of the commit.
    pub standing: Option<Standing>,
    /// When its abort was begun.
    pub abort: Option<Moment>,
}

impl Transacting {
    /// What became of everything in it.
    pub fn standing(&self) -> Standing {
        self.standing.unwrap_or(Standing::Never)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Ledger<'a> {
    /// Where it is from.
    pub history: &'a History,
    /// Every call, by its number.
    pub calls: BTreeMap<Op, Called<'a>>,
    /// Every connection, in order.
    pub connections: Vec<Connection>,
    /// Every transaction.
    pub transactions: BTreeMap<Transaction, Transacting>,
    /// Every consumer.
    pub consumers: BTreeMap<Consumer, Consuming<'a>>,
    /// Every message that somebody tried to send.
    pub messages: BTreeMap<Key, Message<'a>>,
    /// Every delivery, in order.
    pub deliveries: Vec<Received<'a>>,
    /// How many messages each consumer was told that it has missed.
    pub missed: BTreeMap<Consumer, u64>,
    /// When the node was killed.
    pub crashes: Vec<Moment>,
    /// When disturbances ended.
    pub healed: Option<Moment>,
    /// When everything had been consumed.
    pub drained: Option<Moment>,
    management: Vec<(Moment, &'a Call)>,
    current: BTreeMap<u32, usize>,
    arrivals: BTreeMap<Key, Vec<usize>>,
}

impl<'a> Ledger<'a> {
    /// The time of a moment, in milliseconds.
    pub fn at_ms(&self, moment: Moment) -> u64 {
        self.history.events.get(moment).map_or(u64::MAX, |event| event.at_ms)
    }

    /// The consumer of a delivery.
    pub fn consumer(&self, received: &Received<'_>) -> &Consuming<'a> {
        &self.consumers[&received.delivery.consumer]
    }

    /// The deliveries of a message, browsers' excepted.
    pub fn received(&self, message: &Message<'_>) -> impl Iterator<Item = &Received<'a>> {
        let all = message.deliveries.iter().filter_map(|index| self.deliveries.get(*index));
        all.filter(|received| !self.consumer(received).wish.browse)
    }

    /// Whether the node was killed between two moments.
    pub fn crashed_between(&self, from: Moment, to: Moment) -> bool {
        self.crashes.iter().any(|crash| from < *crash && *crash < to)
    }

    /// Whether a purge or a redrive was begun between two moments.
    pub fn managed(&self, wanted: &Call, from: Moment, to: Moment) -> bool {
        let mut calls = self.management.iter();
        calls.any(|(invoked, call)| *call == wanted && from < *invoked && *invoked < to)
    }

    /// The subscription whose backlog a delivery came from, if it came from one.
    pub fn durable(&self, received: &Received<'_>) -> Option<&'a Durable> {
        self.consumer(received).wish.durable.as_ref()
    }
}

impl Message<'_> {
    /// Where it was sent.
    pub fn to(&self) -> &Target {
        &self.sent.to
    }

    /// When its sender was first told that it is safe.
    pub fn confirmed(&self) -> Option<Moment> {
        let told = self.attempts.iter().filter_map(|attempt| match attempt.standing {
            Standing::Done(moment) => Some(moment),
            Standing::Maybe | Standing::Never => None,
        });
        told.min()
    }

    /// When it could be seen at the earliest; never, if no attempt can have succeeded.
    pub fn visible(&self) -> Option<Moment> {
        let possible = self.attempts.iter().filter(|a| a.standing != Standing::Never);
        possible.filter_map(|attempt| attempt.visible).min()
    }

    /// When it was first tried.
    pub fn invoked(&self) -> Moment {
        self.attempts.iter().map(|attempt| attempt.invoked).min().unwrap_or(0)
    }
}

impl Word {
    /// Whether it is an acknowledgement that may have been carried out.
    pub fn may_acknowledge(&self) -> bool {
        self.verdict == Verdict::Ack && self.standing != Standing::Never
    }
}
