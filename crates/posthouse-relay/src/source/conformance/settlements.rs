//! Cases about write-backs.

use posthouse_pump::outcome::{Fence, Settled, State};
use posthouse_pump::read::Span;
use posthouse_pump::request::RequestId;

use super::Bench;
use super::node::{NO_FENCE, Node, ids, outcome};
use crate::source::{Granted, slot_of};

pub(super) async fn run(bench: &impl Bench) {
    every_state_is_written(bench).await;
    what_ends_untried_keeps_its_last_error(bench).await;
    a_wrong_fence_changes_nothing(bench).await;
    a_fence_from_elsewhere_hinders_nobody(bench).await;
    a_foreign_slot_changes_nothing(bench).await;
    a_lost_answer_is_found_again(bench).await;
    what_others_finished_is_gone(bench).await;
}

/// A node that owns everything, and requests 1 to `count`, each with the key `k`.
async fn setting<B: Bench>(bench: &B, count: usize) -> (Node<B::Source>, Granted) {
    bench.renew().await;
    for _ in 0..count {
        bench
            .sql("INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'x', 'k')")
            .await;
    }
    let mut node = Node::new(bench.open(), "n");
    node.round().await;
    let granted = node.grant_of(slot_of("k")).expect("it owns everything").clone();
    (node, granted)
}

async fn states(bench: &impl Bench) -> Vec<i64> {
    bench.ints("SELECT state AS n FROM relay_request ORDER BY id").await
}

async fn every_state_is_written(bench: &impl Bench) {
    let (node, granted) = setting(bench, 6).await;
    let wanted =
        [State::Ready, State::Blocked, State::Done, State::Failed, State::Expired, State::Rejected];
    let mut outcomes: Vec<_> =
        (1..).zip(wanted).map(|(id, state)| outcome(id, &granted, state)).collect();
    outcomes[0].due_ms = 77;
    outcomes[0].attempts = 5;
    outcomes[0].status = Some(503);
    outcomes[0].error = Some("it\0's \"down\"".to_owned() + &"é".repeat(600));
    assert_eq!(node.settle(outcomes).await, [Settled::Recorded; 6]);
    assert_eq!(states(bench).await, [0, 2, 3, 4, 5, 6]);
    let done = "SELECT id AS n FROM relay_request WHERE done_at IS NOT NULL ORDER BY id";
    assert_eq!(bench.ints(done).await, [3, 4, 5, 6]);
    let first = "SELECT id AS n FROM relay_request WHERE due_at = 77 AND attempts = 5 AND \
                 last_status = 503 AND length(last_error) = 500 AND updated_at IS NOT NULL";
    assert_eq!(bench.ints(first).await, [1]);
    let found = node.read(Span::Forward { after: RequestId(0) }).await;
    assert_eq!(ids(&found), [1, 2]);
    assert_eq!(node.settle(Vec::new()).await, []);
}

async fn what_ends_untried_keeps_its_last_error(bench: &impl Bench) {
    let (node, granted) = setting(bench, 2).await;
    for (last, second) in [(State::Blocked, State::Ready), (State::Failed, State::Done)] {
        let mut outcomes = vec![outcome(1, &granted, last), outcome(2, &granted, second)];
        if last == State::Blocked {
            for outcome in &mut outcomes {
                (outcome.status, outcome.error) = (Some(503), Some("it is down".to_owned()));
            }
        }
        node.settle(outcomes).await;
    }
    let told = "SELECT id AS n FROM relay_request WHERE last_status = 503 AND \
                last_error = 'it is down'";
    assert_eq!(bench.ints(told).await, [1]);
}

async fn a_wrong_fence_changes_nothing(bench: &impl Bench) {
    let (node, granted) = setting(bench, 2).await;
    let mut wrong = granted.clone();
    wrong.fence = NO_FENCE;
    let mut higher = granted.clone();
    higher.fence = Fence(granted.fence.0 + 1000);
    let outcomes = vec![outcome(1, &wrong, State::Done), outcome(2, &granted, State::Done)];
    assert_eq!(node.settle(outcomes).await, [Settled::Fenced, Settled::Recorded]);
    assert_eq!(node.settle(vec![outcome(1, &higher, State::Done)]).await, [Settled::Fenced]);
    assert_eq!(states(bench).await, [0, 3]);
}

/// As in rows that somebody has copied from another database.
async fn a_fence_from_elsewhere_hinders_nobody(bench: &impl Bench) {
    let (node, granted) = setting(bench, 1).await;
    bench.sql("UPDATE relay_request SET fence = 9223372036854775807").await;
    assert_eq!(node.settle(vec![outcome(1, &granted, State::Done)]).await, [Settled::Recorded]);
    assert_eq!(states(bench).await, [3]);
}

async fn a_foreign_slot_changes_nothing(bench: &impl Bench) {
    let (node, granted) = setting(bench, 1).await;
    let foreign = node.held.iter().find(|other| other.bucket != granted.bucket);
    let foreign = foreign.expect("there are several buckets");
    node.settle(vec![outcome(1, foreign, State::Done)]).await;
    let with_slot = bench.ints("SELECT count(*) AS n FROM relay_request WHERE slot >= 0").await;
    if with_slot == [1] {
        assert_eq!(states(bench).await, [0]);
    }
}

async fn a_lost_answer_is_found_again(bench: &impl Bench) {
    let (node, granted) = setting(bench, 2).await;
    let outcomes = vec![outcome(1, &granted, State::Done), outcome(2, &granted, State::Ready)];
    for _ in 0..3 {
        assert_eq!(node.settle(outcomes.clone()).await, [Settled::Recorded; 2]);
    }
    assert_eq!(states(bench).await, [3, 0]);
}

async fn what_others_finished_is_gone(bench: &impl Bench) {
    let (node, granted) = setting(bench, 3).await;
    bench.sql("UPDATE relay_request SET state = 7 WHERE id = 1").await;
    bench.sql("DELETE FROM relay_request WHERE id = 2").await;
    let outcomes = (1..4).map(|id| outcome(id, &granted, State::Done)).collect();
    let expected = [Settled::Gone, Settled::Gone, Settled::Recorded];
    assert_eq!(node.settle(outcomes).await, expected);
    assert_eq!(states(bench).await, [7, 3]);
}
