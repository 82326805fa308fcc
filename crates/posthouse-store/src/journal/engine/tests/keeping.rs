//! Checkpoints, freeing and compaction: in which order, and what must wait for what.

use std::sync::Arc;

use posthouse_core::record::{KeptMessage, KeptPage, Record, codec};
use posthouse_core::store::{Completion, Kept, Store};

use super::bench::{HandBench, SEGMENT_BYTES, Standing, publish, submit, told};
use crate::files::Files;
use crate::journal::{Crew, Journal, Worker};

/// Submits batches until so many segments are full. Answers the number of the last one.
fn fill(bench: &HandBench, journal: &mut Journal, segments: u64) -> u64 {
    let last = 13 * segments + 1;
    (1..=last).for_each(|number| {
        submit(journal, number, 10);
    });
    bench.hands.settle();
    last
}

fn checkpoint(bench: &HandBench, journal: &mut Journal, batch: u64, kept: &[Kept]) {
    journal.checkpoint(Box::new(Standing::new(batch, kept)));
    bench.hands.settle();
}

#[test]
fn a_checkpoint_counts_in_this_order() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    submit(&mut journal, 1, 10);
    bench.hands.settle();
    bench.files.take_deeds();
    checkpoint(&bench, &mut journal, 1, &[]);
    let name = "0000000000000001.checkpoint";
    let unfinished = format!("{name}.new");
    let expected = [
        format!("create {unfinished}"),
        format!("write {unfinished} 0+48"),
        format!("write {unfinished} 48+18"),
        format!("write {unfinished} 66+8"),
        format!("sync {unfinished}"),
        format!("rename {unfinished} {name}"),
        "sync names".to_owned(),
        "write manifest.a 0+4096".to_owned(),
        "sync manifest.a".to_owned(),
        "sync names".to_owned(),
        "sync names".to_owned(),
    ];
    assert_eq!(bench.files.take_deeds(), expected);
}

#[test]
fn a_checkpoint_counts_only_when_its_batches_are_durable() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    submit(&mut journal, 1, 10);
    journal.checkpoint(Box::new(Standing::new(1, &[])));
    while bench.hands.ready().contains(&Worker::Keeper) {
        bench.hands.step(Worker::Keeper);
    }
    assert_eq!(bench.names(".checkpoint").len(), 0);
    bench.hands.settle();
    assert_eq!(bench.names(".checkpoint").len(), 1);
}

#[test]
fn dead_segments_become_spares_or_go() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let last = fill(&bench, &mut journal, 6);
    assert_eq!(bench.names(".segment").len(), 8);
    checkpoint(&bench, &mut journal, last, &[]);
    assert_eq!(bench.names(".segment").len(), 2, "the current one and the next");
    assert_eq!(bench.names(".spare").len(), 3, "one of them is for checkpoints");
    submit(&mut journal, last + 1, 10);
    bench.hands.settle();
    checkpoint(&bench, &mut journal, last + 1, &[]);
    assert_eq!(bench.names(".checkpoint").len(), 1, "the former checkpoint goes");
}

#[test]
fn room_that_was_written_to_is_kept_before_other_room() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let last = fill(&bench, &mut journal, 3);
    let ballast = "0000000000000000.spare";
    let spares = || {
        let mut names = bench.names(".spare");
        names.retain(|name| name != ballast);
        names
    };
    let unused = spares();
    assert_eq!(unused.len(), 2);
    checkpoint(&bench, &mut journal, last, &[]);
    let used = spares();
    assert_eq!(used.len(), 2);
    assert!(used.iter().all(|name| !unused.contains(name)), "they are former segments");
}

#[test]
fn a_checkpoint_names_no_segment_that_is_not_there() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    (1..=26).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.hands.step(Worker::Writer);
    bench.hands.step(Worker::Writer);
    (27..=66).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    assert_eq!(told(&mut journal), ["durable 26", "checkpoint wanted"]);
    journal.checkpoint(Box::new(Standing::new(26, &[])));
    while bench.hands.ready().contains(&Worker::Keeper) {
        bench.hands.step(Worker::Keeper);
    }
    drop(journal);
    let (_, last) = bench.started();
    assert_eq!(last, 26);
}

#[test]
fn freeing_waits_for_loads_that_were_asked_for_before() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let wanted = publish(&mut journal, 1, 100);
    (2..=30).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.hands.settle();
    told(&mut journal);
    journal.load(vec![wanted]);
    journal.checkpoint(Box::new(Standing::new(30, &[])));
    while bench.hands.ready().contains(&Worker::Keeper) {
        bench.hands.step(Worker::Keeper);
    }
    assert!(bench.names(".segment").contains(&"0000000000000001.segment".to_owned()));
    bench.hands.settle();
    assert!(!bench.names(".segment").contains(&"0000000000000001.segment".to_owned()));
    let Some(Completion::Loaded(loaded)) = journal.poll() else { panic!("it is answered") };
    assert!(loaded.iter().all(|loaded| loaded.message.is_ok()), "{loaded:?}");
}

#[test]
fn what_was_moved_stays_until_the_broker_had_its_chance() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let wanted = publish(&mut journal, 1, 100);
    (2..=30).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.hands.settle();
    told(&mut journal);
    checkpoint(&bench, &mut journal, 30, &[wanted]);
    let exists = |id: u64| bench.names(".segment").contains(&format!("{id:016x}.segment"));
    let to = exists(5);
    assert!(to && exists(1), "both copies are there: {:?}", bench.names(".segment"));
    // The broker has not heard of it, so it still means the former place.
    submit(&mut journal, 31, 10);
    checkpoint(&bench, &mut journal, 31, &[wanted]);
    assert!(exists(1) && exists(5));
    submit(&mut journal, 32, 10);
    let mut relocated = Vec::new();
    while let Some(completion) = journal.poll() {
        if let Completion::Relocated(all) = completion {
            relocated.extend(all);
        }
    }
    let moved = relocated.first().expect("it is told");
    assert_eq!(moved.kept, wanted);
    let moved = Kept { locator: moved.to, ..wanted };
    // This snapshot was begun before the broker heard of it.
    checkpoint(&bench, &mut journal, 32, &[wanted]);
    assert!(exists(1) && exists(5), "{:?}", bench.names(".segment"));
    submit(&mut journal, 33, 10);
    checkpoint(&bench, &mut journal, 33, &[moved]);
    assert!(!exists(1) && exists(5), "{:?}", bench.names(".segment"));
    journal.load(vec![moved]);
    bench.hands.settle();
    assert!(told(&mut journal).contains(&"loaded 1".to_owned()));
    submit(&mut journal, 34, 10);
    checkpoint(&bench, &mut journal, 34, &[]);
    assert!(!exists(5));
}

#[test]
fn a_shared_record_is_moved_once_and_told_for_each() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let one = publish(&mut journal, 1, 100);
    let other = Kept { seq: 99, ..one };
    (2..=30).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.hands.settle();
    told(&mut journal);
    checkpoint(&bench, &mut journal, 30, &[one, other]);
    let mut relocated = Vec::new();
    while let Some(completion) = journal.poll() {
        if let Completion::Relocated(all) = completion {
            relocated.extend(all.into_iter().map(|relocated| (relocated.kept.seq, relocated.to)));
        }
    }
    let to = relocated.first().map(|(_, to)| *to).expect("they are moved");
    assert_eq!(relocated, [(1, to), (99, to)]);
    let figures = journal.figures();
    assert_eq!(figures.moved_bytes, super::bench::record(1, 100).len() as u64);
    assert_eq!(figures.loaded_bytes, 0, "nobody has asked for a message");
}

#[test]
fn space_stays_within_what_is_promised() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let mut kept: Vec<Kept> = Vec::new();
    let mut most = 0;
    for number in 1..=1_500 {
        kept.push(publish(&mut journal, number, 900));
        if kept.len() > 100 {
            // A few old ones stay for long.
            kept.remove(if number % 10 == 0 { 0 } else { kept.len() / 2 });
        }
        bench.hands.settle();
        while let Some(completion) = journal.poll() {
            match completion {
                Completion::Relocated(all) => {
                    for relocated in all {
                        let same = kept.iter_mut().find(|kept| **kept == relocated.kept);
                        same.into_iter().for_each(|kept| kept.locator = relocated.to);
                    }
                }
                Completion::CheckpointWanted => {
                    journal.checkpoint(Box::new(Standing::new(number, &kept)));
                    bench.hands.settle();
                    most = most.max(bench.files.bytes());
                }
                _ => {}
            }
        }
    }
    let live: u64 = kept.iter().map(|kept| u64::from(kept.bytes)).sum();
    let allowed = 3 * live + bench.options.checkpoint_bytes + 4 * SEGMENT_BYTES;
    // The checkpoint, the manifest, and survivors that are there twice until the next checkpoint.
    assert!(most <= allowed + 2 * live, "{most} bytes for {live} that are wanted");
    journal.load(kept.clone());
    bench.hands.settle();
    assert_eq!(journal.figures().load_failures, 0);
}

/// What is wrong with a store at its start, once a file of it is gone.
fn fault_without(bench: &HandBench, name: &str) -> String {
    bench.files.remove(name).expect("it is there");
    let crew = Crew::ByHand(bench.hands.clone());
    let (files, spool) = (Arc::new(bench.files.clone()), Arc::new(bench.spool.clone()));
    match Journal::open(files, spool, bench.options.clone(), crew) {
        Err(fault) => fault.to_string(),
        Ok(mut journal) => journal.restore(&mut |_| Ok(())).expect_err("something is gone"),
    }
}

#[test]
fn a_log_without_its_last_segments_is_damaged() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    fill(&bench, &mut journal, 3);
    drop(journal);
    let gone = "0000000000000004.segment";
    let expected = format!(
        "{gone} is damaged at byte 0 (block 0): the log went on in this segment, and there is no \
         such file: put it back, or restore a backup"
    );
    assert_eq!(fault_without(&bench, gone), expected);
}

/// The record of a checkpoint that keeps just this message.
fn page_of(kept: &Kept) -> Vec<u8> {
    let message = KeptMessage {
        index: 1,
        units: 1,
        priority: 4,
        persistent: true,
        locator: kept.locator,
        expires_ms: 0,
        waiting: 1,
        provenance: None,
    };
    let page = KeptPage { destination: kept.destination, number: 0, messages: vec![message] };
    let mut state = Vec::new();
    codec::encode(&Record::Kept(page), &mut state);
    state
}

#[test]
fn a_checkpoint_without_a_segment_that_it_needs_is_damaged() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let wanted = publish(&mut journal, 1, 100);
    (2..=30).for_each(|number| {
        submit(&mut journal, number, 10);
    });
    bench.hands.settle();
    let state = page_of(&wanted);
    journal.checkpoint(Box::new(Standing { batch: 30, kept: vec![wanted], state }));
    bench.hands.settle();
    drop(journal);
    let gone = "0000000000000001.segment";
    let expected = format!(
        "{gone} is damaged at byte 0 (block 0): messages that wait lie in this segment, and there \
         is no such file: put it back, or restore a backup"
    );
    assert_eq!(fault_without(&bench, gone), expected);
}
