//! Receipts that the server owes, other than those of numbered messages.

use std::collections::BTreeMap;

use tokio::sync::OwnedSemaphorePermit;

use crate::error::Error;
use crate::shared::{Permits, Reply, Shared};

use super::window::tell;

/// What such receipts begin with.
const PREFIX: char = 'r';

/// What a receipt stands for.
#[derive(Debug)]
pub(super) enum Owed {
    /// A message that is not persistent.
    Send { permits: Permits, reply: Option<Reply> },
    /// A message within a transaction.
    SendWithin { transaction: u64, permits: Permits },
    /// The settling of a delivery.
    Settle { permit: OwnedSemaphorePermit, reply: Reply },
    /// A subscription.
    Subscribe { subscription: u64 },
    /// The deletion of a durable subscription.
    Delete { permit: OwnedSemaphorePermit, reply: Reply },
    /// The end of a transaction.
    End { is_commit: bool, reply: Reply },
    /// The end of the connection.
    Disconnect,
}

/// See the module. Each entry holds a permit of the window, or stands for a handle that waits.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    last: u64,
    owed: BTreeMap<u64, Owed>,
}

impl Receipts {
    /// The name of a new receipt.
    pub(super) fn owe(&mut self, owed: Owed) -> String {
        self.last += 1;
        self.owed.insert(self.last, owed);
        format!("{PREFIX}{}", self.last)
    }

    /// What the receipt of that name stands for; each is owed once.
    pub(super) fn take(&mut self, name: &str) -> Option<Owed> {
        let number = name.strip_prefix(PREFIX)?.parse().ok()?;
        self.owed.remove(&number)
    }

    /// Everything that is owed, which will not come any more.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Owed> {
        std::mem::take(&mut self.owed).into_values()
    }
}

impl Owed {
    /// Answers whoever waits. Subscriptions and transactions are not answered here.
    pub(super) fn settle(self, result: Result<(), Error>, shared: &Shared) {
        match self {
            Self::Send { permits, reply } => {
                tell(reply, result, shared);
                drop(permits);
            }
            Self::Settle { permit, reply } | Self::Delete { permit, reply } => {
                tell(Some(reply), result, shared);
                drop(permit);
            }
            Self::End { reply, .. } => tell(Some(reply), result, shared),
            Self::SendWithin { permits, .. } => drop(permits),
            Self::Subscribe { .. } | Self::Disconnect => {}
        }
    }

    /// What to say when the connection broke before the receipt came.
    pub(super) fn loss(&self, reason: &Error) -> Error {
        match self {
            Self::Settle { .. } => Error::Stale,
            Self::End { is_commit: true, .. } => Error::CommitUnknown,
            Self::End { is_commit: false, .. } => Error::TransactionLost,
            _ if matches!(reason, Error::ConnectionLost { .. }) => reason.clone(),
            _ => Error::connection_lost(reason),
        }
    }
}
