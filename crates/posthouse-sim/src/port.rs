//! What simulated clients and the node say to each other, whatever carries it.
//!
//! A client asks with a [`Request`] and hears [`Reply`] after reply. What carries them is either
//! the values themselves, which a [front](crate::front) turns into commands: that is quick and
//! reaches everything the core can do; or the bytes of a protocol, which its real session reads
//! and writes.

use crate::history::{Call, Consumer, Key, Op, Target};

/// What a client asks.
#[derive(Clone, Debug)]
pub enum Request {
    /// Begin, under a name if the client has one.
    Connect {
        /// The name under which durable subscriptions are kept.
        client: Option<String>,
    },
    /// Something else.
    Call {
        /// The call's number in the history.
        op: Op,
        /// What is asked.
        call: Call,
        /// Whether a receipt is wanted.
        receipt: bool,
        /// For a word about a delivery: how the node named the delivery.
        handle: u64,
    },
}

/// What the node says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The client may go on.
    Connected,
    /// What was asked for is confirmed.
    Receipt(Op),
    /// Something was refused, and the connection ends.
    Refused {
        /// What, if the node said so.
        op: Option<Op>,
        /// The stable code.
        code: String,
        /// The reason, in words.
        detail: String,
    },
    /// A message.
    Message(Arrival),
    /// A browser has seen everything.
    BrowseEnd(Consumer),
    /// A subscriber missed this many messages.
    Missed(Consumer, u64),
}

/// A message as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// For which consumer.
    pub consumer: Consumer,
    /// How the node names the delivery.
    pub handle: u64,
    /// Which message.
    pub key: Key,
    /// From where.
    pub from: Target,
    /// How often it may have been delivered before.
    pub redeliveries: u32,
}
