//! Virtual time. A run begins at millisecond 0; the wall clock shows some day then.

use posthouse_core::time::Now;

/// What the wall clock shows when a run begins, in milliseconds since 1970.
const WALL_START_MS: u64 = 1_800_000_000_000;

/// Both clocks at `at_ms` of the run.
pub fn now(at_ms: u64) -> Now {
    Now { wall_ms: WALL_START_MS + at_ms, mono_ms: at_ms }
}

/// A time of the run on the wall clock; 0, which means never, stays 0.
pub fn wall_ms_of(at_ms: u64) -> u64 {
    if at_ms == 0 { 0 } else { WALL_START_MS + at_ms }
}
