//! What is known of a window for the time being, so that its calendar is asked only when it opens
//! or shuts.

use std::sync::Arc;

use crate::calendar::Window;
use crate::time::Now;

/// Whether something may go by its windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Surely open now; the instant at which it is shut, Unix milliseconds.
    Open(i64),
    /// Shut now, or perhaps; the instant from which it is surely open, Unix milliseconds, if one
    /// is known.
    Shut(Option<i64>),
}

/// A window, with the last answer of its calendar.
#[derive(Clone, Debug)]
pub(super) struct Hours {
    window: Arc<Window>,
    is_open: bool,
    /// The answer holds from here to there, the end excluded.
    from_ms: i64,
    until_ms: i64,
}

impl Hours {
    /// Of a window.
    pub fn new(window: Arc<Window>) -> Hours {
        Hours { window, is_open: false, from_ms: 0, until_ms: 0 }
    }

    /// Whether this is about a window.
    pub fn is_of(&self, window: &Arc<Window>) -> bool {
        self.window == *window
    }

    /// Whether it is open, whatever the error of the clock.
    pub fn look(&mut self, now: Now) -> Opening {
        self.ask(now.earliest_ms());
        if !self.is_open {
            return Opening::Shut((self.until_ms < i64::MAX).then_some(self.until_ms));
        }
        if now.latest_ms() < self.until_ms {
            return Opening::Open(self.until_ms);
        }
        Opening::Shut(self.window.next_open(self.until_ms))
    }

    /// Since when it has been open, as far as has been seen, Unix milliseconds; `None` if it is
    /// not, or is always.
    pub fn open_since_ms(&self) -> Option<i64> {
        (self.is_open && self.until_ms < i64::MAX).then_some(self.from_ms)
    }

    fn ask(&mut self, at_ms: i64) {
        if self.from_ms <= at_ms && at_ms < self.until_ms {
            return;
        }
        self.is_open = self.window.is_open(at_ms);
        let change =
            if self.is_open { self.window.next_close(at_ms) } else { self.window.next_open(at_ms) };
        self.from_ms = at_ms;
        self.until_ms = change.unwrap_or(i64::MAX);
    }
}
