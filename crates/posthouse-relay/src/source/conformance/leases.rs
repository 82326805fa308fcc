//! Cases about leases and layouts.

use posthouse_pump::outcome::{BucketNo, Settled, State};

use super::node::{Node, outcome};
use super::{Bench, must};
use crate::source::operate::Action;
use crate::source::{Source, SourceErrorKind, slot_of};

pub(super) async fn run(bench: &impl Bench) {
    one_node_gets_everything(bench).await;
    two_nodes_come_to_share(bench).await;
    what_is_given_back_is_free_at_once(bench).await;
    what_has_ended_is_taken_over(bench).await;
    a_lost_answer_grants_anew(bench).await;
    two_sources_of_one_node_are_told_apart(bench).await;
    a_new_layout_waits_for_the_old_one(bench).await;
}

/// All leases that stand end, as if their time had passed, and nobody is new.
async fn end_leases(bench: &impl Bench, owner: &str) {
    let text = format!("UPDATE relay_bucket SET lease_until = 1 WHERE owner = '{owner}'");
    bench.sql(&text).await;
}

/// Minimum times to hold a bucket have passed.
async fn let_age(bench: &impl Bench) {
    bench.sql("UPDATE relay_bucket SET granted_at = 1 WHERE owner IS NOT NULL").await;
}

async fn one_node_gets_everything(bench: &impl Bench) {
    bench.renew().await;
    let mut node = Node::new(bench.open(), "a");
    let round = node.round().await;
    assert_eq!(round.granted.len(), 16);
    assert!(round.granted.iter().all(|granted| !granted.was_silent));
    let control = round.control.expect("the first round tells everything");
    assert_eq!(control.buckets, 16);
    let round = node.round().await;
    assert_eq!((round.renewed.len(), round.granted.len()), (16, 0));
    assert_eq!(round.control, None);
}

async fn two_nodes_come_to_share(bench: &impl Bench) {
    bench.renew().await;
    let (mut a, mut b) = (Node::new(bench.open(), "a"), Node::new(bench.open(), "b"));
    a.round().await;
    assert_eq!(b.round().await.granted, []);
    assert_eq!(a.round().await.drain, [], "not before it has held them for a while");
    let_age(bench).await;
    let drain = a.round().await.drain;
    assert_eq!(drain.len(), 8);
    assert_eq!(a.round().await.drain, drain, "told again until it is done");
    a.give_back(&drain);
    a.round().await;
    let granted = b.round().await.granted;
    assert_eq!(granted.len(), 8);
    assert!(granted.iter().all(|granted| !granted.was_silent));
    let_age(bench).await;
    assert_eq!((a.round().await.drain, b.round().await.drain), (vec![], vec![]));
}

async fn what_is_given_back_is_free_at_once(bench: &impl Bench) {
    bench.renew().await;
    let (mut a, mut b) = (Node::new(bench.open(), "a"), Node::new(bench.open(), "b"));
    a.round().await;
    let old = a.held.clone();
    let all: Vec<BucketNo> = old.iter().map(|granted| granted.bucket).collect();
    a.wants_more = false;
    a.give_back(&all);
    let round = a.round().await;
    assert_eq!((round.granted, round.lost), (vec![], vec![]));
    let granted = b.round().await.granted;
    assert_eq!(granted.len(), 16);
    assert!(granted.iter().all(|granted| !granted.was_silent));
    assert!(granted.iter().zip(&old).all(|(new, old)| new.fence > old.fence));
}

async fn what_has_ended_is_taken_over(bench: &impl Bench) {
    bench.renew().await;
    bench.sql("INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'x', 'k')").await;
    let (mut a, mut b) = (Node::new(bench.open(), "a"), Node::new(bench.open(), "b"));
    a.round().await;
    let old = a.grant_of(slot_of("k")).expect("it has everything").clone();
    end_leases(bench, "a").await;
    bench.sql("UPDATE relay_node SET lives_until = 1 WHERE node = 'a'").await;
    let granted = b.round().await.granted;
    assert_eq!(granted.len(), 16);
    assert!(granted.iter().all(|granted| granted.was_silent));
    assert_eq!(a.settle(vec![outcome(1, &old, State::Done)]).await, [Settled::Fenced]);
    assert_eq!(a.round().await.lost.len(), 16);
    let new = b.grant_of(slot_of("k")).expect("it has everything").clone();
    assert!(new.fence > old.fence);
    assert_eq!(b.settle(vec![outcome(1, &new, State::Done)]).await, [Settled::Recorded]);
}

async fn a_lost_answer_grants_anew(bench: &impl Bench) {
    bench.renew().await;
    let mut a = Node::new(bench.open(), "a");
    let unheard = must(a.source.round(&a.greeting()).await);
    let granted = a.round().await.granted;
    assert_eq!(granted.len(), 16);
    assert!(granted.iter().zip(&unheard.granted).all(|(new, old)| new.fence > old.fence));
    assert!(granted.iter().all(|granted| granted.was_silent));
}

async fn two_sources_of_one_node_are_told_apart(bench: &impl Bench) {
    bench.renew().await;
    let mut a = Node::new(bench.open(), "n-1/shop");
    let mut b = Node::new(bench.open(), "n-1/bank");
    assert_eq!(a.round().await.granted.len(), 16);
    let error = b.source.round(&b.greeting()).await.expect_err("the table has a source already");
    assert_eq!(error.kind, SourceErrorKind::Unfit, "{error}");
    assert!(error.detail.contains("the source \"shop\" of this node"), "{error}");
    assert_eq!(bench.ints("SELECT count(*) AS n FROM relay_node").await, [1]);
    assert_eq!(a.round().await.renewed.len(), 16, "it goes on");
    Node::new(bench.open(), "n-2/bank").round().await;
    bench.sql("UPDATE relay_node SET lives_until = 1 WHERE node = 'n-1/shop'").await;
    b.round().await;
}

async fn a_new_layout_waits_for_the_old_one(bench: &impl Bench) {
    bench.renew().await;
    bench.sql("INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'x', 'k')").await;
    let (mut a, mut b) = (Node::new(bench.open(), "a"), Node::new(bench.open(), "b"));
    a.round().await;
    let old = a.grant_of(slot_of("k")).expect("it has everything").clone();
    must(a.source.operate(&Action::Buckets(5)).await);
    assert_eq!(b.round().await.granted, [], "every old bucket is held");
    let round = a.round().await;
    assert_eq!(round.drain.len(), 16, "whatever their age");
    assert_eq!(round.control.expect("it has changed").buckets, 5);
    assert_eq!(round.granted, []);
    a.give_back(&round.drain[..8]);
    let first = a.round().await.granted;
    assert_eq!(first.len(), 2, "of new buckets, two lie wholly in the first half");
    let second: Vec<BucketNo> = a.round().await.drain;
    a.wants_more = false;
    a.give_back(&second);
    a.round().await;
    assert_eq!(b.round().await.granted.len(), 3);
    assert_eq!(a.settle(vec![outcome(1, &old, State::Done)]).await, [Settled::Fenced]);
    let rows = bench.ints("SELECT count(*) AS n FROM relay_bucket").await;
    assert_eq!(rows, [5], "the old layout is gone");
}
