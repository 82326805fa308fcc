//! The clocks of a running relay: the node's steady one, and what is known of the source's.
//!
//! A reading of the source's clock lies somewhere between the moment at which it was asked for and
//! the moment at which the answer came. From then on it is carried forward by the steady clock, and
//! the bound of its error grows by what a clock may drift.

use std::time::{Duration, Instant};

use posthouse_pump::time::Now;

use crate::courier::Clock;

/// What two clocks may part from each other, in parts of a million. Cheap crystals keep within a
/// tenth of it.
const DRIFT_PPM: u64 = 500;

/// A step of the source's clock beyond the bound of error that is worth a line in the log, in
/// milliseconds.
const STEP_MS_MIN: i64 = 500;

/// Milliseconds since the process began to relay.
#[derive(Clone, Copy, Debug)]
pub struct SteadyClock {
    start: Instant,
}

impl SteadyClock {
    /// Counts from now on.
    pub fn new() -> SteadyClock {
        SteadyClock { start: Instant::now() }
    }

    /// When it will read `mono_ms`.
    pub fn instant(&self, mono_ms: u64) -> Instant {
        let far = Duration::from_secs(86_400 * 365);
        self.start + Duration::from_millis(mono_ms).min(far)
    }
}

impl Default for SteadyClock {
    fn default() -> SteadyClock {
        SteadyClock::new()
    }
}

impl Clock for SteadyClock {
    fn mono_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn wall_ms(&self) -> i64 {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// One reading of the source's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    /// The middle of the time in which it was taken, steady milliseconds.
    mono_ms: u64,
    /// What it said, Unix milliseconds.
    source_ms: i64,
    /// Half the time in which it was taken, and the rounding of both clocks.
    error_ms: i64,
}

/// What is known of the source's clock.
#[derive(Clone, Debug, Default)]
pub struct SourceClock {
    sample: Option<Sample>,
}

impl SourceClock {
    /// Takes a reading in: asked for at `sent_ms`, answered at `heard_ms` (steady). A reading that
    /// is less sure than what is known, and agrees with it, changes nothing. Answers by how much
    /// the source's clock has been set, if it has.
    pub fn hear(&mut self, sent_ms: u64, heard_ms: u64, source_ms: i64) -> Option<i64> {
        let half = heard_ms.saturating_sub(sent_ms) / 2;
        let error_ms = i64::try_from(half).unwrap_or(i64::MAX).saturating_add(2);
        let new = Sample { mono_ms: sent_ms + half, source_ms, error_ms };
        let known = self.sample.map(|_| self.now(new.mono_ms));
        let Some(known) = known else {
            self.sample = Some(new);
            return None;
        };
        let step_ms = source_ms - known.source_ms;
        let agrees = step_ms.abs() <= known.error_ms.saturating_add(error_ms);
        if !agrees || error_ms <= known.error_ms {
            self.sample = Some(new);
        }
        (!agrees && step_ms.abs() >= STEP_MS_MIN).then_some(step_ms)
    }

    /// All clocks at `mono_ms`. Before the first reading nothing is known of the source's time, and
    /// the bound of error says so.
    pub fn now(&self, mono_ms: u64) -> Now {
        let Some(sample) = self.sample else {
            return Now { mono_ms, source_ms: 0, error_ms: i64::MAX / 4 };
        };
        let elapsed_ms =
            i64::try_from(mono_ms.saturating_sub(sample.mono_ms)).unwrap_or(i64::MAX / 4);
        let drift_ms = elapsed_ms / 1_000_000 * DRIFT_PPM as i64
            + elapsed_ms % 1_000_000 * DRIFT_PPM as i64 / 1_000_000;
        Now {
            mono_ms,
            source_ms: sample.source_ms.saturating_add(elapsed_ms),
            error_ms: sample.error_ms.saturating_add(drift_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SourceClock;

    /// Readings as (asked for, answered, what it said), then a question: (steady, expected time,
    /// expected bound).
    fn check(readings: &[(u64, u64, i64)], (mono_ms, source_ms, error_ms): (u64, i64, i64)) {
        let mut clock = SourceClock::default();
        for (sent, heard, said) in readings {
            clock.hear(*sent, *heard, *said);
        }
        let now = clock.now(mono_ms);
        assert_eq!((now.source_ms, now.error_ms), (source_ms, error_ms), "{readings:?}");
    }

    #[test]
    fn a_reading_is_carried_forward_with_its_error() {
        check(&[(100, 110, 50_000)], (105, 50_000, 7));
        check(&[(100, 110, 50_000)], (2_105, 52_000, 8));
    }

    #[test]
    fn the_surer_reading_holds() {
        check(&[(100, 102, 50_000), (200, 260, 50_131)], (230, 50_129, 3));
        check(&[(100, 160, 50_000), (200, 202, 50_070)], (201, 50_070, 3));
    }

    #[test]
    fn a_clock_that_was_set_is_followed_and_told() {
        let mut clock = SourceClock::default();
        assert_eq!(clock.hear(0, 2, 1_000), None);
        assert_eq!(clock.hear(1_000, 1_100, 2_049), None);
        assert_eq!(clock.hear(2_000, 2_002, 63_000), Some(60_000));
        assert_eq!(clock.now(2_001).source_ms, 63_000);
    }

    #[test]
    fn before_the_first_reading_nothing_is_sure() {
        assert!(SourceClock::default().now(5).earliest_ms() < -1_000_000_000_000);
    }
}
