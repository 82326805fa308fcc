//! Blocks: 4,096 bytes that say themselves where they belong (the stamp) and whether they are
//! what was written (the sum). `docs/log-format.md`, "Blocks".

use super::field::{put_at, u32_at, u64_at};
use super::{BLOCK_BYTES, PAYLOAD_BYTES};

const NUMBER_AT: usize = 8;
const INDEX_AT: usize = 16;
const SUM_AT: usize = 20;
const PAYLOAD_AT: usize = BLOCK_BYTES - PAYLOAD_BYTES;

/// Where a block belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Epoch of the segment: random, new in each life of the file, never 0.
    pub epoch: u64,
    /// Number of the batch; 0 in a segment's head.
    pub number: u64,
    /// Index in the batch, from 0.
    pub index: u32,
}

/// What is at the place of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Something else, or nothing: it was never written here.
    Missing,
    /// The block, but not as it was written.
    Damaged,
    /// The block as it was written.
    Whole,
}

/// Writes the stamp and the sum around a payload that is already in place.
///
/// # Panics
/// If `block` is not [`BLOCK_BYTES`] long.
pub fn seal(block: &mut [u8], stamp: Stamp) {
    assert_eq!(block.len(), BLOCK_BYTES, "a block has its fixed length");
    put_at(block, 0, &stamp.epoch.to_le_bytes());
    put_at(block, NUMBER_AT, &stamp.number.to_le_bytes());
    put_at(block, INDEX_AT, &stamp.index.to_le_bytes());
    let sum = sum_of(block);
    put_at(block, SUM_AT, &sum.to_le_bytes());
}

/// What `block` is if `expected` belongs here. A slice that is too short is missing.
pub fn examine(block: &[u8], expected: Stamp) -> Found {
    if block.len() < BLOCK_BYTES || stamp_of(block) != Some(expected) {
        Found::Missing
    } else if is_sum_right(block) {
        Found::Whole
    } else {
        Found::Damaged
    }
}

/// The stamp as it stands there, right or wrong. `None` if the slice is too short for one.
pub fn stamp_of(block: &[u8]) -> Option<Stamp> {
    Some(Stamp {
        epoch: u64_at(block, 0)?,
        number: u64_at(block, NUMBER_AT)?,
        index: u32_at(block, INDEX_AT)?,
    })
}

/// Whether the sum fits the rest of the block, whatever its stamp.
pub fn is_sum_right(block: &[u8]) -> bool {
    let Some(block) = block.get(..BLOCK_BYTES) else { return false };
    u32_at(block, SUM_AT) == Some(sum_of(block))
}

/// The payload of a block; empty if the slice is too short to have one.
pub fn payload(block: &[u8]) -> &[u8] {
    block.get(PAYLOAD_AT..).unwrap_or_default()
}

/// The payload of a block, to be filled before it is sealed; empty if the slice is too short.
pub fn payload_mut(block: &mut [u8]) -> &mut [u8] {
    block.get_mut(PAYLOAD_AT..).unwrap_or_default()
}

fn sum_of(block: &[u8]) -> u32 {
    let (stamp, _) = block.split_at(SUM_AT);
    crc32c::crc32c_append(crc32c::crc32c(stamp), payload(block))
}
