//! The head of a segment: its first block, which says what the segment is and gives the epoch
//! that all of its blocks carry. `docs/log-format.md`, "Segments".

use super::block::{self, Stamp};
use super::field::{bytes_at, put_at, u32_at, u64_at};
use super::{BLOCK_BYTES, FORMAT, SEGMENT_BYTES_MAX};

const MAGIC: [u8; 8] = *b"PHSEGMNT";

/// Segment ids stay below this, so that they fit into a locator.
pub const SEGMENT_ID_END: u64 = 1 << 36;

/// Which store a file belongs to: random, from the store's first start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreId(pub [u8; 16]);

impl std::fmt::Display for StoreId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SegmentKind {
    /// The log.
    Journal = 1,
    /// Messages that were moved together.
    Compacted = 2,
    /// Messages that need not survive.
    Spool = 3,
}

impl SegmentKind {
    fn from_number(number: u32) -> Option<SegmentKind> {
        match number {
            1 => Some(SegmentKind::Journal),
            2 => Some(SegmentKind::Compacted),
            3 => Some(SegmentKind::Spool),
            _ => None,
        }
    }
}

/// Why bytes are not the head or the manifest that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadFault {
    /// They are something else.
    NotOne,
    /// A newer Posthouse has written them. The sum holds, so this is not damage.
    Future {
        /// The format number that they carry.
        format: u32,
    },
    /// They are not what was written.
    Damaged,
}

/// What the first block of a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHead {
    /// Ids only grow, and are never 0.
    pub id: u64,
    /// Random, new in each life of the file, never 0.
    pub epoch: u64,
    /// What it holds.
    pub kind: SegmentKind,
    /// Length of the segment in bytes, the head included; a multiple of [`BLOCK_BYTES`].
    pub bytes: u64,
    /// Which store it belongs to.
    pub store: StoreId,
}

impl SegmentHead {
    /// The head as one block.
    pub fn encode(&self) -> Vec<u8> {
        let mut head = vec![0; BLOCK_BYTES];
        let payload = block::payload_mut(&mut head);
        put_at(payload, 0, &MAGIC);
        put_at(payload, 8, &FORMAT.to_le_bytes());
        put_at(payload, 12, &(self.kind as u32).to_le_bytes());
        put_at(payload, 16, &self.id.to_le_bytes());
        put_at(payload, 24, &self.bytes.to_le_bytes());
        put_at(payload, 32, &self.store.0);
        block::seal(&mut head, Stamp { epoch: self.epoch, number: 0, index: 0 });
        head
    }

    /// Reads the head that a segment begins with.
    ///
    /// # Errors
    /// See [`HeadFault`].
    pub fn decode(block: &[u8]) -> Result<SegmentHead, HeadFault> {
        let payload = block::payload(block);
        if !payload.starts_with(&MAGIC) {
            return Err(HeadFault::NotOne);
        }
        if !block::is_sum_right(block) {
            return Err(HeadFault::Damaged);
        }
        match u32_at(payload, 8) {
            Some(format) if format > FORMAT => Err(HeadFault::Future { format }),
            Some(FORMAT) => Self::of_fields(block, payload).ok_or(HeadFault::Damaged),
            _ => Err(HeadFault::Damaged),
        }
    }

    /// How many blocks the segment has, the head included.
    pub fn blocks(&self) -> u64 {
        self.bytes / BLOCK_BYTES as u64
    }

    fn of_fields(block: &[u8], payload: &[u8]) -> Option<SegmentHead> {
        let stamp = block::stamp_of(block)?;
        let head = SegmentHead {
            id: u64_at(payload, 16)?,
            epoch: stamp.epoch,
            kind: SegmentKind::from_number(u32_at(payload, 12)?)?,
            bytes: u64_at(payload, 24)?,
            store: StoreId(bytes_at(payload, 32)?),
        };
        let is_first = stamp.epoch != 0 && stamp.number == 0 && stamp.index == 0;
        (is_first && head.is_sound()).then_some(head)
    }

    fn is_sound(&self) -> bool {
        let bytes_least = BLOCK_BYTES as u64;
        (1..SEGMENT_ID_END).contains(&self.id)
            && (bytes_least..=SEGMENT_BYTES_MAX).contains(&self.bytes)
            && self.bytes.is_multiple_of(bytes_least)
    }
}
