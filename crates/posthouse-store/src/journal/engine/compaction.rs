//! Compaction: what is still wanted of mostly dead segments is copied, as it is, to new segments,
//! so that the old ones can be freed by the next checkpoint.
//!
//! Until then both copies are there and either is good, so a crash in the midst of it needs no
//! repair. A survivor that cannot be read stays where it is, and with it its segment.

use std::collections::BTreeSet;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Completion, Kept, Locator, Relocated};

use super::census::record_bytes;
use super::fetch::fetch;
use super::machine::Machine;
use super::outbox::News;
use crate::files::File;
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::batch::{BatchHead, BatchKind, blocks_of, encode_batch};
use crate::journal::layout::name::{UNFINISHED, segment_name};
use crate::journal::layout::place::Place;
use crate::journal::layout::segment::{SegmentHead, SegmentKind};
use crate::journal::planted::PlantedBug;

/// About how many bytes of records are moved in one batch.
const BATCH_BYTES: u64 = 1 << 20;

/// A batch takes about this part of a segment at most.
const BATCH_PARTS: u64 = 4;

/// How many messages are moved in one batch at most.
const BATCH_MESSAGES_MAX: usize = 8_192;

/// How many messages one completion names at most.
const RELOCATED_MAX: usize = 256;

/// See the module.
#[derive(Debug)]
pub(super) struct Compaction {
    /// In the order of their places.
    survivors: Vec<Kept>,
    /// How many have been dealt with.
    done: usize,
    batch_bytes: u64,
    output: Option<Output>,
    /// Segments with survivors that cannot be read.
    pub(super) unreadable: BTreeSet<u64>,
    /// Segments that were made.
    pub(super) made: BTreeSet<u64>,
}

/// A segment that survivors are copied to. It gets its head and name when it is complete.
#[derive(Debug)]
struct Output {
    id: u64,
    epoch: u64,
    file: Box<dyn File>,
    /// The next free block.
    block: u64,
    batches: u64,
    moved: Vec<Relocated>,
    bytes: u64,
}

impl Compaction {
    /// Moves these survivors, which come in the order of their places, to segments of the given
    /// length.
    pub(super) fn new(survivors: Vec<Kept>, segment_bytes: u64) -> Compaction {
        Compaction {
            survivors,
            done: 0,
            batch_bytes: BATCH_BYTES.min(segment_bytes / BATCH_PARTS),
            output: None,
            unreadable: BTreeSet::new(),
            made: BTreeSet::new(),
        }
    }

    /// Moves one batch of survivors. Answers whether there was nothing more to do.
    ///
    /// # Errors
    /// The system's, among them that there is no room.
    pub(super) fn step(&mut self, machine: &Machine) -> Result<bool, Fault> {
        let (start, end) = (self.done, self.batch_end());
        if start == end {
            self.complete(machine)?;
            return Ok(true);
        }
        self.done = end;
        let survivors = self.survivors.get(start..end).unwrap_or_default().to_vec();
        let (records, moved) = self.collect(machine, &survivors);
        if records.is_empty() {
            return Ok(false);
        }
        let blocks = blocks_of(records.len());
        let limit = machine.options.segment_bytes / BLOCK_BYTES as u64;
        if self.output.as_ref().is_some_and(|output| output.block + blocks > limit) {
            self.complete(machine)?;
        }
        self.append(machine, &records, &moved)?;
        Ok(false)
    }

    /// The end of the batch that comes next. Messages that share a record stay together.
    fn batch_end(&self) -> usize {
        let rest = self.survivors.get(self.done..).unwrap_or_default();
        let mut bytes = 0;
        let mut last = Locator::NONE;
        let fits = |(index, kept): &(usize, &Kept)| {
            let shares = kept.locator == last;
            let has_room = bytes < self.batch_bytes && *index < BATCH_MESSAGES_MAX;
            last = kept.locator;
            bytes += if shares { 0 } else { record_bytes(kept) };
            shares || has_room
        };
        self.done + rest.iter().enumerate().take_while(fits).count()
    }

    /// The records of survivors one behind the other, and how far behind the first each begins.
    fn collect(&mut self, machine: &Machine, survivors: &[Kept]) -> (Vec<u8>, Vec<(Kept, usize)>) {
        let groups: Vec<&[Kept]> =
            survivors.chunk_by(|one, other| one.locator == other.locator).collect();
        let firsts: Vec<Kept> = groups.iter().filter_map(|group| group.first().copied()).collect();
        let drops_last = machine.options.has(PlantedBug::CompactionDropsSurvivor);
        let mut records = Vec::new();
        let mut moved = Vec::with_capacity(survivors.len());
        fetch(machine, &firsts, &mut |index, fetched| {
            let group = groups.get(index).copied().unwrap_or_default();
            let Ok(fetched) = fetched else {
                let place = group.first().and_then(|kept| Place::from_locator(kept.locator));
                self.unreadable.extend(place.map(|place| place.segment));
                return;
            };
            moved.extend(group.iter().map(|kept| (*kept, records.len())));
            if !(drops_last && index + 1 == firsts.len()) {
                records.extend_from_slice(&fetched.record);
            }
        });
        (records, moved)
    }

    fn append(
        &mut self,
        machine: &Machine,
        records: &[u8],
        moved: &[(Kept, usize)],
    ) -> Result<(), Fault> {
        let output = match &mut self.output {
            Some(output) => output,
            none => none.insert(Output::create(machine)?),
        };
        output.append(machine, records, moved)
    }

    /// Completes the segment that is being made and tells what was moved there.
    fn complete(&mut self, machine: &Machine) -> Result<(), Fault> {
        let Some(output) = &self.output else { return Ok(()) };
        output.finish(machine)?;
        let Some(output) = self.output.take() else { return Ok(()) };
        self.made.insert(output.id);
        let mut figures = machine.figures.lock();
        figures.moved_messages += output.moved.len() as u64;
        figures.moved_bytes += output.bytes;
        drop(figures);
        output.tell(machine);
        Ok(())
    }

    /// Gives up what is not complete, because there is no room for it.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn abandon(&mut self, machine: &Machine) -> Result<(), Fault> {
        let Some(output) = self.output.take() else { return Ok(()) };
        let name = output.unfinished_name();
        drop(output);
        machine.segments.files.remove(&name).map_err(Fault::io("remove", &name))
    }
}

impl Output {
    fn create(machine: &Machine) -> Result<Output, Fault> {
        let id = machine.segments.next_id();
        let epoch = machine.options.epoch_of(id);
        let name = format!("{}{UNFINISHED}", segment_name(id));
        let file = machine.segments.files.create(&name).map_err(Fault::io("make", &name))?;
        Ok(Output { id, epoch, file, block: 1, batches: 0, moved: Vec::new(), bytes: 0 })
    }

    fn unfinished_name(&self) -> String {
        format!("{}{UNFINISHED}", segment_name(self.id))
    }

    fn append(
        &mut self,
        machine: &Machine,
        records: &[u8],
        moved: &[(Kept, usize)],
    ) -> Result<(), Fault> {
        self.batches += 1;
        let head = BatchHead {
            kind: BatchKind::Moved,
            bytes: records.len() as u32,
            durable_up_to: BatchNo(0),
            wall_ms: 0,
        };
        let mut blocks = Vec::new();
        encode_batch(&mut blocks, self.epoch, self.batches, &head, records);
        self.write(machine, &blocks, self.block * BLOCK_BYTES as u64)?;
        let first = Place::of_records(self.id, self.block).locator();
        let relocated =
            |(kept, offset): &(Kept, usize)| Relocated { kept: *kept, to: first.after(*offset) };
        self.moved.extend(moved.iter().map(relocated));
        self.block += blocks_of(records.len());
        self.bytes += records.len() as u64;
        Ok(())
    }

    /// Spares give their room if there is none: what is freed for it is at least twice as much.
    fn write(&self, machine: &Machine, bytes: &[u8], at: u64) -> Result<(), Fault> {
        let name = self.unfinished_name();
        while let Err(error) = self.file.write_at(bytes, at) {
            machine.segments.spares.give_up_after(Fault::io("write", &name)(error))?;
        }
        Ok(())
    }

    fn finish(&self, machine: &Machine) -> Result<(), Fault> {
        let segments = &machine.segments;
        let head = SegmentHead {
            id: self.id,
            epoch: self.epoch,
            kind: SegmentKind::Compacted,
            bytes: self.block * BLOCK_BYTES as u64,
            store: segments.store,
        };
        self.write(machine, &head.encode(), 0)?;
        let (name, unfinished) = (segment_name(self.id), self.unfinished_name());
        self.file.sync().map_err(Fault::unsynced(&unfinished))?;
        let renamed = segments.files.rename(&unfinished, &name);
        renamed.map_err(Fault::io("give its name to", &name))?;
        segments.sync_names()?;
        segments.add(head);
        Ok(())
    }

    fn tell(&self, machine: &Machine) {
        let mut chunks = self.moved.chunks(RELOCATED_MAX).peekable();
        while let Some(chunk) = chunks.next() {
            let completion = Completion::Relocated(chunk.to_vec());
            let moved_to = chunks.peek().is_none().then_some(self.id);
            machine.outbox.push_news(News { completion, moved_to });
        }
    }
}
