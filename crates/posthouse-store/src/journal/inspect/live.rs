//! What the checkpoint that counts still refers to, segment by segment: the rest is dead, and
//! goes with the next checkpoint or is left behind by a compaction.

use std::collections::BTreeMap;

use bytes::Bytes;
use posthouse_core::ids::BatchNo;
use posthouse_core::message::SIZE_UNIT_BYTES;
use posthouse_core::record::codec::decode_all;
use posthouse_core::record::{KeptPage, Record};
use posthouse_core::store::Kept;

use super::stats::{Amount, CheckpointStats};
use crate::files::Files;
use crate::journal::engine::{Counting, record_bytes};
use crate::journal::fault::Fault;
use crate::journal::layout::checkpoint::ChunkReader;
use crate::journal::layout::place::Place;
use crate::journal::scan::{Directory, open};

/// Positions to a page of kept messages.
const PAGE_LEN: u64 = 256;

/// The checkpoint that counts, and what it wants of each segment.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) checkpoint: CheckpointStats,
    segments: BTreeMap<u64, Counting>,
}

impl Live {
    /// Reads the checkpoint that the manifest names. `None` if it names none.
    ///
    /// # Errors
    /// If the file cannot be read or is not what was written.
    pub(super) fn read(files: &dyn Files, directory: &Directory) -> Result<Option<Live>, Fault> {
        let manifest = directory.manifest.filter(|manifest| manifest.checkpoint != BatchNo(0));
        let Some(batch) = manifest.map(|manifest| manifest.checkpoint) else { return Ok(None) };
        let found = directory.checkpoints.iter().find(|(there, _)| *there == batch);
        let Some((_, name)) = found else { return Ok(None) };
        let file = open(files, name)?;
        let mut reader = ChunkReader::open(&*file, name)?;
        let checkpoint = CheckpointStats { batch, chunks: Amount::default() };
        let mut live = Live { checkpoint, segments: BTreeMap::new() };
        while let Some(payload) = reader.next_payload()? {
            live.checkpoint.chunks.add(payload.len() as u64);
            live.count(payload);
        }
        Ok(Some(live))
    }

    /// How many messages a segment has, and how many bytes of records.
    pub(super) fn of(&self, segment: u64) -> Amount {
        let live = self.segments.get(&segment).map(|counting| counting.live).unwrap_or_default();
        Amount { count: live.messages, bytes: live.bytes }
    }

    /// The segments of the journal that messages lie in, and how many in each.
    pub(super) fn segments(&self) -> impl Iterator<Item = (u64, u64)> {
        self.segments.iter().map(|(id, counting)| (*id, counting.live.messages))
    }

    /// The sums hold, so records that cannot be read are the doing of a defect. A check tells.
    fn count(&mut self, payload: &[u8]) {
        let records = decode_all(&Bytes::copy_from_slice(payload)).unwrap_or_default();
        for record in &records {
            if let Record::Kept(page) = record {
                self.count_page(page);
            }
        }
    }

    fn count_page(&mut self, page: &KeptPage) {
        for message in &page.messages {
            let Some(place) = Place::from_locator(message.locator) else { continue };
            let kept = Kept {
                destination: page.destination,
                seq: page.number * PAGE_LEN + u64::from(message.index),
                locator: message.locator,
                bytes: message.units * SIZE_UNIT_BYTES as u32,
            };
            self.segments.entry(place.segment).or_default().count(place, record_bytes(&kept));
        }
    }
}
