//! Where a program takes its messages from.

use std::sync::Arc;

use crate::delivery::Delivery;
use crate::error::Error;
use crate::mailbox::{Found, Mailbox};
use crate::request::{Request, Verdict};
use crate::shared::Handle;
use crate::subscribe::Ack;

/// A running subscription. Dropping it ends it: what was not acknowledged goes back to the server,
/// so that deliveries that are still held become stale; a durable subscription goes on collecting.
#[derive(Debug)]
pub struct Subscription {
    handle: Handle,
    mailbox: Arc<Mailbox>,
    ack: Ack,
}

impl Subscription {
    pub(crate) fn new(handle: Handle, mailbox: Arc<Mailbox>, ack: Ack) -> Self {
        Self { handle, mailbox, ack }
    }

    /// Waits for the next message; `None` when no more will come, because the client is closed. No
    /// message is lost when the future is dropped.
    ///
    /// With [`Ack::Auto`] the message counts as dealt with from here on.
    ///
    /// # Errors
    /// Why the subscription has ended; told once.
    pub async fn next(&mut self) -> Option<Result<Delivery, Error>> {
        loop {
            self.mailbox.wait().await;
            let delivery = match self.ack {
                Ack::Individual => self.take(),
                Ack::Auto => self.take_and_ack().await,
            };
            if let Some(delivery) = delivery {
                return delivery;
            }
        }
    }

    /// The inner `None` is the end; the outer one says that there was nothing after all.
    fn take(&self) -> Option<Option<Result<Delivery, Error>>> {
        Some(match self.mailbox.take()? {
            Found::Arrived(arrived) => {
                let mailbox = Arc::clone(&self.mailbox);
                Some(Ok(Delivery::new(self.handle.clone(), mailbox, arrived)))
            }
            Found::Ended(reason) => reason.map(Err),
        })
    }

    /// Room for the acknowledgement comes first, so that what was taken is acknowledged.
    async fn take_and_ack(&self) -> Option<Option<Result<Delivery, Error>>> {
        let Ok(room) = self.handle.requests.reserve().await else { return self.take() };
        let taken = self.take()?;
        if let Some(Ok(delivery)) = &taken {
            let mark = delivery.mark().clone();
            room.send(Request::Settle { mark, verdict: Verdict::Ack, confirmation: None });
        }
        Some(taken)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.mailbox.abandon();
        self.handle.shared.swept.notify_one();
    }
}
