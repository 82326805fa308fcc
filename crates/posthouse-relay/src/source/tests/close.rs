//! Closing a source while somebody waits for its news: a node that stops must not wait for what
//! never comes.

use super::super::Source;
use super::super::conformance::{Bench, SqlBench};
use crate::fixture::{MariadbServer, PostgresServer};

#[tokio::test]
async fn sqlite_is_closed_while_somebody_waits() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("source.db");
    check(&SqlBench::new(&format!("sqlite:{}", file.display()))).await;
}

#[tokio::test]
async fn postgres_is_closed_while_somebody_waits() {
    let server = PostgresServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

#[tokio::test]
async fn mariadb_is_closed_while_somebody_waits() {
    let server = MariadbServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

async fn check(bench: &SqlBench) {
    bench.renew().await;
    let source = bench.open();
    // To have begun to listen is news by itself.
    source.wake().await;
    tokio::select! {
        biased;
        () = source.wake() => panic!("nothing has happened"),
        () = source.close() => {}
    }
}
