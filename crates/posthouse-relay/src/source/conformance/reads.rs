//! Cases about reads.

use posthouse_pump::read::{Found, Read, ReadNo, SlotRange, Span};
use posthouse_pump::request::{RequestId, Slot, Standing};

use super::node::{Node, ids};
use super::{Bench, must};
use crate::source::look::{Answer, Query};
use crate::source::{BODY_BYTES_DEFAULT, Source, slot_of};

pub(super) async fn run(bench: &impl Bench) {
    defaults_are_enough(bench).await;
    everything_arrives(bench).await;
    only_open_ones_are_read(bench).await;
    content_only_of_codes_named(bench).await;
    pages_end_at_bounds(bench).await;
    long_bodies_stay_where_they_are(bench).await;
    gaps_are_missing_until_filled(bench).await;
    a_key_is_read_alone(bench).await;
    only_the_slots_named(bench).await;
    a_long_walk_is_cut(bench).await;
}

const FROM_START: Span = Span::Forward { after: RequestId::LOWEST };

fn ranges(found: &Found) -> Vec<(i64, i64)> {
    found.missing.iter().map(|(first, last)| (first.0, last.0)).collect()
}

async fn defaults_are_enough(bench: &impl Bench) {
    bench.renew().await;
    bench.sql("INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'x', 'k')").await;
    bench.sql("INSERT INTO relay_request (code, body) VALUES ('a', 'x')").await;
    let node = Node::new(bench.open(), "n");
    let found = node.read(FROM_START).await;
    assert_eq!(ids(&found), [1, 2]);
    let (first, second) = (&found.rows[0], &found.rows[1]);
    assert_eq!(first.slot, slot_of("k"));
    assert_eq!(second.slot, slot_of(&second.request_id));
    assert_eq!((first.priority, first.attempts, first.due_ms), (4, 0, 0));
    assert_eq!(&*first.region, "here");
    assert_ne!(first.request_id, second.request_id);
    let round = must(node.source.round(&node.greeting()).await);
    assert!((first.created_ms - round.source_ms).abs() < 60_000, "made by the same clock");
}

async fn everything_arrives(bench: &impl Bench) {
    bench.renew().await;
    bench
        .sql(
            "INSERT INTO relay_request (id, request_id, code, grp, region, protocol, service, \
             method, headers, content_type, body, business_id, priority, state, window_name, \
             due_at, expires_at, attempts, created_at, traceparent) VALUES (5, 'r', 'a', 'g', \
             'there', 'http', 's', 'm', '{\"H\":\"v\"}', 'text/plain', 'body', 'k', 7, 2, 'w', \
             11, 12, 3, 13, 't')",
        )
        .await;
    let found = Node::new(bench.open(), "n").read(FROM_START).await;
    let row = &found.rows[0];
    assert_eq!((&*row.request_id, &*row.code, row.group.as_deref()), ("r", "a", Some("g")));
    assert_eq!((&*row.region, row.key.as_deref()), ("there", Some("k")));
    assert_eq!((row.standing, row.priority), (Standing::Blocked, 7));
    assert_eq!((row.window.as_deref(), row.due_ms, row.expires_ms), (Some("w"), 11, Some(12)));
    assert_eq!((row.attempts, row.created_ms), (3, 13));
    let content = row.content.as_ref().expect("the code was named");
    assert_eq!(content.protocol.as_deref(), Some("http"));
    assert_eq!(content.service.as_deref(), Some("s"));
    assert_eq!(content.method.as_deref(), Some("m"));
    assert_eq!(content.headers, [("H".to_owned(), "v".to_owned())]);
    assert_eq!(content.content_type.as_deref(), Some("text/plain"));
    assert_eq!(&content.body[..], b"body");
    assert_eq!(content.traceparent.as_deref(), Some("t"));
}

async fn only_open_ones_are_read(bench: &impl Bench) {
    bench.renew().await;
    for state in 0..8 {
        let text =
            format!("INSERT INTO relay_request (code, body, state) VALUES ('a', 'x', {state})");
        bench.sql(&text).await;
    }
    let node = Node::new(bench.open(), "n");
    let found = node.read(FROM_START).await;
    assert_eq!(ids(&found), [1, 2, 3]);
    assert_eq!((found.scanned_to, found.has_more), (RequestId(8), false));
    assert_eq!(ranges(&found), []);
    let again = Span::Again { after: RequestId(1), up_to: RequestId(5) };
    let found = node.read(again).await;
    assert_eq!(ids(&found), [2, 3]);
    assert_eq!((found.scanned_to, found.has_more), (RequestId(5), false));
    let found = node.read(Span::Forward { after: RequestId(8) }).await;
    assert_eq!((ids(&found), found.scanned_to), (vec![], RequestId(8)));
}

async fn content_only_of_codes_named(bench: &impl Bench) {
    bench.renew().await;
    bench
        .sql("INSERT INTO relay_request (code, body) VALUES ('a', 'x'), ('b', 'y'), ('c', 'z')")
        .await;
    let node = Node::new(bench.open(), "n");
    let found = node.read_with(FROM_START, &["a", "c"], 500, 1 << 20).await;
    let with: Vec<bool> = found.rows.iter().map(|row| row.content.is_some()).collect();
    assert_eq!(with, [true, false, true]);
    let found = node.read_with(FROM_START, &[], 500, 1 << 20).await;
    assert!(found.rows.iter().all(|row| row.content.is_none()));
    bench.sql("UPDATE relay_request SET headers = 'not json' WHERE code = 'a'").await;
    let found = node.read_with(FROM_START, &["a"], 500, 1 << 20).await;
    assert_eq!(ids(&found), [1, 2, 3]);
    assert!(found.rows[0].content.is_none(), "headers that cannot be read keep it from going out");
}

async fn pages_end_at_bounds(bench: &impl Bench) {
    bench.renew().await;
    for _ in 0..7 {
        bench.sql("INSERT INTO relay_request (code, body) VALUES ('a', '0123456789')").await;
    }
    let node = Node::new(bench.open(), "n");
    let check = async |after, rows_max, bytes_max, expected: (Vec<i64>, i64, bool)| {
        let span = Span::Forward { after: RequestId(after) };
        let found = node.read_with(span, &["a"], rows_max, bytes_max).await;
        assert_eq!((ids(&found), found.scanned_to.0, found.has_more), expected);
        assert!(found.rows.iter().all(|row| row.content.is_some()));
    };
    check(0, 3, 1000, (vec![1, 2, 3], 3, true)).await;
    check(3, 4, 1000, (vec![4, 5, 6, 7], 7, false)).await;
    check(0, 500, 25, (vec![1, 2, 3], 3, true)).await;
    check(0, 500, 1, (vec![1], 1, true)).await;
    check(6, 500, 0, (vec![7], 7, false)).await;
}

/// The longest that may be, one that is longer, and one behind it, which has room.
async fn long_bodies_stay_where_they_are(bench: &impl Bench) {
    bench.renew().await;
    let limit = usize::try_from(BODY_BYTES_DEFAULT).unwrap_or(usize::MAX);
    for bytes in [limit, 2 * limit, 1] {
        let body = "x".repeat(bytes);
        let text = format!(
            "INSERT INTO relay_request (code, body, business_id) VALUES ('a', '{body}', 'k')"
        );
        bench.sql(&text).await;
    }
    let node = Node::new(bench.open(), "n");
    let key = Span::Key { slot: slot_of("k"), key: "k".into(), from: RequestId(1) };
    let probe = Span::Probe { ranges: vec![(RequestId(1), RequestId(3))] };
    let again = Span::Again { after: RequestId(0), up_to: RequestId(3) };
    for span in [FROM_START, again, probe, key] {
        let found = node.read_with(span.clone(), &["a"], 500, 1 + BODY_BYTES_DEFAULT).await;
        assert_eq!((ids(&found), found.has_more), (vec![1, 2, 3], false), "{span:?}");
        let contents = found.rows.iter().filter_map(|row| row.content.as_ref());
        let shown: Vec<_> = contents.map(|it| (it.body.len(), it.flaw.is_some())).collect();
        assert_eq!(shown, [(limit, false), (0, true), (1, false)], "{span:?}");
        let flaw = found.rows[1].content.as_ref().and_then(|content| content.flaw.clone());
        for word in ["request 2", "2097152", "1048576", "body_max"] {
            assert!(flaw.as_ref().is_some_and(|flaw| flaw.contains(word)), "{word}: {flaw:?}");
        }
    }
    let Answer::Row(Some(found)) = must(node.source.look(&Query::Row(RequestId(2))).await) else {
        panic!("it is there");
    };
    assert_eq!(found.0.body_bytes, 2 * BODY_BYTES_DEFAULT);
    assert!(found.1.body.len() < limit, "people see the beginning only");
}

async fn gaps_are_missing_until_filled(bench: &impl Bench) {
    bench.renew().await;
    let insert = "INSERT INTO relay_request (id, code, body, state) VALUES";
    bench.sql(&format!("{insert} (3,'a','x',0), (4,'a','x',3), (9,'a','x',0)")).await;
    let node = Node::new(bench.open(), "n");
    let found = node.read(FROM_START).await;
    assert_eq!((ids(&found), ranges(&found)), (vec![3, 9], vec![(1, 2), (5, 8)]));
    let found = node.read_with(FROM_START, &[], 1, 1).await;
    assert_eq!((ids(&found), ranges(&found)), (vec![3], vec![(1, 2)]));
    let gaps = vec![(RequestId(1), RequestId(2)), (RequestId(5), RequestId(8))];
    let probe = Span::Probe { ranges: gaps };
    assert!(node.read(probe.clone()).await.rows.is_empty());
    bench.sql(&format!("{insert} (2,'a','x',0), (6,'a','x',5), (7,'a','x',1)")).await;
    let found = node.read(probe.clone()).await;
    assert_eq!((ids(&found), found.scanned_to, found.has_more), (vec![2, 7], RequestId(8), false));
    let found = node.read_with(probe, &[], 1, 1).await;
    assert_eq!((ids(&found), found.scanned_to, found.has_more), (vec![2], RequestId(2), true));
}

async fn a_key_is_read_alone(bench: &impl Bench) {
    bench.renew().await;
    for key in ["k", "l", "k", "k"] {
        let text = format!(
            "INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'x', '{key}')"
        );
        bench.sql(&text).await;
    }
    bench.sql("UPDATE relay_request SET state = 3 WHERE id = 3").await;
    let node = Node::new(bench.open(), "n");
    let span = |from| Span::Key { slot: slot_of("k"), key: "k".into(), from: RequestId(from) };
    assert_eq!(ids(&node.read(span(0)).await), [1, 4]);
    assert_eq!(ids(&node.read(span(2)).await), [4]);
    let found = node.read_with(span(1), &["a"], 1, 100).await;
    assert_eq!((ids(&found), found.scanned_to, found.has_more), (vec![1], RequestId(1), true));
}

async fn only_the_slots_named(bench: &impl Bench) {
    bench.renew().await;
    let keys: Vec<String> = (0..50).map(|number| format!("key-{number}")).collect();
    for key in &keys {
        let text = format!(
            "INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'x', '{key}')"
        );
        bench.sql(&text).await;
    }
    let node = Node::new(bench.open(), "n");
    let half = SlotRange { first: Slot(100), last: Slot(611) };
    let read = Read {
        number: ReadNo(1),
        span: FROM_START,
        slots: [half].as_slice().into(),
        codes: [].as_slice().into(),
        rows_max: 500,
        bytes_max: 1,
    };
    let found = must(node.source.read(&read).await);
    let expected: Vec<&str> =
        keys.iter().map(String::as_str).filter(|key| half.contains(slot_of(key))).collect();
    let got: Vec<&str> = found.rows.iter().filter_map(|row| row.key.as_deref()).collect();
    assert_eq!(got, expected);
    assert_eq!((found.scanned_to, ranges(&found)), (RequestId(50), vec![]));
}

/// Requests of foreign slots are walked over, but not without end.
async fn a_long_walk_is_cut(bench: &impl Bench) {
    bench.renew().await;
    bench
        .sql(
            "INSERT INTO relay_request (code, body, business_id) WITH RECURSIVE n(i) AS \
             (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20010) SELECT 'a', 'x', \
             CASE WHEN i < 20010 THEN 'far' ELSE 'near' END FROM n",
        )
        .await;
    let source = bench.open();
    let near = SlotRange { first: slot_of("near"), last: slot_of("near") };
    let walk = async |span: fn(i64) -> Span| {
        let (mut after, mut rows, mut steps) = (0, 0, 0);
        loop {
            let read = Read {
                number: ReadNo(1),
                span: span(after),
                slots: [near].as_slice().into(),
                codes: [].as_slice().into(),
                rows_max: 500,
                bytes_max: 1,
            };
            let found = must(source.read(&read).await);
            (after, rows, steps) = (found.scanned_to.0, rows + found.rows.len(), steps + 1);
            if !found.has_more {
                return (after, rows, steps > 1);
            }
        }
    };
    let forward = walk(|after| Span::Forward { after: RequestId(after) }).await;
    assert_eq!(forward, (20_010, 1, true));
    let again = |after| Span::Again { after: RequestId(after), up_to: RequestId(20_009) };
    assert_eq!(walk(again).await, (20_009, 0, true));
}
