//! `posthouse store dump`: every batch and every record in it, on a line each.

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use posthouse_core::ids::BatchNo;
use posthouse_core::record::Record;
use posthouse_core::record::codec::{decode_all, encode};

use super::progress::{Progress, Tell};
use super::selection::{Filter, Selection};
use super::text;
use super::walk::{Piece, Walk};
use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::batch::BatchHead;
use crate::journal::layout::place::Place;
use crate::journal::layout::segment::SegmentHead;
use crate::journal::layout::{BATCH_HEAD_BYTES, BLOCK_BYTES};
use crate::journal::scan::{BlockReader, Listing, Whole, read_head};

/// One line of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The batch that it is about; 0 for what belongs to none.
    pub batch: BatchNo,
    /// Where it lies.
    pub place: Place,
    /// What lies there.
    pub text: String,
}

/// Takes a line, and says whether it wants another.
pub type TakeLine<'a> = dyn FnMut(Line) -> ControlFlow<()> + 'a;

/// Hands over what is selected of all segments, in the order in which it lies there, until `line`
/// breaks. In memory for one batch.
///
/// # Errors
/// If the directory or a file cannot be read, or a newer Posthouse has written it. Damage is a
/// line.
pub fn dump<'a>(
    files: &'a Arc<dyn Files>,
    selection: &'a Selection,
    line: &'a mut TakeLine<'a>,
    tell: &'a mut Tell<'a>,
) -> Result<(), Fault> {
    let listing = Listing::read(&**files)?;
    let progress = Progress::new(&**files, &listing, tell);
    let mut filter = Filter::new(selection);
    filter.learn_from_checkpoints(&**files, &listing);
    let mut dump = Dump { files: &**files, filter, line, progress };
    for (id, name) in &listing.segments {
        if dump.file(*id, name)?.is_break() {
            break;
        }
    }
    Ok(())
}

struct Dump<'a> {
    files: &'a dyn Files,
    filter: Filter<'a>,
    line: &'a mut TakeLine<'a>,
    progress: Progress<'a>,
}

impl Dump<'_> {
    fn file(&mut self, id: u64, name: &str) -> Result<ControlFlow<()>, Fault> {
        match read_head(self.files, name, id, None) {
            Ok(head) => self.segment(head, name),
            Err(fault @ Fault::Damaged { .. }) => {
                let place = Place { segment: id, position: 0 };
                Ok((self.line)(Line { batch: BatchNo(0), place, text: fault.to_string() }))
            }
            Err(fault) => Err(fault),
        }
    }

    fn segment(&mut self, head: SegmentHead, name: &str) -> Result<ControlFlow<()>, Fault> {
        let mut walk = Walk::new(BlockReader::open(self.files, head, name)?);
        while let Some((block, piece)) = walk.next_piece()? {
            self.progress.add(piece.blocks() * BLOCK_BYTES as u64);
            if self.piece(&head, block, piece).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn piece(&mut self, segment: &SegmentHead, block: u64, piece: Piece) -> ControlFlow<()> {
        let records = Place::of_records(segment.id, block);
        let place = Place { position: records.position - BATCH_HEAD_BYTES as u64, ..records };
        match piece {
            Piece::Batch { number, whole } => {
                self.batch(segment, (BatchNo(number), place), &whole.head)?;
                self.records(segment, (BatchNo(number), records), whole)
            }
            Piece::Vouch { number, head } => self.batch(segment, (BatchNo(number), place), &head),
            Piece::Loose => {
                let text = "a block of a batch that is not there as a whole".to_owned();
                (self.line)(Line { batch: BatchNo(0), place, text })
            }
            Piece::Damage(fault) => {
                (self.line)(Line { batch: BatchNo(0), place, text: fault.to_string() })
            }
            Piece::Foreign { .. } => ControlFlow::Continue(()),
        }
    }

    /// The head of a batch says nothing of any destination.
    fn batch(
        &mut self,
        segment: &SegmentHead,
        (batch, place): (BatchNo, Place),
        head: &BatchHead,
    ) -> ControlFlow<()> {
        let is_wanted = self.filter.selection.has_batch(segment.kind, batch);
        if is_wanted && !self.filter.is_about_one() {
            (self.line)(Line { batch, place, text: batch_text(head, segment) })?;
        }
        ControlFlow::Continue(())
    }

    fn records(
        &mut self,
        segment: &SegmentHead,
        (batch, mut place): (BatchNo, Place),
        whole: Whole,
    ) -> ControlFlow<()> {
        let selection = self.filter.selection;
        let records = match decode_all(&Bytes::from(whole.records)) {
            Ok(records) => records,
            Err(malformed) => {
                return (self.line)(Line { batch, place, text: malformed.to_string() });
            }
        };
        let mut scratch = Vec::new();
        for record in &records {
            self.filter.learn(record);
            if selection.has_batch(segment.kind, batch) && self.filter.takes(record) {
                let text = text::line(record, selection.body_bytes_max);
                (self.line)(Line { batch, place, text })?;
            }
            place.position += encoded_bytes(record, &mut scratch);
        }
        ControlFlow::Continue(())
    }
}

fn batch_text(head: &BatchHead, segment: &SegmentHead) -> String {
    let BatchHead { kind, bytes, durable_up_to, wall_ms } = head;
    let (kind, segment) = (format!("{kind:?}").to_lowercase(), segment.kind);
    let segment = format!("{segment:?}").to_lowercase();
    format!("{kind} in={segment} bytes={bytes} durable_up_to={} wall_ms={wall_ms}", durable_up_to.0)
}

/// How long a record is on the disk: as long as it comes out when it is written again.
pub(super) fn encoded_bytes(record: &Record, scratch: &mut Vec<u8>) -> u64 {
    scratch.clear();
    encode(record, scratch);
    scratch.len() as u64
}
