//! One try at one request: what the courier is given, and what it says of it.

use std::sync::Arc;

use crate::outcome::{BucketNo, Fence};
use crate::request::Request;

/// The number of a try, never used again by the same pump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptNo(pub u64);

/// A try to make now.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Its number.
    pub number: AttemptNo,
    /// The request.
    pub request: Arc<Request>,
    /// The endpoint that its code names.
    pub endpoint: Arc<str>,
    /// Which try of this request it is, from 1.
    pub try_no: u32,
    /// The bucket under which it is made.
    pub bucket: BucketNo,
    /// The fence of that bucket's lease; receivers may refuse a lower one than they have seen for
    /// the key.
    pub fence: Fence,
    /// The courier looks at the steady clock again right before it sends, and does not start after
    /// this instant (milliseconds as in [`Now::mono_ms`](crate::time::Now)); it then answers
    /// [`Verdict::NotStarted`].
    pub start_by_mono_ms: u64,
    /// The courier gives up at this instant (as above) and answers [`Verdict::Failed`] with an
    /// unknown result.
    pub end_by_mono_ms: u64,
    /// No receiver should begin with it after this instant, Unix milliseconds: the end of its
    /// window, its expiry, or the end of the lease, whichever comes first.
    pub not_after_ms: i64,
    /// The request of the same key that was skipped just before, if its group wants that told.
    pub after_gap: Option<Arc<str>>,
}

/// What a courier says of an attempt. Exactly one for each.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The receiver has taken it.
    Done {
        /// The protocol's status, if it has one.
        status: Option<i32>,
    },
    /// The receiver will never take it as it is; trying again is of no use.
    Rejected {
        /// The protocol's status, if it has one.
        status: Option<i32>,
        /// For people; short, without secrets.
        detail: String,
    },
    /// It did not work, or nobody knows whether it did. It may work later.
    Failed {
        /// The protocol's status, if it has one.
        status: Option<i32>,
        /// For people; short, without secrets.
        detail: String,
        /// Not before so many milliseconds from now, if the receiver has said so.
        retry_after_ms: Option<u64>,
        /// Who is at fault.
        blame: Blame,
    },
    /// Nothing was sent: it was too late, or the node was stopping. Does not count as a try.
    NotStarted,
}

/// Whose fault a failure is: what the breaker of the endpoint counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The endpoint: not reachable, no answer in time, overloaded, broken.
    Endpoint,
    /// This request only.
    Request,
}
