//! What the pump wants done, as values.

use std::sync::Arc;

use crate::attempt::{Attempt, AttemptNo};
use crate::outcome::{BucketNo, Settlement};
use crate::read::Read;
use crate::request::RequestId;

/// Something for the outside to do. Each is answered by the input of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read from the source. Reads may be carried out in any order.
    Read(Read),
    /// Write outcomes back. Settlements may be carried out at the same time; no two of them name
    /// the same request.
    Settle(Settlement),
    /// Try a request.
    Start(Attempt),
    /// Give an attempt up at once, and answer as after a time-out. The lease under which it was
    /// made may end.
    Abort(AttemptNo),
    /// Nothing of this bucket is in hand any more: give it back.
    Release(BucketNo),
    /// Tell people.
    Tell(Notice),
}

/// Something that people should know. Told once when it begins, not on every sight of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A request has a code that the plan does not know.
    UnknownCode {
        /// The request.
        id: RequestId,
        /// The code.
        code: Arc<str>,
    },
    /// A request names another group than its code's. It is not sent.
    OtherGroup {
        /// The request.
        id: RequestId,
        /// The group that it names.
        named: Arc<str>,
        /// Its code's group.
        group: Arc<str>,
    },
    /// A request names a window that the plan does not know. It is not sent.
    UnknownWindow {
        /// The request.
        id: RequestId,
        /// The window that it names.
        window: Arc<str>,
    },
    /// The source cannot make out a column of a request. The request waits, and holds its key,
    /// until somebody changes or cancels it.
    Unreadable {
        /// The request.
        id: RequestId,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A request was given up and holds its key.
    KeyBlocked {
        /// The request.
        id: RequestId,
        /// The key.
        key: Arc<str>,
        /// What was wrong with the last try.
        error: String,
    },
    /// A request was given up without holding a key.
    GivenUp {
        /// The request.
        id: RequestId,
        /// What was wrong with the last try.
        error: String,
    },
    /// A request passed its expiry.
    Expired {
        /// The request.
        id: RequestId,
        /// How many tries had been made.
        attempts: u32,
    },
    /// An endpoint has brought nothing but failures for a while; everything goes on as before.
    EndpointFailing {
        /// The endpoint.
        endpoint: Arc<str>,
        /// What was wrong last.
        error: String,
        /// For how long it has been so, in milliseconds.
        for_ms: u64,
    },
    /// The breaker of an endpoint has opened: nothing goes there but a trial now and then.
    EndpointDown {
        /// The endpoint.
        endpoint: Arc<str>,
        /// What was wrong last.
        error: String,
    },
    /// An endpoint of which it was told that it fails has answered.
    EndpointUp {
        /// The endpoint.
        endpoint: Arc<str>,
    },
    /// The outcome of a request cannot be recorded, because somebody else has had a lock on its row
    /// for a long time. Its key waits.
    Locked {
        /// The request.
        id: RequestId,
        /// How many requests there are of which this is so, or was a moment ago.
        requests: usize,
        /// For how long it has been so, in milliseconds.
        for_ms: u64,
    },
    /// So many keys have something withheld that nothing new is read until there are fewer.
    WithheldFull {
        /// How many.
        keys: usize,
    },
    /// A write-back found that the bucket belongs to somebody else.
    Fenced {
        /// The bucket.
        bucket: BucketNo,
        /// How many outcomes were refused.
        outcomes: u32,
    },
}
