//! `posthouse store dump`: every batch and every record in it, on a line each.

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use posthouse_core::ids::BatchNo;
use posthouse_core::record::Record;
use posthouse_core::record::codec::{decode_all, encode};

use super::progress::{Progress, Tell};
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
type TakeLine<'a> = dyn FnMut(Line) -> ControlFlow<()> + 'a;

/// Hands over everything in all segments, in the order in which it lies there, until `line`
/// breaks. In memory for one batch.
///
/// # Errors
/// If the directory or a file cannot be read, or a newer Posthouse has written it. Damage is a
/// line.
pub fn dump<'a>(
    files: &Arc<dyn Files>,
    line: &mut dyn FnMut(Line) -> ControlFlow<()>,
    tell: &'a mut Tell<'a>,
) -> Result<(), Fault> {
    let listing = Listing::read(&**files)?;
    let mut progress = Progress::new(&**files, &listing, tell);
    for (id, name) in &listing.segments {
        let flow = match read_head(&**files, name, *id, None) {
            Ok(head) => dump_segment(&**files, (head, name), line, &mut progress)?,
            Err(fault @ Fault::Damaged { .. }) => {
                let place = Place { segment: *id, position: 0 };
                line(Line { batch: BatchNo(0), place, text: fault.to_string() })
            }
            Err(fault) => return Err(fault),
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

fn dump_segment(
    files: &dyn Files,
    (head, name): (SegmentHead, &str),
    line: &mut TakeLine<'_>,
    progress: &mut Progress<'_>,
) -> Result<ControlFlow<()>, Fault> {
    let mut walk = Walk::new(BlockReader::open(files, head, name)?);
    while let Some((block, piece)) = walk.next_piece()? {
        progress.add(piece.blocks() * BLOCK_BYTES as u64);
        if dump_piece(&head, block, piece, line).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn dump_piece(
    segment: &SegmentHead,
    block: u64,
    piece: Piece,
    line: &mut TakeLine<'_>,
) -> ControlFlow<()> {
    let records = Place::of_records(segment.id, block);
    let place = Place { position: records.position - BATCH_HEAD_BYTES as u64, ..records };
    match piece {
        Piece::Batch { number, whole } => {
            let text = batch_text(&whole.head, segment);
            line(Line { batch: BatchNo(number), place, text })?;
            dump_records(BatchNo(number), records, whole, line)
        }
        Piece::Vouch { number, head } => {
            line(Line { batch: BatchNo(number), place, text: batch_text(&head, segment) })
        }
        Piece::Loose => {
            let text = "a block of a batch that is not there as a whole".to_owned();
            line(Line { batch: BatchNo(0), place, text })
        }
        Piece::Damage(fault) => line(Line { batch: BatchNo(0), place, text: fault.to_string() }),
        Piece::Foreign { .. } => ControlFlow::Continue(()),
    }
}

fn batch_text(head: &BatchHead, segment: &SegmentHead) -> String {
    let BatchHead { kind, bytes, durable_up_to, wall_ms } = head;
    let (kind, segment) = (format!("{kind:?}").to_lowercase(), segment.kind);
    let segment = format!("{segment:?}").to_lowercase();
    format!("{kind} in={segment} bytes={bytes} durable_up_to={} wall_ms={wall_ms}", durable_up_to.0)
}

fn dump_records(
    batch: BatchNo,
    mut place: Place,
    whole: Whole,
    line: &mut TakeLine<'_>,
) -> ControlFlow<()> {
    match decode_all(&Bytes::from(whole.records)) {
        Ok(records) => {
            let mut scratch = Vec::new();
            for record in &records {
                line(Line { batch, place, text: text::line(record) })?;
                place.position += encoded_bytes(record, &mut scratch);
            }
            ControlFlow::Continue(())
        }
        Err(malformed) => line(Line { batch, place, text: malformed.to_string() }),
    }
}

/// How long a record is on the disk: as long as it comes out when it is written again.
pub(super) fn encoded_bytes(record: &Record, scratch: &mut Vec<u8>) -> u64 {
    scratch.clear();
    encode(record, scratch);
    scratch.len() as u64
}
