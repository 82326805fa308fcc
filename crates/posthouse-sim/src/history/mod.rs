//! What clients did and what they saw, in the order in which it happened.
//!
//! A history is plain data: whoever drives clients against a node writes one, and the
//! [checker](crate::checker) reads it. It only says what a client can know. A call that was begun
//! and of which nothing more was heard is neither done nor not done: it is a "maybe".

mod call;
mod event;
mod line;
mod target;
mod terms;
mod text;

pub use call::{Call, Durable, Mode, Send, Settle, Subscribe, Transacted, Verdict, Wants};
pub use event::{Delivery, Event, What};
pub use target::{Kind, Target};
pub use terms::{Rule, Terms};
pub use text::Malformed;

/// Names one call; unique in a history.
pub type Op = u64;

/// Names one message; unique in a history. A message that is sent again keeps its key.
pub type Key = u64;

/// Names one consumer from its subscription to its end; unique in a history.
pub type Consumer = u64;

/// Names one transaction from its begin to its end; unique in a history.
pub type Transaction = u64;

/// Everything that happened, and what had been agreed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// What the node was told to do with messages, and what the checker may expect.
    pub terms: Terms,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl History {
    /// Appends an event.
    pub fn push(&mut self, at_ms: u64, client: u32, what: What) {
        self.events.push(Event { at_ms, client, what });
    }
}
