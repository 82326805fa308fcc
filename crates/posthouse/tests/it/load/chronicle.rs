//! The history that all clients of a load write together.
//!
//! A call is noted before its bytes are written and what comes in after its bytes were read, so
//! the order of the events never contradicts what really happened.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use posthouse_sim::history::{Call, Durable, Event, History, Terms, What};
use posthouse_sim::workload::Numbers;

/// Nothing that a load waits for takes so long unless something is wrong.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What may pass between two looks at something that no event tells.
const PAUSE: Duration = Duration::from_millis(20);

/// See the module.
pub(super) struct Chronicle {
    began: Instant,
    pages: Mutex<Pages>,
    has_grown: Condvar,
}

struct Pages {
    history: History,
    numbers: Numbers,
}

impl Chronicle {
    /// An empty history that is measured by `terms`.
    pub(super) fn new(terms: Terms) -> Chronicle {
        let history = History { terms, events: Vec::new() };
        let pages = Mutex::new(Pages { history, numbers: Numbers::default() });
        Chronicle { began: Instant::now(), pages, has_grown: Condvar::new() }
    }

    /// Milliseconds since the load began.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Appends an event.
    pub(super) fn note(&self, client: u32, what: What) {
        let mut pages = self.lock();
        // The time is taken under the lock, so that it never goes back.
        let at_ms = self.now_ms();
        pages.history.events.push(Event { at_ms, client, what });
        self.has_grown.notify_all();
    }

    /// Appends a call and answers its number.
    pub(super) fn invoke(&self, client: u32, call: Call) -> u64 {
        let op = self.lock().numbers.take();
        self.note(client, What::Invoke(op, call));
        op
    }

    /// Hands the numbers of the load to whoever draws the next doing.
    pub(super) fn with_numbers<T>(&self, draw: impl FnOnce(&mut Numbers) -> T) -> T {
        draw(&mut self.lock().numbers)
    }

    /// Waits until so many events more have been noted.
    pub(super) fn await_events(&self, count: usize) {
        let pages = self.lock();
        let wanted = pages.history.events.len() + count;
        let waited = self
            .has_grown
            .wait_timeout_while(pages, PATIENCE, |pages| pages.history.events.len() < wanted);
        let timeout = waited.expect("nobody panics while writing the history").1;
        assert!(!timeout.timed_out(), "the clients stand still: no {count} events in {PATIENCE:?}");
    }

    /// Waits for the next event, but not long.
    pub(super) fn pause(&self) {
        drop(self.has_grown.wait_timeout(self.lock(), PAUSE));
    }

    /// Every durable subscription that somebody has asked for.
    pub(super) fn durables(&self) -> BTreeSet<Durable> {
        let pages = self.lock();
        let wishes = pages.history.events.iter().filter_map(|event| match &event.what {
            What::Invoke(_, Call::Subscribe(wish)) => wish.durable.clone(),
            _ => None,
        });
        wishes.collect()
    }

    /// The history so far.
    pub(super) fn copy(&self) -> History {
        self.lock().history.clone()
    }

    /// Begins an empty history. Numbers go on, so that nothing of the old one is taken for new.
    pub(super) fn turn_page(&self, terms: Terms) {
        self.lock().history = History { terms, events: Vec::new() };
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().expect("nobody panics while writing the history")
    }
}
