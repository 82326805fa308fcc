//! How fast rows are fed. It asserts nothing of time; `--nocapture` shows the figures.

use std::time::Instant;

use super::stage::{Stage, marking, reading};
use crate::fixture::{Durability, MariadbServer, PostgresServer};
use crate::source::conformance::Bench;

/// Rows that are fed; many more in a run by hand.
fn rows() -> i64 {
    std::env::var("POSTHOUSE_MEASURE_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

#[tokio::test]
async fn feeds_are_measured_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    Box::pin(measure("SQLite", &Stage::new(&format!("sqlite:{}", file.display())))).await;
}

#[tokio::test]
async fn feeds_are_measured_on_postgres() {
    let server = PostgresServer::start_with(Durability::Synced).unwrap();
    Box::pin(measure("PostgreSQL", &Stage::new(&server.url()))).await;
}

#[tokio::test]
async fn feeds_are_measured_on_mariadb() {
    let server = MariadbServer::start_with(Durability::Synced, &[]).unwrap();
    Box::pin(measure("MariaDB", &Stage::new(&server.url()))).await;
}

async fn measure(name: &str, stage: &Stage) {
    let rows = rows();
    for (how, adoption) in
        [("marking", marking(stage.dialect)), ("reading", reading(stage.dialect))]
    {
        stage.renew().await;
        let node = stage.node(&adoption).await;
        let body = "x".repeat(1_000);
        let at_once = 10_000;
        for first in (0..rows).step_by(at_once) {
            let last = rows.min(first + at_once as i64);
            let text = format!(
                "INSERT INTO outbox (kind, customer, payload) WITH RECURSIVE n(i) AS \
                 (SELECT {first} + 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) \
                 SELECT 'order', 'k' || (i % 1000), '{{\"a\": \"{body}\"}}' FROM n"
            );
            stage.bench.sql(&text).await;
        }
        let begun = Instant::now();
        while node.source.feed_once().await {}
        let rate = rows as f64 / begun.elapsed().as_secs_f64();
        println!("{name}, {how}: {rows} rows of 1 KB fed at {rate:.0}/s");
        assert_eq!(stage.count("relay_request").await, rows);
    }
}
