//! Cases about finished requests that leave the table.

use posthouse_pump::outcome::State;
use posthouse_pump::read::Span;
use posthouse_pump::request::{RequestId, Slot};

use super::node::{Node, ids, outcome};
use super::{Bench, must};
use crate::source::look::{Answer, Filter, Query, RetentionState};
use crate::source::operate::Action;
use crate::source::retention::{Ages, KEPT_STATES, Retained, Retention};
use crate::source::{CommitOrder, Source};

pub(super) async fn run(bench: &impl Bench) {
    nothing_leaves_unasked(bench).await;
    each_state_has_its_age(bench).await;
    the_archive_keeps_everything(bench).await;
    long_tables_are_walked_in_steps(bench).await;
    the_young_end_the_walk(bench).await;
    one_node_walks_at_a_time(bench).await;
    what_is_opened_again_stays(bench).await;
    the_next_number_finds_the_one_before(bench).await;
    ids_that_are_gone_hold_up_nobody(bench).await;
    an_older_table_is_completed(bench).await;
}

const HOUR_MS: u64 = 3_600_000;

/// Every finished request leaves after an hour.
fn hourly(is_archived: bool) -> Retention {
    Retention { ages: Ages([Some(HOUR_MS); 5]), is_archived, archive_ms: None }
}

/// Requests with the ids 1 to 8 in the states 0 to 7, written and finished long ago.
async fn old_ones(bench: &impl Bench) {
    bench.renew().await;
    for state in 0..8 {
        let text = format!(
            "INSERT INTO relay_request (code, request_id, body, business_id, state, created_at, \
             done_at) VALUES ('a', 'r{state}', 'body', 'k', {state}, 1000, 2000)"
        );
        bench.sql(&text).await;
    }
}

async fn left(bench: &impl Bench) -> Vec<i64> {
    let mut ids = bench.ints("SELECT id AS n FROM relay_request").await;
    ids.sort_unstable();
    ids
}

/// Walks to the end, and tells what was done in all.
async fn walk(source: &impl Source) -> Retained {
    let mut all = Retained::default();
    for _ in 0..100 {
        let step = must(source.retain("n").await);
        assert!(!step.is_elsewhere);
        all.archived += step.archived;
        all.deleted += step.deleted;
        all.forgotten += step.forgotten;
        all.walk_removed = step.walk_removed;
        if step.has_ended {
            all.has_ended = true;
            return all;
        }
    }
    panic!("the walk has no end");
}

async fn nothing_leaves_unasked(bench: &impl Bench) {
    old_ones(bench).await;
    let walked = walk(&bench.open()).await;
    assert_eq!((walked.deleted, left(bench).await), (0, (1..=8).collect()));
}

async fn each_state_has_its_age(bench: &impl Bench) {
    for (at, (name, state)) in KEPT_STATES.into_iter().enumerate() {
        old_ones(bench).await;
        let mut ages = Ages::default();
        ages.0[at] = Some(HOUR_MS);
        let retention = Retention { ages, ..Retention::default() };
        let source = bench.open_with(CommitOrder::Id, retention);
        must(source.prepare().await);
        assert_eq!(walk(&source).await.deleted, 1, "{name}");
        let expected: Vec<i64> = (1..=8).filter(|id| id - 1 != state).collect();
        assert_eq!(left(bench).await, expected, "{name}");
        assert_eq!(bench.ints("SELECT count(*) AS n FROM relay_archive").await, [0]);
    }
}

async fn the_archive_keeps_everything(bench: &impl Bench) {
    old_ones(bench).await;
    bench.sql("UPDATE relay_request SET headers = '{\"a\":\"b\"}', attempts = 3").await;
    let ask = async |id| match must(bench.open().look(&Query::Row(RequestId(id))).await) {
        Answer::Row(Some(found)) => *found,
        other => panic!("{other:?}"),
    };
    let (before, content) = ask(4).await;
    assert_eq!(before.archived_ms, None);
    let source = bench.open_with(CommitOrder::Id, hourly(true));
    must(source.prepare().await);
    assert_eq!(walk(&source).await.archived, 5);
    assert_eq!(left(bench).await, [1, 2, 3]);
    let (mut after, kept) = ask(4).await;
    assert!(after.archived_ms.take().is_some_and(|at| at > 2_000));
    assert_eq!((after, kept), (before, content));
    let named = Filter { request_id: Some("r3".into()), rows_max: 9, ..Filter::default() };
    let Answer::Rows { rows, next: None } = must(source.look(&Query::Rows(named)).await) else {
        panic!("it answers something else");
    };
    let shown: Vec<_> = rows.iter().map(|row| (row.id.0, row.archived_ms.is_some())).collect();
    assert_eq!(shown, [(4, true)], "it is found by its request id, too");
    let replayed = must(source.operate(&Action::Replay(vec![RequestId(4)])).await);
    assert_eq!(replayed.changed, [], "it is not brought back");
    let Answer::Retention(state) = must(source.look(&Query::Retention).await) else {
        panic!("it answers something else");
    };
    let is_ended = state.ended_ms.is_some();
    assert!(is_ended, "{state:?}");
    let expected = RetentionState { archived: 5, ended_ms: state.ended_ms, ..Default::default() };
    assert_eq!(state, expected);
    bench.sql("UPDATE relay_archive SET archived_at = 3000 WHERE id > 5").await;
    let keeping = Retention { archive_ms: Some(HOUR_MS), ..hourly(true) };
    let walked = walk(&bench.open_with(CommitOrder::Id, keeping)).await;
    assert_eq!((walked.forgotten, walked.archived), (3, 0));
    assert_eq!(bench.ints("SELECT count(*) AS n FROM relay_archive WHERE id < 6").await, [2]);
    assert_eq!(bench.ints("SELECT count(*) AS n FROM relay_archive").await, [2]);
}

async fn long_tables_are_walked_in_steps(bench: &impl Bench) {
    bench.renew().await;
    bench
        .sql(
            "INSERT INTO relay_request (code, body, state, created_at, done_at) WITH RECURSIVE \
             n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999) \
             SELECT 'a', 'x', CASE WHEN i = 1700 THEN 0 ELSE 3 END, 1000, 2000 FROM n",
        )
        .await;
    let source = bench.open_with(CommitOrder::Id, hourly(false));
    let first = must(source.retain("n").await);
    assert_eq!((first.deleted, first.walk_removed, first.has_ended), (500, 500, false));
    let second = must(source.retain("n").await);
    assert_eq!((second.deleted, second.walk_removed), (500, 1_000));
    assert_eq!(bench.ints("SELECT min(id) AS n FROM relay_request").await, [1_001]);
    assert_eq!(walk(&source).await.walk_removed, 2_999);
    assert_eq!(left(bench).await, [1_701]);
}

/// What was written a moment ago cannot have ended an hour ago: it is not looked at one by one.
async fn the_young_end_the_walk(bench: &impl Bench) {
    bench.renew().await;
    bench
        .sql(
            "INSERT INTO relay_request (code, body, state) WITH RECURSIVE n(i) AS \
             (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999) SELECT 'a', 'x', 3 FROM n",
        )
        .await;
    bench.sql("UPDATE relay_request SET created_at = 1000, done_at = 2000 WHERE id = 7").await;
    let source = bench.open_with(CommitOrder::Id, hourly(false));
    let first = must(source.retain("n").await);
    assert_eq!((first.deleted, first.has_ended), (1, false), "something may be old behind it");
    let second = must(source.retain("n").await);
    assert_eq!((second.deleted, second.has_ended), (0, true));
}

async fn one_node_walks_at_a_time(bench: &impl Bench) {
    long_enough(bench).await;
    let (a, b) = (
        bench.open_with(CommitOrder::Id, hourly(false)),
        bench.open_with(CommitOrder::Id, hourly(false)),
    );
    assert_eq!(must(a.retain("a").await).deleted, 500);
    let elsewhere = Retained { is_elsewhere: true, ..Retained::default() };
    assert_eq!(must(b.retain("b").await), elsewhere);
    bench.sql("UPDATE relay_retention SET lease_until = 1").await;
    let taken = must(b.retain("b").await);
    assert_eq!((taken.deleted, taken.walk_removed), (500, 1_000), "it goes on where a was");
    assert_eq!(must(a.retain("a").await), elsewhere);
    while !must(b.retain("b").await).has_ended {}
    assert!(!must(a.retain("a").await).is_elsewhere);
}

async fn long_enough(bench: &impl Bench) {
    bench.renew().await;
    bench
        .sql(
            "INSERT INTO relay_request (code, body, state, created_at, done_at) WITH RECURSIVE \
             n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999) \
             SELECT 'a', 'x', 3, 1000, 2000 FROM n",
        )
        .await;
}

async fn what_is_opened_again_stays(bench: &impl Bench) {
    old_ones(bench).await;
    let source = bench.open_with(CommitOrder::Id, hourly(false));
    must(source.operate(&Action::Replay(vec![RequestId(4)])).await);
    assert_eq!(walk(&source).await.deleted, 4);
    assert_eq!(left(bench).await, [1, 2, 3, 4]);
}

/// The numbers 1 to 5 of a key are finished, 3 by an operator, and 6 waits; of another key
/// somebody has cancelled 3 before 2 was written.
async fn the_next_number_finds_the_one_before(bench: &impl Bench) {
    bench.renew().await;
    for (key, number, state) in [
        ("k", 2, 3),
        ("k", 1, 3),
        ("k", 3, 7),
        ("k", 4, 3),
        ("k", 5, 4),
        ("k", 6, 0),
        ("m", 1, 3),
        ("m", 3, 7),
        ("", 0, 3),
    ] {
        let (key, number) = match number {
            0 => ("NULL".to_owned(), "NULL".to_owned()),
            _ => (format!("'{key}'"), number.to_string()),
        };
        let text = format!(
            "INSERT INTO relay_request (code, body, business_id, key_seq, state, created_at, \
             done_at) VALUES ('a', 'x', {key}, {number}, {state}, 1000, 2000)"
        );
        bench.sql(&text).await;
    }
    let source = bench.open_with(CommitOrder::KeySeq, hourly(true));
    must(source.prepare().await);
    assert_eq!(walk(&source).await.archived, 5);
    assert_eq!(left(bench).await, [5, 6, 7, 8], "5 is asked for by 6, 1 by 2");
    let mut node = Node::new(bench.open_in(CommitOrder::KeySeq), "n");
    node.round().await;
    let after = RequestId::LOWEST;
    assert_eq!(ids(&node.read(Span::Forward { after }).await), [6]);
    let slot = crate::source::slot_of("k");
    let granted = node.grant_of(slot).expect("it has everything").clone();
    node.settle(vec![outcome(6, &granted, State::Done)]).await;
    bench.sql("UPDATE relay_request SET done_at = 2000 WHERE id = 6").await;
    assert_eq!(walk(&source).await.archived, 1);
    assert_eq!(left(bench).await, [6, 7, 8]);
}

/// A removed row is a missing id to whoever reads; it costs a few questions, and nothing else.
async fn ids_that_are_gone_hold_up_nobody(bench: &impl Bench) {
    old_ones(bench).await;
    bench.sql("INSERT INTO relay_request (code, body) VALUES ('a', 'x')").await;
    walk(&bench.open_with(CommitOrder::Id, hourly(false))).await;
    let mut node = Node::new(bench.open(), "n");
    node.round().await;
    let found = node.read(Span::Forward { after: RequestId::LOWEST }).await;
    assert_eq!(ids(&found), [1, 2, 3, 9]);
    assert_eq!(found.missing, [(RequestId(4), RequestId(8))]);
    let up_to = RequestId(8);
    let again = node.read(Span::Again { after: RequestId(3), up_to }).await;
    assert!(ids(&again).is_empty());
    let granted = node.grant_of(Slot(0)).expect("it has everything").clone();
    let gone = node.settle(vec![outcome(4, &granted, State::Done)]).await;
    assert_eq!(gone, [posthouse_pump::outcome::Settled::Gone]);
}

/// A table of the version before has neither archive nor walk.
async fn an_older_table_is_completed(bench: &impl Bench) {
    old_ones(bench).await;
    bench
        .sql(
            "DROP TABLE relay_archive; DROP TABLE relay_retention; \
             UPDATE relay_schema SET version = 1",
        )
        .await;
    let error = bench.open().prepare().await.expect_err("it is of an older version");
    assert!(error.detail.contains("run `posthouse relay init`"), "{error}");
    must(bench.complete().await);
    let source = bench.open_with(CommitOrder::Id, hourly(true));
    must(source.prepare().await);
    assert_eq!(walk(&source).await.archived, 5);
    bench.sql("UPDATE relay_schema SET version = 9").await;
    must(bench.complete().await);
    assert_eq!(bench.ints("SELECT version AS n FROM relay_schema").await, [9], "never lower");
}
