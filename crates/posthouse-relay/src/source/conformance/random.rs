//! Random histories of leases: two or three nodes that come, go, fall silent, lose answers and
//! change the number of buckets.
//!
//! After every step it is computed by brute force, for every slot, which nodes could write it with
//! any lease they ever had. At no instant may there be two. Now and then every such lease is tried
//! out, too.

use std::collections::BTreeMap;

use fastrand::Rng;
use posthouse_pump::outcome::{BucketNo, Settled, State};
use posthouse_pump::read::SlotRange;
use posthouse_pump::request::{SLOTS, Slot};

use super::node::{Node, outcome};
use super::{Bench, must};
use crate::source::look::{Answer, Query};
use crate::source::operate::Action;
use crate::source::{Granted, Source};

const STEPS: u32 = 60;

/// The nodes, and every lease that each of them has ever had.
struct World<S> {
    nodes: Vec<Node<S>>,
    ever: Vec<Vec<Granted>>,
}

pub(super) async fn run<B: Bench>(bench: &B, seed: u64) {
    bench.renew().await;
    bench.sql("INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'x', 'k')").await;
    let mut rng = Rng::with_seed(seed);
    let count = rng.usize(2..=3);
    let nodes = (0..count).map(|at| Node::new(bench.open(), &format!("n{at}"))).collect();
    let mut world = World { nodes, ever: vec![Vec::new(); count] };
    for number in 0..STEPS {
        let what = step(bench, &mut world, &mut rng).await;
        check(&world, &format!("seed {seed}, step {number}: {what}")).await;
    }
    try_all(&world, seed).await;
}

async fn step<B: Bench>(bench: &B, world: &mut World<B::Source>, rng: &mut Rng) -> String {
    let at = rng.usize(..world.nodes.len());
    let node = &mut world.nodes[at];
    match rng.u32(..10) {
        0..=4 => {
            let round = node.round().await;
            node.give_back(&round.drain);
            world.ever[at].extend(round.granted);
            format!("round of {at}")
        }
        5 => {
            let round = must(node.source.round(&node.greeting()).await);
            world.ever[at].extend(round.granted);
            format!("lost answer of {at}")
        }
        6 => {
            node.wants_more = rng.bool();
            let given: Vec<BucketNo> =
                node.held.iter().map(|held| held.bucket).filter(|_| rng.bool()).collect();
            node.give_back(&given);
            format!("{at} gives back")
        }
        7 => {
            let owner = &node.name;
            bench
                .sql(&format!("UPDATE relay_bucket SET lease_until = 1 WHERE owner = '{owner}'"))
                .await;
            format!("leases of {at} end")
        }
        8 => {
            bench.sql("UPDATE relay_bucket SET granted_at = 1").await;
            "time passes".to_owned()
        }
        _ => {
            let buckets = rng.u32(1..=12);
            must(node.source.operate(&Action::Buckets(buckets)).await);
            format!("{buckets} buckets")
        }
    }
}

/// What stands in the database: every bucket with its slots and its fence.
async fn ledger<S: Source>(world: &World<S>) -> BTreeMap<BucketNo, (SlotRange, i64)> {
    let Some(node) = world.nodes.first() else {
        return BTreeMap::new();
    };
    let Answer::Buckets(rows) = must(node.source.look(&Query::Buckets).await) else {
        panic!("it answers in kind");
    };
    rows.into_iter().map(|row| (row.bucket, (row.slots, row.fence.0))).collect()
}

async fn check<S: Source>(world: &World<S>, when: &str) {
    let ledger = ledger(world).await;
    let mut writers = vec![None; usize::from(SLOTS)];
    for (node, ever) in world.ever.iter().enumerate() {
        for granted in ever {
            let Some(&(slots, fence)) = ledger.get(&granted.bucket) else {
                continue;
            };
            if fence != granted.fence.0 {
                continue;
            }
            for slot in slots.first.0..=slots.last.0 {
                let writer = &mut writers[usize::from(slot)];
                let other = writer.replace((node, granted.bucket));
                assert!(
                    other.is_none() || other == Some((node, granted.bucket)),
                    "{when}: slot {slot} can be written by {writer:?} and by {other:?}"
                );
            }
        }
    }
}

/// Writes under every lease that there ever was: those that are void are refused.
async fn try_all<S: Source>(world: &World<S>, seed: u64) {
    let ledger = ledger(world).await;
    let slot: Slot = crate::source::slot_of("k");
    for (node, ever) in world.nodes.iter().zip(&world.ever) {
        for granted in ever.iter().filter(|granted| granted.slots.contains(slot)) {
            let is_valid =
                ledger.get(&granted.bucket).is_some_and(|(_, fence)| *fence == granted.fence.0);
            let expected = if is_valid { Settled::Recorded } else { Settled::Fenced };
            let settled = node.settle(vec![outcome(1, granted, State::Ready)]).await;
            assert_eq!(settled, [expected], "seed {seed}: {granted:?}");
        }
    }
}
