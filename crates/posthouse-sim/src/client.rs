//! What a simulated client knows: its consumers and what they have open, its transaction, what it
//! has asked for and not heard of. It knows no more than a real one could.

use std::collections::BTreeMap;

use crate::carrier::Peer;
use crate::history::{Call, Consumer, Key, Op, Send, Subscribe, Transaction};
use crate::network::LinkId;

/// What a client is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Does a bit of everything, as its weights say.
    Worker,
    /// Subscribes to topics, reads on, and stays to the end.
    Watcher,
    /// Comes when all is over and consumes what is left.
    Drainer,
    /// Comes with the drainers, takes one message, and sits on it for a while.
    Sitter,
}

/// A delivery that has not been settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its number, as the client counts.
    pub number: u64,
    /// How the node names it.
    pub handle: u64,
}

/// One consumer, as its client knows it.
#[derive(Clone, Debug)]
pub struct Consuming {
    /// What was asked for.
    pub wish: Subscribe,
    /// How many deliveries have come.
    pub received: u64,
    /// Which of them are not settled.
    pub open: Vec<Open>,
    /// Which of them the open transaction settles.
    pub staged: Vec<Open>,
}

/// The open transaction.
#[derive(Clone, Debug, Default)]
pub struct Transacting {
    /// Which.
    pub id: Transaction,
    /// What it sends.
    pub keys: Vec<Key>,
    /// How many steps it has.
    pub steps: u32,
}

/// A connection, as its client sees it.
pub struct Connection {
    /// Over which link.
    pub link: LinkId,
    /// What speaks for the client there.
    pub peer: Peer,
    /// Whether the node has welcomed it.
    pub is_up: bool,
    /// Whether the client has said goodbye.
    pub is_leaving: bool,
}

/// See the module.
pub struct Client {
    /// Its number.
    pub id: u32,
    /// What it is there for.
    pub role: Role,
    /// The name under which it has durable subscriptions.
    pub name: Option<String>,
    /// Its connection, if it has one.
    pub connection: Option<Connection>,
    /// Its consumers.
    pub consumers: BTreeMap<Consumer, Consuming>,
    /// Its open transaction.
    pub transaction: Option<Transacting>,
    /// Calls of which it expects to hear.
    pub pending: BTreeMap<Op, Call>,
    /// Numbered messages that were not confirmed and are to be sent again.
    pub unconfirmed: BTreeMap<Key, Send>,
    /// Numbered messages that have been sent over this connection.
    pub numbered: BTreeMap<Key, Send>,
    /// Its number for its next message.
    pub next_number: u64,
    /// Until when it does not read.
    pub stalled_until_ms: u64,
    /// How often it does what, in the order of [`crate::workload::KINDS`].
    pub weights: Vec<u64>,
    /// What it has been told to consume, for drainers and sitters.
    pub errands: Vec<Subscribe>,
}

impl Client {
    /// A client that has done nothing yet.
    pub fn new(id: u32, role: Role) -> Client {
        Client {
            id,
            role,
            name: None,
            connection: None,
            consumers: BTreeMap::new(),
            transaction: None,
            pending: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            numbered: BTreeMap::new(),
            next_number: 1,
            stalled_until_ms: 0,
            weights: Vec::new(),
            errands: Vec::new(),
        }
    }

    /// Whether it can ask for something now.
    pub fn is_up(&self) -> bool {
        self.connection.as_ref().is_some_and(|c| c.is_up && !c.is_leaving)
    }

    /// Its link, if it has one.
    pub fn link(&self) -> Option<LinkId> {
        self.connection.as_ref().map(|connection| connection.link)
    }

    /// The connection is over: its consumers and its transaction with it. Numbered messages that
    /// were not confirmed are sent again next time.
    pub fn disconnect(&mut self) {
        self.connection = None;
        self.consumers.clear();
        self.transaction = None;
        self.pending.clear();
        self.unconfirmed.append(&mut self.numbered);
    }

    /// Deliveries that are not settled, by consumers that are still there.
    pub fn open_len(&self) -> usize {
        self.consumers.values().map(|consumer| consumer.open.len()).sum()
    }

    /// The transaction has ended, well or not: what it settled is settled, or open again.
    pub fn end_transaction(&mut self, is_commit: bool) {
        self.transaction = None;
        for consumer in self.consumers.values_mut() {
            let staged = std::mem::take(&mut consumer.staged);
            if !is_commit {
                consumer.open.extend(staged);
                consumer.open.sort_by_key(|open| open.number);
            }
        }
    }
}
