//! Cases about questions.

use posthouse_pump::request::RequestId;

use super::node::Node;
use super::{Bench, must};
use crate::source::Source;
use crate::source::look::{Answer, Count, Filter, Query, TableState};

pub(super) async fn run(bench: &impl Bench) {
    requests_are_counted(bench).await;
    pages_follow_the_filter(bench).await;
    one_request_is_shown_whole(bench).await;
    blocked_keys_are_listed(bench).await;
    owners_are_listed(bench).await;
    the_table_is_told_of(bench).await;
}

async fn insert(bench: &impl Bench, code: &str, key: &str, state: u8) {
    let text = format!(
        "INSERT INTO relay_request (code, body, business_id, state) \
         VALUES ('{code}', 'body', '{key}', {state})"
    );
    bench.sql(&text).await;
}

async fn requests_are_counted(bench: &impl Bench) {
    bench.renew().await;
    for (code, state) in [("a", 0), ("a", 0), ("b", 2), ("b", 3), ("b", 3)] {
        insert(bench, code, "k", state).await;
    }
    let answer = must(bench.open().look(&Query::Counts).await);
    let count = |state, code: &str, requests| Count { state, code: code.into(), requests };
    let open = vec![count(0, "a", 2), count(2, "b", 1)];
    let newest = vec![count(0, "a", 2), count(2, "b", 1), count(3, "b", 2)];
    assert_eq!(answer, Answer::Counts { open, newest, is_partial: false });
}

async fn pages_follow_the_filter(bench: &impl Bench) {
    bench.renew().await;
    for (code, key, state) in [("a", "k", 0), ("b", "k", 3), ("a", "l", 3), ("a", "k", 4)] {
        insert(bench, code, key, state).await;
    }
    bench.sql("UPDATE relay_request SET request_id = 'named' WHERE id = 2").await;
    let source = bench.open();
    let check = async |filter: Filter, expected: &[i64], expected_next: Option<i64>| {
        let answer = must(source.look(&Query::Rows(filter.clone())).await);
        let Answer::Rows { rows, next } = answer else { panic!("{answer:?}") };
        let ids: Vec<i64> = rows.iter().map(|row| row.id.0).collect();
        assert_eq!((ids.as_slice(), next), (expected, expected_next.map(RequestId)), "{filter:?}");
    };
    let all = Filter { rows_max: 10, ..Filter::default() };
    check(all.clone(), &[4, 3, 2, 1], None).await;
    check(Filter { rows_max: 2, ..all.clone() }, &[4, 3], Some(3)).await;
    check(Filter { before: Some(RequestId(3)), ..all.clone() }, &[2, 1], None).await;
    check(Filter { code: Some("a".into()), ..all.clone() }, &[4, 3, 1], None).await;
    check(Filter { key: Some("k".into()), ..all.clone() }, &[4, 2, 1], None).await;
    check(Filter { states: vec![0, 4], ..all.clone() }, &[4, 1], None).await;
    check(Filter { request_id: Some("named".into()), ..all.clone() }, &[2], None).await;
    check(Filter { code: Some("'; --".into()), ..all }, &[], None).await;
}

async fn one_request_is_shown_whole(bench: &impl Bench) {
    bench.renew().await;
    insert(bench, "a", "k", 3).await;
    bench.sql("UPDATE relay_request SET last_error = 'e', last_status = 500, done_at = 5").await;
    let source = bench.open();
    let Answer::Row(Some(found)) = must(source.look(&Query::Row(RequestId(1))).await) else {
        panic!("it is there");
    };
    let (row, content) = *found;
    assert_eq!((row.state, row.status, row.error.as_deref()), (3, Some(500), Some("e")));
    assert_eq!((row.done_ms, row.body_bytes), (Some(5), 4));
    assert_eq!(&content.body[..], b"body");
    assert_eq!(must(source.look(&Query::Row(RequestId(2))).await), Answer::Row(None));
}

async fn blocked_keys_are_listed(bench: &impl Bench) {
    bench.renew().await;
    for (key, state) in [("k", 2), ("k", 0), ("l", 0), ("k", 3), ("m", 2)] {
        insert(bench, "a", key, state).await;
    }
    bench.sql("UPDATE relay_request SET last_error = 'down', updated_at = 1000 WHERE id = 1").await;
    let source = bench.open();
    let query = |after| Query::BlockedKeys { after: RequestId(after), rows_max: 10 };
    let Answer::BlockedKeys(blocked) = must(source.look(&query(0)).await) else {
        panic!("it answers in kind");
    };
    assert_eq!(blocked.len(), 2);
    assert_eq!((blocked[0].key.as_deref(), blocked[0].depth), (Some("k"), 2));
    assert_eq!((blocked[0].error.as_deref(), blocked[0].since_ms), (Some("down"), 1000));
    assert!(blocked[0].age_ms > 1_000_000);
    assert_eq!((blocked[1].head, blocked[1].depth), (RequestId(5), 1));
    let Answer::BlockedKeys(rest) = must(source.look(&query(1)).await) else {
        panic!("it answers in kind");
    };
    assert_eq!(rest.len(), 1);
}

async fn owners_are_listed(bench: &impl Bench) {
    bench.renew().await;
    let mut node = Node::new(bench.open(), "n");
    node.round().await;
    let Answer::Buckets(buckets) = must(node.source.look(&Query::Buckets).await) else {
        panic!("it answers in kind");
    };
    assert_eq!(buckets.len(), 16);
    assert!(buckets.iter().all(|row| row.owner.as_deref() == Some("n") && row.lease_left_ms > 0));
    let Answer::Nodes(nodes) = must(node.source.look(&Query::Nodes).await) else {
        panic!("it answers in kind");
    };
    assert_eq!(nodes.len(), 1);
    assert!(nodes[0].is_alive && nodes[0].is_wanting && nodes[0].node == "n");
}

/// No database tells everything, and each tells something.
async fn the_table_is_told_of(bench: &impl Bench) {
    bench.renew().await;
    insert(bench, "a", "k", 0).await;
    let Answer::Table(table) = must(bench.open().look(&Query::Table).await) else {
        panic!("it answers in kind");
    };
    assert_ne!(table, TableState::default());
}
