//! What the log says at one place: the next batch, a vouch for the last one, nothing, or damage.
//!
//! A block of which the stamp is right was written here in this life of the file. Blocks are
//! written wholly or not at all, so a wrong sum in one is damage and never a torn write; a torn
//! batch has blocks that are missing.

use posthouse_core::ids::BatchNo;

use super::blocks::BlockReader;
use crate::journal::fault::Fault;
use crate::journal::layout::batch::{BatchHead, BatchKind, blocks_of, decode_head};
use crate::journal::layout::block::{Found, examine, payload, stamp_of};
use crate::journal::layout::segment::SegmentKind;
use crate::journal::layout::{BATCH_HEAD_BYTES, BLOCK_BYTES};

/// What was found.
#[derive(Debug)]
pub(crate) enum Look {
    /// Neither the next batch as a whole nor a vouch.
    Nothing,
    /// A vouch, or an end, for the last batch. It takes one block.
    Vouch(BatchHead),
    /// The next batch.
    Batch(Whole),
}

/// A batch that is there as a whole.
#[derive(Debug)]
pub(crate) struct Whole {
    pub head: BatchHead,
    pub blocks: u64,
    pub records: Vec<u8>,
}

/// Looks for what may follow batch `last` at the `block`th block.
///
/// # Errors
/// If the file cannot be read, or what is there is damaged.
pub(crate) fn look(reader: &mut BlockReader, block: u64, last: BatchNo) -> Result<Look, Fault> {
    let Some((number, head)) = look_for_head(reader, block, last)? else {
        return Ok(Look::Nothing);
    };
    check_head(reader, block, last, (number, head))?;
    if matches!(head.kind, BatchKind::Vouch | BatchKind::End) {
        return Ok(Look::Vouch(head));
    }
    let blocks = blocks_of(head.bytes as usize);
    let records = collect(reader, block, number, head)?;
    Ok(records.map_or(Look::Nothing, |records| Look::Batch(Whole { head, blocks, records })))
}

/// The number and head of the batch that begins here, if it is one of the two that may.
fn look_for_head(
    reader: &mut BlockReader,
    block: u64,
    last: BatchNo,
) -> Result<Option<(u64, BatchHead)>, Fault> {
    let (next, this) = (reader.stamp(last.0.saturating_add(1), 0), reader.stamp(last.0, 0));
    let bytes = reader.block(block)?;
    let stamp = stamp_of(bytes).filter(|stamp| *stamp == next || *stamp == this);
    let Some(stamp) = stamp else { return Ok(None) };
    match examine(bytes, stamp) {
        Found::Missing => Ok(None),
        Found::Damaged => Err(wrong_sum(reader, block, stamp.number)),
        Found::Whole => match decode_head(payload(bytes)) {
            Some(head) => Ok(Some((stamp.number, head))),
            None => Err(reader.damaged(block, "there is no such kind of batch")),
        },
    }
}

/// The sums hold; still a head that does not fit its place is not what we have written.
fn check_head(
    reader: &BlockReader,
    block: u64,
    last: BatchNo,
    (number, head): (u64, BatchHead),
) -> Result<(), Fault> {
    let is_next = number != last.0;
    let is_log = reader.head().kind == SegmentKind::Journal;
    let told = head.durable_up_to.0;
    let what = match head.kind {
        BatchKind::Vouch | BatchKind::End if is_next => {
            format!("it says that batch {number} was confirmed, which is not there")
        }
        BatchKind::Vouch | BatchKind::End if !is_log || head.bytes != 0 || told != number => {
            format!("it does not vouch for batch {number} as it should")
        }
        BatchKind::Batch | BatchKind::Moved if !is_next => {
            format!("batch {number} is there a second time")
        }
        BatchKind::Batch | BatchKind::Moved if (head.kind == BatchKind::Batch) != is_log => {
            format!("batch {number} is not of the kind that this segment holds")
        }
        BatchKind::Batch if told >= number => {
            format!("batch {number} says of itself that it was confirmed")
        }
        _ if block + blocks_of(head.bytes as usize) > reader.head().blocks() => {
            format!("batch {number} is longer than what is left of the segment")
        }
        _ => return Ok(()),
    };
    Err(reader.damaged(block, what))
}

/// The records of a batch whose head is checked. `None` if a block is missing, whatever the
/// others are: then the batch was never written as a whole.
fn collect(
    reader: &mut BlockReader,
    block: u64,
    number: u64,
    head: BatchHead,
) -> Result<Option<Vec<u8>>, Fault> {
    let bytes = head.bytes as usize;
    let blocks = blocks_of(bytes);
    let mut records = Vec::with_capacity(bytes);
    let mut damaged_at = None;
    for (at, index) in (block..block + blocks).zip(0..) {
        let stamp = reader.stamp(number, index);
        let there = reader.block(at)?;
        match examine(there, stamp) {
            Found::Missing => return Ok(None),
            Found::Damaged => damaged_at = damaged_at.or(Some(at)),
            Found::Whole => take_records(&mut records, there, index, bytes),
        }
    }
    match damaged_at {
        Some(at) => Err(wrong_sum(reader, at, number)),
        None => Ok(Some(records)),
    }
}

/// Appends the records in one block, of `bytes` in the whole batch.
fn take_records(records: &mut Vec<u8>, block: &[u8], index: u32, bytes: usize) {
    let skipped = if index == 0 { BATCH_HEAD_BYTES } else { 0 };
    let there = payload(block).get(skipped..).unwrap_or_default();
    let wanted = there.len().min(bytes - records.len());
    records.extend_from_slice(there.get(..wanted).unwrap_or_default());
}

fn wrong_sum(reader: &BlockReader, block: u64, number: u64) -> Fault {
    let what = format!("a block of batch {number}, {BLOCK_BYTES} bytes, is not what was written");
    reader.damaged(block, what)
}
