//! Reads: what the pump wants to see of its source, and what it got.
//!
//! A source answers from committed state, in the order of ids, and only with requests that are
//! open, in the slots named. It leaves the content away for codes that are not named; it never
//! leaves the request away, because what may not be sent yet still holds its place among those of
//! its key.

use std::sync::Arc;

use crate::request::{Request, RequestId, Slot};

/// The number of a read, by which its answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadNo(pub u64);

/// Slots from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotRange {
    /// The first.
    pub first: Slot,
    /// The last.
    pub last: Slot,
}

impl SlotRange {
    /// Whether a slot is among them.
    pub fn contains(&self, slot: Slot) -> bool {
        self.first <= slot && slot <= self.last
    }
}

/// What the pump wants to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Its number.
    pub number: ReadNo,
    /// Which part.
    pub span: Span,
    /// Only requests in these slots.
    pub slots: Arc<[SlotRange]>,
    /// The codes whose content is wanted.
    pub codes: Arc<[Arc<str>]>,
    /// At most so many requests; one more if the one with the lowest id that there is leads them.
    pub rows_max: u32,
    /// At most about so many bytes of content; a single request may be larger.
    pub bytes_max: u64,
}

/// Which part of the source to read.
#[derive(Clone, Debug, PartialEq)]
pub enum Span {
    /// New ground: ids above `after`, and the lowest one itself if that is where it begins. The
    /// answer also tells which ids on the way are not there.
    Forward {
        /// The last id of the ground before.
        after: RequestId,
    },
    /// Old ground, once more: ids above `after`, up to `up_to` included.
    Again {
        /// Where to begin, itself excluded unless it is the lowest that there is.
        after: RequestId,
        /// Where to end, itself included.
        up_to: RequestId,
    },
    /// Ids that were not there when their surroundings were read, or that somebody has changed:
    /// each range with both ends.
    Probe {
        /// The ranges, ascending.
        ranges: Vec<(RequestId, RequestId)>,
    },
    /// The requests of one key, from one id on.
    Key {
        /// The slot of the key.
        slot: Slot,
        /// The key.
        key: Arc<str>,
        /// The first id of interest, itself included.
        from: RequestId,
    },
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The read that this answers.
    pub number: ReadNo,
    /// The requests, by id.
    pub rows: Vec<Request>,
    /// Everything of the span up to this id, itself included, was looked at. At the end of the
    /// span, or of what there is: the last id that was seen, or where the read began.
    pub scanned_to: RequestId,
    /// Whether more of the span may lie beyond `scanned_to`.
    pub has_more: bool,
    /// Of [`Span::Forward`]: ranges of ids (both ends included) up to `scanned_to` at which there
    /// is no row at all, of whatever state or slot. A transaction that is still open may yet put
    /// one there.
    pub missing: Vec<(RequestId, RequestId)>,
}
