//! Which part of a store a dump shows.
//!
//! Records name destinations by number. Which numbers a name stands for is said by the records
//! that define destinations; those of the checkpoints come first, because the log behind may no
//! longer have them.

use std::collections::BTreeSet;

use bytes::Bytes;
use posthouse_core::destination::{DestinationName, Kind};
use posthouse_core::ids::{BatchNo, DestinationId};
use posthouse_core::record::codec::decode_all;
use posthouse_core::record::{Record, Removed};

use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::checkpoint::ChunkReader;
use crate::journal::layout::segment::SegmentKind;
use crate::journal::scan::{Listing, open};

/// What a dump shows. Damage is shown whatever is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The first batch of the log.
    pub from: BatchNo,
    /// The last batch of the log.
    pub to: BatchNo,
    /// Only records about this destination.
    pub destination: Option<DestinationName>,
    /// The most bytes of each body; 0 shows none.
    pub body_bytes_max: usize,
}

impl Default for Selection {
    fn default() -> Selection {
        let (from, to) = (BatchNo(0), BatchNo(u64::MAX));
        Selection { from, to, destination: None, body_bytes_max: 0 }
    }
}

impl Selection {
    /// Moved messages are not in the batches of the log, and so not between any two of them.
    pub(super) fn has_batch(&self, kind: SegmentKind, batch: BatchNo) -> bool {
        let has_all = self.from <= BatchNo(1) && self.to == BatchNo(u64::MAX);
        has_all || (kind == SegmentKind::Journal && (self.from..=self.to).contains(&batch))
    }
}

/// A selection and the numbers of its destination that are known so far.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    pub(super) selection: &'a Selection,
    ids: BTreeSet<DestinationId>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(selection: &'a Selection) -> Filter<'a> {
        Filter { selection, ids: BTreeSet::new() }
    }

    /// Learns from the checkpoints. One that cannot be read teaches nothing.
    pub(super) fn learn_from_checkpoints(&mut self, files: &dyn Files, listing: &Listing) {
        if !self.is_about_one() {
            return;
        }
        for (_, name) in &listing.checkpoints {
            let _ = self.learn_from_checkpoint(files, name);
        }
    }

    fn learn_from_checkpoint(&mut self, files: &dyn Files, name: &str) -> Result<(), Fault> {
        let file = open(files, name)?;
        let mut reader = ChunkReader::open(&*file, name)?;
        while let Some(payload) = reader.next_payload()? {
            let records = decode_all(&Bytes::copy_from_slice(payload)).unwrap_or_default();
            records.iter().for_each(|record| self.learn(record));
        }
        Ok(())
    }

    /// Takes note of a destination that a record defines.
    pub(super) fn learn(&mut self, record: &Record) {
        match record {
            Record::DestinationDefined { id, kind, path } if self.names(*kind, path) => {
                self.ids.insert(*id);
            }
            Record::Transaction(records) => records.iter().for_each(|record| self.learn(record)),
            _ => {}
        }
    }

    fn names(&self, kind: Kind, path: &str) -> bool {
        let wanted = self.selection.destination.as_ref();
        wanted.is_some_and(|wanted| wanted.kind == kind && wanted.path() == path)
    }

    /// Whether only one destination is wanted.
    pub(super) fn is_about_one(&self) -> bool {
        self.selection.destination.is_some()
    }

    /// Whether a record is wanted.
    pub(super) fn takes(&self, record: &Record) -> bool {
        !self.is_about_one() || self.concerns(record)
    }

    fn concerns(&self, record: &Record) -> bool {
        let is_one = |id: &DestinationId| self.ids.contains(id);
        match record {
            Record::DestinationDefined { id, .. } | Record::DestinationRemoved { id } => is_one(id),
            Record::Enqueued(enqueued) => is_one(&enqueued.destination),
            Record::Removed(Removed { from, .. }) => is_one(&from.destination),
            Record::Returned { backlog, .. } | Record::Dispatched { backlog, .. } => {
                is_one(&backlog.destination)
            }
            Record::Moved(moved) => {
                is_one(&moved.from.destination) || is_one(&moved.to.destination)
            }
            Record::Transaction(records) => records.iter().any(|record| self.concerns(record)),
            Record::Kept(page) => is_one(&page.destination),
            Record::Waiting(waiting) => is_one(&waiting.backlog.destination),
            Record::Started { .. }
            | Record::SubscriptionDefined { .. }
            | Record::SubscriptionRemoved { .. }
            | Record::Numbered { .. }
            | Record::Produced(_) => false,
        }
    }
}
