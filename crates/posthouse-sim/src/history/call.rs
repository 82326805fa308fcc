//! What a client can ask for.

use crate::history::{Consumer, Key, Target, Transaction};

/// A message on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// Which message.
    pub key: Key,
    /// Where to.
    pub to: Target,
    /// Whether it must survive a crash.
    pub persistent: bool,
    /// 0 to 9; higher goes first.
    pub priority: u8,
    /// When it expires, on the history's clock; 0 means never.
    pub expires_ms: u64,
    /// What selectors select by.
    pub label: u32,
    /// The producer's name and its number for the message, if it asks for second arrivals to be
    /// recognised.
    pub dedup: Option<(u64, u64)>,
    /// The transaction that it is part of.
    pub transaction: Option<Transaction>,
}

/// Which messages a consumer selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// All.
    All,
    /// Those with this label.
    Label(u32),
    /// Those with another label.
    Not(u32),
}

impl Wants {
    /// Whether a message with `label` is wanted.
    pub fn takes(self, label: u32) -> bool {
        match self {
            Wants::All => true,
            Wants::Label(wanted) => label == wanted,
            Wants::Not(unwanted) => label != unwanted,
        }
    }
}

/// How a consumer's messages become acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By having been received.
    Auto,
    /// Each acknowledgement covers all earlier deliveries too.
    Cumulative,
    /// Each acknowledgement covers one delivery.
    Individual,
}

/// A durable subscription: whose, and which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Durable {
    /// The client's name.
    pub client: String,
    /// The subscription's name.
    pub name: String,
}

/// The beginning of a consumer.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribe {
    /// Which consumer.
    pub consumer: Consumer,
    /// From where.
    pub to: Target,
    /// How it acknowledges.
    pub mode: Mode,
    /// Deliveries that it may have open.
    pub prefetch: u32,
    /// What it selects.
    pub wants: Wants,
    /// Whether it only looks.
    pub browse: bool,
    /// The durable subscription that it consumes from.
    pub durable: Option<Durable>,
    /// Whether it leaves out what its own connection sends.
    pub no_local: bool,
}

/// What a consumer says about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has been dealt with.
    Ack,
    /// It has not; the destination's policy decides.
    Reject,
    /// It has not, and is to be tried again.
    Requeue,
    /// It has not, and is to be set aside.
    DeadLetter,
}

/// A word about one delivery, or about all up to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settle {
    /// Whose delivery.
    pub consumer: Consumer,
    /// Its number among the consumer's deliveries, from 1, as the client counted them.
    pub number: u64,
    /// What became of it.
    pub verdict: Verdict,
    /// The transaction that the word is part of.
    pub transaction: Option<Transaction>,
}

/// What can happen to a transaction as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transacted {
    /// It starts.
    Begin,
    /// All of it is to happen.
    Commit,
    /// None of it is to happen.
    Abort,
}

/// Everything that a client, or whoever manages the node, can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Send a message.
    Send(Send),
    /// Start a consumer.
    Subscribe(Subscribe),
    /// End a consumer.
    Unsubscribe(Consumer),
    /// Delete a durable subscription.
    Forget(Durable),
    /// Settle deliveries.
    Settle(Settle),
    /// Begin or end a transaction.
    Transact(Transaction, Transacted),
    /// Drop what waits in a queue.
    Purge(Target),
    /// Return what was set aside in a dead-letter queue to where it came from.
    Redrive(Target),
    /// Leave in good order.
    Disconnect,
}
