//! What the figures count.

use posthouse_core::ids::BatchNo;

use super::shared;
use crate::journal::inspect::{Amount, FileKind, SegmentStats, Stats, stats};
use crate::journal::layout::segment::SegmentKind;
use crate::journal::scan::tests::script::{SEGMENT_BYTES, lay_out, put_checkpoint};

fn amount(count: u64, bytes: u64) -> Amount {
    Amount { count, bytes }
}

#[test]
fn figures_count_files_batches_and_records() {
    let files = lay_out("1: 1 2x2/1 v2 ~9 3x2-0\n2c: m1");
    files.put("0000000000000001.spare", vec![0; 100]);
    files.put("notes.txt", vec![0; 5]);
    put_checkpoint(&files, 1, 1, 2);
    let Stats { files, segments, batches, vouches, records, unreadable, block_bytes, checkpoint } =
        stats(&shared(&files), &mut |_, _| {}).expect("it can be read");

    let expected = [
        (FileKind::Manifest, amount(2, 2 * 4096)),
        (FileKind::Segment(SegmentKind::Journal), amount(1, SEGMENT_BYTES)),
        (FileKind::Segment(SegmentKind::Compacted), amount(1, SEGMENT_BYTES)),
        (FileKind::Spare, amount(1, 100)),
        (FileKind::Checkpoint, amount(1, 71)),
        (FileKind::Stranger, amount(1, 5)),
    ];
    assert!(files.into_iter().eq(expected));
    let journal = SegmentStats {
        id: 1,
        kind: SegmentKind::Journal,
        bytes: SEGMENT_BYTES,
        used_bytes: 6 * 4096,
        batches: amount(2, 110 + 4182),
        live: amount(0, 0),
    };
    let compacted = SegmentStats {
        id: 2,
        kind: SegmentKind::Compacted,
        used_bytes: 2 * 4096,
        batches: amount(1, 110),
        ..journal
    };
    assert_eq!(segments, [journal, compacted]);
    assert_eq!((batches, vouches), (amount(3, 4402), 1));
    assert!(records.into_iter().eq([("destination-defined", amount(3, 4402))]));
    assert_eq!((unreadable, block_bytes), (amount(0, 0), 5 * 4096));
    let checkpoint = checkpoint.expect("one counts");
    assert_eq!((checkpoint.batch, checkpoint.chunks), (BatchNo(1), amount(1, 7)));
}

#[test]
fn padding_is_what_is_not_records() {
    let check = |block_bytes, bytes, expected| {
        let stats = Stats { block_bytes, batches: amount(1, bytes), ..Stats::default() };
        assert_eq!(stats.padding_share(), expected);
    };
    check(0, 0, 0.0);
    check(4096, 1024, 0.75);
    check(4096, 4096, 0.0);
}
