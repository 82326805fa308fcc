//! One message in a program's hands.

use std::ops::Deref;
use std::sync::Arc;

use crate::error::Error;
use crate::mailbox::{Arrived, Mailbox, Mark};
use crate::received::Received;
use crate::request::{Request, Verdict};
use crate::shared::Handle;

/// A message, and the means to say what became of it. It reads like the [`Received`] in it.
///
/// With [`Ack::Individual`](crate::Ack::Individual) each delivery is to be settled by one of the
/// methods that take it. One that is dropped stays unacknowledged until its subscription or its
/// connection ends, and then comes again.
#[derive(Debug)]
pub struct Delivery {
    handle: Handle,
    mailbox: Arc<Mailbox>,
    received: Received,
    mark: Mark,
}

impl Delivery {
    pub(crate) fn new(handle: Handle, mailbox: Arc<Mailbox>, arrived: Arrived) -> Self {
        Self { handle, mailbox, received: arrived.received, mark: arrived.mark }
    }

    pub(crate) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Refuses what the server has taken back, with the connection or with the subscription.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.handle.requests.is_closed() {
            return Err(self.handle.shared.end());
        }
        let is_current = self.mark.connection == self.handle.shared.connection();
        if is_current && !self.mailbox.is_abandoned() { Ok(()) } else { Err(Error::Stale) }
    }

    /// The message alone. To be called when there is nothing left to be said about the delivery.
    pub fn into_received(self) -> Received {
        self.received
    }

    /// Says that the message has been dealt with. The word is on its way when this returns; if the
    /// connection breaks just then, the message comes again.
    ///
    /// # Errors
    /// [`Error::Stale`] and why the client has ended.
    pub async fn ack(self) -> Result<(), Error> {
        self.settle(Verdict::Ack).await
    }

    /// Says that the message has been dealt with, and waits until the server has recorded that.
    ///
    /// # Errors
    /// [`Error::Stale`], [`Error::Refused`] and why the client has ended.
    pub async fn ack_confirmed(self) -> Result<(), Error> {
        self.check()?;
        let permit = self.handle.shared.permit().await?;
        let Self { handle, mark, .. } = self;
        handle
            .ask(|reply| {
                let confirmation = Some((permit, reply));
                Request::Settle { mark, verdict: Verdict::Ack, confirmation }
            })
            .await
    }

    /// Says that the message cannot be dealt with. What becomes of it is the server's policy;
    /// usually it is set aside as a dead letter.
    ///
    /// # Errors
    /// As [`Delivery::ack`].
    pub async fn nack(self) -> Result<(), Error> {
        self.settle(Verdict::Nack).await
    }

    /// Gives the message back to be delivered again, perhaps to somebody else.
    ///
    /// # Errors
    /// As [`Delivery::ack`].
    pub async fn requeue(self) -> Result<(), Error> {
        self.settle(Verdict::Requeue).await
    }

    async fn settle(self, verdict: Verdict) -> Result<(), Error> {
        self.check()?;
        let Self { handle, mark, .. } = self;
        handle.request(Request::Settle { mark, verdict, confirmation: None }).await
    }
}

impl Deref for Delivery {
    type Target = Received;

    fn deref(&self) -> &Received {
        &self.received
    }
}
