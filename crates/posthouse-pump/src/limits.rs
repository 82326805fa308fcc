//! Every bound of the pump, in one place.

/// Requests that one pump keeps in memory.
pub const RESIDENT_MAX: usize = 20_000;

/// Bytes of requests that one pump keeps in memory.
pub const RESIDENT_BYTES_MAX: usize = 64 << 20;

/// Requests of one key that are kept in memory.
pub const LANE_MAX: usize = 64;

/// Outcomes in one settlement.
pub const SETTLEMENT_MAX: usize = 500;

/// Requests that one read may bring.
pub const READ_ROWS_MAX: u32 = 500;

/// Bytes of content that one read may bring.
pub const READ_BYTES_MAX: u64 = 8 << 20;

/// Ranges of missing ids that are looked at again; what falls out is found by the slow sweep.
pub const MISSING_RANGES_MAX: usize = 10_000;

/// Characters of an error that are kept with a request.
pub const ERROR_CHARS_MAX: usize = 500;

/// Keys of which the pump remembers that something of theirs is withheld. Beyond that no new
/// ground is read, for whatever code, until there are fewer: a key that was not remembered could go
/// on behind a request that is withheld. People are told.
pub const WITHHELD_KEYS_MAX: usize = 4_000_000;

/// Blocked keys that are known by name; of the others only that they are withheld.
pub const BLOCKED_MAX: usize = 100_000;

/// Minutes of which the pump remembers that withheld requests expire in them.
pub const EXPIRY_MINUTES_MAX: usize = 10_000;

/// Ranges that one probe asks for.
pub const PROBE_RANGES_MAX: usize = 100;

/// Keys of which the pump remembers that a request was skipped just before.
pub const SKIPPED_MAX: usize = 10_000;

/// Settlements that may be outstanding at a time.
pub const SETTLEMENTS_MAX: usize = 2;

/// For how long an endpoint must have brought nothing but failures until people are told, in
/// milliseconds.
pub const FAILING_TOLD_MS: u64 = 5_000;

/// Faults of requests of which people are told between two plans, and requests that cannot be read
/// of which they are told at a time.
pub const TOLD_MAX: usize = 1_000;

/// Withheld requests without a key that are counted.
pub const SINGLES_MAX: usize = 100_000;

/// Requests of which it is remembered that they cannot be read.
pub const UNREADABLE_MAX: usize = 100_000;

/// Changed requests that are probed one by one; beyond that all ground is read again.
pub const CHANGED_MAX: usize = 10_000;
