//! The rules of ownership, without a database: thousands of histories, and shares at rest.

use std::sync::Arc;

use fastrand::Rng;
use posthouse_pump::outcome::{BucketNo, Fence};

use crate::source::Greeting;
use crate::source::ownership::{Bucket, Ledger, Node, lay_out};

const LEASE_MS: u64 = 1_000;

fn ledger(layout: u32, buckets: u32) -> Ledger {
    Ledger { layout, buckets: fresh(layout, buckets), ..Ledger::default() }
}

fn fresh(layout: u32, buckets: u32) -> Vec<Bucket> {
    lay_out(layout, buckets)
        .into_iter()
        .map(|(number, slots)| Bucket {
            number,
            slots,
            owner: None,
            fence: 0,
            lease_until_ms: 0,
            granted_ms: 0,
            is_draining: false,
            is_silent: false,
        })
        .collect()
}

/// An honest node in the ledger's world.
struct Player {
    name: Arc<str>,
    held: Vec<(BucketNo, Fence)>,
    release: Vec<(BucketNo, Fence)>,
}

impl Player {
    fn new(name: &str) -> Player {
        Player { name: name.into(), held: Vec::new(), release: Vec::new() }
    }

    fn round(&mut self, ledger: &mut Ledger) {
        let greeting = Greeting {
            node: self.name.clone(),
            lease_ms: LEASE_MS,
            renew: self.held.clone(),
            release: std::mem::take(&mut self.release),
            wants_more: true,
            known_version: 0,
        };
        let answer = ledger.serve(&greeting);
        self.held.retain(|(bucket, _)| !answer.lost.contains(bucket));
        self.held.extend(answer.granted.iter().map(|granted| (granted.bucket, granted.fence)));
        let (release, held) =
            self.held.drain(..).partition(|(bucket, _)| answer.drain.contains(bucket));
        self.held = held;
        self.release = release;
    }
}

fn present(players: &[Player]) -> Vec<Node> {
    players.iter().map(|player| Node { name: player.name.clone(), is_wanting: true }).collect()
}

/// After a while of rounds, everybody has a share, and nothing moves any more.
fn check_shares(buckets: u32, nodes: usize, expected: &[usize]) {
    let mut ledger = ledger(1, buckets);
    let mut players: Vec<Player> = (0..nodes).map(|at| Player::new(&format!("n{at}"))).collect();
    ledger.nodes = present(&players);
    let mut at_rest = Vec::new();
    for turn in 0..60 {
        ledger.now_ms += 400;
        for player in &mut players {
            player.round(&mut ledger);
        }
        let held: Vec<Vec<(BucketNo, Fence)>> =
            players.iter().map(|player| player.held.clone()).collect();
        if turn > 30 {
            assert_eq!(held, at_rest, "{buckets} buckets, {nodes} nodes: still moving");
        }
        at_rest = held;
    }
    let mut counts: Vec<usize> = at_rest.iter().map(Vec::len).collect();
    counts.sort_unstable();
    assert_eq!(counts, expected, "{buckets} buckets, {nodes} nodes");
}

#[test]
fn shares_come_to_rest() {
    check_shares(16, 1, &[16]);
    check_shares(16, 2, &[8, 8]);
    check_shares(16, 3, &[5, 5, 6]);
    check_shares(4, 3, &[1, 1, 2]);
    check_shares(2, 3, &[0, 1, 1]);
    check_shares(1, 2, &[0, 1]);
    check_shares(1024, 3, &[341, 341, 342]);
}

#[test]
fn layouts_cover_every_slot_once() {
    for buckets in [1, 2, 3, 5, 16, 1000, 1024] {
        let layout = lay_out(7, buckets);
        let mut next = 0;
        for (number, slots) in &layout {
            assert_eq!(number.0 >> 32, 7);
            assert_eq!(slots.first.0, next);
            assert!(slots.last >= slots.first);
            next = slots.last.0 + 1;
        }
        assert_eq!((layout.len(), next), (buckets as usize, 1024));
    }
}

/// Two buckets that have owners never share a slot, and fences only grow.
fn check_history(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut ledger = ledger(1, rng.u32(1..20));
    let mut players: Vec<Player> =
        (0..rng.usize(1..5)).map(|at| Player::new(&format!("n{at}"))).collect();
    ledger.nodes = present(&players);
    for _ in 0..80 {
        let before = ledger.fence;
        match rng.u32(..8) {
            0 => ledger.now_ms += rng.i64(0..2_000),
            1 => {
                ledger.layout += 1;
                let more = fresh(ledger.layout, rng.u32(1..20));
                ledger.buckets.extend(more);
            }
            2 => {
                let player = rng.usize(..players.len());
                players[player].held.clear();
            }
            _ => {
                let player = rng.usize(..players.len());
                players[player].round(&mut ledger);
            }
        }
        assert!(ledger.fence >= before);
        check_apart(&ledger, seed);
    }
}

fn check_apart(ledger: &Ledger, seed: u64) {
    let mut owned = [false; 1024];
    for bucket in ledger.buckets.iter().filter(|bucket| bucket.owner.is_some()) {
        for slot in bucket.slots.first.0..=bucket.slots.last.0 {
            let slot = &mut owned[usize::from(slot)];
            assert!(!*slot, "seed {seed}: two owners");
            *slot = true;
        }
    }
}

#[test]
fn no_slot_has_two_owners() {
    for seed in 0..400 {
        check_history(seed);
    }
}
