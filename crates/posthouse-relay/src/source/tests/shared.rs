//! Two nodes and workers of somebody else on one table, which all take requests from it; and what
//! is finished leaves it meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::yield_now;

use super::relaying::{Receiver, node_with, shared_plan};
use crate::fixture::{MariadbServer, PostgresServer};
use crate::source::CommitOrder;
use crate::source::conformance::{Bench, SqlBench};
use crate::source::retention::{Ages, Retention};

const REQUESTS: u64 = 400;

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(100);

#[tokio::test]
async fn sqlite_is_shared_with_others() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("source.db");
    check(&SqlBench::new(&format!("sqlite:{}", file.display()))).await;
}

#[tokio::test]
async fn postgres_is_shared_with_others() {
    let server = PostgresServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

#[tokio::test]
async fn mariadb_is_shared_with_others() {
    let server = MariadbServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

/// Every request is carried out once, by a node or by a worker, also those that a worker has taken
/// and died with.
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
    let retention = Retention { ages: Ages([Some(1); 5]), is_archived: true, archive_ms: None };
    let receiver = Receiver::new(1, 0);
    let start =
        |name| node_with(bench, (CommitOrder::Id, retention), name, &receiver, shared_plan());
    let nodes = [start("a"), start("b")];
    let worked = tokio::time::timeout(PATIENCE, work(bench)).await.expect("all of it ends");
    for node in nodes {
        node.stop().await;
    }
    let calls = receiver.calls().remove("k").unwrap_or_default();
    let sent: BTreeSet<u64> = calls.iter().copied().collect();
    assert_eq!(sent.len(), calls.len(), "something was sent twice");
    assert!(!sent.is_empty() && !worked.is_empty(), "{} sent, {worked:?}", sent.len());
    assert!(sent.is_disjoint(&worked), "something was done twice");
    assert_eq!(sent.len() + worked.len(), REQUESTS as usize);
    let done = "SELECT count(*) AS n FROM (SELECT id FROM relay_request WHERE state = 3 \
                UNION ALL SELECT id FROM relay_archive WHERE state = 3) AS everywhere";
    assert_eq!(bench.ints(done).await, [REQUESTS as i64]);
}

/// Takes requests until none is open; with every fifth, the worker dies.
async fn work(bench: &SqlBench) -> BTreeSet<u64> {
    let mut worked = BTreeSet::new();
    let mut taken = 0;
    loop {
        let open = bench.ints("SELECT count(*) AS n FROM relay_request WHERE state < 3").await;
        if open == [0] {
            return worked;
        }
        taken += 1;
        let dies = taken % 5 == 0;
        if let Some((id, until_ms)) = bench.take(if dies { 200 } else { 60_000 }).await
            && !dies
        {
            assert!(bench.finish(id, until_ms).await, "{id} was taken away");
            worked.insert(id.unsigned_abs());
        }
        yield_now().await;
    }
}
