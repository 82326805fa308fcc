//! Every bound of Posthouse, in one place, with its unit in its name.
//!
//! A bound is checked before anything is allocated or computed for the input that it bounds, so
//! that nobody can make a node work or grow without end.

/// Bytes of a destination's dotted name.
pub const DESTINATION_NAME_BYTES_MAX: usize = 512;
/// Segments of a destination's dotted name.
pub const DESTINATION_SEGMENTS_MAX: usize = 64;
/// Destinations of one node.
pub const DESTINATIONS_MAX: usize = 100_000;
/// Bytes of a client's name or of a durable subscription's name.
pub const SUBSCRIPTION_NAME_BYTES_MAX: usize = 256;
/// Durable subscriptions of one node.
pub const SUBSCRIPTIONS_MAX: usize = 100_000;
/// Backlogs of durable subscriptions of one node: one for each topic that each of them takes in.
pub const BACKLOGS_MAX: usize = 250_000;
/// Consumers of one holder.
pub const CONSUMERS_PER_HOLDER_MAX: usize = 10_000;
/// Open transactions of one holder.
pub const TRANSACTIONS_PER_HOLDER_MAX: usize = 1_000;
/// Sends and acknowledgements of one transaction.
pub const TRANSACTION_OPERATIONS_MAX: usize = 100_000;
/// Bytes of the messages sent in one transaction.
pub const TRANSACTION_BYTES_MAX: usize = 64 << 20;
/// Messages that one consumer may hold unacknowledged, whatever it asks for.
pub const PREFETCH_MESSAGES_MAX: u32 = 100_000;
/// Bytes that one consumer may hold unacknowledged; one message is always allowed.
pub const PREFETCH_BYTES_MAX: usize = 32 << 20;
/// Producers whose last numbers are remembered, so that resends are recognised.
pub const PRODUCERS_REMEMBERED_MAX: usize = 10_000;
/// Numbers below a producer's highest that are remembered one by one; older ones count as seen.
pub const PRODUCER_WINDOW: u64 = 4_096;
/// Deliveries that one turn may hand out before others get their chance.
pub const DELIVERIES_PER_TURN: usize = 1_024;
/// Bytes of deliveries that one turn may hand out.
pub const DELIVERY_BYTES_PER_TURN: usize = 1 << 20;
/// Bytes that one holder may be handed outside of backlogs in one turn.
pub const BURST_BYTES_MAX: usize = 1 << 20;
/// Work that one turn may spend on holding messages against selectors, in steps as in
/// [`SELECTOR_STEPS_MAX`].
pub const SELECTION_STEPS_PER_TURN: usize = 65_536;
/// Of these, what one consumer may spend before others get their chance.
pub const SELECTION_STEPS_PER_CONSUMER: usize = 4_096;
/// Steps that looking at a message counts besides those of the selector.
pub const SELECTION_STEPS_PER_MESSAGE: usize = 16;
/// Messages that are loaded together, because they are likely to be wanted one after the other.
pub const LOAD_AHEAD_MESSAGES: usize = 256;
/// Bytes that are loaded together; one message is always allowed.
pub const LOAD_AHEAD_BYTES: usize = 1 << 20;
/// Pages that one turn may look at to let bodies go.
pub const PAGES_LOOKED_AT_PER_TURN: usize = 64;
/// Bytes that may be submitted to the store and not be durable, if it does not ask for less;
/// producers wait beyond it.
pub const UNSYNCED_BYTES_MAX: usize = 32 << 20;
/// Destinations that one turn captures for a checkpoint.
pub const PLACES_CAPTURED_PER_TURN: usize = 64;
/// Messages that one turn may expire.
pub const EXPIRATIONS_PER_TURN: usize = 1_024;
/// Messages that one purge or redrive deals with, so that neither holds the broker up.
pub const BATCH_MAX: u64 = 1_000;
/// Messages that one look into a destination returns.
pub const BROWSE_PAGE_MAX: usize = 1_000;

/// The longest selector text, in bytes.
pub const SELECTOR_TEXT_BYTES_MAX: usize = 4_096;

/// The most conditions, operators, names and literals that one selector may have.
pub const SELECTOR_NODES_MAX: usize = 512;

/// How many levels deep parentheses, prefix operators and the resulting tree may go.
pub const SELECTOR_DEPTH_LEVELS_MAX: usize = 32;

/// The work that one selector may spend on one message. Evaluating a node is a step, and so are
/// comparing a character with a LIKE pattern and comparing 64 bytes of two strings.
pub const SELECTOR_STEPS_MAX: u32 = 10_000;

/// The longest string that is tried as a number in [`Strings::Convert`], in bytes.
///
/// [`Strings::Convert`]: crate::selector::Strings::Convert
pub const SELECTOR_NUMBER_BYTES_MAX: usize = 64;

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

/// The largest frame of the frame protocol, in bytes behind its length: a body of 16 MiB and what
/// is said of it.
pub const FRAME_BYTES_MAX: usize = 17 << 20;

/// The largest HELLO of the frame protocol, and the least that a peer must take, likewise.
pub const FRAME_HELLO_BYTES_MAX: usize = 4 << 10;

/// The largest answer that a relay takes in the frame protocol, likewise.
pub const FRAME_ANSWER_BYTES_MAX: usize = 64 << 10;

/// The longest text in a frame of the frame protocol.
pub const FRAME_TEXT_BYTES_MAX: usize = 16 << 10;

/// The most headers in one request of the frame protocol.
pub const FRAME_HEADERS_MAX: usize = 128;

/// The most fields in one frame of the frame protocol: all headers, and room to grow.
pub const FRAME_FIELDS_MAX: usize = 256;

/// The most requests at a time on one connection of the frame protocol, whatever a receiver says.
pub const FRAME_REQUESTS_MAX: usize = 1 << 16;

/// Requests at a time on one connection of the frame protocol if a receiver does not say.
pub const FRAME_REQUESTS: usize = 128;

/// The shortest and the longest silence that a peer of the frame protocol may announce, in
/// milliseconds.
pub const FRAME_BEAT_MS: std::ops::RangeInclusive<u64> = 100..=60_000;

/// The most header positions that an idle STOMP connection keeps memory for.
pub const STOMP_HEADER_IDLE_COUNT_MAX: usize = 32;

/// The most bytes of a peer's input that an error message quotes.
pub const ERROR_QUOTE_BYTES_MAX: usize = 64;
