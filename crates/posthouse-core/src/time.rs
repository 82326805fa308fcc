//! Time as an argument. The core never asks what time it is; it is told.

/// One reading of both clocks, taken by whoever drives the core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970-01-01 UTC: expiry and schedules are kept in it. It may jump.
    pub wall_ms: u64,
    /// Milliseconds since some fixed point: deadlines and heart-beats are kept in it. It never
    /// goes back.
    pub mono_ms: u64,
}

impl Now {
    /// Both clocks at the same reading, as tests and simulations like it.
    pub fn at(ms: u64) -> Now {
        Now { wall_ms: ms, mono_ms: ms }
    }
}
