//! Sends and acknowledgements that happen together.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;

use crate::delivery::Delivery;
use crate::error::Error;
use crate::message::Message;
use crate::request::Request;
use crate::shared::{Handle, Permits};

/// An open transaction. Dropping it rolls it back; deliveries that it has taken then stay
/// unacknowledged until their subscription ends.
///
/// A transaction belongs to one connection. When that breaks, every call answers
/// [`Error::TransactionLost`]: nothing has happened, and the program begins again.
#[derive(Debug)]
pub struct Transaction {
    handle: Handle,
    standing: Arc<Standing>,
    deliveries: Vec<Delivery>,
}

/// What a transaction's handle and the task both know of it.
#[derive(Debug)]
pub(crate) struct Standing {
    id: u64,
    connection: AtomicU64,
    loss: OnceLock<Error>,
    is_abandoned: AtomicBool,
}

impl Standing {
    fn new(id: u64) -> Self {
        Self {
            id,
            connection: AtomicU64::new(0),
            loss: OnceLock::new(),
            is_abandoned: AtomicBool::new(false),
        }
    }

    /// The transaction's name on the wire.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// It has begun on the connection of that number.
    pub(crate) fn begin(&self, connection: u64) {
        self.connection.store(connection, Ordering::Release);
    }

    /// It is lost; the first reason counts.
    pub(crate) fn lose(&self, reason: Error) {
        let _ = self.loss.set(reason);
    }

    /// Whether its handle was dropped.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Acquire)
    }

    fn check(&self) -> Result<(), Error> {
        self.loss.get().cloned().map_or(Ok(()), Err)
    }
}

impl Transaction {
    pub(crate) async fn begin(handle: Handle) -> Result<Self, Error> {
        let standing = Arc::new(Standing::new(handle.shared.next_transaction()));
        let transaction = Self { handle, standing: Arc::clone(&standing), deliveries: Vec::new() };
        transaction.handle.ask(|reply| Request::Begin { standing, reply }).await?;
        transaction.standing.check()?;
        Ok(transaction)
    }

    /// Sends a message when the transaction is committed. A refusal is told by the next call.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Refused`], [`Error::TransactionLost`] and why the client has
    /// ended.
    pub async fn send(&mut self, message: Message) -> Result<(), Error> {
        message.check()?;
        self.standing.check()?;
        let shared = &self.handle.shared;
        let memory = Some(shared.memory(message.size_bytes()).await?);
        let permits = Permits { count: Some(shared.permit().await?), memory };
        let transaction = self.standing.id;
        self.handle.request(Request::SendWithin { transaction, message, permits }).await
    }

    /// Acknowledges a delivery when the transaction is committed.
    ///
    /// # Errors
    /// [`Error::Stale`], [`Error::Refused`], [`Error::TransactionLost`] and why the client has
    /// ended.
    pub async fn ack(&mut self, delivery: Delivery) -> Result<(), Error> {
        self.standing.check()?;
        delivery.check()?;
        let mark = delivery.mark().clone();
        if mark.connection != self.standing.connection.load(Ordering::Acquire) {
            return Err(Error::Stale);
        }
        self.deliveries.push(delivery);
        let transaction = self.standing.id;
        self.handle.request(Request::AckWithin { transaction, mark }).await
    }

    /// Makes all of it happen, and waits until the server has recorded that.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::TransactionLost`], [`Error::CommitUnknown`] and why the client
    /// has ended.
    pub async fn commit(self) -> Result<(), Error> {
        self.end(true).await
    }

    /// Makes nothing of it happen. Answers with the deliveries that were acknowledged in it, for
    /// they are not.
    ///
    /// # Errors
    /// As [`Transaction::commit`], but for [`Error::CommitUnknown`].
    pub async fn abort(mut self) -> Result<Vec<Delivery>, Error> {
        let deliveries = std::mem::take(&mut self.deliveries);
        self.end(false).await?;
        Ok(deliveries)
    }

    async fn end(self, is_commit: bool) -> Result<(), Error> {
        self.standing.check()?;
        let (reply, answer) = oneshot::channel();
        let transaction = self.standing.id;
        self.handle.request(Request::End { transaction, is_commit, reply }).await?;
        let result = self.handle.answer(answer).await;
        // A transaction that was lost before its end came is not answered; the reason is here.
        self.standing.check().and(result)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.standing.is_abandoned.store(true, Ordering::Release);
        self.handle.shared.swept.notify_one();
    }
}
