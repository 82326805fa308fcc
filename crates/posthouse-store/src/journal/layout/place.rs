//! Places: what a locator means. `docs/log-format.md`, "Positions".

use posthouse_core::store::Locator;

use super::{BATCH_HEAD_BYTES, PAYLOAD_BYTES};

const POSITION_BITS: u32 = 28;

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Id of the segment.
    pub segment: u64,
    /// Payload bytes from the start of the segment: those of the head's block count, stamps and
    /// sums do not.
    pub position: u64,
}

impl Place {
    /// The place that a locator names. `None` for [`Locator::NONE`].
    pub fn from_locator(locator: Locator) -> Option<Place> {
        let segment = locator.0 >> POSITION_BITS;
        let position = locator.0 & ((1 << POSITION_BITS) - 1);
        (locator != Locator::NONE).then_some(Place { segment, position })
    }

    /// The locator that names it.
    pub fn locator(self) -> Locator {
        Locator(self.segment << POSITION_BITS | self.position)
    }

    /// Index of the block in the segment.
    pub fn block(self) -> u64 {
        self.position / PAYLOAD_BYTES as u64
    }

    /// Offset in the payload of that block, in bytes.
    pub fn offset(self) -> usize {
        (self.position % PAYLOAD_BYTES as u64) as usize
    }

    /// Where the records of a batch begin whose first block is the `first_block`th of its segment.
    pub fn of_records(segment: u64, first_block: u64) -> Place {
        let position = first_block * PAYLOAD_BYTES as u64 + BATCH_HEAD_BYTES as u64;
        Place { segment, position }
    }
}
