//! Adopted tables on every database: one suite, and a table of what is refused.

mod locked;
mod measure;
mod numbers;
mod refusals;
mod stage;
mod suite;
mod tables;
mod words;

use crate::fixture::{MariadbServer, PostgresServer};
use stage::Stage;

#[tokio::test]
async fn sqlite_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let stage = Stage::new(&format!("sqlite:{}", file.display()));
    suite::run(&stage).await;
    numbers::run(&stage).await;
    tables::run(&stage).await;
}

#[tokio::test]
async fn postgres_conforms() {
    let server = PostgresServer::start().unwrap();
    let stage = Stage::new(&server.url());
    suite::run(&stage).await;
    locked::run(&stage).await;
    numbers::run(&stage).await;
    tables::run(&stage).await;
}

#[tokio::test]
async fn mariadb_conforms() {
    let server = MariadbServer::start().unwrap();
    let stage = Stage::new(&server.url());
    suite::run(&stage).await;
    locked::run(&stage).await;
    numbers::run(&stage).await;
    tables::run(&stage).await;
}
