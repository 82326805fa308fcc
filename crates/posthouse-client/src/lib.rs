//! A client for Posthouse: STOMP 1.2 over TCP, with fail-over.
//!
//! ```no_run
//! use posthouse_client::{Ack, Client, Message, Subscribe};
//!
//! # async fn example() -> Result<(), posthouse_client::Error> {
//! let client = Client::connect("failover:(stomp://one:61613,stomp://two:61613)").await?;
//! client.send(Message::to("/queue/orders").text("42 stamps")).await?;
//!
//! let orders = Subscribe::to("/queue/orders").ack(Ack::Individual).prefetch(100);
//! let mut orders = client.subscribe(orders).await?;
//! while let Some(order) = orders.next().await {
//!     let order = order?;
//!     println!("{:?}", order.text());
//!     order.ack().await?;
//! }
//! client.close().await
//! # }
//! ```
//!
//! # What is promised
//!
//! * [`Client::send`] returns when the server has confirmed the message. Until then the client
//!   keeps it and, when the connection breaks, sends it again with the same number, by which the
//!   server recognises what it has already.
//! * Subscriptions, durable ones too, are restored on the next connection. Deliveries that were
//!   not acknowledged come again; acknowledging the old ones answers [`Error::Stale`].
//! * An open transaction does not survive a break: nothing of it has happened, and
//!   [`Error::TransactionLost`] says so. Only when the break comes between a commit and its
//!   receipt nobody can tell, which is [`Error::CommitUnknown`].
//! * Nothing grows without bound: sends wait for room among the unconfirmed
//!   ([`Options::window`], and 64 MiB), and a subscription holds no more than its prefetch.
//!
//! # Who owns what
//!
//! Each client has one task. It owns the socket and an engine without I/O, which turns requests
//! and frames into bytes. [`Client`], [`Subscription`], [`Delivery`] and [`Transaction`] are
//! handles; they reach the task through a bounded channel, and each subscription has a bounded
//! mailbox that the task fills. The task needs a tokio runtime with I/O and time.
//!
//! The task ends in order with [`Client::close`]. When all handles are dropped it says goodbye to
//! the server and ends by itself; when the servers cannot be reached as often as the address
//! allows, it tells everybody who waits. A [`Browse`] owns a connection of its own and has no
//! task.

mod address;
mod backoff;
mod browse;
mod client;
mod connector;
mod delivery;
mod engine;
mod error;
mod heart;
mod link;
mod login;
mod mailbox;
mod message;
mod options;
mod received;
mod request;
mod seed;
mod servers;
mod shared;
mod subscribe;
mod subscription;
mod suggestion;
mod transaction;
mod worker;

pub use address::{Address, Server};
pub use backoff::{Backoff, Reconnect};
pub use browse::Browse;
pub use client::{Client, Confirmation};
pub use delivery::Delivery;
pub use error::{Error, Refusal};
pub use message::Message;
pub use options::{Options, PREFETCH_MESSAGES_MAX, WINDOW_MESSAGES_MAX};
pub use received::Received;
pub use servers::Servers;
pub use subscribe::{Ack, Subscribe};
pub use subscription::Subscription;
pub use transaction::Transaction;
