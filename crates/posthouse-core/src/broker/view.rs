//! What can be seen of the broker from outside: figures and pages of messages, copied out so that
//! sorting and formatting happen elsewhere.

use std::sync::Arc;

use crate::destination::DestinationName;
use crate::ids::{DestinationId, MessageId, Seq, SubscriptionId};
use crate::message::{Envelope, Provenance};

/// What has happened so far at a destination or at the whole node. Counters only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages taken over.
    pub enqueued: u64,
    /// Messages handed out, each time counted.
    pub delivered: u64,
    /// Messages acknowledged; on topics once for each subscription.
    pub acknowledged: u64,
    /// Messages handed out that had been handed out before.
    pub redelivered: u64,
    /// Messages that expired.
    pub expired: u64,
    /// Messages set aside in a dead-letter queue.
    pub dead_lettered: u64,
    /// Messages dropped by a limit's policy, purged, or removed with their destination.
    pub dropped: u64,
    /// Messages recognised as second arrivals, and not taken over again.
    pub duplicates: u64,
}

/// One destination as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationStats {
    /// Its id.
    pub id: DestinationId,
    /// Its name.
    pub name: Arc<DestinationName>,
    /// Messages kept.
    pub messages: u64,
    /// Bytes of the messages kept.
    pub bytes: u64,
    /// Messages whose bodies the store cannot give back.
    pub unreadable: u64,
    /// Messages of a queue that could be handed out now.
    pub ready: u64,
    /// Messages of a queue that are handed out and not settled.
    pub unacknowledged: u64,
    /// Messages of a queue that wait for their next attempt.
    pub delayed: u64,
    /// Consumers.
    pub consumers: u64,
    /// Producers that wait for room.
    pub blocked_producers: u64,
    /// What has happened.
    pub counters: Counters,
}

/// One durable subscription as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionStats {
    /// Its id.
    pub id: SubscriptionId,
    /// The client's name.
    pub client: Box<str>,
    /// Its own name.
    pub name: Box<str>,
    /// Which topics.
    pub pattern: String,
    /// The text of its selector, if it has one.
    pub selector: Option<Box<str>>,
    /// Whether somebody consumes from it.
    pub active: bool,
    /// Messages not yet acknowledged.
    pub pending: u64,
    /// Of these, handed out and not settled.
    pub unacknowledged: u64,
}

/// The whole node in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokerStats {
    /// Who is attached.
    pub holders: u64,
    /// Consumers.
    pub consumers: u64,
    /// Destinations.
    pub destinations: u64,
    /// Durable subscriptions.
    pub subscriptions: u64,
    /// Open transactions.
    pub transactions: u64,
    /// Messages kept.
    pub messages: u64,
    /// Bytes of the messages kept.
    pub bytes: u64,
    /// Bytes of messages, kept or yet to be committed, that are in memory.
    pub resident_bytes: u64,
    /// What has happened since the start.
    pub counters: Counters,
}

/// Where a message of a queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It could be handed out now.
    Ready,
    /// It is handed out and not settled.
    Unacknowledged,
    /// It waits for its next attempt.
    Delayed,
}

/// One message as a look into a queue shows it.
#[derive(Clone, Debug)]
pub struct Browsed {
    /// Its identity here.
    pub id: MessageId,
    /// The message.
    pub message: Arc<Envelope>,
    /// Where it stands.
    pub standing: Standing,
    /// How often it has been handed out.
    pub deliveries: u32,
    /// Where it was set aside from, if it was.
    pub provenance: Option<Arc<Provenance>>,
}

/// What a look into a queue sees.
#[derive(Clone, Debug, Default)]
pub struct BrowsePage {
    /// The messages, in the order in which they would be handed out.
    pub messages: Vec<Browsed>,
    /// Where to go on; absent at the end.
    pub next: Option<BrowseCursor>,
    /// The message that ended the page because it has to be loaded first, and its priority.
    pub absent: Option<(Seq, u8)>,
}

/// A place in the order in which a queue would be handed out: priority from high to low, then
/// position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrowseCursor {
    /// The priority to go on with.
    pub priority: u8,
    /// The position to go on with.
    pub seq: Seq,
}

impl BrowseCursor {
    /// Before everything.
    pub const START: BrowseCursor = BrowseCursor { priority: crate::message::PRIORITY_MAX, seq: 0 };
}
