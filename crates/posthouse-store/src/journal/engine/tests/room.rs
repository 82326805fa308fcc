//! A full disk: producers are stopped in time, what frees room still gets through, and everything
//! goes on when there is room again.

use posthouse_core::store::Store;

use super::bench::{HandBench, SEGMENT_BYTES, Standing, submit, told};

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
