//! Where the log goes on, where it ends, and where it is damaged.

use std::fmt::Write;
use std::sync::Arc;

use posthouse_core::ids::BatchNo;

use super::script::{lay_out, put_checkpoint, records};
use crate::files::held::HeldFiles;
use crate::journal::fault::Fault;
use crate::journal::layout::name::segment_id;
use crate::journal::layout::{BLOCK_BYTES, PAYLOAD_BYTES};
use crate::journal::scan::{Directory, LogReader};

/// Reads the log behind batch `checkpoint` and tells what came of it: the batches, then
/// `end segment:block vouched N tail BLOCKS` or `damage segment:block what`.
fn tell(files: &Arc<HeldFiles>, checkpoint: u64) -> String {
    let mut told = String::new();
    if let Err(fault) = tell_all(files, checkpoint, &mut told) {
        let Fault::Damaged { file, at, what } = fault else { panic!("{fault}") };
        let id = segment_id(&file).expect("it names a segment");
        let block = at / BLOCK_BYTES as u64;
        write!(told, "damage {id}:{block} {what}").expect("a text takes all");
    }
    told
}

fn tell_all(files: &Arc<HeldFiles>, checkpoint: u64, told: &mut String) -> Result<(), Fault> {
    let directory = Directory::read(&**files)?;
    let mut reader = LogReader::new(files.clone(), &directory, BatchNo(checkpoint + 1));
    while let Some((batch, place, _)) = reader.next()? {
        let number = batch.number.0;
        let blocks = batch.records.len() / PAYLOAD_BYTES + 1;
        assert_eq!(batch.records, records(number, blocks as u64), "batch {number}");
        assert_eq!(batch.wall_ms, number * 10);
        assert_eq!(place.offset(), 24);
        write!(told, "{number}@{}:{} ", place.segment, place.block()).expect("a text takes all");
    }
    assert!(reader.next()?.is_none(), "the end stays the end");
    let end = reader.end().expect("it has come to the end");
    let (segment, block, vouched) = (end.segment, end.block, end.vouched.0);
    let tail = end.tail_bytes / BLOCK_BYTES as u64;
    write!(told, "end {segment}:{block} vouched {vouched} tail {tail}").expect("a text takes all");
    let unvouched = end.unvouched.iter().map(|span| span.number.0);
    assert!(unvouched.eq(vouched + 1..=end.last.0), "{:?}", end.unvouched);
    Ok(())
}

/// Lays out a script and compares what is read; damage need only begin as expected.
fn check(script: &str, expected: &str) {
    check_from(script, None, expected);
}

fn check_from(script: &str, checkpoint: Option<(u64, u64, u64)>, expected: &str) {
    let files = lay_out(script);
    if let Some((batch, segment, block)) = checkpoint {
        put_checkpoint(&files, batch, segment, block);
    }
    let told = tell(&files, checkpoint.map_or(0, |(batch, ..)| batch));
    let is_expected =
        told == expected || (expected.contains("damage") && told.starts_with(expected));
    assert!(is_expected, "{script}\nexpected {expected}\nbut read {told}");
}

#[test]
fn an_empty_log_ends_where_it_begins() {
    check("", "end 0:1 vouched 0 tail 0");
    check("1:", "end 1:1 vouched 0 tail 0");
    check("1:\n2:", "end 1:1 vouched 0 tail 0");
    check("1: e0", "end 1:2 vouched 0 tail 0");
}

#[test]
fn batches_follow_each_other_block_by_block() {
    check("1: 1 2 3", "1@1:1 2@1:2 3@1:3 end 1:4 vouched 0 tail 0");
    check("1: 1x3 2x2/1 3", "1@1:1 2@1:4 3@1:6 end 1:7 vouched 1 tail 0");
    check("1: 1x15", "1@1:1 end 1:16 vouched 0 tail 0");
}

#[test]
fn the_log_goes_on_in_the_next_segment_that_has_the_next_batch() {
    check("1: 1x15\n2: 2", "1@1:1 2@2:1 end 2:2 vouched 0 tail 0");
    check("1: 1 2\n2: 3/2", "1@1:1 2@1:2 3@2:1 end 2:2 vouched 2 tail 0");
    check("1: 1\n2: _\n3: 2", "1@1:1 2@3:1 end 3:2 vouched 0 tail 0");
    check("1:\n4: 1\n9: 2", "1@4:1 2@9:1 end 9:2 vouched 0 tail 0");
    check("1: 1\n2c: m1 m2\n3: 2", "1@1:1 2@3:1 end 3:2 vouched 0 tail 0");
}

#[test]
fn vouches_and_ends_are_no_batches() {
    check("1: 1 v1", "1@1:1 end 1:3 vouched 1 tail 0");
    check("1: 1 v1 2/1 v2 e2", "1@1:1 2@1:3 end 1:6 vouched 2 tail 0");
    check("1: 1x15\n2: v1 2/1", "1@1:1 2@2:2 end 2:3 vouched 1 tail 0");
    check("1: 1 e1\n2: v1\n3: v1 2", "1@1:1 2@3:2 end 3:3 vouched 1 tail 0");
}

/// The last batch of three blocks, with every subset of them missing, and then behind it nothing,
/// a later batch that survived, or proof that it was durable.
#[test]
fn a_torn_batch_is_no_batch() {
    for missing in ["0", "1", "2", "01", "02", "12", "012"] {
        let left = 3 - missing.len();
        let torn = format!("2x3/1-{missing}");
        let end = |tail: usize| format!("1@1:1 end 1:2 vouched 0 tail {tail}");
        check(&format!("1: 1 {torn}"), &end(left));
        check(&format!("1: 1 {torn} 3/1 4/1"), &end(left + 2));
        check(&format!("1: 1 {torn} 3/1 4/2"), "1@1:1 damage 1:2 batch 2 was confirmed");
        check(&format!("1: 1 {torn} v2"), "1@1:1 damage 1:2 batch 2 was confirmed");
        check(&format!("1: 1 {torn}\n2: 2"), "1@1:1 2@2:1 end 2:2 vouched 0 tail 0");
    }
    check("1: 1 2x3/1", "1@1:1 2@1:2 end 1:5 vouched 1 tail 0");
}

#[test]
fn what_comes_after_a_torn_batch_is_dropped_with_it() {
    check("1: 1-0 2 3", "end 1:1 vouched 0 tail 2");
    check("1: 1 2-0\n2: 3/1 4/1", "1@1:1 end 1:2 vouched 0 tail 2");
    check("1: 1 2-0\n2: _ 4/1", "1@1:1 end 1:2 vouched 0 tail 1");
}

#[test]
fn proof_that_a_missing_batch_was_durable_is_found_wherever_it_lies() {
    check("1: 1 2-0\n2: 3/1 4/2", "1@1:1 damage 1:2 batch 2 was confirmed");
    check("1: 1 2-0\n2:\n3: _ _ 7/2", "1@1:1 damage 1:2 batch 2 was confirmed");
    check("1: 1 2-0\n2: v2", "1@1:1 damage 2:1 it says that batch 2 was confirmed");
    check("1: 1 2-0 3x2/2-1", "1@1:1 damage 1:2 batch 2 was confirmed");
    check("1:\n2: 2 v2", "damage 1:1 batch 1 was confirmed");
    check("2: 2 3/1", "damage 2:1 batch 1 was confirmed");
}

#[test]
fn proof_counts_only_if_it_is_whole_and_of_this_life() {
    check("1: 1 2-0 3/2!0", "1@1:1 end 1:2 vouched 0 tail 1");
    check("1: 1 2-0 ~3/2 ~v3", "1@1:1 end 1:2 vouched 0 tail 0");
    check("1: 1 2-0\n2c: m1/2", "1@1:1 end 1:2 vouched 0 tail 0");
}

#[test]
fn leftovers_of_an_earlier_life_are_nothing() {
    check("1: ~1 ~2 ~3", "end 1:1 vouched 0 tail 0");
    check("1: 1 ~2 ~v2 ~3", "1@1:1 end 1:2 vouched 0 tail 0");
    check("1: 1\n2: ~2", "1@1:1 end 1:2 vouched 0 tail 0");
}

#[test]
fn an_old_tail_does_not_come_back() {
    check("1: 1 2x2-1 3\n2: 2 3 v3", "1@1:1 2@2:1 3@2:2 end 2:4 vouched 3 tail 0");
    check("1: 1 2-0 3\n2: 2-0\n3: 2 v2", "1@1:1 2@3:1 end 3:3 vouched 2 tail 0");
    check("1: 1 2x2-1 3\n2: 2", "1@1:1 2@2:1 end 2:2 vouched 0 tail 0");
    check("1: 1 2x2-0\n2: v1 2x2-1", "1@1:1 end 2:2 vouched 1 tail 1");
}

#[test]
fn a_batch_that_is_there_with_a_wrong_sum_is_damage() {
    for block in 0..3 {
        let at = 2 + block;
        let damage = format!("1@1:1 damage 1:{at} a block of batch 2");
        check(&format!("1: 1 2x3!{block}"), &damage);
        check(&format!("1: 1 2x3!{block} v2"), &damage);
        check(&format!("1: 1 2x3!{block} 3/2"), &damage);
    }
    check("1: 1 v1!0", "1@1:1 damage 1:2 a block of batch 1");
    check("1: 1x15\n2: 2!0", "1@1:1 damage 2:1 a block of batch 2");
    check("1: 1 2x3-2!1", "1@1:1 end 1:2 vouched 0 tail 2");
}

#[test]
fn a_hit_stamp_is_damage_once_something_vouches() {
    for block in 0..3 {
        let script = format!("1: 1 2x3%{block}");
        check(&script, "1@1:1 end 1:2 vouched 0 tail 2");
        check(&format!("{script} v2"), "1@1:1 damage 1:2 batch 2 was confirmed");
        check(&format!("{script}\n2: 3/1 4/2"), "1@1:1 damage 1:2 batch 2 was confirmed");
    }
    check("1: 1 v1%0", "1@1:1 end 1:2 vouched 0 tail 0");
}

#[test]
fn what_cannot_have_been_written_is_damage() {
    check("1: 1 2/2", "1@1:1 damage 1:2 batch 2 says of itself");
    check("1: 1 1", "1@1:1 damage 1:2 batch 1 is there a second time");
    check("1: 1 v1/0", "1@1:1 damage 1:2 it does not vouch for batch 1");
    check("1: 1 v2", "1@1:1 damage 1:2 it says that batch 2 was confirmed");
    check("1: 1 m2", "1@1:1 damage 1:2 batch 2 is not of the kind");
}

#[test]
fn reading_begins_behind_the_checkpoint() {
    let script = "1: 1 2x2 3\n2: 4 v4";
    check_from(script, Some((1, 1, 2)), "2@1:2 3@1:4 4@2:1 end 2:3 vouched 4 tail 0");
    check_from(script, Some((3, 1, 5)), "4@2:1 end 2:3 vouched 4 tail 0");
    check_from(script, Some((4, 2, 2)), "end 2:3 vouched 4 tail 0");
    check_from(script, Some((4, 2, 3)), "end 2:3 vouched 4 tail 0");
    check_from(script, Some((1, 0, 2)), "2@1:2 3@1:4 4@2:1 end 2:3 vouched 4 tail 0");
    check_from(script, Some((1, 1, 4)), "damage 1:4 batch 2 was confirmed");
    check_from(script, Some((4, 3, 1)), "damage 3:0 the manifest needs this segment");
    check_from("1: 1\n2: 2", Some((2, 2, 16)), "end 2:16 vouched 2 tail 0");
}
