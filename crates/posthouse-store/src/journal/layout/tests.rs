//! Round trips, flipped bits and random bytes for everything that is laid out.

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Locator;

use super::batch::{BatchHead, BatchKind, blocks_of, decode_head, encode_batch};
use super::block::{Found, Stamp, examine, payload, payload_mut, seal, stamp_of};
use super::checkpoint::{CheckpointHead, ChunkReader, encode_chunk, encode_end, encode_first};
use super::manifest::Manifest;
use super::name::{
    checkpoint_batch, checkpoint_name, segment_id, segment_name, spare_name, spare_number,
};
use super::place::Place;
use super::segment::{HeadFault, SegmentHead, SegmentKind, StoreId};
use super::{
    BATCH_HEAD_BYTES, BLOCK_BYTES, CHUNK_BYTES_MAX, PAYLOAD_BYTES, RECORDS_BYTES_MAX,
    SEGMENT_BYTES_MAX,
};
use crate::files::Files;
use crate::files::held::HeldFiles;
use crate::journal::fault::Fault;

const STAMP: Stamp = Stamp { epoch: 0x1122_3344_5566_7788, number: 9, index: 3 };
const STORE: StoreId = StoreId(*b"a store's own id");

fn block() -> Vec<u8> {
    let mut block = vec![0; BLOCK_BYTES];
    payload_mut(&mut block)[..4].copy_from_slice(b"text");
    seal(&mut block, STAMP);
    block
}

fn head() -> SegmentHead {
    let bytes = 64 << 20;
    SegmentHead { id: 17, epoch: u64::MAX, kind: SegmentKind::Journal, bytes, store: STORE }
}

fn manifest() -> Manifest {
    Manifest {
        generation: 3,
        store: STORE,
        checkpoint: BatchNo(1000),
        checkpoint_bytes: 123_456,
        replay_segment: 17,
        replay_block: 4711,
        last_segment: 23,
    }
}

/// Every copy of `bytes` in which one bit is another, with the byte that it is in.
fn each_flipped(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len()).map(|at| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << (at % 8);
        (at, flipped)
    })
}

#[test]
fn a_block_says_where_it_belongs_and_whether_it_is_whole() {
    let check = |block: &[u8], stamp, expected| assert_eq!(examine(block, stamp), expected);
    let block = block();
    check(&block, STAMP, Found::Whole);
    check(&block, Stamp { epoch: 1, ..STAMP }, Found::Missing);
    check(&block, Stamp { number: 8, ..STAMP }, Found::Missing);
    check(&block, Stamp { index: 0, ..STAMP }, Found::Missing);
    check(&block[..BLOCK_BYTES - 1], STAMP, Found::Missing);
    check(&[], STAMP, Found::Missing);
    assert_eq!(stamp_of(&block), Some(STAMP));
    assert_eq!(stamp_of(&block[..19]), None);
    assert_eq!(&payload(&block)[..5], b"text\0");
    assert_eq!(payload(&block).len(), PAYLOAD_BYTES);
    assert_eq!(payload(&block[..3]), b"");
}

#[test]
fn every_flipped_byte_of_a_block_is_noticed() {
    for (at, flipped) in each_flipped(&block()) {
        let expected = if at < 20 { Found::Missing } else { Found::Damaged };
        assert_eq!(examine(&flipped, STAMP), expected, "byte {at}");
    }
}

#[test]
fn a_segment_head_reads_back_and_every_flipped_byte_is_noticed() {
    for kind in [SegmentKind::Journal, SegmentKind::Compacted, SegmentKind::Spool] {
        let head = SegmentHead { kind, ..head() };
        assert_eq!(SegmentHead::decode(&head.encode()), Ok(head));
    }
    for (at, flipped) in each_flipped(&head().encode()) {
        assert!(SegmentHead::decode(&flipped).is_err(), "byte {at}");
    }
}

#[test]
fn a_segment_head_must_make_sense() {
    let check = |head: SegmentHead, expected| {
        assert_eq!(SegmentHead::decode(&head.encode()).is_ok(), expected, "{head:?}");
    };
    check(SegmentHead { bytes: SEGMENT_BYTES_MAX, ..head() }, true);
    check(SegmentHead { bytes: SEGMENT_BYTES_MAX + 4096, ..head() }, false);
    check(SegmentHead { bytes: 4097, ..head() }, false);
    check(SegmentHead { bytes: 0, ..head() }, false);
    check(SegmentHead { epoch: 0, ..head() }, false);
    check(SegmentHead { id: 0, ..head() }, false);
    check(SegmentHead { id: (1 << 36) - 1, ..head() }, true);
    check(SegmentHead { id: 1 << 36, ..head() }, false);
}

#[test]
fn a_manifest_reads_back_and_every_flipped_byte_is_noticed() {
    assert_eq!(Manifest::decode(&manifest().encode()), Ok(manifest()));
    for (at, flipped) in each_flipped(&manifest().encode()) {
        assert!(Manifest::decode(&flipped).is_err(), "byte {at}");
    }
    let none = Manifest { generation: 0, ..manifest() };
    assert_eq!(Manifest::decode(&none.encode()), Err(HeadFault::Damaged));
}

#[test]
fn something_else_a_future_format_and_damage_are_told_apart() {
    type Decode = fn(&[u8]) -> Result<(), HeadFault>;
    let check = |decode: Decode, block: &[u8], expected| assert_eq!(decode(block), Err(expected));
    let segment: Decode = |block| SegmentHead::decode(block).map(|_| ());
    let slot: Decode = |block| Manifest::decode(block).map(|_| ());
    let zeros = vec![0; BLOCK_BYTES];
    check(segment, &zeros, HeadFault::NotOne);
    check(slot, &zeros, HeadFault::NotOne);
    check(segment, &head().encode()[..4000], HeadFault::Damaged);
    check(slot, &manifest().encode()[..4000], HeadFault::Damaged);

    let mut future = head().encode();
    payload_mut(&mut future)[8] = 2;
    check(segment, &future, HeadFault::Damaged);
    seal(&mut future, Stamp { epoch: 1, number: 0, index: 0 });
    check(segment, &future, HeadFault::Future { format: 2 });

    let mut future = manifest().encode();
    future[8] = 2;
    check(slot, &future, HeadFault::Damaged);
    let sum = crc32c::crc32c_append(crc32c::crc32c(&future[..12]), &future[16..]);
    future[12..16].copy_from_slice(&sum.to_le_bytes());
    check(slot, &future, HeadFault::Future { format: 2 });
}

fn batch_head(kind: BatchKind, bytes: usize) -> BatchHead {
    BatchHead { kind, bytes: bytes as u32, durable_up_to: BatchNo(4), wall_ms: 1_700_000_000_000 }
}

/// Lays a batch of `bytes` bytes out behind something else and reads it back block by block.
fn check_batch(bytes: usize, blocks: u64) {
    let records: Vec<u8> = (0..bytes).map(|at| at as u8 | 1).collect();
    let head = batch_head(BatchKind::Batch, bytes);
    let mut out = b"what is there stays".to_vec();
    encode_batch(&mut out, 5, 6, &head, &records);
    assert_eq!(blocks_of(bytes), blocks);
    assert_eq!(out.len(), 19 + blocks as usize * BLOCK_BYTES);
    let mut payloads = Vec::new();
    for (index, block) in (0..).zip(out[19..].chunks(BLOCK_BYTES)) {
        assert_eq!(examine(block, Stamp { epoch: 5, number: 6, index }), Found::Whole);
        payloads.extend_from_slice(payload(block));
    }
    assert_eq!(decode_head(&payloads), Some(head));
    let (read, zeros) = payloads[BATCH_HEAD_BYTES..].split_at(bytes);
    assert_eq!(read, records);
    assert!(zeros.iter().all(|byte| *byte == 0), "the rest of the last block is zero");
}

#[test]
fn a_batch_takes_as_many_blocks_as_it_needs() {
    check_batch(0, 1);
    check_batch(1, 1);
    check_batch(4048, 1);
    check_batch(4049, 2);
    check_batch(4048 + 4072, 2);
    check_batch(4048 + 4072 + 1, 3);
    assert_eq!(blocks_of(RECORDS_BYTES_MAX), SEGMENT_BYTES_MAX / 4096 - 1);
}

#[test]
fn a_batch_head_must_make_sense() {
    for kind in [BatchKind::Batch, BatchKind::Vouch, BatchKind::End, BatchKind::Moved] {
        let mut block = Vec::new();
        encode_batch(&mut block, 1, 2, &batch_head(kind, 0), &[]);
        assert_eq!(decode_head(payload(&block)), Some(batch_head(kind, 0)));
    }
    let check = |kind: u32, bytes: usize, expected: bool| {
        let mut head = [0; BATCH_HEAD_BYTES];
        head[..4].copy_from_slice(&kind.to_le_bytes());
        head[4..8].copy_from_slice(&(bytes as u32).to_le_bytes());
        assert_eq!(decode_head(&head).is_some(), expected, "kind {kind}, {bytes} bytes");
    };
    check(1, RECORDS_BYTES_MAX, true);
    check(1, RECORDS_BYTES_MAX + 1, false);
    check(0, 0, false);
    check(5, 0, false);
    assert_eq!(decode_head(&[1; BATCH_HEAD_BYTES - 1]), None);
}

#[test]
fn a_place_is_a_locator_and_back() {
    let check = |segment, first_block, offset: usize, block, at| {
        let locator = Place::of_records(segment, first_block).locator().after(offset);
        let place = Place::from_locator(locator).expect("it is a place");
        assert_eq!((place.segment, place.block(), place.offset()), (segment, block, at));
        assert_eq!(place.locator(), locator);
    };
    check(1, 1, 0, 1, 24);
    check(1, 1, 4047, 1, 4071);
    check(1, 1, 4048, 2, 0);
    check(1, 2, 4048 + 4072, 4, 0);
    check((1 << 36) - 1, 65_535, 4047, 65_535, 4071);
    check(7, 1, RECORDS_BYTES_MAX - 1, 65_535, 4071);
    assert_eq!(Place::from_locator(Locator::NONE), None);
}

#[test]
fn names_read_back_and_others_are_not_ours() {
    for number in [0, 1, 0xab, u64::MAX] {
        assert_eq!(segment_id(&segment_name(number)), Some(number));
        assert_eq!(checkpoint_batch(&checkpoint_name(BatchNo(number))), Some(BatchNo(number)));
    }
    assert_eq!(segment_name(0xab), "00000000000000ab.segment");
    for (number, expected) in [(0, Some(0)), (0xab, Some(0xab)), (1 << 48, None), (u64::MAX, None)]
    {
        assert_eq!(spare_number(&spare_name(number)), expected);
    }
    for name in [
        "",
        ".segment",
        "ab.segment",
        "00000000000000AB.segment",
        "+0000000000000ab.segment",
        "000000000000000ab.segment",
        "00000000000000ab.segment.new",
        "00000000000000ab.spare",
        "0000000000000驿.segment",
    ] {
        assert_eq!(segment_id(name), None, "{name}");
    }
}

fn checkpoint() -> Vec<u8> {
    let mut out = Vec::new();
    encode_first(&mut out, STORE, BatchNo(77));
    encode_chunk(&mut out, b"some records");
    encode_chunk(&mut out, &[7; 5000]);
    encode_end(&mut out);
    out
}

fn read_checkpoint(bytes: &[u8]) -> Result<(CheckpointHead, Vec<Vec<u8>>), Fault> {
    let files = HeldFiles::default();
    files.put("c", bytes.to_vec());
    let file = files.open("c").expect("it is there");
    let mut reader = ChunkReader::open(&*file, "c")?;
    let mut payloads = Vec::new();
    while let Some(payload) = reader.next_payload()? {
        payloads.push(payload.to_vec());
    }
    assert_eq!(reader.bytes_read(), bytes.len() as u64);
    assert!(reader.next_payload()?.is_none(), "the end stays the end");
    Ok((reader.head(), payloads))
}

#[test]
fn a_checkpoint_reads_back_chunk_by_chunk() {
    let (head, payloads) = read_checkpoint(&checkpoint()).expect("it is whole");
    assert_eq!(head, CheckpointHead { store: STORE, batch: BatchNo(77) });
    assert_eq!(payloads, [b"some records".to_vec(), vec![7; 5000]]);
}

#[test]
fn a_checkpoint_that_is_cut_lengthened_or_changed_is_damaged() {
    let whole = checkpoint();
    for bytes in 0..whole.len() {
        assert!(read_checkpoint(&whole[..bytes]).is_err(), "cut to {bytes} bytes");
    }
    for (at, flipped) in each_flipped(&whole) {
        assert!(read_checkpoint(&flipped).is_err(), "byte {at}");
    }
    assert!(read_checkpoint(&[&*whole, b"\0"].concat()).is_err());
}

#[test]
fn a_checkpoint_says_what_is_wrong_with_it() {
    let check = |bytes: &[u8], expected: &str| {
        let told = read_checkpoint(bytes).expect_err("it is damaged").to_string();
        assert!(told.contains(expected), "{told}");
    };
    let long = (CHUNK_BYTES_MAX as u32 + 1).to_le_bytes();
    check(&[&long[..], &[0; 2 << 20]].concat(), "at byte 0 (block 0): a chunk is longer than");
    check(&checkpoint()[..40], "at byte 0 (block 0): a chunk is longer than");
    check(&checkpoint()[..48], "at byte 48 (block 0): the file ends before");
    let mut chunk = Vec::new();
    encode_chunk(&mut chunk, b"PHSEGMNT");
    check(&chunk, "does not begin as a checkpoint");
    let mut chunk = Vec::new();
    encode_chunk(&mut chunk, b"PHCHECKP\x02\0\0\0");
    check(&chunk, "in format 2");
    let mut chunk = Vec::new();
    encode_chunk(&mut chunk, b"PHCHECKP\x01\0\0\0");
    check(&chunk, "wrong length");
}

/// Whatever the bytes are: no panic, and no more memory than they have.
fn fuzz_one(data: &[u8]) {
    let _ = examine(data, STAMP);
    if let Ok(head) = SegmentHead::decode(data) {
        assert_eq!(SegmentHead::decode(&head.encode()), Ok(head));
    }
    if let Ok(manifest) = Manifest::decode(data) {
        assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
    }
    if let Some(head) = decode_head(data) {
        assert!(blocks_of(head.bytes as usize) < SEGMENT_BYTES_MAX / BLOCK_BYTES as u64);
    }
    let _ = read_checkpoint(data);
    let _ = segment_id(&String::from_utf8_lossy(data));
}

#[test]
fn random_and_damaged_bytes_never_panic() {
    let mut random = fastrand::Rng::with_seed(0x5eed);
    let seeds = [block(), head().encode(), manifest().encode(), checkpoint()];
    for _ in 0..2_000 {
        let mut data = seeds[random.usize(..seeds.len())].clone();
        for _ in 0..=random.usize(..3) {
            let at = random.usize(..data.len());
            match random.u8(..4) {
                0 => data[at] ^= 1 << random.u8(..8),
                1 => random.fill(&mut data[at..]),
                2 => data.truncate(at.max(1)),
                _ => data.extend_from_within(at..),
            }
        }
        fuzz_one(&data);
    }
}
