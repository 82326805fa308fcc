//! Where deliveries wait between the client's task and a subscription.
//!
//! A mailbox holds no more than the subscription's prefetch, which the server keeps to. When the
//! connection breaks, what waits is dropped: it was not acknowledged, so it comes again.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::Notify;

use crate::error::Error;
use crate::received::Received;
use crate::shared::lock;

/// By what a delivery is acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// The number of the connection that it came over.
    pub(crate) connection: u64,
    /// The number of the subscription that it belongs to.
    pub(crate) subscription: u64,
    /// What the server called it.
    pub(crate) ack: Box<str>,
}

/// A message that waits.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) received: Received,
    pub(crate) mark: Mark,
}

/// What a subscription finds when it looks.
#[derive(Debug)]
pub(crate) enum Found {
    Arrived(Arrived),
    /// Nothing more will come; the reason is told once.
    Ended(Option<Error>),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Mailbox {
    capacity: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    arrived: VecDeque<Arrived>,
    end: Option<Option<Error>>,
    is_abandoned: bool,
}

impl Mailbox {
    /// A mailbox for up to `prefetch` deliveries.
    pub(crate) fn new(prefetch: u32) -> Self {
        let capacity = usize::try_from(prefetch).unwrap_or(usize::MAX);
        Self { capacity, state: Mutex::default(), changed: Notify::new() }
    }

    /// Puts a delivery in. Answers false when the mailbox is full.
    pub(crate) fn put(&self, arrived: Arrived) -> bool {
        let mut state = lock(&self.state);
        if state.arrived.len() >= self.capacity {
            return false;
        }
        state.arrived.push_back(arrived);
        self.changed.notify_one();
        true
    }

    /// Drops what waits.
    pub(crate) fn clear(&self) {
        lock(&self.state).arrived.clear();
    }

    /// Says that nothing more will come.
    pub(crate) fn end(&self, reason: Option<Error>) {
        let mut state = lock(&self.state);
        state.arrived.clear();
        state.end.get_or_insert(reason);
        self.changed.notify_one();
    }

    /// Says that nobody will look any more.
    pub(crate) fn abandon(&self) {
        let mut state = lock(&self.state);
        state.is_abandoned = true;
        state.arrived.clear();
    }

    /// Whether nobody will look any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        lock(&self.state).is_abandoned
    }

    /// Waits until there is something, and leaves it where it is. May be dropped at any time.
    pub(crate) async fn wait(&self) {
        loop {
            {
                let state = lock(&self.state);
                if !state.arrived.is_empty() || state.end.is_some() {
                    return;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Takes what there is.
    pub(crate) fn take(&self) -> Option<Found> {
        let mut state = lock(&self.state);
        match state.arrived.pop_front() {
            Some(arrived) => Some(Found::Arrived(arrived)),
            None => state.end.as_mut().map(|reason| Found::Ended(reason.take())),
        }
    }
}
