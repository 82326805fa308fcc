//! Records: every change of durable state, and nothing else. Replaying them in order from the
//! start rebuilds the state; nothing else can change it.

use std::sync::Arc;

use crate::destination::Kind;
use crate::ids::{BacklogKey, DestinationId, Seq, SubscriptionId};
use crate::message::{DeadLetterReason, Envelope, Provenance};
use crate::store::Locator;

mod checkpointed;
pub mod codec;

/// What becomes of one unacknowledged message in one backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which message.
    pub seq: Seq,
    /// How often it has been handed out.
    pub deliveries: u32,
    /// How many of those count against the limit of attempts.
    pub failures: u32,
}

/// A message that is taken over.
#[derive(Clone, Debug)]
pub struct Enqueued {
    /// Where.
    pub destination: DestinationId,
    /// Its position there.
    pub seq: Seq,
    /// The durable subscriptions that it waits for; for a queue, the queue itself.
    pub subscriptions: Vec<SubscriptionId>,
    /// The message.
    pub message: Arc<Envelope>,
}

/// A message that leaves one backlog and waits in another instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it is.
    pub from: BacklogKey,
    /// Its position there.
    pub seq: Seq,
    /// Where it goes.
    pub to: BacklogKey,
    /// Its position there.
    pub to_seq: Seq,
    /// Why it is set aside; absent when it returns to its origin.
    pub reason: Option<DeadLetterReason>,
    /// When, in wall milliseconds.
    pub moved_ms: u64,
    /// How often it had been handed out.
    pub deliveries: u32,
}

/// Messages that one backlog is done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Where they were kept.
    pub from: BacklogKey,
    /// Their positions.
    pub seqs: Vec<Seq>,
}

/// A message as a checkpoint knows it: everything but its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// Its index in the page.
    pub index: u8,
    /// What it counts against limits, in units of
    /// [`SIZE_UNIT_BYTES`](crate::message::SIZE_UNIT_BYTES).
    pub units: u32,
    /// 0 to 9.
    pub priority: u8,
    /// Whether its sender asked for it to survive.
    pub persistent: bool,
    /// Where its record lies.
    pub locator: Locator,
    /// When it expires, in wall milliseconds; 0 means never.
    pub expires_ms: u64,
    /// Backlogs that wait for it.
    pub waiting: u32,
    /// Where it was set aside from, if it was.
    pub provenance: Option<Arc<Provenance>>,
}

/// Up to 256 neighbours in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPage {
    /// Where they are kept.
    pub destination: DestinationId,
    /// Their position divided by 256.
    pub number: u64,
    /// By index.
    pub messages: Vec<KeptMessage>,
}

/// A set of positions, 256 to a page: the page's number and a bit for each.
pub type BitPages = Vec<(u64, [u64; 4])>;

/// What one backlog waits for, in one priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingPages {
    /// Which backlog.
    pub backlog: BacklogKey,
    /// 0 to 9.
    pub priority: u8,
    /// Positions.
    pub pages: BitPages,
}

/// The numbers that one producer has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducedNumbers {
    /// Which producer.
    pub producer: u128,
    /// All below this one count as used.
    pub floor: u64,
    /// Those that were used.
    pub seen: BitPages,
}

/// One change of durable state.
#[derive(Clone, Debug)]
pub enum Record {
    /// A node starts its run of this number; positions of earlier runs are never given out again.
    Started {
        /// Counts from 1.
        run: u32,
    },
    /// A destination comes to be.
    DestinationDefined {
        /// Its id.
        id: DestinationId,
        /// Queue or topic.
        kind: Kind,
        /// Its dotted path.
        path: Box<str>,
    },
    /// A destination is gone with all its messages.
    DestinationRemoved {
        /// Its id.
        id: DestinationId,
    },
    /// A durable subscription comes to be.
    SubscriptionDefined {
        /// Its id.
        id: SubscriptionId,
        /// The client's name.
        client: Box<str>,
        /// Its own name.
        name: Box<str>,
        /// Pattern over topics.
        path: Box<str>,
        /// The text of its selector; empty means all.
        selector: Box<str>,
    },
    /// A durable subscription is gone with what waited for it.
    SubscriptionRemoved {
        /// Its id.
        id: SubscriptionId,
    },
    /// A message is taken over.
    Enqueued(Enqueued),
    /// Messages are done with: acknowledged, expired, dropped or purged.
    Removed(Removed),
    /// Messages went back to their backlog after an attempt.
    Returned {
        /// Where they are kept.
        backlog: BacklogKey,
        /// How each now stands.
        attempts: Vec<Attempt>,
    },
    /// Written ahead: messages up to this position may have been handed out, so that after a
    /// crash they are marked as perhaps delivered before.
    Dispatched {
        /// Where they are kept.
        backlog: BacklogKey,
        /// The last such position.
        up_to: Seq,
    },
    /// A message is set aside, or returns from there.
    Moved(Moved),
    /// Everything in it happens together.
    Transaction(Vec<Record>),
    /// Only in checkpoints: the highest ids that have been given out.
    Numbered {
        /// Of destinations.
        last_destination: u32,
        /// Of durable subscriptions.
        last_subscription: u32,
    },
    /// Only in checkpoints: messages of one page of a log. Their bodies are where they were.
    Kept(KeptPage),
    /// Only in checkpoints: what one backlog waits for, in one priority.
    Waiting(WaitingPages),
    /// Only in checkpoints: the numbers that one producer has used.
    Produced(ProducedNumbers),
}
