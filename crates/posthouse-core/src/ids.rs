//! The names of things inside one node: small numbers that are never reused.

use std::fmt;

/// A destination. Dense, starts at 1, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationId(pub u32);

/// A durable subscription. Dense, starts at 1, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u32);

impl SubscriptionId {
    /// Stands for the queue itself where a backlog is named: a queue has exactly one.
    pub const QUEUE: SubscriptionId = SubscriptionId(0);
}

/// What waits for one queue or for one durable subscription to one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BacklogKey {
    /// The queue or topic.
    pub destination: DestinationId,
    /// The subscription; [`SubscriptionId::QUEUE`] for a queue.
    pub subscription: SubscriptionId,
}

/// A position in a destination's log. The upper bits hold the node's run (see [`seq_of_run`]), so
/// that a number handed out before a crash is never handed out again.
pub type Seq = u64;

/// Bits of a [`Seq`] that count within one run: a year at half a million messages a second.
pub const SEQ_BITS_PER_RUN: u32 = 44;

/// The first position that a run may hand out.
pub fn seq_of_run(run: u32) -> Seq {
    u64::from(run) << SEQ_BITS_PER_RUN
}

/// Identity of a message: where it is, which node numbered it, and its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The destination that holds it.
    pub destination: DestinationId,
    /// The node that numbered it; 0 when local.
    pub origin: u32,
    /// Its position in the destination's log.
    pub seq: Seq,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}-{:x}", self.origin, self.destination.0, self.seq)
    }
}

/// A batch of records: the unit of commit and of atomicity. Starts at 1; 0 means "nothing to wait
/// for".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchNo(pub u64);

/// A transaction, from its begin to its end; never reused, so that a late end is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub u64);

/// Counts the deliveries of one consumer from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryNo(pub u64);

/// What attaches to the broker and may leave it: it holds consumers, transactions and blocked
/// sends, all of which end with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HolderId(pub Key);

/// One consumer of a queue, a topic or a durable subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerId(pub Key);

/// Index and generation in an [`Arena`](crate::arena::Arena): a key outlives what it names
/// without ever naming something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which slot. Dense, so that callers may keep side tables in a vector.
    pub index: u32,
    /// How often the slot was given out before.
    pub generation: u32,
}
