//! What handles ask of the client's task.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::mailbox::{Mailbox, Mark};
use crate::message::Message;
use crate::shared::{Permits, Reply};
use crate::subscribe::Subscribe;
use crate::transaction::Standing;

/// What is said about a delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Ack,
    Nack,
    Requeue,
}

/// A request; each is written to the connection as one frame, in the order in which they come.
#[derive(Debug)]
pub(crate) enum Request {
    /// Send a message; with a count permit, have it confirmed.
    Send { message: Message, permits: Permits, reply: Option<Reply> },
    /// Settle a delivery; with a reply, have that confirmed.
    Settle { mark: Mark, verdict: Verdict, confirmation: Option<(OwnedSemaphorePermit, Reply)> },
    /// Receive messages.
    Subscribe { subscribe: Box<Subscribe>, mailbox: Arc<Mailbox>, reply: Reply },
    /// Delete a durable subscription.
    DeleteSubscription { name: String, permit: OwnedSemaphorePermit, reply: Reply },
    /// Begin a transaction; answered as soon as it is written.
    Begin { standing: Arc<Standing>, reply: Reply },
    /// Send a message within a transaction.
    SendWithin { transaction: u64, message: Message, permits: Permits },
    /// Acknowledge a delivery within a transaction.
    AckWithin { transaction: u64, mark: Mark },
    /// End a transaction.
    End { transaction: u64, is_commit: bool, reply: Reply },
}
