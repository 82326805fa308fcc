//! Loading: what waits, in which order it comes, and what becomes of damage.

use posthouse_core::store::{Completion, Kept, Locator, Store};

use super::bench::{HandBench, kept, publish, record, submit};
use crate::files::Files;
use crate::journal::{Journal, Worker};

/// Positions and reasons, in the order in which they come.
fn loaded(journal: &mut Journal) -> Vec<(u64, Option<String>)> {
    let mut all = Vec::new();
    while let Some(completion) = journal.poll() {
        if let Completion::Loaded(some) = completion {
            all.extend(some.into_iter().map(|one| (one.kept.seq, one.message.err())));
        }
    }
    all
}

#[test]
fn messages_come_in_the_order_in_which_they_were_asked_for() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let mut wanted: Vec<Kept> =
        (1..=40).map(|number| publish(&mut journal, number, 9_000)).collect();
    bench.hands.settle();
    wanted.reverse();
    journal.load(wanted);
    bench.hands.settle();
    let expected: Vec<_> = (1..=40).rev().map(|seq| (seq, None)).collect();
    assert_eq!(loaded(&mut journal), expected);
}

#[test]
fn what_is_not_written_yet_is_waited_for_and_holds_nobody_up() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let written = publish(&mut journal, 1, 10);
    bench.hands.settle();
    let unwritten = publish(&mut journal, 2, 10);
    journal.load(vec![written, unwritten]);
    journal.load(vec![written]);
    while bench.hands.ready().contains(&Worker::Reader) {
        bench.hands.step(Worker::Reader);
    }
    assert_eq!(loaded(&mut journal), [(1, None)]);
    bench.hands.settle();
    assert_eq!(loaded(&mut journal), [(1, None), (2, None)]);
}

#[test]
fn damage_is_answered_for_what_it_hits_and_names_file_and_byte() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let wanted: Vec<Kept> = (1..=3).map(|number| publish(&mut journal, number, 5_000)).collect();
    bench.hands.settle();
    let name = "0000000000000001.segment";
    let file = bench.files.open(name).expect("it is there");
    // The second message's second block.
    file.write_at(b"?", 4 * 4_096 + 100).expect("it can be written");
    let nowhere = kept(4, Locator::NONE, 10);
    let gone = kept(5, Locator(77 << 28 | 5_000), 10);
    journal.load([wanted, vec![nowhere, gone]].concat());
    bench.hands.settle();
    let reason = |text: &str| Some(text.to_owned());
    let what = "what is there is not the message that was written";
    assert_eq!(
        loaded(&mut journal),
        [
            (1, None),
            (2, reason(&format!("{name} is damaged at byte 16384 (block 4): {what}"))),
            (3, None),
            (4, reason("the message was never given a place in the journal")),
            (
                5,
                reason(
                    "000000000000004d.segment is damaged at byte 0 (block 0): there is no such \
                     segment"
                )
            ),
        ]
    );
}

#[test]
fn a_record_that_is_longer_than_it_counts_is_read_to_its_end() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    submit(&mut journal, 1, 10);
    let mut wanted = publish(&mut journal, 2, 30_000);
    wanted.bytes = 10;
    bench.hands.settle();
    journal.load(vec![wanted]);
    bench.hands.settle();
    assert_eq!(loaded(&mut journal), [(2, None)]);
}

#[test]
fn the_spool_says_when_it_is_full_and_takes_more_when_something_is_forgotten() {
    let bench = HandBench::new();
    let (mut journal, _) = bench.started();
    let mut spooled = Vec::new();
    loop {
        let locator = journal.spool(record(1, 3_000));
        if locator == Locator::NONE {
            break;
        }
        spooled.push(locator);
    }
    bench.hands.settle();
    assert!(journal.figures().spool_bytes <= bench.options.spool_bytes_max);
    assert!(spooled.len() > 100, "{} fit", spooled.len());
    let bytes = record(1, 3_000).len();
    spooled.iter().take(20).for_each(|locator| journal.forget(*locator, bytes));
    bench.hands.settle();
    assert_ne!(journal.spool(record(1, 3_000)), Locator::NONE);
    drop(journal);
    bench.journal();
    assert!(
        bench.spool.names().expect("it can be listed").is_empty(),
        "it is emptied at each start"
    );
}
