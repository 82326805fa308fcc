//! The mark in the last block of a spare that was filled with zeros. `docs/log-format.md`,
//! "Spares".

use super::BLOCK_BYTES;
use super::block::{Found, Stamp, examine, payload, payload_mut, seal};

const MAGIC: [u8; 8] = *b"PHZEROED";

/// No segment has this epoch, so that the mark is never taken for a block of a log.
const STAMP: Stamp = Stamp { epoch: 0, number: 0, index: 0 };

/// The mark as one block.
pub fn encode_mark() -> Vec<u8> {
    let mut block = vec![0; BLOCK_BYTES];
    for (to, from) in payload_mut(&mut block).iter_mut().zip(MAGIC) {
        *to = from;
    }
    seal(&mut block, STAMP);
    block
}

/// Whether a block is the mark.
pub fn is_mark(block: &[u8]) -> bool {
    examine(block, STAMP) == Found::Whole && payload(block).starts_with(&MAGIC)
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, encode_mark, is_mark};

    #[test]
    fn a_mark_is_told_from_anything_else() {
        assert!(is_mark(&encode_mark()));
        assert!(!is_mark(&vec![0; BLOCK_BYTES]));
        assert!(!is_mark(&[]));
        let mut damaged = encode_mark();
        damaged.reverse();
        assert!(!is_mark(&damaged));
    }
}
