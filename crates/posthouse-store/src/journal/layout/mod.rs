//! The bytes of the journal, as `docs/log-format.md` describes them: blocks, segments, batches,
//! places, manifests and checkpoints.
//!
//! Everything here is a function from values to bytes or back, without a file, a clock or
//! randomness. Bytes that are read may be anything: no length in them is trusted before it has
//! been checked against what is there.

pub mod batch;
pub mod block;
pub mod checkpoint;
mod field;
pub mod manifest;
pub mod name;
pub mod place;
pub mod segment;
pub mod spare;

#[cfg(test)]
mod tests;

/// The number of the format that is written. Higher ones are refused.
pub const FORMAT: u32 = 1;
/// Bytes of a block, the unit that the medium writes wholly or not at all.
pub const BLOCK_BYTES: usize = 4096;
/// Bytes of a block behind its stamp and sum.
pub const PAYLOAD_BYTES: usize = 4072;
/// Bytes of a batch's head, before its records.
pub const BATCH_HEAD_BYTES: usize = 24;
/// The largest segment, in bytes. Positions in it fit into 28 bits.
pub const SEGMENT_BYTES_MAX: u64 = 256 << 20;
/// The most bytes of records that one batch can have: it fills the largest segment.
pub const RECORDS_BYTES_MAX: usize =
    (SEGMENT_BYTES_MAX as usize / BLOCK_BYTES - 1) * PAYLOAD_BYTES - BATCH_HEAD_BYTES;
/// The longest payload of a checkpoint's chunk, in bytes.
pub const CHUNK_BYTES_MAX: usize = 1 << 20;
