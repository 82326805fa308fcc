//! Protocols with many requests on one connection: what they share, and what each adds.
//!
//! A [`Protocol`] says how requests become bytes and bytes answers; it is pure, and knows no
//! socket. Everything that the relay promises is here, once for all of them: the guard and TLS, one
//! connection for each address that is reused and replaced, deadlines, heart-beats, and above all
//! what is known of a request when its connection ends. [`MultiplexCourier`] makes the attempts.
//!
//! Each connection is driven by a task of its own ([`driver`]), which ends with it, with its last
//! courier, or when nobody has used it for a while. A call that is dropped tells the task, which
//! tells the receiver.

mod call;
mod courier;
mod driver;
mod flights;
mod lines;
mod lost;
mod protocol;

pub use courier::MultiplexCourier;
pub use protocol::{Call, Event, Protocol, Reply, ReplyOutcome, Session, Terms};
