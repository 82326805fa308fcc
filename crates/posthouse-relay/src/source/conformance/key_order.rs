//! Cases about the order by the numbers that writers give.

use posthouse_pump::outcome::{Settled, State};
use posthouse_pump::read::Span;
use posthouse_pump::request::RequestId;

use super::node::{Node, ids, outcome};
use super::{Bench, must};
use crate::source::look::{Answer, Gap, Query, Turn};
use crate::source::operate::Action;
use crate::source::{CommitOrder, Concluded, Granted, Source, SourceErrorKind, slot_of};

pub(super) async fn run(bench: &impl Bench) {
    only_those_whose_turn_it_is_are_shown(bench).await;
    every_kind_of_read_shows_the_same(bench).await;
    who_waits_is_not_missing(bench).await;
    a_walk_over_those_who_wait_is_cut(bench).await;
    a_settlement_releases_the_next(bench).await;
    a_lost_answer_releases_again(bench).await;
    another_node_goes_on(bench).await;
    what_operators_do_shakes_the_next(bench).await;
    gaps_are_told(bench).await;
    turns_are_told(bench).await;
    the_column_is_needed_only_here(bench).await;
}

const FROM_START: Span = Span::Forward { after: RequestId::LOWEST };

/// Writes requests in the order of their ids from 1 on, each as the letter of its key, its number
/// (none: `-`) and its state (none: 0), such as `k2 k1/3 l-`.
async fn write(bench: &impl Bench, script: &str) {
    bench.renew().await;
    for word in script.split_whitespace() {
        add(bench, word).await;
    }
}

async fn add(bench: &impl Bench, word: &str) {
    let (name, state) = word.split_once('/').unwrap_or((word, "0"));
    let (key, number) = name.split_at(1);
    let number = if number == "-" { "NULL" } else { number };
    let key = if key == "?" { "NULL".to_owned() } else { format!("'{key}'") };
    let text = format!(
        "INSERT INTO relay_request (code, body, business_id, key_seq, state, created_at) \
         VALUES ('a', 'x', {key}, {number}, {state}, 1)"
    );
    bench.sql(&text).await;
}

/// A node that owns everything, and goes by numbers.
async fn node<B: Bench>(bench: &B, name: &str) -> Node<B::Source> {
    let mut node = Node::new(bench.open_in(CommitOrder::KeySeq), name);
    node.round().await;
    node
}

fn grant<S: Source>(node: &Node<S>) -> Granted {
    node.grant_of(slot_of("k")).expect("it owns everything").clone()
}

async fn check(bench: &impl Bench, script: &str, expected: &[i64]) {
    write(bench, script).await;
    let node = Node::new(bench.open_in(CommitOrder::KeySeq), "n");
    assert_eq!(ids(&node.read(FROM_START).await), expected, "{script}");
}

async fn only_those_whose_turn_it_is_are_shown(bench: &impl Bench) {
    check(bench, "k1 k2 k3", &[1]).await;
    check(bench, "k3 k1 k2", &[2]).await;
    check(bench, "k3 k1/3 k2", &[3]).await;
    check(bench, "k2 k3", &[]).await;
    check(bench, "k1/3 k3", &[]).await;
    check(bench, "k1/2 k2", &[1]).await;
    check(bench, "k1/1 k2", &[1]).await;
    check(bench, "k1/3 k2/0 k3/3 k4", &[2]).await;
    check(bench, "k1/3 k2/4 k3/5 k4/6 k5/7 k6", &[6]).await;
    check(bench, "k1 l2 l1 m2 ?7 k-", &[1, 3, 5, 6]).await;
}

async fn every_kind_of_read_shows_the_same(bench: &impl Bench) {
    write(bench, "k3 k1 l1 k2 k-").await;
    let node = node(bench, "n").await;
    let again = Span::Again { after: RequestId(0), up_to: RequestId(4) };
    assert_eq!(ids(&node.read(again).await), [2, 3]);
    let probe =
        Span::Probe { ranges: vec![(RequestId(1), RequestId(2)), (RequestId(4), RequestId(5))] };
    assert_eq!(ids(&node.read(probe).await), [2, 5]);
    let key = Span::Key { slot: slot_of("k"), key: "k".into(), from: RequestId(0) };
    assert_eq!(ids(&node.read(key).await), [2, 5]);
    let found = node.read_with(FROM_START, &["a"], 1, 1 << 20).await;
    assert_eq!((ids(&found), found.scanned_to, found.has_more), (vec![2], RequestId(2), true));
}

async fn who_waits_is_not_missing(bench: &impl Bench) {
    write(bench, "k3 k2").await;
    bench.sql("UPDATE relay_request SET id = 5 WHERE id = 2").await;
    let found = node(bench, "n").await.read(FROM_START).await;
    assert_eq!((ids(&found), found.scanned_to, found.has_more), (vec![], RequestId(5), false));
    assert_eq!(found.missing, [(RequestId(2), RequestId(4))]);
}

/// However many wait, a read does not walk over all of them.
async fn a_walk_over_those_who_wait_is_cut(bench: &impl Bench) {
    bench.renew().await;
    bench
        .sql(
            "INSERT INTO relay_request (code, body, business_id, key_seq) WITH RECURSIVE n(i) AS \
             (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20011) \
             SELECT 'a', 'x', 'k', i FROM n",
        )
        .await;
    add(bench, "l1").await;
    // MySQL and MariaDB set ids aside for a statement of which they do not know how many it takes.
    bench.sql("UPDATE relay_request SET id = 20011 WHERE business_id = 'l'").await;
    let node = node(bench, "n").await;
    let (mut reads, mut found) = (1, node.read(FROM_START).await);
    while found.has_more {
        let walked = found.scanned_to.0 - (reads - 1) * found.scanned_to.0 / reads;
        assert!(ids(&found).is_empty() && (1_000..=20_000).contains(&walked), "{found:?}");
        (reads, found) = (reads + 1, node.read(Span::Forward { after: found.scanned_to }).await);
    }
    assert!((2..=11).contains(&reads), "{reads} reads");
    assert_eq!(ids(&found), [20_011]);
}

async fn a_settlement_releases_the_next(bench: &impl Bench) {
    write(bench, "k3 l1 k1 k2 l2 m1 ?-").await;
    let node = node(bench, "n").await;
    let of = |key: &str| node.grant_of(slot_of(key)).expect("it owns everything");
    let check = async |id: i64, key: &str, state: State, expected: &[i64]| {
        let released = node.conclude(vec![outcome(id, of(key), state)]).await.released;
        let expected: Vec<RequestId> = expected.iter().copied().map(RequestId).collect();
        assert_eq!(released, expected, "request {id} of {key}: {state:?}");
    };
    check(3, "k", State::Ready, &[]).await;
    check(3, "k", State::Blocked, &[]).await;
    let both = vec![outcome(2, of("l"), State::Done), outcome(3, of("k"), State::Rejected)];
    let concluded = node.conclude(both).await;
    assert_eq!(concluded.results, [Settled::Recorded; 2]);
    assert_eq!(concluded.released, [RequestId(4), RequestId(5)]);
    assert_eq!(ids(&node.read(FROM_START).await), [4, 5, 6, 7]);
    check(4, "k", State::Expired, &[1]).await;
    check(1, "k", State::Failed, &[]).await;
    check(5, "l", State::Done, &[]).await;
    check(6, "m", State::Done, &[]).await;
}

async fn a_lost_answer_releases_again(bench: &impl Bench) {
    write(bench, "k2 k1").await;
    let node = node(bench, "n").await;
    let outcomes = vec![outcome(2, &grant(&node), State::Done)];
    let released = vec![RequestId(1)];
    for _ in 0..3 {
        let concluded = node.conclude(outcomes.clone()).await;
        let expected = Concluded { results: vec![Settled::Recorded], released: released.clone() };
        assert_eq!(concluded, expected);
    }
}

async fn another_node_goes_on(bench: &impl Bench) {
    write(bench, "k3 k1 k2").await;
    let old = node(bench, "old").await;
    old.settle(vec![outcome(2, &grant(&old), State::Done)]).await;
    bench
        .sql("UPDATE relay_bucket SET lease_until = 1; UPDATE relay_node SET lives_until = 1")
        .await;
    let new = node(bench, "new").await;
    assert_eq!(ids(&new.read(FROM_START).await), [3]);
    let fenced = old.conclude(vec![outcome(3, &grant(&old), State::Done)]).await;
    assert_eq!(fenced, Concluded { results: vec![Settled::Fenced], released: Vec::new() });
    assert_eq!(ids(&new.read(FROM_START).await), [3]);
    let released = new.conclude(vec![outcome(3, &grant(&new), State::Done)]).await.released;
    assert_eq!(released, [RequestId(1)]);
}

/// What every node hears of an action, and what is to be seen afterwards.
async fn what_operators_do_shakes_the_next(bench: &impl Bench) {
    let check = async |script: &str, action: Action, told: &[i64], seen: &[i64]| {
        write(bench, script).await;
        let mut node = node(bench, "n").await;
        must(node.source.operate(&action).await);
        let control = node.round().await.control.expect("something has changed");
        let told: Vec<RequestId> = told.iter().copied().map(RequestId).collect();
        assert_eq!(control.changed, Some(told), "{script}: {action:?}");
        assert_eq!(ids(&node.read(FROM_START).await), seen, "{script}: {action:?}");
    };
    let one = vec![RequestId(1)];
    check("k1 k3 k2 l1", Action::Cancel(one.clone()), &[1, 3], &[3, 4]).await;
    check("k1/2 k3 k2 l1", Action::Skip(one.clone()), &[1, 3], &[3, 4]).await;
    check("k1/2 k3 k2 l1", Action::Retry(one.clone()), &[1, 3], &[1, 4]).await;
    check("k1/3 k2/3 k3 l1", Action::Replay(one.clone()), &[1, 3], &[1, 4]).await;
    check("k2 k1 k3", Action::Cancel(one), &[1, 3], &[2]).await;
    check("k1 k2 l1", Action::SkipKey("k".into()), &[1, 2], &[3]).await;
    check("k2/2 k1/3 k3", Action::RetryKey("k".into()), &[1, 3], &[1]).await;
}

async fn gaps_are_told(bench: &impl Bench) {
    write(bench, "a3 a2 b1/3 b4 b5 c1 d1/3 d2 e2 ?3").await;
    let source = bench.open_in(CommitOrder::KeySeq);
    let check = async |after: &str, age_ms_min: i64, expected: &[(&str, i64, i64, i64)]| {
        let after = after.as_bytes().to_vec();
        let answer = must(source.look(&Query::Gaps { after, age_ms_min }).await);
        let Answer::Gaps { gaps, next: None } = answer else { panic!("{answer:?}") };
        let plain = |gap: &Gap| (gap.key.clone(), gap.missing, gap.waiting.0, gap.number);
        let found: Vec<_> = gaps.iter().map(plain).collect();
        let expected: Vec<_> =
            expected.iter().map(|gap| (gap.0.to_owned(), gap.1, gap.2, gap.3)).collect();
        assert_eq!(found, expected);
    };
    check("", 30_000, &[("a", 1, 2, 2), ("b", 2, 4, 4), ("e", 1, 9, 2)]).await;
    check("a", 30_000, &[("b", 2, 4, 4), ("e", 1, 9, 2)]).await;
    check("e", 30_000, &[]).await;
    check("", i64::MAX, &[]).await;
    a_walk_over_keys_goes_on(bench).await;
}

async fn a_walk_over_keys_goes_on(bench: &impl Bench) {
    bench.renew().await;
    bench
        .sql(
            "INSERT INTO relay_request (code, body, business_id, key_seq) WITH RECURSIVE n(i) AS \
             (SELECT 10001 UNION ALL SELECT i + 1 FROM n WHERE i < 20012) \
             SELECT 'a', 'x', 'k' || i, CASE WHEN i < 20002 THEN 1 ELSE 2 END FROM n",
        )
        .await;
    let source = bench.open_in(CommitOrder::KeySeq);
    let check = async |after: &str, expected: usize, expected_next: Option<&str>| {
        let query = Query::Gaps { after: after.into(), age_ms_min: -60_000 };
        let Answer::Gaps { gaps, next } = must(source.look(&query).await) else {
            panic!("it answers in kind");
        };
        let expected_next = expected_next.map(str::as_bytes);
        assert_eq!((gaps.len(), next.as_deref()), (expected, expected_next), "after {after}");
    };
    check("", 0, Some("k20000")).await;
    check("k20000", 10, Some("k20011")).await;
    check("k20011", 1, None).await;
}

async fn turns_are_told(bench: &impl Bench) {
    write(bench, "k3 k2 k- l1/3 l4 l5 ?2").await;
    let check = async |order: CommitOrder, id: i64, expected: Option<(i64, Option<i64>)>| {
        let answer = must(bench.open_in(order).look(&Query::Turn(RequestId(id))).await);
        let turn = expected.map(|(first, missing)| Turn { first: RequestId(first), missing });
        assert_eq!(answer, Answer::Turn(turn), "{id}");
    };
    check(CommitOrder::KeySeq, 1, Some((2, Some(1)))).await;
    check(CommitOrder::KeySeq, 2, Some((2, Some(1)))).await;
    check(CommitOrder::KeySeq, 3, None).await;
    check(CommitOrder::KeySeq, 5, Some((5, Some(2)))).await;
    check(CommitOrder::KeySeq, 6, Some((5, Some(2)))).await;
    check(CommitOrder::KeySeq, 7, None).await;
    check(CommitOrder::Id, 1, None).await;
    bench.sql("UPDATE relay_request SET key_seq = 1 WHERE id = 1").await;
    check(CommitOrder::KeySeq, 2, Some((1, None))).await;
}

async fn the_column_is_needed_only_here(bench: &impl Bench) {
    let old = "DROP INDEX relay_request_key_seq; DROP INDEX relay_request_key_open; \
               ALTER TABLE relay_request DROP COLUMN key_seq";
    let cases = [
        (old, "run `ALTER TABLE relay_request ADD COLUMN key_seq BIGINT CHECK (key_seq > 0)`"),
        ("DROP INDEX relay_request_key_seq", "the index `relay_request_key_seq` on the table"),
        ("DROP INDEX relay_request_key_open", "the index `relay_request_key_open` on the table"),
    ];
    for (change, expected) in cases {
        bench.renew().await;
        must(bench.open_in(CommitOrder::KeySeq).prepare().await);
        bench.sql(change).await;
        let error = bench.open_in(CommitOrder::KeySeq).prepare().await.expect_err(change);
        assert_eq!(error.kind, SourceErrorKind::Unfit, "{change}: {error}");
        assert!(error.detail.contains(expected), "{change}: {error}");
        must(bench.open().prepare().await);
    }
    bench.renew().await;
    bench.sql(old).await;
    bench.sql("INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'x', 'k')").await;
    let node = Node::new(bench.open(), "n");
    assert_eq!(ids(&node.read(FROM_START).await), [1]);
    must(node.source.look(&Query::Row(RequestId(1))).await);
    must(bench.complete().await);
    must(bench.open_in(CommitOrder::KeySeq).prepare().await);
}
