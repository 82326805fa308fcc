//! Retention where others are at work in the same table: what they have locked stays until they let
//! go, and nothing waits for them.

use crate::fixture::{MariadbServer, PostgresServer};
use crate::source::base::{Base, Dialect, Door, Options, Work};
use crate::source::conformance::{Bench, SqlBench};
use crate::source::retention::{Ages, Retention};
use crate::source::{AnySource, CommitOrder, Source};

#[tokio::test]
async fn postgres_leaves_what_is_locked() {
    let server = PostgresServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

#[tokio::test]
async fn mariadb_leaves_what_is_locked() {
    let server = MariadbServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

async fn check(bench: &SqlBench) {
    for is_archived in [false, true] {
        bench.renew().await;
        let text = "INSERT INTO relay_request (code, body, state, created_at, done_at) \
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) \
                    SELECT 'a', 'x', 3, 1000, 2000 FROM n";
        bench.sql(text).await;
        let retention = Retention { ages: Ages([Some(1_000); 5]), is_archived, archive_ms: None };
        let source = bench.open_with(CommitOrder::Id, retention);
        let owner =
            transaction(bench, "SELECT id FROM relay_request WHERE id = 3 FOR UPDATE").await;
        assert_eq!(walk(&source).await, 4);
        let left = "SELECT id AS n FROM relay_request";
        assert_eq!(bench.ints(left).await, [3], "what is locked stays");
        owner.undo().await.unwrap();
        assert_eq!(walk(&source).await, 1, "the next walk comes by again");
        assert_eq!(bench.ints(left).await, [] as [i64; 0]);
        let archived = bench.ints("SELECT count(*) AS n FROM relay_archive").await;
        assert_eq!(archived, [if is_archived { 5 } else { 0 }]);
        source.close().await;
    }
}

/// How many a whole walk removes.
async fn walk(source: &AnySource) -> u64 {
    let mut removed = 0;
    loop {
        let step = source.retain("n").await.unwrap();
        removed += step.archived + step.deleted;
        if step.has_ended {
            return removed;
        }
    }
}

async fn transaction(bench: &SqlBench, statement: &str) -> Work {
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    let mut work = base.write(Door::Work).await.unwrap();
    let patience = match base.dialect() {
        Dialect::Mysql => "SET SESSION wait_timeout = 600",
        _ => "SET idle_in_transaction_session_timeout = 0",
    };
    work.script(patience).await.unwrap();
    work.script(statement).await.unwrap();
    work
}
