//! How long an attempt may still take: the pump's steady clock, as the runtime's.

use std::time::Duration;

use posthouse_pump::attempt::Attempt;
use tokio::time::Instant;

use super::Clock;

/// The two limits of one attempt, in milliseconds of the steady clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    start_by_mono_ms: u64,
    end_by_mono_ms: u64,
}

impl Deadline {
    /// The attempt's own limits, and at most `timeout_ms` from now.
    pub(crate) fn new(attempt: &Attempt, timeout_ms: u64, clock: &dyn Clock) -> Deadline {
        let end_by_mono_ms = clock.mono_ms().saturating_add(timeout_ms);
        Deadline {
            start_by_mono_ms: attempt.start_by_mono_ms,
            end_by_mono_ms: end_by_mono_ms.min(attempt.end_by_mono_ms),
        }
    }

    /// Whether it is too late to write anything.
    pub(crate) fn is_late(&self, clock: &dyn Clock) -> bool {
        let now = clock.mono_ms();
        now > self.start_by_mono_ms || now >= self.end_by_mono_ms
    }

    /// Whether the start, and not the end, is what was missed.
    pub(crate) fn has_missed_start(&self, clock: &dyn Clock) -> bool {
        clock.mono_ms() >= self.start_by_mono_ms
    }

    /// Until when preparations make sense.
    pub(crate) fn start_until(&self, clock: &dyn Clock) -> Instant {
        instant(self.start_by_mono_ms.min(self.end_by_mono_ms), clock)
    }

    /// How long an answer is waited for, in milliseconds.
    pub(crate) fn left_ms(&self, clock: &dyn Clock) -> u64 {
        self.end_by_mono_ms.saturating_sub(clock.mono_ms())
    }

    /// Until when an answer is waited for.
    pub(crate) fn end_until(&self, clock: &dyn Clock) -> Instant {
        instant(self.end_by_mono_ms, clock)
    }
}

/// Far instants are a day away, because the runtime cannot count much further than it can sleep.
fn instant(mono_ms: u64, clock: &dyn Clock) -> Instant {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let left_ms = mono_ms.saturating_sub(clock.mono_ms()).min(DAY_MS);
    Instant::now() + Duration::from_millis(left_ms)
}
