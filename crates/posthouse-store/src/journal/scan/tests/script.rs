//! Lays out a store from a script: a line for each segment, `id: word word ...`, where `id` ends
//! in `c` for a compacted one. Words:
//!
//! * `5` is batch 5 in one block; `5x3` in three; `5/4` says that batch 4 was durable
//! * `v5` vouches for batch 5, `e5` ends after it, `m1` holds moved messages
//! * `_` is a block without anything, `~5` is batch 5 from an earlier life of the file
//! * `5x3-02` lacks its blocks 0 and 2; `5x3!1` has a flipped bit in the payload of block 1, and
//!   `5x3%1` one in the stamp of block 1

use std::sync::Arc;

use posthouse_core::destination::Kind;
use posthouse_core::ids::{BatchNo, DestinationId};
use posthouse_core::record::Record;
use posthouse_core::record::codec::encode;

use crate::files::held::HeldFiles;
use crate::journal::layout::batch::{BatchHead, BatchKind, encode_batch};
use crate::journal::layout::checkpoint::{encode_chunk, encode_end, encode_first};
use crate::journal::layout::manifest::Manifest;
use crate::journal::layout::name::{MANIFEST_NAMES, checkpoint_name, segment_name};
use crate::journal::layout::segment::{SegmentHead, SegmentKind, StoreId};
use crate::journal::layout::{BLOCK_BYTES, PAYLOAD_BYTES};

pub(crate) const STORE: StoreId = StoreId([7; 16]);
/// How long every segment of a script is.
pub(crate) const SEGMENT_BYTES: u64 = 16 * BLOCK_BYTES as u64;

/// A store that a script has laid out, with a manifest that names no checkpoint.
pub(crate) fn lay_out(script: &str) -> Arc<HeldFiles> {
    let files = Arc::new(HeldFiles::default());
    put_manifest(&files, 0, &manifest());
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (id, words) = line.split_once(':').expect("a line is `id: words`");
        let (id, kind) = match id.strip_suffix('c') {
            Some(id) => (id, SegmentKind::Compacted),
            None => (id, SegmentKind::Journal),
        };
        let id = id.parse().expect("an id is a number");
        files.put(&segment_name(id), segment(id, kind, words));
    }
    files
}

/// The manifest of a new store.
pub(crate) fn manifest() -> Manifest {
    Manifest {
        generation: 1,
        store: STORE,
        checkpoint: BatchNo(0),
        checkpoint_bytes: 0,
        replay_segment: 0,
        replay_block: 0,
        last_segment: 0,
    }
}

/// Overwrites a slot.
pub(crate) fn put_manifest(files: &HeldFiles, slot: usize, manifest: &Manifest) {
    files.put(MANIFEST_NAMES[slot], manifest.encode());
}

/// Adds a checkpoint of the state after `batch`, and the manifest that names it and the place
/// where the log goes on.
pub(crate) fn put_checkpoint(files: &HeldFiles, batch: u64, segment: u64, block: u64) {
    let mut bytes = Vec::new();
    encode_first(&mut bytes, STORE, BatchNo(batch));
    encode_chunk(&mut bytes, b"records");
    encode_end(&mut bytes);
    let manifest = Manifest {
        generation: 2,
        checkpoint: BatchNo(batch),
        checkpoint_bytes: bytes.len() as u64,
        replay_segment: segment,
        replay_block: block,
        ..manifest()
    };
    files.put(&checkpoint_name(BatchNo(batch)), bytes);
    put_manifest(files, 1, &manifest);
}

/// The epoch of a segment of a script.
pub(crate) fn epoch(id: u64) -> u64 {
    0xe90c_0000 + id
}

/// The head of a segment of a script.
pub(crate) fn segment_head(id: u64, kind: SegmentKind) -> SegmentHead {
    SegmentHead { id, epoch: epoch(id), kind, bytes: SEGMENT_BYTES, store: STORE }
}

/// The one record of batch `number` when it takes `blocks` blocks.
pub(crate) fn record(number: u64, blocks: u64) -> Record {
    let path = "x".repeat((blocks as usize - 1) * PAYLOAD_BYTES + 100);
    let id = DestinationId(number as u32);
    Record::DestinationDefined { id, kind: Kind::Queue, path: path.into() }
}

/// The same as bytes.
pub(crate) fn records(number: u64, blocks: u64) -> Vec<u8> {
    let mut records = Vec::new();
    encode(&record(number, blocks), &mut records);
    records
}

fn segment(id: u64, kind: SegmentKind, words: &str) -> Vec<u8> {
    let mut bytes = segment_head(id, kind).encode();
    words.split_whitespace().for_each(|word| append(&mut bytes, id, word));
    assert!(bytes.len() <= SEGMENT_BYTES as usize, "a script fits into its segment");
    bytes.resize(SEGMENT_BYTES as usize, 0);
    bytes
}

fn append(bytes: &mut Vec<u8>, id: u64, word: &str) {
    let start = bytes.len();
    if word == "_" {
        return bytes.resize(start + BLOCK_BYTES, 0);
    }
    let (epoch, word) = match word.strip_prefix('~') {
        Some(word) => (!epoch(id), word),
        None => (epoch(id), word),
    };
    let word = Word::parse(word);
    let records = word.records();
    encode_batch(bytes, epoch, word.number, &word.head(records.len()), &records);
    let blocks = &mut bytes[start..];
    word.missing.iter().for_each(|at| blocks[at * BLOCK_BYTES..][..BLOCK_BYTES].fill(0));
    word.damaged.iter().for_each(|at| blocks[at * BLOCK_BYTES + 99] ^= 4);
    word.hit.iter().for_each(|at| blocks[at * BLOCK_BYTES + 3] ^= 4);
}

struct Word {
    kind: BatchKind,
    number: u64,
    blocks: u64,
    durable_up_to: u64,
    missing: Vec<usize>,
    damaged: Vec<usize>,
    hit: Vec<usize>,
}

impl Word {
    fn parse(word: &str) -> Word {
        let (kind, rest) = match word.split_at(1) {
            ("v", rest) => (BatchKind::Vouch, rest),
            ("e", rest) => (BatchKind::End, rest),
            ("m", rest) => (BatchKind::Moved, rest),
            _ => (BatchKind::Batch, word),
        };
        let number = part(rest, None).expect("a batch has a number");
        let is_vouch = matches!(kind, BatchKind::Vouch | BatchKind::End);
        Word {
            kind,
            number,
            blocks: part(rest, Some('x')).unwrap_or(1),
            durable_up_to: part(rest, Some('/')).unwrap_or(if is_vouch { number } else { 0 }),
            missing: digits(rest, '-'),
            damaged: digits(rest, '!'),
            hit: digits(rest, '%'),
        }
    }

    fn records(&self) -> Vec<u8> {
        match self.kind {
            BatchKind::Vouch | BatchKind::End => Vec::new(),
            BatchKind::Batch | BatchKind::Moved => records(self.number, self.blocks),
        }
    }

    fn head(&self, bytes: usize) -> BatchHead {
        let durable_up_to = BatchNo(self.durable_up_to);
        let wall_ms = self.number * 10;
        BatchHead { kind: self.kind, bytes: bytes as u32, durable_up_to, wall_ms }
    }
}

/// The digits that a word begins with, or that stand behind a mark in it.
fn text(word: &str, mark: Option<char>) -> Option<&str> {
    let rest = match mark {
        Some(mark) => word.split_once(mark)?.1,
        None => word,
    };
    rest.split(|digit: char| !digit.is_ascii_digit()).next()
}

fn part(word: &str, mark: Option<char>) -> Option<u64> {
    text(word, mark)?.parse().ok()
}

fn digits(word: &str, mark: char) -> Vec<usize> {
    let digits = text(word, Some(mark)).unwrap_or_default();
    digits.bytes().map(|digit| usize::from(digit - b'0')).collect()
}
