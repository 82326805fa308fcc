//! What the outside asks of the broker. Each command is carried out whole or refused whole.

use std::sync::Arc;

use crate::destination::{Kind, Pattern};
use crate::ids::{ConsumerId, DeliveryNo, DestinationId, HolderId, TransactionId};
use crate::message::Envelope;
use crate::selector::Selector;

/// A front's own number for a receipt that it owes; it comes back in
/// [`Effect::Receipt`](crate::effect::Effect::Receipt).
pub type ReceiptToken = u64;

/// How a consumer's messages become acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckMode {
    /// By having been written to the consumer: see [`Command::Written`].
    Auto,
    /// Each acknowledgement covers all earlier deliveries of the consumer too.
    Cumulative,
    /// Each acknowledgement covers one delivery.
    Individual,
}

/// What a consumer says about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has been dealt with.
    Ack,
    /// It has not; what becomes of it is the destination's policy.
    Reject,
    /// It has not, and is to be tried again.
    Requeue,
    /// It has not, and is to be set aside.
    DeadLetter,
}

/// A request to consume.
#[derive(Debug)]
pub struct Subscribe {
    /// Who consumes.
    pub holder: HolderId,
    /// From where: one destination or all that match.
    pub target: Pattern,
    /// How messages are acknowledged.
    pub ack: AckMode,
    /// Which messages are wanted; all when absent.
    pub selector: Option<Selector>,
    /// Messages that may be unacknowledged at once (1 to
    /// [`PREFETCH_MESSAGES_MAX`](crate::limits::PREFETCH_MESSAGES_MAX)).
    pub prefetch: u32,
    /// Only look: nothing is consumed, and the end is told.
    pub browse: bool,
    /// The name of the durable subscription to consume from; it is made when it is new. The
    /// holder must have a client name.
    pub durable: Option<Box<str>>,
    /// Leave out what the same holder sends (plain subscribers of topics only).
    pub no_local: bool,
    /// The receipt that is owed, if any.
    pub receipt: Option<ReceiptToken>,
}

/// A message on its way in.
#[derive(Clone, Debug)]
pub struct Send {
    /// Who sends.
    pub holder: HolderId,
    /// Where to, as [`Command::Resolve`] answered it.
    pub destination: DestinationId,
    /// The message.
    pub message: Arc<Envelope>,
    /// The transaction that it is part of.
    pub transaction: Option<TransactionId>,
    /// The receipt that is owed, if any.
    pub receipt: Option<ReceiptToken>,
}

/// A word about one delivery, or about all up to it for a cumulative consumer.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    /// Who had the delivery.
    pub consumer: ConsumerId,
    /// Which one.
    pub delivery: DeliveryNo,
    /// What became of it.
    pub verdict: Verdict,
    /// The transaction that the word is part of.
    pub transaction: Option<TransactionId>,
    /// The receipt that is owed, if any.
    pub receipt: Option<ReceiptToken>,
}

/// Everything that can be asked.
#[derive(Debug)]
pub enum Command {
    /// Somebody comes, under a client name if they have one. Answers [`Applied::Holder`].
    Attach {
        /// The name under which durable subscriptions are kept.
        client: Option<Box<str>>,
    },
    /// The holder leaves: its transactions abort, its deliveries go back, its consumers end.
    Detach {
        /// Who.
        holder: HolderId,
    },
    /// The holder's outbound buffer is full (`open` false) or has room again.
    Flow {
        /// Who.
        holder: HolderId,
        /// Whether deliveries may be handed out.
        open: bool,
    },
    /// Finds a destination by name and makes it when its policy allows. Answers
    /// [`Applied::Destination`].
    Resolve {
        /// Queue or topic.
        kind: Kind,
        /// The dotted path, unchecked.
        path: Box<str>,
    },
    /// Sends a message. May answer [`Applied::Held`]: nothing happened, and the same command is
    /// to be given again after [`Effect::Resume`](crate::effect::Effect::Resume).
    Send(Send),
    /// Starts consuming. Answers [`Applied::Consumer`].
    Subscribe(Box<Subscribe>),
    /// Ends a consumer; its unacknowledged deliveries go back. A durable subscription stays.
    Unsubscribe {
        /// Which.
        consumer: ConsumerId,
        /// The receipt that is owed, if any.
        receipt: Option<ReceiptToken>,
    },
    /// Settles deliveries.
    Settle(Settle),
    /// The consumer's deliveries up to this one have been written out. For
    /// [`AckMode::Auto`] that acknowledges them.
    Written {
        /// Which consumer.
        consumer: ConsumerId,
        /// The last delivery that is wholly written.
        up_to: DeliveryNo,
    },
    /// Starts a transaction. Answers [`Applied::Transaction`].
    Begin {
        /// Whose.
        holder: HolderId,
        /// The receipt that is owed, if any.
        receipt: Option<ReceiptToken>,
    },
    /// Makes all of a transaction happen.
    Commit {
        /// Whose.
        holder: HolderId,
        /// Which.
        transaction: TransactionId,
        /// The receipt that is owed, if any.
        receipt: Option<ReceiptToken>,
    },
    /// Makes none of a transaction happen; its acknowledgements count as never given.
    Abort {
        /// Whose.
        holder: HolderId,
        /// Which.
        transaction: TransactionId,
        /// The receipt that is owed, if any.
        receipt: Option<ReceiptToken>,
    },
    /// Owes a receipt for something that the broker need not know of, in its order among the
    /// holder's other receipts.
    Confirm {
        /// Who.
        holder: HolderId,
        /// The receipt that is owed.
        receipt: ReceiptToken,
    },
    /// Deletes a durable subscription and what waits for it. Answers [`Applied::Count`]: the
    /// messages that waited for it.
    RemoveSubscription {
        /// The client's name.
        client: Box<str>,
        /// The subscription's name.
        name: Box<str>,
        /// Who gets which receipt, if anybody.
        receipt: Option<(HolderId, ReceiptToken)>,
    },
    /// Drops messages of a queue that nobody is working on, oldest first in each priority.
    /// Answers [`Applied::Count`]; ask again until that is less than the limit.
    Purge {
        /// Which queue.
        destination: DestinationId,
        /// How many at most, up to [`BATCH_MAX`](crate::limits::BATCH_MAX).
        limit: u64,
    },
    /// Moves messages of a dead-letter queue back to where each came from, oldest first. Answers
    /// [`Applied::Count`].
    Redrive {
        /// The dead-letter queue.
        destination: DestinationId,
        /// How many at most, up to [`BATCH_MAX`](crate::limits::BATCH_MAX).
        limit: u64,
    },
    /// Removes a destination that nobody consumes from, with its messages. Answers
    /// [`Applied::Count`]: the messages that it held.
    RemoveDestination {
        /// Which.
        destination: DestinationId,
    },
    /// Nothing but the passing of time: what is due happens.
    Tick,
}

/// What a command that was carried out answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Done.
    Done,
    /// Not done, and not refused: the holder is to wait.
    Held,
    /// The holder's id.
    Holder(HolderId),
    /// The consumer's id.
    Consumer(ConsumerId),
    /// The destination's id.
    Destination(DestinationId),
    /// The transaction's id.
    Transaction(TransactionId),
    /// How many messages it was about.
    Count(u64),
}
