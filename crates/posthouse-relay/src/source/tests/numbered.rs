//! Order by the writers' numbers, with everything that is real but the receiver: writers that take
//! numbers and commit in whatever order, two nodes with their pumps, and one that goes away in the
//! middle.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use tokio::task::{JoinSet, yield_now};

use super::relaying::{Receiver, node};
use crate::fixture::{MariadbServer, PostgresServer};
use crate::source::CommitOrder;
use crate::source::base::{Base, Dialect, Door, Options};
use crate::source::conformance::{Bench, SqlBench};

const WRITERS: u64 = 4;

/// Requests of each writer.
const REQUESTS: u64 = 60;

const KEYS: usize = 8;

/// Calls of a hundred that fail, and are made again.
const FAILURES: u32 = 10;

#[tokio::test]
async fn numbers_decide_on_sqlite() {
    for seed in 0..2 {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("source.db");
        check(&SqlBench::new(&format!("sqlite:{}", file.display())), seed).await;
    }
}

#[tokio::test]
async fn numbers_decide_on_postgres() {
    let server = PostgresServer::start().unwrap();
    for seed in 0..2 {
        check(&SqlBench::new(&server.url()), seed).await;
    }
}

#[tokio::test]
async fn numbers_decide_on_mariadb() {
    let server = MariadbServer::start().unwrap();
    for seed in 0..2 {
        check(&SqlBench::new(&server.url()), seed).await;
    }
}

async fn check(bench: &SqlBench, seed: u64) {
    bench.renew().await;
    let receiver = Receiver::new(seed, FAILURES);
    let order = CommitOrder::KeySeq;
    let (a, b) = (node(bench, order, "a", &receiver), node(bench, order, "b", &receiver));
    let numbers = Arc::new(Mutex::new(BTreeMap::new()));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let base = Base::open(bench.url(), &Options { connections_max: 8, ..Options::default() });
        let random = Rng::with_seed(seed * WRITERS + writer);
        writers.spawn(write(base.unwrap(), random, numbers.clone()));
    }
    receiver.await_taken(WRITERS * REQUESTS / 3).await;
    a.stop().await;
    let c = node(bench, order, "c", &receiver);
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
    receiver.await_taken(WRITERS * REQUESTS).await;
    b.stop().await;
    c.stop().await;
    let states = bench.ints("SELECT DISTINCT state AS n FROM relay_request").await;
    assert_eq!(states, [3], "seed {seed}");
    let numbers = numbers.lock().unwrap().clone();
    for (key, calls) in receiver.calls() {
        let last = in_order(&calls).unwrap_or_else(|at| {
            panic!("seed {seed}, key {key}: number {at} is out of its order in {calls:?}")
        });
        assert_eq!(Some(&last), numbers.get(&key), "seed {seed}, key {key}");
    }
}

/// The last number of those that were called one after the other, some again before the next; or
/// the first that was not.
fn in_order(calls: &[u64]) -> Result<u64, u64> {
    calls.iter().try_fold(0, |last, call| match *call {
        call if call == last || call == last + 1 => Ok(call),
        other => Err(other),
    })
}

/// A number that was taken.
struct Wish {
    key: String,
    number: u64,
}

/// Takes a few numbers at a time, and writes them in whatever order. A server keeps several
/// transactions open, and they are committed in yet another order; a file has one at a time.
async fn write(base: Base, mut random: Rng, numbers: Arc<Mutex<BTreeMap<String, u64>>>) {
    let mut left = REQUESTS;
    while left > 0 {
        let count = random.u64(1..=4).min(left);
        left -= count;
        let mut wishes: Vec<Wish> = (0..count).map(|_| take(&mut random, &numbers)).collect();
        random.shuffle(&mut wishes);
        let at_once = if base.dialect() == Dialect::Sqlite { 1 } else { wishes.len() };
        for wishes in wishes.chunks(at_once) {
            commit(&base, &mut random, wishes).await;
        }
    }
    base.close().await;
}

fn take(random: &mut Rng, numbers: &Mutex<BTreeMap<String, u64>>) -> Wish {
    let key = format!("k{}", random.usize(..KEYS));
    let mut numbers = numbers.lock().unwrap();
    let last = numbers.entry(key.clone()).or_default();
    *last += 1;
    Wish { key, number: *last }
}

async fn commit(base: &Base, random: &mut Rng, wishes: &[Wish]) {
    let mut open = Vec::new();
    for Wish { key, number } in wishes {
        let mut work = base.write(Door::Work).await.unwrap();
        let text = format!(
            "INSERT INTO relay_request (code, business_id, key_seq, body) \
             VALUES ('a', '{key}', {number}, '{key} {number}')"
        );
        work.script(&text).await.unwrap();
        open.push(work);
    }
    random.shuffle(&mut open);
    for work in open {
        for _ in 0..random.u32(0..50) {
            yield_now().await;
        }
        work.commit().await.unwrap();
    }
}
