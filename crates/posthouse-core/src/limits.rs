//! Every bound of Posthouse, in one place, with its unit in its name.

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
/// Messages that one turn may hold against selectors.
pub const SELECTIONS_PER_TURN: usize = 4_096;
/// Messages that one turn may expire.
pub const EXPIRATIONS_PER_TURN: usize = 1_024;
/// Messages that one look into a destination returns.
pub const BROWSE_PAGE_MAX: usize = 1_000;
