//! One thing that happened.

use crate::history::{Call, Consumer, Key, Op, Target};

/// A message as a consumer received it.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Who received it.
    pub consumer: Consumer,
    /// The how-manieth delivery of that consumer, from 1, as the client counts.
    pub number: u64,
    /// Which message.
    pub key: Key,
    /// From where.
    pub from: Target,
    /// How often it may have been delivered before, as the node said.
    pub redeliveries: u32,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The client has a new connection.
    Open,
    /// The client's connection is over, whoever ended it.
    Close,
    /// The client asks for something.
    Invoke(Op, Call),
    /// What was asked for is confirmed.
    Ok(Op),
    /// What was asked for did not happen and never will.
    Fail(Op),
    /// A message arrived.
    Deliver(Delivery),
    /// A browsing consumer was told that it has seen everything.
    BrowseEnd(Consumer),
    /// A consumer was told how many messages it has missed.
    Missed(Consumer, u64),
    /// The node was killed.
    Crash,
    /// The node started.
    Start,
    /// From here on nothing is disturbed any more.
    Heal,
    /// Everything that waited anywhere has been consumed; nothing follows.
    Drained,
}

/// Something that happened, when and to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, in milliseconds on a clock that never goes back.
    pub at_ms: u64,
    /// To which client; 0 for what happens to the node or is done by whoever manages it.
    pub client: u32,
    /// What.
    pub what: What,
}
