//! Cases about tables that are shared with others who take requests from them.
//!
//! What those do is what `docs/relay.md` tells them to do, word for word but for the marks of
//! their values.

use posthouse_pump::outcome::{Settled, State};
use posthouse_pump::read::Span;
use posthouse_pump::request::{RequestId, Slot, Standing};

use super::Bench;
use super::node::{Node, outcome};
use crate::source::{Granted, Source};

pub(super) async fn run(bench: &impl Bench) {
    a_mark_is_taken_once(bench).await;
    who_has_a_request_keeps_it(bench).await;
    what_was_kept_too_long_is_taken(bench).await;
    what_is_given_back_is_ready(bench).await;
    nobody_finishes_what_is_not_theirs(bench).await;
    the_mark_of_a_former_owner_is_known(bench).await;
}

/// A node that has everything, and some requests.
async fn begin<B: Bench>(bench: &B, requests: u32) -> (Node<B::Source>, Granted) {
    bench.renew().await;
    for _ in 0..requests {
        bench.sql("INSERT INTO relay_request (code, body) VALUES ('a', 'x')").await;
    }
    let mut node = Node::new(bench.open(), "n");
    node.round().await;
    let granted = node.grant_of(Slot(0)).expect("it has everything").clone();
    (node, granted)
}

/// An outcome under the lease of the bucket that the request is in.
async fn settle<S: Source>(node: &Node<S>, id: i64, state: State) -> Settled {
    let found = node.read(Span::Probe { ranges: [(RequestId(id), RequestId(id))].into() }).await;
    let slot = found.rows.first().map(|row| row.slot);
    let slot = slot.or_else(|| node.held.first().map(|granted| granted.slots.first));
    let granted = slot.and_then(|slot| node.grant_of(slot)).expect("it has everything").clone();
    let results = node.settle(vec![outcome(id, &granted, state)]).await;
    results.first().copied().expect("one answer for each")
}

/// How a request stands: its state, and whether it belongs to somebody else.
async fn stands(bench: &impl Bench, id: i64) -> i64 {
    let text = format!(
        "SELECT CASE WHEN state = 1 AND fence = -1 THEN -1 ELSE state END AS n \
         FROM relay_request WHERE id = {id}"
    );
    bench.ints(&text).await.first().copied().expect("it is there")
}

async fn shown<S: Source>(node: &Node<S>) -> Vec<(i64, Standing)> {
    let found = node.read(Span::Forward { after: RequestId::LOWEST }).await;
    found.rows.iter().map(|row| (row.id.0, row.standing)).collect()
}

async fn a_mark_is_taken_once(bench: &impl Bench) {
    let (node, _) = begin(bench, 1).await;
    assert_eq!(settle(&node, 1, State::Sending).await, Settled::Recorded);
    assert_eq!(stands(bench, 1).await, 1);
    assert_eq!(settle(&node, 1, State::Sending).await, Settled::Recorded, "the same once more");
    assert_eq!(bench.take(60_000).await, None, "it is not ready");
    assert_eq!(shown(&node).await, [(1, Standing::Sending)]);
    assert_eq!(settle(&node, 1, State::Done).await, Settled::Recorded);
    assert_eq!(settle(&node, 1, State::Sending).await, Settled::Gone);
    assert_eq!(stands(bench, 1).await, 3);
}

async fn who_has_a_request_keeps_it(bench: &impl Bench) {
    let (node, _) = begin(bench, 2).await;
    let (id, until_ms) = bench.take(60_000).await.expect("one is ready");
    assert_eq!((id, stands(bench, 1).await), (1, -1));
    for state in [State::Sending, State::Ready, State::Expired, State::Done] {
        assert_eq!(settle(&node, 1, state).await, Settled::Gone, "{state:?}");
    }
    let found = node.read(Span::Forward { after: RequestId::LOWEST }).await;
    let due: Vec<(i64, i64)> = found.rows.iter().map(|row| (row.id.0, row.due_ms)).collect();
    assert_eq!(due, [(1, until_ms), (2, 0)], "it is not due before");
    assert!(bench.finish(id, until_ms).await);
    assert_eq!(stands(bench, 1).await, 3);
    let is_dated = "SELECT count(*) AS n FROM relay_request WHERE id = 1 AND done_at > 0";
    assert_eq!(bench.ints(is_dated).await, [1]);
    assert_eq!(bench.take(60_000).await.map(|taken| taken.0), Some(2));
    assert_eq!(bench.take(60_000).await, None);
}

async fn what_was_kept_too_long_is_taken(bench: &impl Bench) {
    let (node, _) = begin(bench, 1).await;
    let (id, until_ms) = bench.take(-1_000).await.expect("one is ready");
    assert_eq!(settle(&node, 1, State::Sending).await, Settled::Recorded);
    assert_eq!(stands(bench, 1).await, 1);
    assert!(!bench.finish(id, until_ms).await, "it is not theirs any more");
    assert!(!bench.give_back(id, until_ms, 0).await);
    assert_eq!(settle(&node, 1, State::Done).await, Settled::Recorded);
}

async fn what_is_given_back_is_ready(bench: &impl Bench) {
    let (node, _) = begin(bench, 1).await;
    let (id, until_ms) = bench.take(60_000).await.expect("one is ready");
    assert!(bench.give_back(id, until_ms, 5).await);
    assert_eq!(stands(bench, 1).await, 0);
    let found = node.read(Span::Forward { after: RequestId::LOWEST }).await;
    assert_eq!(found.rows.first().map(|row| (row.due_ms, row.attempts)), Some((5, 1)));
    assert_eq!(settle(&node, 1, State::Sending).await, Settled::Recorded);
}

async fn nobody_finishes_what_is_not_theirs(bench: &impl Bench) {
    let (_, _) = begin(bench, 1).await;
    let (id, first_ms) = bench.take(-1_000).await.expect("one is ready");
    let (again, second_ms) = bench.take(60_000).await.expect("it was kept too long");
    assert_eq!((id, again), (1, 1));
    assert!(!bench.finish(id, first_ms).await);
    assert!(bench.finish(id, second_ms).await);
}

async fn the_mark_of_a_former_owner_is_known(bench: &impl Bench) {
    let (node, _) = begin(bench, 1).await;
    assert_eq!(settle(&node, 1, State::Sending).await, Settled::Recorded);
    bench.sql("UPDATE relay_bucket SET lease_until = 1; DELETE FROM relay_node").await;
    let mut other = Node::new(bench.open(), "other");
    other.round().await;
    assert_eq!(shown(&other).await, [(1, Standing::Sending)]);
    assert_eq!(settle(&node, 1, State::Done).await, Settled::Fenced);
    assert_eq!(settle(&other, 1, State::Sending).await, Settled::Gone, "it is ready first");
    assert_eq!(settle(&other, 1, State::Ready).await, Settled::Recorded);
    assert_eq!(settle(&other, 1, State::Sending).await, Settled::Recorded);
}
