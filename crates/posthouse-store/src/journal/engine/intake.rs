//! Where batches come in: each is given its place and laid out there at once, and waits as whole
//! blocks until the writer takes it.
//!
//! This is the one place that decides where things lie. Choosing a segment needs no I/O, so
//! nothing here waits for the medium. The lock is held while a batch is laid out; the writer asks
//! for it between its calls to the medium, never during one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Batch, Kept};

use super::appetite::Appetite;
use super::bell::lock;
use super::places::{Places, Spot};
use super::segments::Segments;
use super::slot::Slot;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::batch::{BatchHead, BatchKind, blocks_of, encode_batch};
use crate::journal::layout::place::Place;

/// Blocks at the end of a segment that batches leave free, so that a vouch and an end always find
/// room behind the last one.
const TAIL_BLOCKS: u64 = 2;

/// The shortest segment, in blocks, when there is hardly any room.
const SEGMENT_BLOCKS_LEAST: u64 = 4;

/// A run that has become so long is followed by another, so that no buffer grows without bound.
const RUN_BYTES_MAX: usize = 8 << 20;

/// Buffers that are kept for reuse.
const BUFFERS_MAX: usize = 4;

/// From so many bytes of records on, a batch is laid out while the writer is at the medium, so that
/// it need not ask for it when it comes back: at least half of what the batch takes is records.
const WORTHY_BATCH_BYTES: usize = BLOCK_BYTES / 2;

/// From so many bytes of records on, a batch is put to use even if another one waits already.
const FULL_BATCH_BYTES: usize = 64 << 10;

/// Blocks that lie one behind the other in one segment and wait to be written.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) slot: Arc<Slot>,
    /// The first block.
    pub(super) block: u64,
    pub(super) bytes: Vec<u8>,
    /// The last batch in it.
    pub(super) last: BatchNo,
    /// How many batches are in it; a vouch is none.
    pub(super) batches: u64,
}

/// What the writer does, as far as it matters to whoever fills batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It would take a batch at once.
    Open,
    /// It waits a little for more batches.
    Gathering,
    /// It is at the medium.
    Busy,
    /// It waits for room.
    Held,
}

/// Where a batch was placed and what follows from it.
pub(super) struct Placed {
    pub(super) place: Place,
    /// Another segment was begun, or is to be longer: room is to be found for it and the next.
    pub(super) wants_upkeep: bool,
    pub(super) wants_checkpoint: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Intake {
    state: Mutex<State>,
}

/// What the lock guards.
#[derive(Debug)]
pub(super) struct State {
    current: Arc<Slot>,
    /// The next free block of the current segment.
    block: u64,
    next: Arc<Slot>,
    /// Former segments whose files are not there yet.
    unmade: VecDeque<Arc<Slot>>,
    runs: VecDeque<Run>,
    buffers: Vec<Vec<u8>>,
    pub(super) pace: Pace,
    /// The last batch that was placed.
    pub(super) last: BatchNo,
    /// The last batch that was written.
    pub(super) written: BatchNo,
    /// The last batch that is durable.
    pub(super) durable: BatchNo,
    /// Behind the last block that is durable in this life of the journal.
    pub(super) durable_end: Spot,
    /// Id of the last segment in which something is durable in this life of the journal, or 0.
    pub(super) used_segment: u64,
    /// The last batch that something behind it vouches for, or that needs no witness.
    vouched: BatchNo,
    /// Bytes that were laid out and are not durable yet, and the most that there ever were.
    under_way_bytes: u64,
    pub(super) under_way_bytes_most: u64,
    pub(super) places: Places,
    pub(super) appetite: Appetite,
}

impl Intake {
    pub(super) fn new(segments: &Segments, appetite: Appetite) -> Intake {
        let (current, next) = (segments.choose(), segments.choose());
        let durable_end = Spot { segment: current.id, block: 1 };
        Intake {
            state: Mutex::new(State {
                current,
                block: 1,
                next,
                unmade: VecDeque::new(),
                runs: VecDeque::new(),
                buffers: Vec::new(),
                pace: Pace::Open,
                last: BatchNo(0),
                written: BatchNo(0),
                durable: BatchNo(0),
                durable_end,
                used_segment: 0,
                vouched: BatchNo(0),
                under_way_bytes: 0,
                under_way_bytes_most: 0,
                places: Places::default(),
                appetite,
            }),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Says that everything up to `last` is on the medium, so that the next batch is the one after
    /// it.
    pub(super) fn resume_after(&mut self, last: BatchNo) {
        (self.last, self.written, self.durable, self.vouched) = (last, last, last, last);
    }

    /// Takes note of a sync: of the last batch that it made durable, of where it ended, and of how
    /// many bytes it was for. Answers whether the batch is news.
    pub(super) fn note_durable(&mut self, last: BatchNo, end: Spot, bytes: u64) -> bool {
        self.under_way_bytes = self.under_way_bytes.saturating_sub(bytes);
        let is_news = self.durable < last;
        self.durable = self.durable.max(last);
        self.durable_end = end;
        self.used_segment = end.segment;
        is_news
    }

    /// Places a batch and lays it out.
    ///
    /// # Panics
    /// If it is not the next one.
    pub(super) fn take(&mut self, batch: &Batch, segments: &Segments, is_full: bool) -> Placed {
        assert_eq!(batch.number.0, self.last.0 + 1, "batches come in order");
        let blocks = blocks_of(batch.records.len());
        let is_too_long = self.block + blocks + TAIL_BLOCKS > self.current.blocks();
        if is_too_long && self.block > 1 {
            self.advance(segments);
        }
        if is_too_long {
            self.current.grow(blocks + TAIL_BLOCKS);
        }
        let spot = Spot { segment: self.current.id, block: self.block };
        self.last = batch.number;
        self.append(BatchKind::Batch, batch.wall_ms, &batch.records);
        self.places.push(batch.number, spot);
        self.appetite.eat(blocks * BLOCK_BYTES as u64);
        let place = Place::of_records(spot.segment, spot.block);
        let wants_checkpoint = self.appetite.is_due(is_full);
        Placed { place, wants_upkeep: is_too_long, wants_checkpoint }
    }

    /// Begins the next segment.
    fn advance(&mut self, segments: &Segments) {
        let unused = self.current.blocks().saturating_sub(self.block);
        self.appetite.eat(unused * BLOCK_BYTES as u64);
        if !self.current.is_made() {
            self.current.shrink(self.block);
        }
        let next = std::mem::replace(&mut self.next, segments.choose());
        self.unmade.push_back(std::mem::replace(&mut self.current, next));
        self.unmade.retain(|slot| !slot.is_made());
        self.block = 1;
    }

    fn append(&mut self, kind: BatchKind, wall_ms: u64, records: &[u8]) {
        let bytes = u32::try_from(records.len()).expect("a batch fits into a segment");
        let head = BatchHead { kind, bytes, durable_up_to: self.durable, wall_ms };
        let (number, epoch) = (self.last, self.current.epoch);
        let run = self.open_run();
        encode_batch(&mut run.bytes, epoch, number.0, &head, records);
        run.last = number;
        run.batches += u64::from(kind == BatchKind::Batch);
        let blocks = blocks_of(records.len());
        self.block += blocks;
        self.under_way_bytes += blocks * BLOCK_BYTES as u64;
        self.under_way_bytes_most = self.under_way_bytes_most.max(self.under_way_bytes);
    }

    /// The run that ends at the next free block; a new one if there is none.
    fn open_run(&mut self) -> &mut Run {
        let goes_on = self
            .runs
            .back()
            .is_some_and(|run| run.slot.id == self.current.id && run.bytes.len() < RUN_BYTES_MAX);
        if !goes_on {
            let bytes = self.buffers.pop().unwrap_or_default();
            let slot = self.current.clone();
            let (block, last) = (self.block, self.last);
            self.runs.push_back(Run { slot, block, bytes, last, batches: 0 });
        }
        self.runs.back_mut().expect("there is one now")
    }

    /// Whether everything is durable and the last batch has no witness yet.
    pub(super) fn lacks_vouch(&self) -> bool {
        self.vouched < self.last && self.durable == self.last && self.runs.is_empty()
    }

    /// Lays a vouch for the last batch behind it.
    pub(super) fn vouch(&mut self) {
        if !self.lacks_vouch() {
            return;
        }
        if self.block < self.current.blocks() {
            self.append(BatchKind::Vouch, 0, &[]);
        }
        self.vouched = self.last;
    }

    /// Lays the mark of an orderly stop behind the last batch, unless this segment has none.
    pub(super) fn end(&mut self) {
        let has_room = (2..self.current.blocks()).contains(&self.block);
        if self.durable == self.last && has_room {
            self.append(BatchKind::End, 0, &[]);
        }
        self.vouched = self.last;
    }

    /// Whether there is anything to write.
    pub(super) fn has_runs(&self) -> bool {
        !self.runs.is_empty()
    }

    /// The writer waits for more batches. Answers how many there are.
    pub(super) fn gather(&mut self) -> u64 {
        self.pace = Pace::Gathering;
        self.runs.iter().map(|run| run.batches).sum()
    }

    /// Everything that waits to be written.
    pub(super) fn take_runs(&mut self) -> VecDeque<Run> {
        std::mem::take(&mut self.runs)
    }

    /// Takes buffers back for reuse.
    pub(super) fn give_back(&mut self, buffers: impl Iterator<Item = Vec<u8>>) {
        for mut buffer in buffers {
            if self.buffers.len() < BUFFERS_MAX && buffer.capacity() <= 2 * RUN_BYTES_MAX {
                buffer.clear();
                self.buffers.push(buffer);
            }
        }
    }

    /// Whether a batch with so many bytes would be put to use at once.
    pub(super) fn is_ready(&self, bytes: usize) -> bool {
        match self.pace {
            Pace::Open => self.runs.is_empty() || bytes >= FULL_BATCH_BYTES,
            Pace::Gathering => true,
            Pace::Busy => bytes >= WORTHY_BATCH_BYTES,
            // A checkpoint, for which room may come, is taken between two batches.
            Pace::Held => self.appetite.has_just_asked() || bytes >= FULL_BATCH_BYTES,
        }
    }

    /// The segments that are to be there, in their order, up to the next one.
    pub(super) fn slots(&self) -> Vec<Arc<Slot>> {
        let former = self.unmade.iter().filter(|slot| !slot.is_made());
        former.chain([&self.current, &self.next]).cloned().collect()
    }

    /// Halves the length of a segment for which there is no room, as far as what is placed there
    /// allows. Answers whether it has become shorter.
    pub(super) fn shrink(&self, slot: &Slot) -> bool {
        let placed = if slot.id == self.current.id { self.block + TAIL_BLOCKS } else { 0 };
        let blocks = (slot.blocks() / 2).max(placed).max(SEGMENT_BLOCKS_LEAST);
        let is_open = slot.id == self.current.id || slot.id == self.next.id;
        let shrinks = is_open && blocks < slot.blocks();
        if shrinks {
            slot.shrink(blocks);
        }
        shrinks
    }

    /// Where the first batch after `batch` is, or will be looked for.
    pub(super) fn spot_after(&self, batch: BatchNo) -> Spot {
        let cursor = Spot { segment: self.current.id, block: self.block };
        self.places.after(batch).unwrap_or(cursor)
    }

    /// The batch that must have been written before all of these can be read; 0 if that is so.
    pub(super) fn must_be_written(&self, wanted: &[Kept]) -> BatchNo {
        if self.written == self.last {
            return BatchNo(0);
        }
        let holding = |kept: &Kept| {
            let place = Place::from_locator(kept.locator)?;
            self.places.holding(Spot { segment: place.segment, block: place.block() })
        };
        let last = wanted.iter().filter_map(holding).max();
        last.filter(|batch| *batch > self.written).unwrap_or_default()
    }
}
