//! What a dump shows.

use std::ops::ControlFlow;
use std::sync::Arc;

use posthouse_core::destination::{DestinationName, Kind};
use posthouse_core::ids::{BacklogKey, BatchNo, DestinationId, SubscriptionId};
use posthouse_core::message::{BodyKind, DeadLetterReason, Envelope, EnvelopeHead, ProducerSeq};
use posthouse_core::property::PropertyWriter;
use posthouse_core::record::{Attempt, Enqueued, Moved, Record, Removed};

use super::shared;
use crate::journal::inspect::{Line, Selection, dump, text};
use crate::journal::layout::name::segment_name;
use crate::journal::scan::tests::script::lay_out;

/// The first `most` lines, as `batch@segment:block+offset text` each, cut after 61 characters.
fn dumped(script: &str, most: usize) -> Vec<String> {
    dumped_of(script, most, &Selection::default())
}

fn dumped_of(script: &str, most: usize, selection: &Selection) -> Vec<String> {
    let files = lay_out(script);
    let mut lines = Vec::new();
    let mut take = |line: Line| {
        let place = line.place;
        let (segment, block, offset) = (place.segment, place.block(), place.offset());
        let line = format!("{}@{segment}:{block}+{offset} {}", line.batch.0, line.text);
        lines.push(line.chars().take(61).collect());
        if lines.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    dump(&shared(&files), selection, &mut take, &mut |_, _| {}).expect("it can be read");
    lines
}

#[test]
fn every_batch_and_every_record_has_a_line() {
    let expected = [
        "1@1:1+0 batch in=journal bytes=110 durable_up_to=0 wall_ms=10",
        "1@1:1+24 destination-defined id=1 kind=Queue path=\"xxxxxxxxxx",
        "1@1:2+0 vouch in=journal bytes=0 durable_up_to=1 wall_ms=10",
        "1@2:1+0 moved in=compacted bytes=4182 durable_up_to=0 wall_ms",
        "1@2:1+24 destination-defined id=1 kind=Queue path=\"xxxxxxxxxx",
        "0@3:1+0 a block of a batch that is not there as a whole",
        "0@3:3+0 0000000000000003.segment is damaged at byte 12288 (bl",
    ];
    let script = "1: 1 v1 ~5\n2c: m1x2\n3: 2x2-1 3!0";
    assert_eq!(dumped(script, usize::MAX), expected);
    assert_eq!(dumped(script, 2), expected[..2]);
}

#[test]
fn a_segment_without_a_head_is_a_line_and_not_the_end() {
    let files = lay_out("1: 1\n2: v1");
    files.change(&segment_name(1), |bytes| bytes[40] ^= 1);
    let mut lines = Vec::new();
    let mut take = |line| {
        lines.push(line);
        ControlFlow::Continue(())
    };
    dump(&shared(&files), &Selection::default(), &mut take, &mut |_, _| {})
        .expect("it can be read");
    let texts: Vec<&str> = lines.iter().map(|line| &*line.text).collect();
    assert!(texts[0].contains("its head is not what was written"), "{texts:?}");
    assert!(texts[1].starts_with("vouch in=journal"), "{texts:?}");
}

fn check(record: &Record, expected: &str) {
    assert_eq!(text::line(record, 0), expected);
}

fn key(destination: u32, subscription: u32) -> BacklogKey {
    let destination = DestinationId(destination);
    BacklogKey { destination, subscription: SubscriptionId(subscription) }
}

#[test]
fn every_record_has_its_text() {
    check(&Record::Started { run: 3 }, "started run=3");
    check(&Record::DestinationRemoved { id: DestinationId(4) }, "destination-removed id=4");
    check(&Record::SubscriptionRemoved { id: SubscriptionId(4) }, "subscription-removed id=4");
    check(
        &Record::SubscriptionDefined {
            id: SubscriptionId(2),
            client: "c".into(),
            name: "a\nb\x1b".into(),
            path: "a.>".into(),
            selector: "x = 'y'".into(),
        },
        "subscription-defined id=2 client=\"c\" name=\"a\\nb\\u{1b}\" path=\"a.>\" \
         selector=\"x = 'y'\"",
    );
    check(
        &Record::Removed(Removed { from: key(1, 0), seqs: vec![1, 2] }),
        "removed from=1 seqs=[1, 2]",
    );
    let attempts = vec![Attempt { seq: 9, deliveries: 3, failures: 2 }];
    check(&Record::Returned { backlog: key(1, 5), attempts }, "returned to=1/5 attempts=[9:2/3]");
    check(&Record::Dispatched { backlog: key(1, 0), up_to: 9 }, "dispatched from=1 up_to=9");
    let moved = Moved {
        from: key(1, 5),
        seq: 9,
        to: key(2, 0),
        to_seq: 1,
        reason: Some(DeadLetterReason::Expired),
        moved_ms: 77,
        deliveries: 4,
    };
    let reason = DeadLetterReason::Expired.as_str();
    check(
        &Record::Moved(moved),
        &format!("moved from=1/5 seq=9 to=2 to_seq=1 reason={reason} moved_ms=77 deliveries=4"),
    );
}

#[test]
fn a_message_shows_its_envelope_and_not_its_content() {
    let head = EnvelopeHead {
        persistent: true,
        priority: 4,
        timestamp_ms: 1,
        expires_ms: 2,
        body_kind: BodyKind::Text,
        producer: Some(ProducerSeq { producer: 0xab, seq: 3 }),
    };
    let message = Arc::new(Envelope::new(head, PropertyWriter::default(), b"secret"));
    let subscriptions = vec![SubscriptionId(0)];
    let enqueued = Enqueued { destination: DestinationId(7), seq: 8, subscriptions, message };
    check(
        &Record::Enqueued(enqueued),
        "enqueued destination=7 seq=8 for=[0] persistent=true priority=4 timestamp_ms=1 \
         expires_ms=2 properties=0B body=6B/text producer=000000000000000000000000000000ab:3",
    );
}

#[test]
fn a_body_is_shown_on_demand_and_cut() {
    let check = |kind, body: &[u8], bytes_max, expected: &str| {
        let head = EnvelopeHead { body_kind: kind, ..EnvelopeHead::default() };
        let message = Arc::new(Envelope::new(head, PropertyWriter::default(), body));
        let (destination, subscriptions) = (DestinationId(1), Vec::new());
        let enqueued = Enqueued { destination, seq: 1, subscriptions, message };
        let line = text::line(&Record::Enqueued(enqueued), bytes_max);
        assert!(line.ends_with(expected), "{line}");
    };
    check(BodyKind::Text, b"a\nb", 9, "body=3B/text content=\"a\\nb\"");
    check(BodyKind::Text, b"a\nb", 1, "body=3B/text content=\"a\" ...");
    check(BodyKind::Bytes, &[0, 255, 7], 2, "body=3B/bytes content=00ff ...");
    check(BodyKind::Bytes, &[0], 0, "body=1B/bytes");
    check(BodyKind::Text, &[b'x'; 9_000], 9_000, "xxxx ...");
}

#[test]
fn only_what_is_selected_is_shown() {
    let check = |selection: &Selection, expected: &[&str]| {
        let script = "1: 1 2/1 v2\n2c: m1\n3: 3/2 4/3";
        let lines = dumped_of(script, usize::MAX, selection);
        let begins: Vec<String> = lines
            .iter()
            .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(begins, expected);
    };
    let batches =
        |from, to| Selection { from: BatchNo(from), to: BatchNo(to), ..Selection::default() };
    check(
        &batches(2, 3),
        &[
            "2@1:2+0 batch",
            "2@1:2+24 destination-defined",
            "2@1:3+0 vouch",
            "3@3:1+0 batch",
            "3@3:1+24 destination-defined",
        ],
    );
    let name = DestinationName::new(Kind::Queue, &"x".repeat(100)).expect("it is a name");
    let about = |destination| Selection { destination: Some(destination), ..batches(3, 4) };
    check(&about(name), &["3@3:1+24 destination-defined", "4@3:2+24 destination-defined"]);
    check(&about(DestinationName::new(Kind::Topic, "x").expect("it is a name")), &[]);
}

#[test]
fn long_lists_are_cut() {
    let seqs = (1..=20).collect();
    check(
        &Record::Removed(Removed { from: key(1, 0), seqs }),
        "removed from=1 seqs=[1, 2, 3, 4, 5, 6, 7, 8 and 12 more]",
    );
    let records = (1..=2).map(|run| Record::Started { run }).collect();
    check(&Record::Transaction(records), "transaction [started run=1, started run=2]");
}
