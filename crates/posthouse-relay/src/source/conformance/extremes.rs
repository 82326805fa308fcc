//! Cases about numbers and instants at the ends of what a column holds.

use posthouse_pump::outcome::{Settled, State};
use posthouse_pump::read::Span;
use posthouse_pump::request::RequestId;

use super::node::{Node, ids, outcome};
use super::{Bench, must};
use crate::source::look::{Answer, Filter, Query};
use crate::source::{CommitOrder, Source, slot_of};

pub(super) async fn run(bench: &impl Bench) {
    every_id_is_read(bench).await;
    every_id_is_shown(bench).await;
    every_instant_is_read(bench).await;
    tries_beyond_the_last_are_written(bench).await;
    gaps_are_told_whatever_their_age(bench).await;
}

async fn insert(bench: &impl Bench, columns: &str, values: &str) {
    let text = format!(
        "INSERT INTO relay_request (code, body, business_id, {columns}) \
         VALUES ('a', 'x', 'k', {values})"
    );
    bench.sql(&text).await;
}

const IDS: [i64; 6] = [i64::MIN, i64::MIN + 1, -5, 0, 1, i64::MAX];

/// From the beginning, and from each to the next. Nobody is on the way to what is below 1.
async fn every_id_is_read(bench: &impl Bench) {
    bench.renew().await;
    for id in IDS {
        insert(bench, "id", &id.to_string()).await;
    }
    let node = Node::new(bench.open(), "n");
    let found = node.read(Span::Forward { after: RequestId::LOWEST }).await;
    assert_eq!((ids(&found), found.scanned_to.0), (IDS.to_vec(), i64::MAX));
    assert_eq!(found.missing, [(RequestId(i64::MAX - 19_999), RequestId(i64::MAX - 1))]);
    let again = Span::Again { after: RequestId::LOWEST, up_to: RequestId(0) };
    assert_eq!(ids(&node.read(again).await), IDS[..4]);
    let key = Span::Key { slot: slot_of("k"), key: "k".into(), from: RequestId(-5) };
    assert_eq!(ids(&node.read(key).await), IDS[2..]);
    let found = node.read_with(Span::Forward { after: RequestId::LOWEST }, &["a"], 1, 1).await;
    assert_eq!((ids(&found), found.scanned_to.0), (IDS[..2].to_vec(), IDS[1]));
    let mut after = found.scanned_to;
    for id in IDS[2..].iter().copied() {
        let found = node.read_with(Span::Forward { after }, &["a"], 1, 1).await;
        assert_eq!((ids(&found), found.scanned_to.0), (vec![id], id));
        assert!(id > 1 || found.missing.is_empty(), "{found:?}");
        after = found.scanned_to;
    }
    assert!(node.read(Span::Forward { after }).await.rows.is_empty());
    the_lowest_is_read_alone(bench).await;
}

async fn the_lowest_is_read_alone(bench: &impl Bench) {
    bench.renew().await;
    insert(bench, "id", &i64::MIN.to_string()).await;
    let node = Node::new(bench.open(), "n");
    for _ in 0..2 {
        let found = node.read(Span::Forward { after: RequestId::LOWEST }).await;
        assert_eq!((ids(&found), found.scanned_to.0), (vec![i64::MIN], i64::MIN));
        assert!(!found.has_more && found.missing.is_empty(), "{found:?}");
    }
}

async fn every_id_is_shown(bench: &impl Bench) {
    bench.renew().await;
    for id in IDS {
        insert(bench, "id, state", &format!("{id}, 2")).await;
    }
    let source = bench.open();
    let filter = Filter { rows_max: 10, ..Filter::default() };
    let Answer::Rows { rows, .. } = must(source.look(&Query::Rows(filter)).await) else {
        panic!("it answers in kind");
    };
    let shown: Vec<i64> = rows.iter().rev().map(|row| row.id.0).collect();
    assert_eq!(shown, IDS);
    let query = Query::BlockedKeys { after: RequestId::LOWEST, rows_max: 10 };
    let Answer::BlockedKeys(keys) = must(source.look(&query).await) else {
        panic!("it answers in kind");
    };
    let shown: Vec<i64> = keys.iter().map(|key| key.head.0).collect();
    assert_eq!(shown, IDS);
}

async fn every_instant_is_read(bench: &impl Bench) {
    bench.renew().await;
    let ends = [i64::MIN, i64::MAX];
    for end in ends {
        let values = format!("{end}, {end}, {end}, {end}, 2");
        insert(bench, "due_at, expires_at, created_at, updated_at, state", &values).await;
    }
    let source = bench.open();
    let node = Node::new(bench.open(), "n");
    let found = node.read(Span::Forward { after: RequestId::LOWEST }).await;
    let instants = found.rows.iter().map(|row| (row.due_ms, row.expires_ms, row.created_ms));
    assert!(instants.eq(ends.map(|end| (end, Some(end), end))));
    let query = Query::BlockedKeys { after: RequestId::LOWEST, rows_max: 10 };
    let Answer::BlockedKeys(keys) = must(source.look(&query).await) else {
        panic!("it answers in kind");
    };
    assert_eq!(keys.iter().map(|key| key.age_ms).collect::<Vec<_>>(), [i64::MAX, 0]);
    must(source.look(&Query::Counts).await);
}

/// One such request must not keep the outcomes of others from being written.
async fn tries_beyond_the_last_are_written(bench: &impl Bench) {
    bench.renew().await;
    insert(bench, "attempts", "2147483647").await;
    insert(bench, "attempts", "-1").await;
    let mut node = Node::new(bench.open(), "n");
    node.round().await;
    let found = node.read(Span::Forward { after: RequestId::LOWEST }).await;
    let tries: Vec<u32> = found.rows.iter().map(|row| row.attempts).collect();
    assert_eq!(tries, [i32::MAX.unsigned_abs(), 0]);
    let granted = node.grant_of(slot_of("k")).expect("it owns everything").clone();
    let mut outcomes = vec![outcome(1, &granted, State::Done), outcome(2, &granted, State::Done)];
    outcomes[0].attempts = tries[0] + 1;
    assert_eq!(node.settle(outcomes.clone()).await, [Settled::Recorded; 2]);
    assert_eq!(node.settle(outcomes).await, [Settled::Recorded; 2], "the answer was lost");
    let written = "SELECT attempts AS n FROM relay_request ORDER BY id";
    assert_eq!(bench.ints(written).await, [i64::from(i32::MAX), 1]);
}

async fn gaps_are_told_whatever_their_age(bench: &impl Bench) {
    bench.renew().await;
    for (key, created) in [("old", i64::MIN), ("new", i64::MAX)] {
        let text = format!(
            "INSERT INTO relay_request (code, body, business_id, key_seq, created_at) \
             VALUES ('a', 'x', '{key}', 9223372036854775807, {created})"
        );
        bench.sql(&text).await;
    }
    let source = bench.open_in(CommitOrder::KeySeq);
    let query = Query::Gaps { after: Vec::new(), age_ms_min: 30_000 };
    let Answer::Gaps { gaps, .. } = must(source.look(&query).await) else {
        panic!("it answers in kind");
    };
    let told: Vec<(&str, i64, i64)> =
        gaps.iter().map(|gap| (&*gap.key, gap.number, gap.age_ms)).collect();
    assert_eq!(told, [("old", i64::MAX, i64::MAX)]);
}
