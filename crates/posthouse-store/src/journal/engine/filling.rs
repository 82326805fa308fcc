//! Filling spares with zeros while nothing else is to be done.
//!
//! A file system notes for each part of a file whether it was ever written to, and the first sync
//! behind the first write has to make that note durable, too. Zeros that were written beforehand
//! take that off the log. What is in a spare does not matter, so a crash at any step is harmless:
//! one that is not filled to its mark is filled from its start again.

use posthouse_core::ids::BatchNo;

use super::machine::Machine;
use super::segments::is_full;
use super::spares::{Filling, Spares};
use crate::files::{File, Files};
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::segment::SegmentHead;
use crate::journal::layout::spare::{encode_mark, is_mark};

/// After so many idle passes in which nothing was submitted, filling begins.
const PASSES_LEAST: u32 = 5;

/// A step fills such a part of a spare, but no more than so many bytes.
const STEP_PARTS: u64 = 8;
const STEP_BYTES_MAX: u64 = 1 << 20;

/// How long nothing was submitted.
#[derive(Debug, Default)]
pub(super) struct Calm {
    last: BatchNo,
    passes: u32,
}

impl Calm {
    /// Time has passed without anything to do, and `last` is the last batch.
    pub(super) fn pass(&mut self, last: BatchNo) {
        self.look(last);
        self.passes = self.passes.saturating_add(1);
    }

    /// Whether it is time to fill spares. A batch ends the calm at once.
    pub(super) fn lasts(&mut self, last: BatchNo) -> bool {
        self.look(last);
        self.passes >= PASSES_LEAST
    }

    fn look(&mut self, last: BatchNo) {
        if self.last != last {
            *self = Calm { last, passes: 0 };
        }
    }
}

/// Whether there is a spare to be filled, and nobody wants the medium for anything else.
pub(super) fn may_fill(machine: &Machine, calm: &mut Calm) -> bool {
    let last = machine.intake.lock().last;
    calm.lasts(last)
        && !machine.is_full()
        && !machine.holding.is_still()
        && machine.reading.is_idle()
        && machine.segments.spares.has_unwritten()
}

/// Fills a piece of a spare.
///
/// # Errors
/// The system's.
pub(super) fn fill_some(files: &dyn Files, spares: &Spares) -> Result<(), Fault> {
    let Some(mut filling) = spares.begin_filling() else { return Ok(()) };
    match fill_piece(files, &mut filling, spares.segment_bytes) {
        // Where zeros need room of their own, they are of no use.
        Err(fault) if is_full(&fault) => filling.is_written = true,
        other => other?,
    }
    spares.end_filling(filling);
    Ok(())
}

/// While this is done, the spare cannot be taken, so that no zero comes over a batch.
fn fill_piece(files: &dyn Files, filling: &mut Filling, end: u64) -> Result<(), Fault> {
    let name = &filling.name;
    let file = files.open(name).map_err(Fault::io("open", name))?;
    let step = (end / STEP_PARTS).next_multiple_of(BLOCK_BYTES as u64).min(STEP_BYTES_MAX);
    let piece = match end - filling.filled_bytes {
        0 => return Ok(()),
        left if left <= BLOCK_BYTES as u64 => encode_mark(),
        left => vec![0; step.min(left - BLOCK_BYTES as u64) as usize],
    };
    file.write_at(&piece, filling.filled_bytes).map_err(Fault::io("write", name))?;
    file.sync().map_err(Fault::unsynced(name))?;
    filling.filled_bytes += piece.len() as u64;
    filling.is_written = filling.filled_bytes == end;
    Ok(())
}

/// Whether a spare was written to in an earlier life: it carries the mark, or was a segment.
///
/// # Errors
/// The system's.
pub(super) fn was_written(file: &dyn File, name: &str, end: u64) -> Result<bool, Fault> {
    let mut block = vec![0; BLOCK_BYTES];
    file.read_at(&mut block, 0).map_err(Fault::io("read", name))?;
    let was_segment = SegmentHead::decode(&block).is_ok();
    file.read_at(&mut block, end - BLOCK_BYTES as u64).map_err(Fault::io("read", name))?;
    Ok(was_segment || is_mark(&block))
}
