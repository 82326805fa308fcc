//! Questions that people ask of a source, for the command line, the API and the console.
//!
//! Nothing here changes anything, and nothing walks over more than a bounded number of rows: an
//! answer that had to stop says so, and where to go on.

use std::sync::Arc;

use posthouse_pump::outcome::{BucketNo, Fence};
use posthouse_pump::read::SlotRange;
use posthouse_pump::request::{Content, RequestId, Unreadable};

use super::Control;
use super::adopt::Unfed;
use super::settle::FOREIGN_FENCE;

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// How many requests there are, by state and code: of all open ones, and of the newest ones
    /// whatever their state.
    Counts,
    /// A page of requests, the newest first.
    Rows(Filter),
    /// One request with everything in it, but for the rest of a long body.
    Row(RequestId),
    /// Keys whose head is blocked, by the id of the head.
    BlockedKeys {
        /// Heads after this one; [`RequestId::LOWEST`] to begin with.
        after: RequestId,
        /// At most so many.
        rows_max: u32,
    },
    /// What an open request with a number waits for, where writers number the requests of a
    /// business id.
    Turn(RequestId),
    /// Business ids whose next number is not there, where writers number them: at most ten, in
    /// their order. Only so many are looked at in one go; the answer says where to go on.
    Gaps {
        /// Those after this one; empty to begin with. As bytes, for SQLite takes any.
        after: Vec<u8>,
        /// Only where the request that waits was written so many milliseconds ago.
        age_ms_min: i64,
    },
    /// Every bucket with its owner and lease.
    Buckets,
    /// Every node that was seen lately.
    Nodes,
    /// Switches, holds and the number of buckets, as they stand now.
    Control,
    /// How the request table itself does: its dead rows, and what keeps them.
    Table,
    /// How far the walk over finished requests is, and what it has removed.
    Retention,
    /// Rows of the adopted table that could not be fed, by id. There are none without such a table.
    Unfed {
        /// Rows behind this one; `None` to begin with.
        after: Option<i64>,
        /// At most so many.
        rows_max: u32,
    },
    /// How many these are.
    UnfedCount,
}

/// Which requests are wanted. What is empty does not restrict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// In one of these states, by number.
    pub states: Vec<u8>,
    /// With this code.
    pub code: Option<String>,
    /// With this business id.
    pub key: Option<String>,
    /// With this request id.
    pub request_id: Option<String>,
    /// Only ids below this one: where the page before ended.
    pub before: Option<RequestId>,
    /// At most so many rows.
    pub rows_max: u32,
}

/// An answer; of the same kind as the question.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// See [`Query::Counts`].
    Counts {
        /// Open requests.
        open: Vec<Count>,
        /// The newest requests of any state.
        newest: Vec<Count>,
        /// Whether there are more open requests than were counted.
        is_partial: bool,
    },
    /// See [`Query::Rows`].
    Rows {
        /// The requests.
        rows: Vec<Row>,
        /// Where to go on, if there may be more.
        next: Option<RequestId>,
    },
    /// See [`Query::Row`]. `None`: there is no such request.
    Row(Option<Box<(Row, Content)>>),
    /// See [`Query::BlockedKeys`].
    BlockedKeys(Vec<BlockedKey>),
    /// See [`Query::Turn`]. `None`: the source does not go by numbers, or the request has none.
    Turn(Option<Turn>),
    /// See [`Query::Gaps`].
    Gaps {
        /// The gaps.
        gaps: Vec<Gap>,
        /// Where to go on, if there may be more.
        next: Option<Vec<u8>>,
    },
    /// See [`Query::Buckets`].
    Buckets(Vec<BucketRow>),
    /// See [`Query::Nodes`].
    Nodes(Vec<NodeRow>),
    /// See [`Query::Control`]. Tells of no changed requests.
    Control(Control),
    /// See [`Query::Table`].
    Table(TableState),
    /// See [`Query::Retention`].
    Retention(RetentionState),
    /// See [`Query::Unfed`].
    Unfed(Vec<Unfed>),
    /// See [`Query::UnfedCount`]. Counted up to a bound.
    UnfedCount(u64),
}

/// How the request table does, as far as its database tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableState {
    /// Rows that are there, by the statistics.
    pub live_rows: Option<u64>,
    /// Rows that are gone but not removed, by the statistics.
    pub dead_rows: Option<u64>,
    /// For how long the oldest transaction that is shown has been open, in milliseconds.
    pub oldest_transaction_ms: Option<u64>,
    /// Bytes of the write-ahead log beside the file.
    pub log_bytes: Option<u64>,
}

/// What all nodes together have removed, and who is about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionState {
    /// The node that walks now.
    pub owner: Option<String>,
    /// When a walk came to its end last, Unix milliseconds of the source.
    pub ended_ms: Option<i64>,
    /// Requests that were moved to the archive, ever.
    pub archived: u64,
    /// Requests that were deleted without, ever.
    pub deleted: u64,
    /// Requests that were deleted from the archive, ever.
    pub forgotten: u64,
}

/// A number of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Their state, by number.
    pub state: u8,
    /// Their code.
    pub code: String,
    /// How many.
    pub requests: u64,
}

/// A request as people see it. Instants are Unix milliseconds of the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number.
    pub id: RequestId,
    /// The name under which receivers know it.
    pub request_id: String,
    /// Its state, by number.
    pub state: u8,
    /// Its code.
    pub code: String,
    /// The group that it names.
    pub group: Option<String>,
    /// The region that it names.
    pub region: Option<String>,
    /// Its business id.
    pub key: Option<String>,
    /// Its number among those of its business id, where the source goes by such numbers.
    pub key_seq: Option<i64>,
    /// Its priority.
    pub priority: u8,
    /// Its own window.
    pub window: Option<String>,
    /// Not before.
    pub due_ms: i64,
    /// Not from then on.
    pub expires_ms: Option<i64>,
    /// Tries so far.
    pub attempts: u32,
    /// The status of the last try.
    pub status: Option<i64>,
    /// What was wrong with the last try.
    pub error: Option<String>,
    /// The fence of the last writer.
    pub fence: Fence,
    /// When it was written.
    pub created_ms: i64,
    /// When it was changed last.
    pub updated_ms: Option<i64>,
    /// When it was finished.
    pub done_ms: Option<i64>,
    /// When it was moved to the archive, if it was.
    pub archived_ms: Option<i64>,
    /// The length of its body, in bytes.
    pub body_bytes: u64,
    /// What of it cannot be read, if anything. Texts are given as far as they can be shown. On
    /// pages nothing is known of what is sent.
    pub unreadable: Option<Unreadable>,
}

impl Row {
    /// Whether it is marked by somebody else than a relay, who takes requests from the same table.
    pub fn is_taken(&self) -> bool {
        self.state == 1 && self.fence.0 == FOREIGN_FENCE
    }
}

/// A key that waits for an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockedKey {
    /// The key; `None` for a blocked request without one.
    pub key: Option<String>,
    /// Its blocked head.
    pub head: RequestId,
    /// The code of the head.
    pub code: String,
    /// Since when, Unix milliseconds of the source.
    pub since_ms: i64,
    /// How long, in milliseconds.
    pub age_ms: i64,
    /// How many open requests there are, the head included; counted up to a bound.
    pub depth: u64,
    /// What was wrong with the last try.
    pub error: Option<String>,
}

/// Whose turn it is among the requests of a business id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The open request with the lowest number.
    pub first: RequestId,
    /// The number that it waits for, because no request has it.
    pub missing: Option<i64>,
}

/// A business id that waits for a number that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The business id.
    pub key: String,
    /// The lowest number that is missing.
    pub missing: i64,
    /// The first request that waits for it.
    pub waiting: RequestId,
    /// The number of that request.
    pub number: i64,
    /// How long ago that request was written, in milliseconds.
    pub age_ms: i64,
}

/// A bucket as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketRow {
    /// Its number.
    pub bucket: BucketNo,
    /// Its slots.
    pub slots: SlotRange,
    /// Its owner.
    pub owner: Option<Arc<str>>,
    /// Its fence.
    pub fence: Fence,
    /// How long its lease lasts from now, in milliseconds; negative: it has ended.
    pub lease_left_ms: i64,
    /// Whether its owner is to give it back.
    pub is_draining: bool,
}

/// A node as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRow {
    /// Its name.
    pub node: String,
    /// How long ago it was seen, in milliseconds.
    pub seen_ago_ms: i64,
    /// Whether it counts as alive.
    pub is_alive: bool,
    /// Whether it wants buckets.
    pub is_wanting: bool,
}
