//! Every bound of outgoing calls, in one place.

/// How long resolving, connecting and the TLS handshake may take together, in milliseconds.
pub const CONNECT_MS_MAX: u64 = 5_000;

/// How long a connection is kept without a call, in milliseconds. Most servers close after 5 s; a
/// call that is written just then may or may not have been read.
pub const IDLE_MS_MAX: u64 = 4_000;

/// Calls to one host at the same time, and so connections to it.
pub const HOST_CALLS_MAX: usize = 128;

/// How often a shared connection with calls on it is asked whether it is still there, in
/// milliseconds. Calls that wait would never find out that it is not, and new ones would join them.
pub const PING_MS: u64 = 5_000;

/// How long the answer to that may take, in milliseconds.
pub const PONG_MS_MAX: u64 = 5_000;

/// Hosts that one client knows at the same time.
pub const HOSTS_MAX: usize = 4_096;

/// Names that the system's resolver looks up at the same time.
pub const LOOKUPS_MAX: usize = 32;

/// Addresses of one name that are judged; a name with more is refused.
pub const ADDRESSES_MAX: usize = 64;

/// Addresses of one name that are tried, one after the other.
pub const ADDRESSES_TRIED_MAX: usize = 4;

/// Bytes of an answer's status line and headers.
pub const ANSWER_HEAD_BYTES_MAX: usize = 32 << 10;

/// Bytes of an answer's body that are read; what is longer costs its connection.
pub const ANSWER_BODY_READ_BYTES_MAX: usize = 64 << 10;

/// Bytes of an answer's body that are kept, unless a rule has to look at all that is read.
pub const ANSWER_BODY_KEPT_BYTES_MAX: usize = 4 << 10;

/// Rules of one [`Reach`](crate::Reach).
pub const REACH_RULES_MAX: usize = 1_000;

/// Services that one discovery follows at the same time.
pub const SERVICES_MAX: usize = 256;

/// Bytes of the name of a service.
pub const SERVICE_BYTES_MAX: usize = 200;

/// Instances of one service; of a longer list the rest is left out, and told.
pub const INSTANCES_MAX: usize = 1_000;

/// The heaviest instance.
pub const WEIGHT_MAX: u32 = 65_535;

/// Bytes of what tells of one instance.
pub const ENTRY_BYTES_MAX: usize = 16 << 10;

/// Bytes of a file of instances, and of an answer of a discovery.
pub const DISCOVERY_BYTES_MAX: usize = 4 << 20;

/// Servers of one discovery.
pub const DISCOVERY_SERVERS_MAX: usize = 16;

/// How long an instance that refused a connection is set aside at first, in milliseconds.
pub const ASIDE_MS_MIN: u64 = 1_000;

/// How long at most, after it has refused again and again.
pub const ASIDE_MS_MAX: u64 = 60_000;

/// Instances that are drained by hand at the same time.
pub const DRAINED_MAX: usize = 10_000;
