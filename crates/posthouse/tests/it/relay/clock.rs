//! The one clock that everything in a test is measured by, and pauses that are part of what
//! somebody does.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Microseconds since 1970-01-01 UTC, by the very clock that the database on this machine reads:
/// what is compared with what stands in the database must not be measured by another.
pub(super) fn now_us() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
    i64::try_from(since.as_micros()).expect("it is within a few thousand years")
}

/// Stands still: somebody who is slow on purpose. Nobody waits for anything by this.
pub(super) fn linger(duration: Duration) {
    let until = Instant::now() + duration;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        thread::park_timeout(left);
    }
}

/// Looks again and again until `is_so`, and fails with `what` when that takes too long.
pub(super) fn await_until(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    const PAUSE: Duration = Duration::from_millis(20);
    let until = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < until, "{what}: not within {patience:?}");
        linger(PAUSE);
    }
}
