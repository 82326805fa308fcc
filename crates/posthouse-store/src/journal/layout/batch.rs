//! Batches: a head, then records, spread over the payloads of as many blocks as they need.
//! `docs/log-format.md`, "Batches".

use posthouse_core::ids::BatchNo;

use super::block::{self, Stamp};
use super::field::{put_at, u32_at, u64_at};
use super::{BATCH_HEAD_BYTES, BLOCK_BYTES, PAYLOAD_BYTES, RECORDS_BYTES_MAX};

/// What a batch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchKind {
    /// Records of the log.
    Batch = 1,
    /// Says that the batch before it is durable, and has no records.
    Vouch = 2,
    /// A vouch at an orderly stop.
    End = 3,
    /// Messages that were moved here.
    Moved = 4,
}

impl BatchKind {
    fn from_number(number: u32) -> Option<BatchKind> {
        match number {
            1 => Some(BatchKind::Batch),
            2 => Some(BatchKind::Vouch),
            3 => Some(BatchKind::End),
            4 => Some(BatchKind::Moved),
            _ => None,
        }
    }
}

/// What stands before the records of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHead {
    /// What the batch is for.
    pub kind: BatchKind,
    /// Bytes of records.
    pub bytes: u32,
    /// The last batch that was known to be durable when this one was written.
    pub durable_up_to: BatchNo,
    /// Wall clock when it was closed, in milliseconds since 1970-01-01 UTC.
    pub wall_ms: u64,
}

impl BatchHead {
    fn encode(&self) -> [u8; BATCH_HEAD_BYTES] {
        let mut head = [0; BATCH_HEAD_BYTES];
        put_at(&mut head, 0, &(self.kind as u32).to_le_bytes());
        put_at(&mut head, 4, &self.bytes.to_le_bytes());
        put_at(&mut head, 8, &self.durable_up_to.0.to_le_bytes());
        put_at(&mut head, 16, &self.wall_ms.to_le_bytes());
        head
    }
}

/// How many blocks a batch with so many bytes of records takes.
pub fn blocks_of(bytes: usize) -> u64 {
    (bytes as u64 + BATCH_HEAD_BYTES as u64).div_ceil(PAYLOAD_BYTES as u64)
}

/// Appends a batch to `out` as whole sealed blocks.
///
/// # Panics
/// If `head.bytes` is not the length of `records`, or they are more than
/// [`RECORDS_BYTES_MAX`].
pub fn encode_batch(out: &mut Vec<u8>, epoch: u64, number: u64, head: &BatchHead, records: &[u8]) {
    assert_eq!(head.bytes as usize, records.len(), "the head says how long the records are");
    assert!(records.len() <= RECORDS_BYTES_MAX, "a batch fits into a segment");
    let first_records = records.len().min(PAYLOAD_BYTES - BATCH_HEAD_BYTES);
    let (first, rest) = records.split_at(first_records);
    let stamp = |index| Stamp { epoch, number, index };
    out.reserve(blocks_of(records.len()) as usize * BLOCK_BYTES);
    append_block(out, stamp(0), &head.encode(), first);
    for (payload, index) in rest.chunks(PAYLOAD_BYTES).zip(1..) {
        append_block(out, stamp(index), payload, &[]);
    }
}

fn append_block(out: &mut Vec<u8>, stamp: Stamp, head: &[u8], records: &[u8]) {
    let start = out.len();
    out.resize(start + BLOCK_BYTES - PAYLOAD_BYTES, 0);
    out.extend_from_slice(head);
    out.extend_from_slice(records);
    out.resize(start + BLOCK_BYTES, 0);
    let (_, block) = out.split_at_mut(start);
    block::seal(block, stamp);
}

/// Reads the head from the payload of a batch's first block. `None` if it is none that this
/// format writes, which a block with the right sum can only be by a defect.
pub fn decode_head(payload_of_first_block: &[u8]) -> Option<BatchHead> {
    let payload = payload_of_first_block;
    let head = BatchHead {
        kind: BatchKind::from_number(u32_at(payload, 0)?)?,
        bytes: u32_at(payload, 4)?,
        durable_up_to: BatchNo(u64_at(payload, 8)?),
        wall_ms: u64_at(payload, 16)?,
    };
    (head.bytes as usize <= RECORDS_BYTES_MAX).then_some(head)
}
