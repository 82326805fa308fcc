//! What every outgoing call needs: an HTTP client that goes only where it may.
//!
//! A call has two steps, so that its caller can look at the clock between them: [`Client::connect`]
//! finds or makes a connection, [`Connection::exchange`] writes the request and reads the answer.
//! The guard ([`Reach`]) sits inside the first: a name is resolved once, every address of the
//! answer is judged, and the connection goes to an address that was judged. Nothing here follows
//! redirects, reads proxy settings from the environment, or writes a request twice.
//!
//! A protocol that is not HTTP takes a bare [`Stream`] by [`Client::dial`], through the same guard
//! and the same TLS.
//!
//! [`discovery`] tells where the instances of a service are; what it says does not open the guard.
//!
//! Each connection is driven by a task of its own, which ends with it; dropping the client, or a
//! call in the middle, closes what it used.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod client;
mod connect;
pub mod discovery;
mod error;
mod exchange;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
pub mod limits;
mod open_answer;
mod origin;
mod pool;
mod reach;
mod resolve;
mod tls;

#[cfg(test)]
mod tests;

pub use client::{Client, ClientSettings};
pub use connect::{Duplex, Stream};
pub use error::{Error, Sent};
pub use exchange::{Answer, BodyEnd, Connection};
pub use open_answer::OpenAnswer;
pub use origin::{HTTP, HttpVersion, Origin, Scheme};
pub use reach::{Reach, ReachFault, Refusal};
pub use resolve::{Resolve, Resolved, SystemResolver};
pub use tls::{ClientCertificate, Roots, TlsError, TlsSettings};
