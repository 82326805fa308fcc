//! What is known at a crash: all that clients did and saw until then, what was submitted, and what
//! of it somebody was told is safe.

use std::collections::BTreeSet;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Batch;

use crate::history::{Call, Event, Send, What};

/// See the module. Of a node that has never run there is nothing.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// What clients did and saw, up to the crash.
    pub events: Vec<Event>,
    /// Every batch that may be found, from the first on.
    pub batches: Vec<Batch>,
    /// The last batch that must be found.
    pub floor: BatchNo,
    /// The time, in milliseconds.
    pub now_ms: u64,
    /// The last number that was given to anything.
    pub last_number: u64,
}

impl Past {
    /// The last batch that may be found.
    pub fn top(&self) -> BatchNo {
        BatchNo(self.batches.len() as u64)
    }

    /// Adds the crash itself, as clients see it.
    pub fn end(mut self) -> Past {
        let crash = Event { at_ms: self.now_ms, client: 0, what: What::Crash };
        let open = self.connected();
        self.events.push(crash);
        let closed = open.into_iter().map(|client| (client, What::Close));
        let then = closed.chain([(0, What::Start)]);
        let at_ms = self.now_ms;
        self.events.extend(then.map(|(client, what)| Event { at_ms, client, what }));
        self
    }

    fn connected(&self) -> BTreeSet<u32> {
        let mut connected = BTreeSet::new();
        for event in &self.events {
            match event.what {
                What::Open => drop(connected.insert(event.client)),
                What::Close => drop(connected.remove(&event.client)),
                _ => {}
            }
        }
        connected
    }

    /// Numbered messages that were sent and never confirmed or refused: their producers send them
    /// again.
    pub fn unconfirmed(&self) -> Vec<(u32, Send)> {
        let mut waiting = std::collections::BTreeMap::new();
        for event in &self.events {
            match &event.what {
                What::Invoke(op, Call::Send(send)) if send.dedup.is_some() => {
                    waiting.insert(*op, (event.client, send.clone()));
                }
                What::Ok(op) | What::Fail(op) => drop(waiting.remove(op)),
                _ => {}
            }
        }
        let alone = waiting.into_values().filter(|(_, send)| send.transaction.is_none());
        alone.collect()
    }
}
