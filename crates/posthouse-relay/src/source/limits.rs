//! Every bound of the sources, in one place.

use std::time::Duration;

/// Buckets that a source may be divided into; more than slots would leave some empty.
pub const BUCKETS_MAX: u32 = 1024;

/// Buckets of a new source.
pub const BUCKETS_DEFAULT: u32 = 16;

/// How far back from the end of a read missing ids are looked for. What is older than so many ids
/// is left to the slow sweep: a source may hold years of finished requests, and a first read must
/// not walk through all of them.
pub const MISSING_IDS_MAX: i64 = 20_000;

/// Ranges of missing ids that one read tells; the rest is left to the slow sweep.
pub const MISSING_RANGES_MAX: i64 = 10_000;

/// Open requests, of whatever slots, that one read walks over.
pub const READ_SCAN_MAX: i64 = 20_000;

/// The same on MySQL and MariaDB, which put all that a walk goes over into a temporary table before
/// they take a page of it: 20,000 cost 52 ms where 2,000 cost 6.
pub const READ_SCAN_MYSQL_MAX: i64 = 2_000;

/// Bytes of a header block that are read; longer ones cannot be. What couriers carry.
pub const HEADERS_BYTES_MAX: usize = crate::courier::limits::HEADER_BYTES_MAX;

/// Bytes of a body that is read when nothing is said.
pub const BODY_BYTES_DEFAULT: u64 = 1 << 20;

/// Bytes of a body that may be configured to be read: what couriers carry.
pub const BODY_BYTES_MAX: u64 = crate::courier::limits::BODY_BYTES_MAX as u64;

/// Bytes of the beginning of a body that is read for people to look at.
pub const LOOK_BODY_BYTES_MAX: usize = 64 << 10;

/// Headers of one request: what couriers carry.
pub const HEADERS_MAX: usize = crate::courier::limits::ROW_HEADERS_MAX;

/// Ids that one action of an operator may name.
pub const ACTION_IDS_MAX: usize = 1_000;

/// Requests of one key that one action changes; the rest is left to the next one.
pub const ACTION_ROWS_MAX: i64 = 10_000;

/// Changed ids that are kept for nodes to ask for. Who knows an older version reads everything
/// again.
pub const CHANGES_MAX: i64 = 10_000;

/// Switches or holds that a node reads.
pub const CONTROL_ROWS_MAX: i64 = 10_000;

/// Characters of a name that an operator gives: a key, code, endpoint or group.
pub const NAME_CHARS_MAX: usize = 128;

/// Bytes of the body of a request that is written here: what couriers carry.
pub const SUBMIT_BODY_BYTES_MAX: usize = crate::courier::limits::BODY_BYTES_MAX;

/// Rows on one page of an answer.
pub const PAGE_ROWS_MAX: u32 = 500;

/// Rows that one page looks at while it searches.
pub const PAGE_SCAN_MAX: i64 = 50_000;

/// Rows that are counted.
pub const COUNT_ROWS_MAX: i64 = 100_000;

/// Requests that are counted behind one blocked key.
pub const DEPTH_MAX: i64 = 1_000;

/// Business ids with a gap in their numbers that one answer names.
pub const GAP_KEYS_MAX: usize = 10;

/// Business ids that are looked at for gaps in their numbers at a time.
pub const GAP_WALK_MAX: i64 = 10_000;

/// Buckets and nodes that are listed.
pub const OWNERS_MAX: i64 = 4_096;

/// Made-up requests that are written in one transaction.
pub const FILL_ROWS_MAX: u64 = 20_000;

/// Connections that made-up requests are written over: a disk that is slow for a moment must not
/// keep so many waiting that the generator is late.
pub const FILL_CONNECTIONS_MAX: u32 = 16;

/// How long a node that has fallen silent stays on the list, in milliseconds.
pub const NODE_MEMORY_MS: i64 = 600_000;

/// How often a write is tried again after a deadlock, at once.
pub const CONFLICT_TRIES_MAX: u32 = 4;

/// How long an action waits before it asks again for rows that others have locked.
pub const LOCKED_PAUSE: Duration = Duration::from_millis(50);

/// How often an action asks for such rows. Write-backs hold them for some milliseconds only.
pub const LOCKED_TRIES_MAX: u32 = 20;

/// Requests that the error of such an action names.
pub const LOCKED_NAMED_MAX: usize = 5;

/// How long to wait for a free place in a pool.
pub const ACQUIRE_MAX: Duration = Duration::from_secs(4);

/// How long to try why there is no connection.
pub const PROBE_MAX: Duration = Duration::from_secs(2);

/// Requests that one step of the retention removes, or forgets from the archive.
pub const RETENTION_ROWS_MAX: i64 = 500;

/// Requests that one step of the retention looks at.
pub const RETENTION_WALK_MAX: i64 = 1_000;

/// Bytes of the bodies that one step of the retention moves, unless the first is longer.
pub const RETENTION_BYTES_MAX: i64 = 4 << 20;

/// How long a node that walks over finished requests may be silent before another one goes on, in
/// milliseconds.
pub const RETENTION_LEASE_MS: i64 = 60_000;

/// How long one call to the database may take, all in all.
pub const CALL_MAX: Duration = Duration::from_secs(8);

/// How long PostgreSQL lets one statement run, in milliseconds.
pub const STATEMENT_MS_MAX: u64 = 7_000;

/// How long PostgreSQL lets a statement wait for a lock, in milliseconds.
pub const LOCK_MS_MAX: u64 = 4_000;

/// How long PostgreSQL lets a transaction stand still, in milliseconds: a node that was stopped in
/// the middle of a round must not stop the others for longer.
pub const IDLE_MS_MAX: u64 = 3_000;

/// How often SQLite is asked whether its file has changed.
pub const SQLITE_WATCH: Duration = Duration::from_millis(5);

/// How long SQLite waits for its write lock.
pub const SQLITE_BUSY_MAX: Duration = Duration::from_secs(4);

/// How often MySQL and MariaDB are asked whether there is something new.
pub const MYSQL_WATCH: Duration = Duration::from_millis(20);

/// Bytes of the outcomes that one statement brings to MySQL or MariaDB. What a server takes at once
/// is bounded there, and may be bounded to a megabyte.
pub const MYSQL_OUTCOMES_BYTES_MAX: usize = 256 << 10;

/// What a server of MySQL or MariaDB must take at once, in bytes; of one that writes bodies, beside
/// the body.
pub const MYSQL_PACKET_BYTES_MIN: u64 = 1 << 20;

/// Letters of the name of a table or column of an adopted table.
pub const IDENTIFIER_CHARS_MAX: usize = 63;

/// Letters of a condition or an expression over an adopted table.
pub const ADOPT_SQL_CHARS_MAX: usize = 2_000;

/// Letters of a condition of an adopted table that are shown.
pub const CONDITION_CHARS_SHOWN_MAX: usize = 300;

/// Rows of an adopted table that are fed at a time.
pub const FEED_ROWS_MAX: usize = 500;

/// Bytes of the bodies that are fed at a time, but for one that is longer by itself.
pub const FEED_BYTES_MAX: i64 = 8 << 20;

/// Ranges of missing ids that are looked at at a time.
pub const FEED_GAPS_AT_ONCE: usize = 64;

/// Ranges of missing ids that are remembered. Beyond that the lowest are given up.
pub const FEED_GAPS_MAX: i64 = 100_000;

/// How far back from the end of an adopted table ids may be missing that are still to come, where
/// what exists is left alone.
pub const FEED_LOOK_BACK_IDS: i64 = 10_000;

/// Rows that could not be fed and are looked at again at a time.
pub const UNFED_AT_ONCE: usize = 200;

/// Rows that could not be fed that are shown or logged at a time.
pub const UNFED_SHOWN_MAX: u32 = 1_000;

/// Ended requests that are told to an adopted table at a time.
pub const TELL_ROWS_MAX: usize = 500;

/// Requests whose rows could not be told that are remembered, so that each is logged once.
pub const UNTOLD_MAX: usize = 10_000;

/// How often it is looked for what was left over.
pub const FEED_SWEEP_EVERY: Duration = Duration::from_millis(250);

/// How often an adopted table is asked whether there is something new.
pub const FEED_WATCH: Duration = Duration::from_millis(50);
