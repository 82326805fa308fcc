//! Every bound of the couriers, in one place.

/// Bytes of a template.
pub const TEMPLATE_BYTES_MAX: usize = 64 << 10;

/// Headers that a target may add.
pub const TARGET_HEADERS_MAX: usize = 64;

/// Headers of a row. Sources read no more.
pub const ROW_HEADERS_MAX: usize = 64;

/// Bytes of all headers of a row, names and values, and of each that a target adds. Sources read no
/// more.
pub const HEADER_BYTES_MAX: usize = 16 << 10;

/// Bytes of a URL after its fields are filled in.
pub const URL_BYTES_MAX: usize = 8 << 10;

/// Bytes of a body after its fields are filled in.
pub const BODY_BYTES_MAX: usize = 16 << 20;

/// Ranges in one set of statuses.
pub const STATUS_RANGES_MAX: usize = 64;

/// Characters of an answer's body that a verdict shows.
pub const EXCERPT_CHARS_MAX: usize = 200;

/// The longest wait that a receiver may ask for, in milliseconds: what the pump grants.
pub const RETRY_AFTER_MS_MAX: u64 = posthouse_pump::backoff::RETRY_AFTER_MS_MAX;

/// Signing keys of one target.
pub const SIGNING_KEYS_MAX: usize = 8;

/// Bytes of a file with signing keys.
pub const KEY_FILE_BYTES_MAX: u64 = 4 << 10;

/// How often a file with signing keys is looked at, in milliseconds, while calls are made.
pub const KEY_FILE_LOOK_MS: u64 = 1_000;

/// How often one attempt takes another connection because the one it had was closed before
/// anything was written.
pub const STALE_CONNECTIONS_MAX: u32 = 3;

/// How long one attempt may take if the target does not say, in milliseconds.
pub const TIMEOUT_MS: u64 = 30_000;

/// Addresses that a courier with many requests on one connection keeps in mind, connected or not.
pub const ADDRESSES_KEPT_MAX: usize = 1_024;

/// How long such a connection is kept without a request, in milliseconds.
pub const LINE_IDLE_MS: u64 = 60_000;

/// Bytes that may come on such a connection without making up an answer.
pub const LINE_INPUT_BYTES_MAX: usize = 128 << 10;

/// Bytes of requests that are put together before they are written; one may be longer.
pub const LINE_WRITE_BYTES: usize = 64 << 10;

/// How often a sign of life is sent on such a connection, in milliseconds.
pub const BEAT_MS: u64 = 5_000;

/// A peer is gone when it was silent for so many times what it has promised.
pub const BEATS_MISSED_MAX: u64 = 3;

/// Bytes of a message that is sent over gRPC: a body, and what is said of it.
pub const GRPC_MESSAGE_BYTES_MAX: usize = BODY_BYTES_MAX + (1 << 20);

/// Bytes of an answer over gRPC that are read. One that is longer has no status, for that comes
/// last.
pub const GRPC_REPLY_BYTES_MAX: usize = 4 << 20;
