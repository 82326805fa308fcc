//! What the broker wants done outside. Effects are values; the [driver](crate::driver) lets each
//! one go when its gate is open.

use std::sync::Arc;

use crate::command::ReceiptToken;
use crate::destination::DestinationName;
use crate::ids::{BatchNo, ConsumerId, DeliveryNo, HolderId, MessageId};
use crate::message::{Envelope, Provenance};
use crate::refusal::Refusal;

/// One message on its way to one consumer.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// To whom.
    pub consumer: ConsumerId,
    /// The consumer's number for it, which acknowledgements name.
    pub number: DeliveryNo,
    /// The message's identity, which stays the same when it is moved.
    pub id: MessageId,
    /// Where it comes from.
    pub destination: Arc<DestinationName>,
    /// The message.
    pub message: Arc<Envelope>,
    /// How often it may have been delivered before; 0 the first time.
    pub redeliveries: u32,
    /// Where it was set aside from, if it was.
    pub provenance: Option<Arc<Provenance>>,
}

/// Everything that the broker can want done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Deliver a message.
    Deliver(Delivery),
    /// Tell a browsing consumer that it has seen everything.
    BrowseEnd {
        /// Which consumer.
        consumer: ConsumerId,
    },
    /// Tell a slow subscriber how many messages it has missed since it was last told.
    Missed {
        /// Which consumer.
        consumer: ConsumerId,
        /// How many.
        count: u64,
    },
    /// Confirm what the token stands for.
    Receipt {
        /// The front's own number.
        token: ReceiptToken,
    },
    /// The holder's held command may be given again.
    Resume,
    /// The holder must be told why and ended.
    Evict {
        /// Why.
        refusal: Refusal,
    },
}

/// What must be ordered among itself: effects of one stream leave in the order in which they
/// arose, whatever their gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// What one consumer receives.
    Consumer(ConsumerId),
    /// What one producer is told.
    Holder(HolderId),
}

/// An effect, its place among others, and its gate.
#[derive(Clone, Debug)]
pub struct Emission {
    /// Whom it is for.
    pub holder: HolderId,
    /// What it stays in order with.
    pub stream: Stream,
    /// The batch that must be durable first; [`BatchNo`] 0 is open at once.
    pub gate: BatchNo,
    /// The effect.
    pub effect: Effect,
}
