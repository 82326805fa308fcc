//! Time as an argument: the node's steady clock, and what is known of the source's clock.

/// One reading of the clocks, taken by whoever drives the pump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since some fixed point; never goes back. Leases, time-outs and back-off within
    /// this process are kept in it.
    pub mono_ms: u64,
    /// The estimated time at the source, in milliseconds since 1970-01-01 UTC. Windows, expiry and
    /// due times are kept in it.
    pub source_ms: i64,
    /// How far `source_ms` may be off, in milliseconds, to either side.
    pub error_ms: i64,
}

impl Now {
    /// The earliest instant it may be at the source, in Unix milliseconds.
    pub fn earliest_ms(&self) -> i64 {
        self.source_ms.saturating_sub(self.error_ms)
    }

    /// The latest instant it may be at the source, in Unix milliseconds.
    pub fn latest_ms(&self) -> i64 {
        self.source_ms.saturating_add(self.error_ms)
    }
}
