//! The handle that programs hold.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::address::Address;
use crate::browse::Browse;
use crate::connector::Connector;
use crate::engine::Engine;
use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::message::{Message, check_header};
use crate::options::Options;
use crate::request::Request;
use crate::seed::Seed;
use crate::shared::{Handle, Permits, Shared};
use crate::subscribe::{SUBSCRIPTION_NAME, Subscribe};
use crate::subscription::Subscription;
use crate::transaction::Transaction;
use crate::worker::Worker;

/// Requests that may wait for the task; more make their callers wait.
const REQUESTS_MAX: usize = 256;

/// A client of a message broker. Clones are handles to the same connection.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Handle,
}

impl Client {
    /// Connects with the usual [`Options`]; see [`Address::parse`] for the form of the address.
    ///
    /// # Errors
    /// As [`Client::connect_with`].
    pub async fn connect(address: &str) -> Result<Self, Error> {
        Self::connect_with(address, Options::new()).await
    }

    /// Connects. With `failover:` this waits until a server can be reached, or as long as the
    /// address allows.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Invalid`], [`Error::Unreachable`], [`Error::GaveUp`],
    /// [`Error::LoginRefused`] and [`Error::Protocol`].
    pub async fn connect_with(address: &str, options: Options) -> Result<Self, Error> {
        let address = Address::parse(address)?;
        options.check()?;
        let seed = Seed::draw()?;
        let shared = Arc::new(Shared::new(options));
        let mut connector = Connector::new(Arc::clone(&shared), address, seed.pauses);
        let link = connector.connect().await?;
        let (requests, requests_out) = mpsc::channel(REQUESTS_MAX);
        let (closes, closes_out) = mpsc::channel(1);
        let worker = Worker {
            engine: Engine::new(Arc::clone(&shared), seed.producer),
            shared: Arc::clone(&shared),
            connector,
            requests: requests_out,
            closes: closes_out,
            is_sweep_due: false,
        };
        tokio::spawn(worker.run(link));
        Ok(Self { handle: Handle { shared, requests, closes } })
    }

    /// Sends a message and waits for the server's receipt. For a persistent message that means
    /// that it is safely stored; it is sent again, and not duplicated, when the connection breaks
    /// before.
    ///
    /// Dropping the future does not call the message back.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Refused`] and why the client has ended; for messages that are
    /// not persistent also [`Error::ConnectionLost`].
    pub async fn send(&self, message: Message) -> Result<(), Error> {
        self.submit(message, true).await?.await
    }

    /// Sends a message as soon as there is room in the window, and does not wait for the receipt.
    /// The answer may be awaited for it, or dropped: then [`Client::flush`] tells of failures.
    /// Nothing is ever known of a message that is not persistent.
    ///
    /// # Errors
    /// [`Error::Invalid`] and why the client has ended.
    pub async fn send_nowait(&self, message: Message) -> Result<Confirmation, Error> {
        let is_confirmed = message.is_persistent;
        self.submit(message, is_confirmed).await
    }

    async fn submit(&self, message: Message, is_confirmed: bool) -> Result<Confirmation, Error> {
        message.check()?;
        let shared = &self.handle.shared;
        let memory = shared.memory(message.size_bytes()).await?;
        let count = if is_confirmed { Some(shared.permit().await?) } else { None };
        let permits = Permits { count, memory: Some(memory) };
        let (reply, answer) = oneshot::channel();
        let reply = is_confirmed.then_some(reply);
        self.handle.request(Request::Send { message, permits, reply }).await?;
        let answer = is_confirmed.then_some(answer);
        Ok(Confirmation { answer, shared: Arc::clone(shared) })
    }

    /// Waits until everything that was sent before is confirmed.
    ///
    /// # Errors
    /// The first failure that nobody else was told of, or why the client has ended.
    pub async fn flush(&self) -> Result<(), Error> {
        self.handle.shared.flush().await
    }

    /// Starts to receive messages. The subscription survives a break of the connection.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Refused`] and why the client has ended.
    pub async fn subscribe(&self, subscribe: Subscribe) -> Result<Subscription, Error> {
        let options = &self.handle.shared.options;
        subscribe.check(options)?;
        let mailbox = Arc::new(Mailbox::new(subscribe.prefetch_or(options.prefetch)));
        // Made before the server is asked, so that it ends properly if nobody waits any more.
        let subscription =
            Subscription::new(self.handle.clone(), Arc::clone(&mailbox), subscribe.ack);
        let subscribe = Box::new(subscribe);
        self.handle.ask(|reply| Request::Subscribe { subscribe, mailbox, reply }).await?;
        Ok(subscription)
    }

    /// Deletes a durable subscription and what waits for it. Nobody may be receiving from it.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Refused`], [`Error::ConnectionLost`] and why the client has
    /// ended.
    pub async fn delete_subscription(&self, name: &str) -> Result<(), Error> {
        check_header(SUBSCRIPTION_NAME, name)?;
        let permit = self.handle.shared.permit().await?;
        let name = name.to_owned();
        self.handle.ask(|reply| Request::DeleteSubscription { name, permit, reply }).await
    }

    /// Begins a transaction: what is sent and acknowledged in it happens all together or not at
    /// all.
    ///
    /// # Errors
    /// Why the client has ended.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        Transaction::begin(self.handle.clone()).await
    }

    /// Looks at the messages of a queue without taking them, over a connection of its own to the
    /// same server. A selector may be given with [`Subscribe::selector`].
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Unreachable`], [`Error::LoginRefused`], and [`Error::Refused`]
    /// from the first look.
    pub async fn browse(&self, subscribe: Subscribe) -> Result<Browse, Error> {
        let shared = &self.handle.shared;
        let server = shared.server().ok_or_else(|| shared.end())?;
        Box::pin(Browse::open(&server, &shared.options, &subscribe)).await
    }

    /// Waits for everything that is unconfirmed, for as long as
    /// [`Options::close_timeout`] says, and ends the connection. Other handles of this client are
    /// told [`Error::Closed`] from then on.
    ///
    /// Dropping the last handle ends the connection too, but nobody learns what became of
    /// unconfirmed messages.
    ///
    /// # Errors
    /// As [`Client::flush`], and [`Error::Unconfirmed`].
    pub async fn close(self) -> Result<(), Error> {
        let shared = &self.handle.shared;
        let flushed = match timeout(shared.options.close_timeout, shared.flush()).await {
            Ok(Err(Error::Closed)) => return Ok(()),
            Ok(flushed) => flushed,
            Err(_) => Err(Error::Unconfirmed),
        };
        let (reply, answer) = oneshot::channel();
        if self.handle.closes.send(reply).await.is_ok() {
            // Without an answer the client has ended all the same.
            let _ = answer.await;
        }
        flushed
    }
}

/// The receipt of a message that was sent, to be awaited or dropped.
#[derive(Debug)]
pub struct Confirmation {
    /// `None` when nothing is to come.
    answer: Option<oneshot::Receiver<Result<(), Error>>>,
    shared: Arc<Shared>,
}

impl Future for Confirmation {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(answer) = self.answer.as_mut() else { return Poll::Ready(Ok(())) };
        let result = ready!(Pin::new(answer).poll(context));
        self.answer = None;
        Poll::Ready(result.unwrap_or_else(|_| Err(self.shared.end())))
    }
}
