//! Cases about what operators do.

use posthouse_pump::input::Hold;
use posthouse_pump::request::RequestId;

use super::node::Node;
use super::{Bench, must};
use crate::source::look::{Answer, Query};
use crate::source::operate::Action;
use crate::source::{Control, Source, SourceErrorKind, slot_of};

pub(super) async fn run(bench: &impl Bench) {
    requests_change_as_told(bench).await;
    keys_change_as_told(bench).await;
    a_writers_time_outlives_a_retry(bench).await;
    what_has_expired_is_not_tried_again(bench).await;
    settings_reach_every_node(bench).await;
    changes_are_told_until_they_are_too_many(bench).await;
    nonsense_is_refused(bench).await;
}

fn request_ids(ids: &[i64]) -> Vec<RequestId> {
    ids.iter().copied().map(RequestId).collect()
}

/// Requests 1 to 8 in the states 0 to 7.
async fn one_of_each(bench: &impl Bench) {
    bench.renew().await;
    for state in 0..8 {
        let text = format!(
            "INSERT INTO relay_request (code, body, business_id, state, attempts, due_at) \
             VALUES ('a', 'x', 'k', {state}, 3, 99)"
        );
        bench.sql(&text).await;
    }
}

async fn states(bench: &impl Bench) -> Vec<i64> {
    bench.ints("SELECT state AS n FROM relay_request ORDER BY id").await
}

async fn requests_change_as_told(bench: &impl Bench) {
    let all = request_ids(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let check = async |action, changed: &[i64], expected: [i64; 8]| {
        one_of_each(bench).await;
        let operated = must(bench.open().operate(&action).await);
        assert_eq!(operated.changed, request_ids(changed), "{action:?}");
        assert_eq!((operated.version, operated.has_more), (2, false));
        assert_eq!(states(bench).await, expected, "{action:?}");
    };
    check(Action::Retry(all.clone()), &[1, 3], [0, 1, 0, 3, 4, 5, 6, 7]).await;
    check(Action::Skip(all.clone()), &[1, 2, 3], [4, 4, 4, 3, 4, 5, 6, 7]).await;
    check(Action::Cancel(all.clone()), &[1, 2, 3], [7, 7, 7, 3, 4, 5, 6, 7]).await;
    check(Action::RetryNow(all.clone()), &[1, 2, 3], [0, 0, 0, 3, 4, 5, 6, 7]).await;
    check(Action::Replay(all), &[4, 5, 6, 7, 8], [0, 1, 2, 0, 0, 0, 0, 0]).await;
    let fresh = "SELECT count(*) AS n FROM relay_request WHERE attempts = 0 AND due_at = 0 \
                 AND done_at IS NULL";
    assert_eq!(bench.ints(fresh).await, [5]);
}

async fn keys_change_as_told(bench: &impl Bench) {
    one_of_each(bench).await;
    let other = "INSERT INTO relay_request (code, body, business_id, state) VALUES \
                 ('a', 'x', 'l', 2)";
    bench.sql(other).await;
    let source = bench.open();
    let operated = must(source.operate(&Action::RetryKey("k".into())).await);
    assert_eq!(operated.changed, request_ids(&[3]));
    bench.sql("UPDATE relay_request SET state = 2 WHERE id = 2").await;
    let operated = must(source.operate(&Action::SkipBlocked("k".into())).await);
    assert_eq!(operated.changed, request_ids(&[2]));
    assert_eq!(states(bench).await, [0, 4, 0, 3, 4, 5, 6, 7, 2]);
    bench.sql("UPDATE relay_request SET state = 1 WHERE id = 2").await;
    let operated = must(source.operate(&Action::SkipKey("k".into())).await);
    assert_eq!(operated.changed, request_ids(&[1, 2, 3]));
    assert_eq!(states(bench).await, [4, 4, 4, 3, 4, 5, 6, 7, 2]);
    let operated = must(source.operate(&Action::SkipKey("unknown".into())).await);
    assert_eq!(operated.changed, []);
}

/// Requests 1 to 3 are due later: the first by its writer, the others because the relay has tried
/// them, or given them up.
async fn a_writers_time_outlives_a_retry(bench: &impl Bench) {
    let due = "SELECT due_at AS n FROM relay_request WHERE id <= 3 ORDER BY id";
    let check = async |action: Action, expected: [i64; 3]| {
        one_of_each(bench).await;
        bench.sql("UPDATE relay_request SET state = 0, attempts = 0 WHERE id <= 3").await;
        bench.sql("UPDATE relay_request SET fence = 7 WHERE id = 2").await;
        bench.sql("UPDATE relay_request SET state = 2, fence = 7 WHERE id = 3").await;
        let operated = must(bench.open().operate(&action).await);
        assert_eq!(operated.changed, request_ids(&[1, 2, 3]), "{action:?}");
        assert_eq!(bench.ints(due).await, expected, "{action:?}");
    };
    check(Action::Retry(request_ids(&[1, 2, 3])), [99, 0, 0]).await;
    check(Action::RetryNow(request_ids(&[1, 2, 3])), [0, 0, 0]).await;
}

/// Request 3 is blocked and request 4 done; both have expired, and request 5 has not.
async fn what_has_expired_is_not_tried_again(bench: &impl Bench) {
    let named = || request_ids(&[3, 4, 5]);
    let check = async |action: Action, changed: &[i64]| {
        one_of_each(bench).await;
        bench.sql("UPDATE relay_request SET expires_at = 99 WHERE id < 5").await;
        bench.sql("UPDATE relay_request SET expires_at = 9223372036854775807 WHERE id = 5").await;
        let operated = must(bench.open().operate(&action).await);
        assert_eq!(operated.changed, request_ids(changed), "{action:?}");
    };
    check(Action::Retry(named()), &[]).await;
    check(Action::RetryNow(named()), &[]).await;
    check(Action::RetryKey("k".into()), &[]).await;
    check(Action::Replay(named()), &[5]).await;
    check(Action::Skip(named()), &[3]).await;
    check(Action::SkipBlocked("k".into()), &[3]).await;
}

async fn told<S: Source>(node: &mut Node<S>) -> Option<Control> {
    node.round().await.control
}

async fn settings_reach_every_node(bench: &impl Bench) {
    bench.renew().await;
    let (mut a, mut b) = (Node::new(bench.open(), "a"), Node::new(bench.open(), "b"));
    a.round().await;
    b.round().await;
    let hold = Hold::Key { slot: slot_of("k"), key: "k".into() };
    let holds = [Hold::Code("c".into()), Hold::Endpoint("e".into()), hold.clone()];
    for hold in &holds {
        must(a.source.operate(&Action::Hold(hold.clone())).await);
        must(a.source.operate(&Action::Hold(hold.clone())).await);
    }
    let switch = |is_active| Action::Switch { group: "g".into(), is_active };
    must(a.source.operate(&switch(Some(true))).await);
    must(a.source.operate(&switch(Some(false))).await);
    let control = told(&mut b).await.expect("it has changed");
    assert_eq!((control.version, control.holds.as_slice()), (9, holds.as_slice()));
    assert_eq!(control.switches, [("g".into(), false)]);
    assert_eq!(control.changed, Some(vec![]));
    assert_eq!(told(&mut b).await, None);
    must(b.source.operate(&Action::Unhold(hold)).await);
    must(b.source.operate(&switch(None)).await);
    let control = told(&mut a).await.expect("it has changed");
    assert_eq!(must(a.source.look(&Query::Control).await), Answer::Control(control.clone()));
    assert_eq!((control.holds.as_slice(), control.switches), (&holds[..2], vec![]));
}

async fn changes_are_told_until_they_are_too_many(bench: &impl Bench) {
    one_of_each(bench).await;
    let mut node = Node::new(bench.open(), "n");
    node.round().await;
    must(node.source.operate(&Action::Retry(request_ids(&[1, 2]))).await);
    must(node.source.operate(&Action::Cancel(request_ids(&[2, 3]))).await);
    let changed = told(&mut node).await.expect("it has changed").changed;
    assert_eq!(changed, Some(request_ids(&[1, 2, 3])));
    for _ in 0..1001 {
        bench
            .sql("INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'x', 'm')")
            .await;
    }
    let operated = must(node.source.operate(&Action::SkipKey("m".into())).await);
    assert_eq!(operated.changed.len(), 1001);
    assert_eq!(told(&mut node).await.expect("it has changed").changed, None);
    must(node.source.operate(&Action::Retry(request_ids(&[1]))).await);
    let changed = told(&mut node).await.expect("it has changed").changed;
    assert_eq!(changed, Some(request_ids(&[1])));
}

async fn nonsense_is_refused(bench: &impl Bench) {
    bench.renew().await;
    let source = bench.open();
    let check = async |action| {
        let error = source.operate(&action).await.expect_err("it makes no sense");
        assert_eq!(error.kind, SourceErrorKind::Refused, "{action:?}");
    };
    check(Action::Retry(vec![])).await;
    check(Action::Retry(vec![RequestId(1); 1001])).await;
    check(Action::SkipKey(String::new())).await;
    check(Action::Hold(Hold::Code("x".repeat(129).into()))).await;
    check(Action::Switch { group: "\0".into(), is_active: None }).await;
    check(Action::Buckets(0)).await;
    check(Action::Buckets(1025)).await;
}
