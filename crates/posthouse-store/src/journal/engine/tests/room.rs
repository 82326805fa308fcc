//! A full disk: producers are stopped in time, what frees room still gets through, and everything
//! goes on when there is room again.

use std::io::ErrorKind;
use std::sync::Arc;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Store;

use super::bench::{HandBench, SEGMENT_BYTES, Standing, options, publish, submit, told};
use crate::files::Files;
use crate::files::sim::{Action, Fault, SimFiles};
use crate::journal::{Crew, Hands, Journal, Worker};

#[test]
fn a_full_disk_is_told_once_and_what_is_kept_back_is_used() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    bench.files.limit(bench.files.bytes());
    // The current segment, the next one, and the spares.
    let mut durable = 0;
    let mut full_at = None;
    for number in 1..=60 {
        submit(&mut journal, number, 10);
        bench.hands.settle();
        for word in told(&mut journal) {
            match word.as_str() {
                "full" => {
                    assert_eq!(full_at, None, "once");
                    full_at = Some(number);
                }
                "checkpoint wanted" => {}
                other => durable = other.trim_start_matches("durable ").parse().expect(other),
            }
        }
    }
    assert_eq!(full_at, Some(14), "as soon as the next segment used up a spare");
    assert_eq!(durable, 4 * 13);
    bench.files.limit(u64::MAX);
    bench.hands.idle();
    bench.hands.settle();
    assert_eq!(told(&mut journal), ["durable 60", "room"]);
}

#[test]
fn a_checkpoint_finds_room_although_there_is_none() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    bench.files.limit(bench.files.bytes() + 10_000);
    let mut number = 0;
    let mut heard = Vec::new();
    while !heard.contains(&"room".to_owned()) {
        number += 1;
        assert!(number < 60, "{heard:?}");
        submit(&mut journal, number, 10);
        bench.hands.settle();
        let news = told(&mut journal);
        let is_wanted = news.contains(&"checkpoint wanted".to_owned());
        heard.extend(news);
        if is_wanted {
            journal.checkpoint(Box::new(Standing::new(number, &[])));
            bench.hands.settle();
            heard.extend(told(&mut journal));
        }
    }
    assert!(heard.contains(&"full".to_owned()), "{heard:?}");
    assert!(bench.files.bytes() <= 6 * SEGMENT_BYTES);
    journal.close().expect("everything could be written");
    assert_eq!(bench.started().1, number);
}

#[test]
fn a_checkpoint_that_finds_no_room_is_wanted_again_later() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    submit(&mut journal, 1, 10);
    bench.hands.settle();
    bench.files.limit(1);
    journal.checkpoint(Box::new(Standing::new(1, &[])));
    bench.hands.settle();
    assert_eq!(told(&mut journal), ["durable 1", "full"]);
    assert_eq!(bench.names(".new").len(), 0, "what was begun is removed");
    bench.files.limit(u64::MAX);
    bench.hands.idle();
    bench.hands.settle();
    assert_eq!(told(&mut journal), ["checkpoint wanted", "room"]);
    journal.checkpoint(Box::new(Standing::new(1, &[])));
    bench.hands.settle();
    assert_eq!(bench.names(".checkpoint").len(), 1);
}

#[test]
fn a_batch_larger_than_a_segment_takes_the_room_of_spares() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    bench.files.limit(bench.files.bytes());
    submit(&mut journal, 1, 2 * SEGMENT_BYTES as usize);
    bench.hands.settle();
    assert_eq!(told(&mut journal), ["durable 1", "full", "checkpoint wanted"]);
    submit(&mut journal, 2, 3 * SEGMENT_BYTES as usize);
    bench.hands.settle();
    assert_eq!(told(&mut journal), [""; 0]);
    bench.files.limit(u64::MAX);
    bench.hands.idle();
    bench.hands.settle();
    assert_eq!(told(&mut journal), ["durable 2", "room"]);
}

/// Lets the keeper work until the checkpoint has its name.
fn name_checkpoint(bench: &HandBench) {
    while bench.names(".checkpoint").is_empty() {
        bench.hands.step(Worker::Keeper);
    }
}

#[test]
fn what_a_checkpoint_was_given_is_left_alone_until_the_log_needs_it() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    bench.files.limit(bench.files.bytes());
    (1..=40).for_each(|number| {
        submit(&mut journal, number, 10);
        bench.hands.settle();
    });
    assert_eq!(bench.names(".spare"), ["0000000000000000.spare"], "all others are in use");
    journal.checkpoint(Box::new(Standing::new(40, &[])));
    name_checkpoint(&bench);
    assert_eq!(bench.names(".spare"), [""; 0]);
    bench.hands.idle();
    bench.hands.step(Worker::Keeper);
    assert_eq!(bench.names(".segment").len(), 4, "the next one is not needed yet");
    (41..=52).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.hands.step(Worker::Writer);
    bench.hands.step(Worker::Keeper);
    let last = bench.files.open("0000000000000005.segment").expect("the writer waits for it");
    assert_eq!(last.bytes().expect("it can be read"), 4 * 4_096, "as short as may be");
    bench.hands.settle();
    assert!(told(&mut journal).contains(&"durable 52".to_owned()));
}

#[test]
fn compaction_that_finds_no_room_asks_for_no_checkpoint() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let wanted = publish(&mut journal, 1, 100);
    (2..=30).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.hands.settle();
    told(&mut journal);
    journal.checkpoint(Box::new(Standing::new(30, &[wanted])));
    name_checkpoint(&bench);
    bench.files.limit(1);
    bench.hands.settle();
    assert_eq!(told(&mut journal), ["full"], "the next one would free nothing, either");
}

#[test]
fn a_checkpoint_that_never_counted_gives_its_room_back_at_the_start() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    submit(&mut journal, 1, 10);
    bench.hands.settle();
    journal.checkpoint(Box::new(Standing::new(1, &[])));
    name_checkpoint(&bench);
    drop(journal);
    let (_journal, last) = bench.started();
    assert_eq!((last, bench.names(".checkpoint").len()), (1, 0));
}

/// A journal on a simulated disk, of which the next call of a kind finds no room.
fn meet(action: Action, act: impl Fn(&mut Journal, &Hands)) -> (SimFiles, Vec<String>) {
    let (disk, hands) = (SimFiles::new(), Hands::new());
    let crew = Crew::ByHand(hands.clone());
    let (files, spool) = (Arc::new(disk.clone()), Arc::new(SimFiles::new()));
    let mut journal = Journal::open(files, spool, options(), crew).expect("it is new");
    journal.restore(&mut |_| Ok(())).expect("it is new");
    assert!(journal.recover(BatchNo(1)).expect("it is new").is_none());
    act(&mut journal, &hands);
    disk.order(Fault { action, nth: 1, error: ErrorKind::StorageFull, is_lasting: false });
    hands.settle();
    let told = told(&mut journal);
    (disk, told)
}

#[test]
fn the_head_of_a_segment_that_finds_no_room_is_tried_again() {
    let (disk, told) = meet(Action::Write, |_, _| {});
    assert_eq!((disk.struck(), told), (1, Vec::new()));
    let names = disk.names().expect("they can be listed");
    assert_eq!(names.iter().filter(|name| name.ends_with(".segment")).count(), 2, "{names:?}");
    assert!(!names.iter().any(|name| name.ends_with(".new")), "{names:?}");
}

#[test]
fn no_room_that_only_a_sync_finds_breaks_the_store() {
    let begin_checkpoint = |journal: &mut Journal, hands: &Hands| {
        hands.settle();
        submit(journal, 1, 10);
        hands.settle();
        told(journal);
        journal.checkpoint(Box::new(Standing::new(1, &[])));
        hands.step(Worker::Keeper);
    };
    assert_eq!(meet(Action::Sync, begin_checkpoint).1, ["failed"]);
    assert_eq!(meet(Action::Sync, |_, _| {}).1, ["failed"], "of a segment's head");
}
