//! Receipts of messages that were sent, counted in the order of sending, so that a failure can
//! say how far it came.

use std::collections::VecDeque;
use std::time::Duration;

use posthouse_client::{Confirmation, Error};
use tokio::time::timeout;

/// Receipts that may be outstanding before the oldest is waited for.
const OPEN_MAX: usize = 1_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    confirmed: u64,
    open: VecDeque<Confirmation>,
}

impl Receipts {
    /// Takes the receipt of one more message, and waits for an old one when there are many.
    ///
    /// # Errors
    /// Why an earlier message was not taken over.
    pub(super) async fn add(&mut self, receipt: Confirmation) -> Result<(), Error> {
        self.open.push_back(receipt);
        if self.open.len() > OPEN_MAX { self.settle_first().await } else { Ok(()) }
    }

    /// Waits for all of them.
    ///
    /// # Errors
    /// Why the first of those that failed was not taken over.
    pub(super) async fn settle_all(&mut self) -> Result<(), Error> {
        while !self.open.is_empty() {
            self.settle_first().await?;
        }
        Ok(())
    }

    /// How many messages are known to have been taken over. Waits for none.
    pub(super) async fn count(&mut self) -> u64 {
        while let Some(receipt) = self.open.pop_front() {
            // A duration of zero looks once.
            if let Ok(Ok(())) = timeout(Duration::ZERO, receipt).await {
                self.confirmed += 1;
            }
        }
        self.confirmed
    }

    async fn settle_first(&mut self) -> Result<(), Error> {
        if let Some(receipt) = self.open.pop_front() {
            receipt.await?;
            self.confirmed += 1;
        }
        Ok(())
    }
}
