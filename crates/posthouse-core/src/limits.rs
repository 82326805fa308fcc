//! Every bound of Posthouse, each with its unit in its name, so that no length, depth or count
//! is taken from a peer unchecked and all of them can be reviewed on one page.

/// The longest command line of a STOMP frame. The longest command has 11 bytes; the rest is room
/// for the names that start with `SUB` or `UNSUB`.
pub const STOMP_COMMAND_BYTES_MAX: usize = 32;

/// The most header lines of one STOMP frame.
pub const STOMP_HEADER_COUNT_MAX: usize = 128;

/// The longest header name of a STOMP frame, as it stands on the wire.
pub const STOMP_HEADER_NAME_BYTES_MAX: usize = 256;

/// The longest header value of a STOMP frame, as it stands on the wire.
pub const STOMP_HEADER_VALUE_BYTES_MAX: usize = 8 * 1024;

/// The longest header block of a STOMP frame: command line, header lines and the blank line.
pub const STOMP_HEADER_BLOCK_BYTES_MAX: usize = 32 * 1024;

/// The largest STOMP frame, from its command to its NUL, that a peer may send before it logs in.
pub const STOMP_FRAME_BEFORE_LOGIN_BYTES_MAX: usize = 16 * 1024;

/// The largest STOMP frame, from its command to its NUL, that a peer may send after it logged in.
pub const STOMP_FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most header positions that an idle STOMP connection keeps memory for.
pub const STOMP_HEADER_IDLE_COUNT_MAX: usize = 32;

/// The most bytes of a peer's input that an error message quotes.
pub const ERROR_QUOTE_BYTES_MAX: usize = 64;
