//! What is written back to the source, and what the source says of that.

use crate::request::RequestId;

/// A range of slots that is owned as a whole. Numbers are dense and start at 0 within one layout;
/// `layout` in the upper half keeps buckets of different layouts apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketNo(pub u64);

/// The number that a lease gives. Each new owner of a slot has a higher one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub i64);

/// Where a request may end up by what the pump writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Open: to be tried again when due.
    Ready,
    /// Open: about to be tried, or being tried. Taken only from [`State::Ready`], so that nobody
    /// who takes requests from the same table in the same way has it, too.
    Sending,
    /// Open: given up until an operator decides; holds its key.
    Blocked,
    /// Delivered.
    Done,
    /// Given up after its tries; its key goes on.
    Failed,
    /// Its expiry has passed.
    Expired,
    /// The receiver will never take it; its key goes on.
    Rejected,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The request.
    pub id: RequestId,
    /// The bucket under whose lease this is written.
    pub bucket: BucketNo,
    /// The fence of that lease. The source MUST change nothing if the bucket has another by now.
    pub fence: Fence,
    /// Its new state.
    pub state: State,
    /// Not before this instant, Unix milliseconds of the source. 0 unless [`State::Ready`], or
    /// as it stood before [`State::Sending`].
    pub due_ms: i64,
    /// Tries so far.
    pub attempts: u32,
    /// The status of the last try, if there is one.
    pub status: Option<i32>,
    /// What was wrong with the last try, for people.
    pub error: Option<String>,
}

/// The number of a write-back, by which its answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettlementNo(pub u64);

/// Outcomes that are written in one transaction, one for each request at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// Its number.
    pub number: SettlementNo,
    /// The outcomes, by ascending id.
    pub outcomes: Vec<Outcome>,
}

/// What the source says of one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is recorded, by this write or by an earlier one whose answer was lost.
    Recorded,
    /// Nothing was changed: the bucket is no longer owned under that fence.
    Fenced,
    /// Nothing was changed: somebody else has finished the request, or taken it away.
    Gone,
    /// Nothing was changed: somebody else has a lock on the row, and the source did not wait for
    /// them. It is to be written again in a while.
    Locked,
}
