//! What lies behind the end of the log: an unconfirmed tail, or the proof that it is no end.
//!
//! Every batch says which batch was durable when it was written. Such a word stays true whatever
//! became of the batch that gave it, so any of them may be believed on the strength of its first
//! block alone.

use posthouse_core::ids::BatchNo;

use super::blocks::BlockReader;
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::batch::decode_head;
use crate::journal::layout::block::{is_sum_right, payload, stamp_of};

/// How far behind the end of a segment's log is looked, in blocks of 128 MiB together: no more than
/// that may be under way un-synced, so what was written next and knew better begins within it.
const LOOKED_AT_BLOCKS: u64 = (128 << 20) / BLOCK_BYTES as u64;

/// A batch that says that another was durable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The batch that says so.
    pub number: u64,
    /// The file that it is in.
    pub file: String,
    /// Where it begins there, in bytes.
    pub at: u64,
}

/// What lies in one segment from some block on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    /// The first that says of the missing batch that it was durable.
    pub claim: Option<Claim>,
    /// Bytes of blocks that were written here in this life of the file.
    pub tail_bytes: u64,
}

/// Looks from block `from` on for what was written in this life of the file, until something
/// claims that batch `missing` was durable.
pub(crate) fn look_behind(
    reader: &mut BlockReader,
    from: u64,
    missing: BatchNo,
) -> Result<Behind, Fault> {
    let epoch = reader.head().epoch;
    let end = reader.head().blocks().min(from + LOOKED_AT_BLOCKS);
    let mut behind = Behind::default();
    for block in from..end {
        let bytes = reader.block(block)?;
        let Some(stamp) = stamp_of(bytes).filter(|stamp| stamp.epoch == epoch) else { continue };
        behind.tail_bytes += BLOCK_BYTES as u64;
        if stamp.index == 0 && claims(bytes, missing) {
            let (number, at) = (stamp.number, block * BLOCK_BYTES as u64);
            behind.claim = Some(Claim { number, file: reader.name().to_owned(), at });
            break;
        }
    }
    Ok(behind)
}

fn claims(first_block: &[u8], missing: BatchNo) -> bool {
    let head = decode_head(payload(first_block));
    head.is_some_and(|head| head.durable_up_to >= missing) && is_sum_right(first_block)
}
