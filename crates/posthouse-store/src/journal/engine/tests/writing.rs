//! Placing, writing and syncing: what reaches the medium in which order, and what is told when.

use posthouse_core::store::{Locator, Store};

use super::bench::{HandBench, SEGMENT_BYTES, submit, told};
use crate::journal::Worker;
use crate::journal::layout::place::Place;

const FIRST: &str = "0000000000000001.segment";
const SECOND: &str = "0000000000000002.segment";

fn place(segment: u64, block: u64) -> Locator {
    Place::of_records(segment, block).locator()
}

#[test]
fn batches_follow_each_other_and_never_span_segments() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let mut number = 0;
    let mut check = |bytes: usize, segment: u64, block: u64| {
        number += 1;
        assert_eq!(submit(&mut journal, number, bytes), place(segment, block), "{bytes} bytes");
    };
    check(10, 1, 1);
    check(4_048, 1, 2);
    check(4_049, 1, 3);
    check(9 * 4_072 - 24, 1, 5);
    // Two blocks are left for a vouch and an end.
    check(10, 2, 1);
    check(11 * 4_072, 2, 2);
    check(100_000, 3, 1);
    check(10, 4, 1);
}

#[test]
fn what_arrived_during_a_sync_is_synced_together() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    bench.files.take_deeds();
    assert!(journal.is_ready(1));
    submit(&mut journal, 1, 10);
    bench.hands.step(Worker::Writer);
    assert!(!journal.is_ready(2_047), "the writer is at the medium, and a block would be wasted");
    assert!(journal.is_ready(2_048), "but this is worth its block");
    submit(&mut journal, 2, 10);
    submit(&mut journal, 3, 5_000);
    assert_eq!(told(&mut journal), [""; 0]);
    bench.hands.step(Worker::Writer);
    assert_eq!(told(&mut journal), ["durable 1"]);
    bench.hands.settle();
    assert_eq!(told(&mut journal), ["durable 3"]);
    let write = |at: &str| format!("write {FIRST}.new {at}");
    let sync = format!("sync {FIRST}.new");
    let mut deeds = bench.files.take_deeds();
    deeds.retain(|deed| deed.contains(FIRST));
    assert_eq!(deeds, [write("4096+4096"), sync.clone(), write("8192+12288"), sync]);
}

#[test]
fn both_segments_of_a_group_are_synced_before_any_of_it_counts() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    bench.files.take_deeds();
    (1..=15).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.hands.step(Worker::Writer);
    bench.hands.step(Worker::Writer);
    assert_eq!(told(&mut journal), ["durable 15"]);
    let mut deeds = bench.files.take_deeds();
    deeds.retain(|deed| deed.starts_with("sync 0"));
    assert_eq!(deeds, [format!("sync {FIRST}.new"), format!("sync {SECOND}.new")]);
}

#[test]
fn a_segment_is_there_with_its_name_before_a_batch_is_written_to_it() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    (1..=27).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.files.take_deeds();
    bench.hands.step(Worker::Writer);
    let deeds = bench.files.take_deeds();
    let third = "0000000000000003.segment";
    let spare = "0000000000000001.spare";
    let expected = [
        format!("write {spare} 0+4096"),
        format!("sync {spare}"),
        format!("rename {spare} {third}"),
        "sync names".to_owned(),
        format!("write {spare} 4096+4096"),
    ];
    let tail = deeds.get(deeds.len() - expected.len()..).unwrap_or_default();
    assert_eq!(tail, expected, "{deeds:?}");
}

#[test]
fn a_segment_is_longer_before_its_head_says_so() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    bench.files.take_deeds();
    submit(&mut journal, 1, 100_000);
    bench.hands.step(Worker::Writer);
    let (sync, write) = (format!("sync {FIRST}.new"), format!("write {FIRST}.new"));
    let expected = [sync.clone(), format!("{write} 0+4096"), sync, format!("{write} 4096+102400")];
    assert_eq!(bench.files.take_deeds(), expected);
}

#[test]
fn an_idle_journal_vouches_once_and_a_closed_one_ends() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let check = |deeds: &[&str]| {
        bench.hands.idle();
        bench.hands.settle();
        let expected: Vec<String> =
            deeds.iter().map(|at| format!("write {FIRST}.new {at}")).collect();
        let mut done = bench.files.take_deeds();
        done.retain(|deed| deed.starts_with("write") && deed.contains(FIRST));
        assert_eq!(done, expected);
    };
    bench.files.take_deeds();
    check(&[]);
    submit(&mut journal, 1, 10);
    bench.hands.settle();
    check(&["4096+4096", "8192+4096"]);
    check(&[]);
    submit(&mut journal, 2, 10);
    journal.close().expect("everything can be written");
    check(&["12288+4096", "16384+4096"]);
    let (journal, last) = bench.started();
    assert_eq!(last, 2);
    assert_eq!(journal.figures().opening.rewritten_batches, 0, "the end vouches for all");
}

#[test]
fn what_nothing_vouches_for_is_written_once_more() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    submit(&mut journal, 1, 10);
    bench.hands.settle();
    submit(&mut journal, 2, 5_000);
    bench.hands.settle();
    drop(journal);
    bench.files.take_deeds();
    let mut journal = bench.journal();
    while journal.recover(Default::default()).expect("no damage").is_some() {}
    let mut deeds = bench.files.take_deeds();
    deeds.retain(|deed| deed.contains("segment") && !deed.starts_with("remove"));
    assert_eq!(deeds, [format!("write {FIRST} 8192+8192"), format!("sync {FIRST}")]);
}

#[test]
fn starting_again_and_again_takes_no_more_room() {
    let bench = HandBench::new();
    for number in 1..=30 {
        let (mut journal, last) = bench.started();
        assert_eq!(last + 1, number);
        submit(&mut journal, number, 10);
        bench.hands.settle();
        if told(&mut journal).contains(&"checkpoint wanted".to_owned()) {
            assert!(number >= 5, "not at once");
            break;
        }
        assert!(number < 10, "closed segments make a checkpoint due");
    }
    assert!(bench.files.bytes() < 12 * SEGMENT_BYTES, "{:?}", bench.names(""));
}

#[test]
fn an_error_is_the_last_that_is_told() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    submit(&mut journal, 1, 10);
    bench.hands.settle();
    submit(&mut journal, 2, 10);
    bench.hands.step(Worker::Writer);
    bench.files.break_down();
    bench.hands.settle();
    submit(&mut journal, 3, 10);
    bench.hands.settle();
    assert_eq!(told(&mut journal), ["durable 1", "failed"]);
    assert!(journal.close().is_err());
}
