//! Nodes that die in the middle, and workers of somebody else that do, on one table which all take
//! requests from. What dies when follows from the seed.
//!
//! A node is killed by ending the runtime that everything of it runs in: what was being sent is not
//! recorded, and statements stop wherever they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use super::relaying::{Receiver, parts, shared_plan};
use crate::fixture::{MariadbServer, PostgresServer};
use crate::runner::{Handle, Tempo, start};
use crate::source::CommitOrder;
use crate::source::conformance::{Bench, SqlBench};
use crate::source::retention::Retention;

const REQUESTS: i64 = 400;
const KILLS: i64 = 6;
const SEED: u64 = 11;

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(100);

#[tokio::test]
async fn sqlite_is_shared_while_all_die() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("source.db");
    check(&SqlBench::new(&format!("sqlite:{}", file.display()))).await;
}

#[tokio::test]
async fn postgres_is_shared_while_all_die() {
    let server = PostgresServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

#[tokio::test]
async fn mariadb_is_shared_while_all_die() {
    let server = MariadbServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

/// A node, and all that it runs in.
struct Life {
    runtime: Option<Runtime>,
    _handle: Handle,
}

impl Life {
    fn begin(bench: &SqlBench, name: &str, receiver: &Arc<Receiver>) -> Life {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let _inside = runtime.enter();
        let how = (CommitOrder::Id, Retention::default());
        let mut parts = parts(bench, how, name, receiver, shared_plan());
        parts.tempo = Tempo { round_ms: 50, lease_ms: 500 };
        Life { _handle: start(parts), runtime: Some(runtime) }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Nothing is lost; nothing is sent while a worker has it, or after it has finished it; and what is
/// sent more than once was being sent when a node died.
async fn check(bench: &SqlBench) {
    bench.renew().await;
    let text = format!(
        "INSERT INTO relay_request (code, body) WITH RECURSIVE n(i) AS \
         (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {REQUESTS}) SELECT 'a', {} FROM n",
        match bench.url().starts_with("postgres") {
            true => "convert_to('k ' || i, 'UTF8')",
            false => "'k ' || i",
        }
    );
    bench.sql(&text).await;
    let receiver = Receiver::new(SEED, 0);
    let both = async { tokio::join!(kill(bench, &receiver), work(bench, &receiver)) };
    let played = tokio::time::timeout(PATIENCE, both).await;
    let ((), worked) = played.unwrap_or_else(|_| panic!("seed {SEED}: not all of it ends"));
    let sent = sent(&receiver);
    assert!(!sent.is_empty() && !worked.is_empty(), "{} sent, {worked:?}", sent.len());
    let done = bench.ints("SELECT id AS n FROM relay_request WHERE state = 3").await;
    assert_eq!(done.len() as i64, REQUESTS);
    for id in done {
        let calls = sent.get(&id).copied().unwrap_or(0);
        assert!(calls <= 1 + KILLS as usize, "{id} was sent {calls} times");
        match worked.get(&id) {
            Some(before) => assert_eq!(calls, *before, "{id} was sent after it had been finished"),
            None => assert!(calls > 0, "{id} was done by nobody"),
        }
    }
}

/// How often each request was sent.
fn sent(receiver: &Receiver) -> BTreeMap<i64, usize> {
    let mut sent = BTreeMap::new();
    for id in receiver.calls().remove("k").unwrap_or_default() {
        *sent.entry(i64::try_from(id).unwrap()).or_default() += 1;
    }
    sent
}

async fn open(bench: &SqlBench) -> i64 {
    bench.ints("SELECT count(*) AS n FROM relay_request WHERE state < 3").await[0]
}

/// Kills one of two nodes whenever a part of the requests is done, and starts another.
async fn kill(bench: &SqlBench, receiver: &Arc<Receiver>) {
    let mut random = Rng::with_seed(SEED);
    let mut nodes = ["a", "b"].map(|name| Life::begin(bench, name, receiver));
    for number in 1..=KILLS {
        while open(bench).await > REQUESTS * (KILLS + 1 - number) / (KILLS + 1) {
            yield_now().await;
        }
        let victim = &mut nodes[random.usize(0..2)];
        *victim = Life::begin(bench, &format!("n{number}"), receiver);
    }
    while open(bench).await > 0 {
        yield_now().await;
    }
}

/// Takes requests until none is open, and dies with some. Answers what was
/// finished, and how often that had been sent when it was taken.
async fn work(bench: &SqlBench, receiver: &Receiver) -> BTreeMap<i64, usize> {
    let mut random = Rng::with_seed(SEED + 1);
    let mut worked = BTreeMap::new();
    while open(bench).await > 0 {
        let dies = random.u8(0..5) == 0;
        let taken = bench.take(if dies { 200 } else { 60_000 }).await;
        if let Some((id, until_ms)) = taken.filter(|_| !dies) {
            let before = sent(receiver).get(&id).copied().unwrap_or(0);
            for _ in 0..random.u8(0..40) {
                yield_now().await;
            }
            assert!(bench.finish(id, until_ms).await, "{id} was taken away");
            assert!(worked.insert(id, before).is_none(), "{id} was finished twice");
        }
        yield_now().await;
    }
    worked
}
