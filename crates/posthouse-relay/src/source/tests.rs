//! The suite on SQLite and on PostgreSQL.

use super::conformance::{SqlBench, run};
use crate::fixture::PostgresServer;

#[tokio::test]
async fn sqlite_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("source.db");
    run(&SqlBench::new(&format!("sqlite:{}", file.display()))).await;
}

#[tokio::test]
async fn postgres_conforms() {
    let server = PostgresServer::start().unwrap();
    run(&SqlBench::new(&server.url())).await;
}
