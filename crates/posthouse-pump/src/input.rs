//! What the pump is told.

use std::sync::Arc;

use crate::attempt::{AttemptNo, Verdict};
use crate::outcome::{BucketNo, Fence, Settled, SettlementNo};
use crate::plan::Plan;
use crate::read::{Found, ReadNo, SlotRange};
use crate::request::{RequestId, Slot};

/// Something that has happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Groups, codes, switches, windows and endpoints, as loaded at the beginning of a round. The
    /// first thing a pump hears; given again only when something has changed.
    Plan(Arc<Plan>),
    /// A bucket is ours now, under this lease.
    Granted(Grant),
    /// The lease of a bucket has been renewed.
    Renewed {
        /// The bucket.
        bucket: BucketNo,
        /// Its fence, as granted.
        fence: Fence,
        /// The new end, milliseconds of the steady clock.
        until_mono_ms: u64,
    },
    /// The bucket is wanted elsewhere: start nothing more in it, let what runs end, settle,
    /// release.
    Drain(BucketNo),
    /// The bucket belongs to somebody else by now, or may.
    Lost(BucketNo),
    /// A read has been answered.
    Found(Found),
    /// A read has failed; the same part may be asked for again.
    ReadFailed(ReadNo),
    /// A courier has spoken.
    Verdict {
        /// The attempt.
        attempt: AttemptNo,
        /// What became of it.
        verdict: Verdict,
    },
    /// A settlement has been carried out: what the source says, in the order of its outcomes.
    Settled {
        /// The settlement.
        number: SettlementNo,
        /// One word for each outcome.
        results: Vec<Settled>,
    },
    /// Nobody knows whether a settlement was carried out; it is to be written again, as it is.
    SettleFailed(SettlementNo),
    /// The source may have something new.
    Wake,
    /// Somebody else has changed these requests (an operator has retried, cancelled or skipped
    /// them).
    Changed(Vec<RequestId>),
    /// The source is another one than before: nothing that is known of it holds, nothing of what is
    /// under way is written back to it, and a plan comes next.
    Replaced,
    /// Keys, codes or endpoints that an operator holds, all of them. Nothing of them starts.
    Holds(Vec<Hold>),
    /// Let what runs end and start nothing more: the node is stopping.
    Stop,
    /// Nothing but the passing of time.
    Tick,
}

/// A bucket with its lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The bucket.
    pub bucket: BucketNo,
    /// Its slots.
    pub slots: SlotRange,
    /// Its fence.
    pub fence: Fence,
    /// When the lease ends, milliseconds of the steady clock, counted from before it was asked
    /// for, less a margin.
    pub until_mono_ms: u64,
    /// Nothing of it starts before this instant (steady clock): the former owner fell silent and
    /// its last attempts may still be on their way.
    pub quiet_until_mono_ms: u64,
}

/// Something that an operator holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// One key.
    Key {
        /// Its slot.
        slot: Slot,
        /// The key.
        key: Arc<str>,
    },
    /// All requests of a code.
    Code(Arc<str>),
    /// All requests to an endpoint.
    Endpoint(Arc<str>),
}
