//! All blocks of one segment, in order, as what they belong to. Unlike the reader of the log a
//! walk does not end at what is missing or damaged: it goes on with the next block.

use posthouse_core::ids::BatchNo;

use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::batch::{BatchHead, BatchKind, decode_head};
use crate::journal::layout::block::{Stamp, is_sum_right, payload, stamp_of};
use crate::journal::layout::spare::is_mark;
use crate::journal::scan::{BlockReader, Look, Whole, look};

/// One or more blocks that belong together.
#[derive(Debug)]
pub(super) enum Piece {
    /// A batch that is there as a whole.
    Batch { number: u64, whole: Whole },
    /// A vouch or an end.
    Vouch { number: u64, head: BatchHead },
    /// A block of a batch that is not there as a whole.
    Loose,
    /// A block that is not as it was written, or makes no sense.
    Damage(Fault),
    /// A block that was not written in this life of the file. Zero is also what was filled with
    /// zeros, the mark of that included.
    Foreign { is_zero: bool },
}

impl Piece {
    /// How many blocks it takes.
    pub(super) fn blocks(&self) -> u64 {
        match self {
            Piece::Batch { whole, .. } => whole.blocks,
            _ => 1,
        }
    }
}

/// Walks through a segment.
pub(super) struct Walk {
    reader: BlockReader,
    block: u64,
}

impl Walk {
    /// Begins behind the segment's head.
    pub(super) fn new(reader: BlockReader) -> Walk {
        Walk { reader, block: 1 }
    }

    /// The next piece and its first block.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn next_piece(&mut self) -> Result<Option<(u64, Piece)>, Fault> {
        let block = self.block;
        if block >= self.reader.head().blocks() {
            return Ok(None);
        }
        let piece = self.piece_at(block)?;
        self.block += piece.blocks();
        Ok(Some((block, piece)))
    }

    fn piece_at(&mut self, block: u64) -> Result<Piece, Fault> {
        let epoch = self.reader.head().epoch;
        let bytes = self.reader.block(block)?;
        let Some(stamp) = stamp_of(bytes).filter(|stamp| stamp.epoch == epoch) else {
            let is_zero = is_mark(bytes) || bytes.iter().all(|byte| *byte == 0);
            return Ok(Piece::Foreign { is_zero });
        };
        if !is_sum_right(bytes) {
            let what = "blocks are not what was written: their sums are wrong";
            return Ok(Piece::Damage(self.reader.damaged(block, what)));
        }
        if stamp.index != 0 {
            return Ok(Piece::Loose);
        }
        let kind = decode_head(payload(bytes)).map(|head| head.kind);
        self.batch_at(block, stamp, kind)
    }

    fn batch_at(
        &mut self,
        block: u64,
        stamp: Stamp,
        kind: Option<BatchKind>,
    ) -> Result<Piece, Fault> {
        let number = stamp.number;
        let is_vouch = matches!(kind, Some(BatchKind::Vouch | BatchKind::End));
        let last = if is_vouch { number } else { number.saturating_sub(1) };
        match look(&mut self.reader, block, BatchNo(last)) {
            Ok(Look::Batch(whole)) => Ok(Piece::Batch { number, whole }),
            Ok(Look::Vouch(head)) => Ok(Piece::Vouch { number, head }),
            Ok(Look::Nothing) => Ok(Piece::Loose),
            // Damage further on is found when the walk comes there.
            Err(Fault::Damaged { at, .. }) if at != block * BLOCK_BYTES as u64 => Ok(Piece::Loose),
            Err(fault @ Fault::Damaged { .. }) => Ok(Piece::Damage(fault)),
            Err(fault) => Err(fault),
        }
    }
}
