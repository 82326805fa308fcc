//! A stretch of a segment in memory: its blocks checked one by one, and their payloads one behind
//! the other, so that a record can be taken out of it.

use bytes::Bytes;

use posthouse_core::record::Enqueued;
use posthouse_core::record::codec::decode_message;

use super::open_files::OpenSegment;
use crate::journal::fault::Fault;
use crate::journal::layout::batch::{blocks_of, decode_head};
use crate::journal::layout::block::{Stamp, is_sum_right, payload, stamp_of};
use crate::journal::layout::place::Place;
use crate::journal::layout::{BLOCK_BYTES, PAYLOAD_BYTES};

/// A record that was read, as it is and as what it means.
pub(super) struct Fetched {
    pub(super) enqueued: Enqueued,
    pub(super) record: Bytes,
}

/// See the module.
pub(super) struct Stretch {
    first: u64,
    /// The stamps of the blocks; none for a block that is not what was written.
    stamps: Vec<Option<Stamp>>,
    payloads: Bytes,
}

/// Why a record cannot be taken out of a stretch.
enum Miss {
    /// This block is not what it should be.
    Damaged(u64),
    /// The record goes on behind the stretch, in the batch that this block belongs to.
    Short(Stamp),
}

impl Stretch {
    /// Reads blocks of a segment. Damage in some of them leaves the others good.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn read(segment: &OpenSegment, first: u64, blocks: u64) -> Result<Stretch, Fault> {
        let mut bytes = vec![0; blocks as usize * BLOCK_BYTES];
        let read = segment.file.read_at(&mut bytes, first * BLOCK_BYTES as u64);
        let read = read.map_err(Fault::io("read", &segment.name))?;
        bytes.truncate(read);
        let mut stamps = Vec::with_capacity(blocks as usize);
        let mut payloads = Vec::with_capacity(blocks as usize * PAYLOAD_BYTES);
        for block in bytes.chunks_exact(BLOCK_BYTES) {
            let ours = stamp_of(block).filter(|stamp| stamp.epoch == segment.epoch);
            stamps.push(ours.filter(|_| is_sum_right(block)));
            payloads.extend_from_slice(payload(block));
        }
        Ok(Stretch { first, stamps, payloads: payloads.into() })
    }

    fn stamp(&self, index: usize) -> Option<Stamp> {
        self.stamps.get(index).copied().flatten()
    }

    fn take(&self, place: Place) -> Result<Fetched, Miss> {
        let damaged = Miss::Damaged(place.block());
        let Some(start) = place.block().checked_sub(self.first) else { return Err(damaged) };
        let start = start as usize;
        let Some(first) = self.stamp(start) else { return Err(damaged) };
        let blocks = (start..).zip(first.index..);
        let belongs =
            |(at, index): &(usize, u32)| self.stamp(*at) == Some(Stamp { index: *index, ..first });
        let end = start + blocks.take_while(belongs).count();
        let from = start * PAYLOAD_BYTES + place.offset();
        let there = self.payloads.slice(from.min(end * PAYLOAD_BYTES)..end * PAYLOAD_BYTES);
        match decode_message(&there) {
            Ok((enqueued, bytes)) => Ok(Fetched { enqueued, record: there.slice(..bytes) }),
            Err(_) if end == self.stamps.len() => Err(Miss::Short(first)),
            Err(_) if self.stamp(end).is_none() => Err(Miss::Damaged(self.first + end as u64)),
            Err(_) => Err(damaged),
        }
    }

    /// The message record at `place`. Reads on if it is longer than was thought.
    ///
    /// # Errors
    /// Damage, or the system's.
    pub(super) fn fetch(&self, segment: &OpenSegment, place: Place) -> Result<Fetched, Fault> {
        let stamp = match self.take(place) {
            Ok(fetched) => return Ok(fetched),
            Err(Miss::Damaged(block)) => return Err(damaged(segment, block)),
            Err(Miss::Short(stamp)) => stamp,
        };
        let end = batch_end(segment, place.block(), stamp)?;
        let blocks = end.saturating_sub(place.block());
        match Stretch::read(segment, place.block(), blocks)?.take(place) {
            Ok(fetched) => Ok(fetched),
            Err(Miss::Damaged(block)) => Err(damaged(segment, block)),
            Err(Miss::Short(_)) => Err(damaged(segment, place.block())),
        }
    }
}

/// The block behind the batch that the block `block` with this stamp belongs to.
fn batch_end(segment: &OpenSegment, block: u64, stamp: Stamp) -> Result<u64, Fault> {
    let first = block.saturating_sub(u64::from(stamp.index));
    let head = Stretch::read(segment, first, 1)?;
    let is_head = head.stamp(0) == Some(Stamp { index: 0, ..stamp });
    match decode_head(&head.payloads) {
        Some(head) if is_head => Ok(first + blocks_of(head.bytes as usize)),
        _ => Err(damaged(segment, first)),
    }
}

fn damaged(segment: &OpenSegment, block: u64) -> Fault {
    let what = "what is there is not the message that was written";
    Fault::damaged(&segment.name, block * BLOCK_BYTES as u64, what)
}
