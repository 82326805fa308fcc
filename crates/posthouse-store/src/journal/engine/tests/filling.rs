//! Spares are filled with zeros while nothing is submitted, and never otherwise.

use super::bench::{HandBench, SEGMENT_BYTES, submit};
use crate::files::Files;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::spare::is_mark;
use crate::journal::{Journal, Worker};

/// Idle passes after which filling begins.
const PASSES: usize = 5;

/// Steps in which a spare of this length is filled: eighths, of which the last lacks the mark.
const STEPS: usize = 9;

fn idle_for_long(bench: &HandBench) {
    (0..PASSES).for_each(|_| bench.hands.idle());
}

fn deeds_with(bench: &HandBench, word: &str) -> usize {
    bench.files.take_deeds().iter().filter(|deed| deed.starts_with(word)).count()
}

/// Spares that are filled up to their mark.
fn filled(bench: &HandBench) -> usize {
    let is_filled = |name: &String| {
        let mut block = vec![0; BLOCK_BYTES];
        let file = bench.files.open(name).expect("it is there");
        file.read_at(&mut block, SEGMENT_BYTES - BLOCK_BYTES as u64).expect("it can be read");
        is_mark(&block)
    };
    bench.names(".spare").iter().filter(|name| is_filled(name)).count()
}

fn idle_journal() -> (HandBench, Journal) {
    let bench = HandBench::new();
    let (journal, _) = bench.started();
    bench.files.take_deeds();
    idle_for_long(&bench);
    (bench, journal)
}

#[test]
fn an_idle_journal_fills_its_spares_step_by_step() {
    let (bench, _journal) = idle_journal();
    for step in 0..STEPS {
        assert_eq!((step, filled(&bench)), (step, 0));
        assert_eq!(bench.hands.ready(), [Worker::Keeper]);
        bench.hands.step(Worker::Keeper);
        let deeds = bench.files.take_deeds();
        assert_eq!(deeds.len(), 2, "one write and one sync: {deeds:?}");
    }
    assert_eq!(filled(&bench), 1);
    bench.hands.settle();
    assert_eq!(filled(&bench), 2);
}

#[test]
fn it_waits_until_nothing_was_submitted_for_long_enough() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    (1..PASSES).for_each(|_| bench.hands.idle());
    submit(&mut journal, 1, 10);
    bench.hands.settle();
    bench.hands.idle();
    bench.hands.settle();
    assert_eq!(filled(&bench), 0);
    idle_for_long(&bench);
    bench.hands.settle();
    assert_eq!(filled(&bench), 2);
}

#[test]
fn a_batch_ends_it_at_once() {
    let (bench, mut journal) = idle_journal();
    bench.hands.step(Worker::Keeper);
    submit(&mut journal, 1, 10);
    assert_eq!(bench.hands.ready(), [Worker::Writer]);
    bench.hands.settle();
    assert_eq!(filled(&bench), 0);
}

#[test]
fn a_full_disk_ends_it() {
    let (bench, mut journal) = idle_journal();
    bench.files.limit(bench.files.bytes());
    (1..=14).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.hands.settle();
    idle_for_long(&bench);
    bench.hands.settle();
    assert_eq!(filled(&bench), 0, "what is kept back is left alone");
}

#[test]
fn what_was_filled_is_known_after_a_restart_and_what_was_not_is_filled_again() {
    let (bench, journal) = idle_journal();
    (0..STEPS + 3).for_each(|_| bench.hands.step(Worker::Keeper));
    drop(journal);
    let (_journal, _) = bench.started();
    bench.files.take_deeds();
    idle_for_long(&bench);
    bench.hands.settle();
    // The log has taken the filled one, which is the first; of the other two one is new.
    assert_eq!(deeds_with(&bench, "write"), 2 * STEPS);
    assert_eq!(filled(&bench), 2);
}

#[test]
fn a_log_goes_on_over_zeros() {
    let (bench, mut journal) = idle_journal();
    bench.hands.settle();
    let last = 13 * 4;
    (1..=last).for_each(|number| {
        submit(&mut journal, number, 10);
        bench.hands.settle();
    });
    drop(journal);
    assert_eq!(bench.started().1, last);
}
