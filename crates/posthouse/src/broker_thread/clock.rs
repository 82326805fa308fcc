//! The one place where the broker thread reads clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use posthouse_core::time::Now;

/// A jump of the wall clock that is worth a line in the log, in milliseconds.
const JUMP_MS_MIN: u64 = 2_000;

/// Both clocks.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    last: Now,
}

impl Clock {
    /// Starts counting monotonic milliseconds from now.
    pub(crate) fn new() -> Clock {
        let start = Instant::now();
        Clock { start, last: Now { wall_ms: wall_ms(), mono_ms: 0 } }
    }

    /// What both clocks say. A wall clock that was set is followed, and the log tells.
    pub(crate) fn read(&mut self) -> Now {
        let elapsed = self.start.elapsed().as_millis();
        let now = Now { wall_ms: wall_ms(), mono_ms: u64::try_from(elapsed).unwrap_or(u64::MAX) };
        let expected = self.last.wall_ms + (now.mono_ms - self.last.mono_ms);
        if now.wall_ms.abs_diff(expected) >= JUMP_MS_MIN {
            let (from_ms, to_ms) = (expected, now.wall_ms);
            tracing::warn!(from_ms, to_ms, "the wall clock was set; expiry follows it");
        }
        self.last = now;
        now
    }

    /// When the monotonic clock will say `mono_ms`.
    pub(crate) fn instant(&self, mono_ms: u64) -> Option<Instant> {
        self.start.checked_add(Duration::from_millis(mono_ms))
    }
}

/// Milliseconds since 1970; 0 when the clock stands before that.
pub(crate) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
