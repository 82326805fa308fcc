//! The manifest: which checkpoint holds, and where the log goes on behind it.
//! `docs/log-format.md`, "Manifest".

use posthouse_core::ids::BatchNo;

use super::field::{bytes_at, put_at, u32_at, u64_at};
use super::segment::{HeadFault, SEGMENT_ID_END, StoreId};
use super::{BLOCK_BYTES, FORMAT, SEGMENT_BYTES_MAX};

const MAGIC: [u8; 8] = *b"PHMANFST";
const SUM_AT: usize = 12;
const BODY_AT: usize = 16;

/// What one slot of the manifest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// From 1; of two valid slots the higher one counts.
    pub generation: u64,
    /// Which store this is.
    pub store: StoreId,
    /// The batch of the checkpoint that holds; 0 if there is none yet.
    pub checkpoint: BatchNo,
    /// Length of that checkpoint's file in bytes.
    pub checkpoint_bytes: u64,
    /// Id of the segment in which the first batch after the checkpoint is looked for; 0 means the
    /// first segment of the log.
    pub replay_segment: u64,
    /// Block of that segment.
    pub replay_block: u64,
    /// Id of the last segment of the log that is known to be there; 0 if none is.
    pub last_segment: u64,
}

impl Manifest {
    /// The manifest as one block, with which a slot is overwritten.
    pub fn encode(&self) -> Vec<u8> {
        let mut block = vec![0; BLOCK_BYTES];
        put_at(&mut block, 0, &MAGIC);
        put_at(&mut block, 8, &FORMAT.to_le_bytes());
        put_at(&mut block, 16, &self.generation.to_le_bytes());
        put_at(&mut block, 24, &self.store.0);
        put_at(&mut block, 40, &self.checkpoint.0.to_le_bytes());
        put_at(&mut block, 48, &self.checkpoint_bytes.to_le_bytes());
        put_at(&mut block, 56, &self.replay_segment.to_le_bytes());
        put_at(&mut block, 64, &self.replay_block.to_le_bytes());
        put_at(&mut block, 72, &self.last_segment.to_le_bytes());
        let sum = sum_of(&block);
        put_at(&mut block, SUM_AT, &sum.to_le_bytes());
        block
    }

    /// Reads what a slot says.
    ///
    /// # Errors
    /// See [`HeadFault`].
    pub fn decode(block: &[u8]) -> Result<Manifest, HeadFault> {
        if !block.starts_with(&MAGIC) {
            return Err(HeadFault::NotOne);
        }
        let block = block.get(..BLOCK_BYTES).ok_or(HeadFault::Damaged)?;
        if u32_at(block, SUM_AT) != Some(sum_of(block)) {
            return Err(HeadFault::Damaged);
        }
        match u32_at(block, 8) {
            Some(format) if format > FORMAT => Err(HeadFault::Future { format }),
            Some(FORMAT) => Self::of_fields(block).ok_or(HeadFault::Damaged),
            _ => Err(HeadFault::Damaged),
        }
    }

    fn of_fields(block: &[u8]) -> Option<Manifest> {
        let manifest = Manifest {
            generation: u64_at(block, 16)?,
            store: StoreId(bytes_at(block, 24)?),
            checkpoint: BatchNo(u64_at(block, 40)?),
            checkpoint_bytes: u64_at(block, 48)?,
            replay_segment: u64_at(block, 56)?,
            replay_block: u64_at(block, 64)?,
            last_segment: u64_at(block, 72)?,
        };
        manifest.is_sound().then_some(manifest)
    }

    fn is_sound(&self) -> bool {
        self.generation != 0
            && self.replay_segment < SEGMENT_ID_END
            && self.last_segment < SEGMENT_ID_END
            && self.replay_block <= SEGMENT_BYTES_MAX / BLOCK_BYTES as u64
    }
}

fn sum_of(block: &[u8]) -> u32 {
    let (start, _) = block.split_at(SUM_AT);
    let (_, body) = block.split_at(BODY_AT);
    crc32c::crc32c_append(crc32c::crc32c(start), body)
}
