//! The spool: messages that need not survive, for subscribers that are slow. It is written and
//! read like a segment of moved messages, in a directory of its own, and never synced.
//!
//! The broker's side places records and counts what is still wanted; the reader writes, reads
//! and removes. A file goes when nothing in it is wanted and nothing more will be put there.

use std::collections::BTreeMap;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Locator;

use super::machine::Machine;
use super::opening::shared;
use super::options::Options;
use crate::journal::fault::Fault;
use crate::journal::layout::batch::{BatchHead, BatchKind, blocks_of, encode_batch};
use crate::journal::layout::name::segment_name;
use crate::journal::layout::place::Place;
use crate::journal::layout::segment::{SegmentHead, SegmentKind};
use crate::journal::layout::{BLOCK_BYTES, SEGMENT_BYTES_MAX};

/// Ids with this bit are those of the spool, so that a locator says where it leads.
const SPOOL_BIT: u64 = 1 << 34;

/// Whether a segment with this id is in the spool.
pub(super) fn is_spool(id: u64) -> bool {
    id & SPOOL_BIT != 0
}

/// One file of the spool.
#[derive(Debug, Default)]
struct SpoolFile {
    /// Bytes of records that are still wanted.
    wanted_bytes: u64,
    /// The next free block.
    block: u64,
    batches: u64,
}

/// What the broker's side knows of the spool.
#[derive(Debug)]
pub(super) struct Spool {
    bytes_max: u64,
    segment_bytes: u64,
    files: BTreeMap<u64, SpoolFile>,
    /// The file that is written to.
    current: Option<u64>,
    last_id: u64,
    bytes: u64,
}

/// Where records are to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpoolPlace {
    pub(super) segment: u64,
    pub(super) block: u64,
    pub(super) number: u64,
}

impl Spool {
    pub(super) fn new(options: &Options) -> Spool {
        Spool {
            bytes_max: options.spool_bytes_max,
            segment_bytes: options.segment_bytes,
            files: BTreeMap::new(),
            current: None,
            last_id: SPOOL_BIT,
            bytes: 0,
        }
    }

    /// Bytes that the spool takes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives records a place. `None` if there is no room for them. The second answer is a file
    /// that goes.
    pub(super) fn place(&mut self, bytes: usize) -> (Option<SpoolPlace>, Option<u64>) {
        let blocks = blocks_of(bytes);
        let taken = (blocks + 1) * BLOCK_BYTES as u64;
        if taken > SEGMENT_BYTES_MAX || self.bytes + taken > self.bytes_max {
            return (None, None);
        }
        let gone = if self.has_room(blocks) { None } else { self.begin_file() };
        let segment = self.current.unwrap_or(self.last_id);
        let file = self.files.entry(segment).or_default();
        let block = file.block;
        file.block += blocks;
        file.batches += 1;
        file.wanted_bytes += bytes as u64;
        self.bytes += blocks * BLOCK_BYTES as u64;
        (Some(SpoolPlace { segment, block, number: file.batches }), gone)
    }

    fn has_room(&self, blocks: u64) -> bool {
        let current = self.current.and_then(|id| self.files.get(&id));
        current.is_some_and(|file| (file.block + blocks) * BLOCK_BYTES as u64 <= self.segment_bytes)
    }

    /// Begins another file. Answers the former one if nothing in it is wanted.
    fn begin_file(&mut self) -> Option<u64> {
        let former = self.current.take();
        self.last_id += 1;
        self.current = Some(self.last_id);
        self.files.insert(self.last_id, SpoolFile { block: 1, ..SpoolFile::default() });
        self.bytes += BLOCK_BYTES as u64;
        former.filter(|id| self.remove_if_unwanted(*id))
    }

    /// So many bytes of the record at `locator` are not wanted any more. Answers a file that goes.
    pub(super) fn forget(&mut self, locator: Locator, bytes: usize) -> Option<u64> {
        let id = Place::from_locator(locator)?.segment;
        let file = self.files.get_mut(&id)?;
        file.wanted_bytes = file.wanted_bytes.saturating_sub(bytes as u64);
        let is_half_full = 2 * file.block * BLOCK_BYTES as u64 > self.segment_bytes;
        if self.current == Some(id) && !is_half_full {
            return None;
        }
        let goes = self.remove_if_unwanted(id);
        self.current = self.current.filter(|current| !goes || *current != id);
        goes.then_some(id)
    }

    fn remove_if_unwanted(&mut self, id: u64) -> bool {
        let goes = self.files.get(&id).is_some_and(|file| file.wanted_bytes == 0);
        if goes && let Some(file) = self.files.remove(&id) {
            self.bytes -= file.block * BLOCK_BYTES as u64;
        }
        goes
    }
}

/// Writes records at their place; the first ones make the file.
///
/// # Errors
/// The system's.
pub(super) fn write_records(
    machine: &Machine,
    segment: u64,
    block: u64,
    number: u64,
    records: &[u8],
) -> Result<(), Fault> {
    let name = segment_name(segment);
    let epoch = machine.options.epoch_of(segment);
    let mut bytes = Vec::new();
    if number == 1 {
        let length = machine
            .options
            .segment_bytes
            .max((block + blocks_of(records.len())) * BLOCK_BYTES as u64);
        let (kind, store) = (SegmentKind::Spool, machine.segments.store);
        bytes = SegmentHead { id: segment, epoch, kind, bytes: length, store }.encode();
        machine.spool.create(&name).map_err(Fault::io("make", &name))?;
    }
    let at = if number == 1 { 0 } else { block * BLOCK_BYTES as u64 };
    let head = BatchHead {
        kind: BatchKind::Moved,
        bytes: records.len() as u32,
        durable_up_to: BatchNo(0),
        wall_ms: 0,
    };
    encode_batch(&mut bytes, epoch, number, &head, records);
    let file = shared(&*machine.spool, &name)?;
    file.write_at(&bytes, at).map_err(Fault::io("write", &name))
}

/// Removes a file.
///
/// # Errors
/// The system's.
pub(super) fn remove_file(machine: &Machine, segment: u64) -> Result<(), Fault> {
    machine.open_files.close(segment);
    let name = segment_name(segment);
    machine.spool.remove(&name).map_err(Fault::io("remove", &name))
}

#[cfg(test)]
mod tests {
    use posthouse_core::store::Locator;

    use super::{SPOOL_BIT, Spool, SpoolPlace};
    use crate::journal::Options;
    use crate::journal::layout::place::Place;

    /// Files of four blocks, five of them in all.
    fn spool() -> Spool {
        let options =
            Options { segment_bytes: 4 * 4_096, spool_bytes_max: 20 * 4_096, ..Options::default() };
        Spool::new(&options)
    }

    fn place(file: u64, block: u64, number: u64) -> SpoolPlace {
        SpoolPlace { segment: SPOOL_BIT + file, block, number }
    }

    fn locator(file: u64) -> Locator {
        Place::of_records(SPOOL_BIT + file, 1).locator()
    }

    #[test]
    fn records_follow_each_other_and_then_begin_another_file() {
        let mut spool = spool();
        assert_eq!(spool.place(100).0, Some(place(1, 1, 1)));
        assert_eq!(spool.place(5_000).0, Some(place(1, 2, 2)));
        assert_eq!(spool.place(100).0, Some(place(2, 1, 1)));
        assert_eq!(spool.place(40_000).0, Some(place(3, 1, 1)), "a file of its own");
        assert_eq!(spool.place(13_000).0, None, "there is no room");
    }

    #[test]
    fn a_file_goes_when_nothing_in_it_is_wanted() {
        let mut spool = spool();
        spool.place(100);
        spool.place(5_000);
        assert_eq!(spool.forget(locator(1), 5_000), None);
        assert_eq!(spool.forget(locator(1), 100), Some(SPOOL_BIT + 1), "nothing fits there");
        assert_eq!(spool.bytes(), 0);
        spool.place(100);
        assert_eq!(spool.forget(locator(2), 100), None, "it is written to");
        assert_eq!(spool.place(12_000), (Some(place(3, 1, 1)), Some(SPOOL_BIT + 2)));
        assert_eq!(spool.forget(locator(9), 1), None, "it is not there");
    }
}
