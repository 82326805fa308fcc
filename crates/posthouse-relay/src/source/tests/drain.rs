//! How fast a backlog is sent in either order. To see figures, on a quiet machine:
//! `POSTHOUSE_MEASURE_ROWS=50000 cargo test --release -p posthouse-relay drain -- --nocapture
//! --test-threads=1`.

use std::time::Instant;

use posthouse_pump::read::Span;
use posthouse_pump::request::RequestId;

use super::measure::{read, timed};
use super::relaying::{Receiver, node};
use crate::fixture::{Durability, MariadbServer, PostgresServer};
use crate::source::conformance::{Bench, SqlBench};
use crate::source::{CommitOrder, Source};

/// Enough to see that everything is sent.
const ROWS_DEFAULT: u64 = 400;

fn rows() -> u64 {
    let rows = std::env::var("POSTHOUSE_MEASURE_ROWS").ok();
    rows.and_then(|rows| rows.parse().ok()).unwrap_or(ROWS_DEFAULT)
}

#[tokio::test]
async fn drain_sqlite() {
    let directory = tempfile::tempdir_in(crate::fixture::home().unwrap()).unwrap();
    let file = directory.path().join("source.db");
    drain("SQLite", &SqlBench::new(&format!("sqlite:{}", file.display()))).await;
}

#[tokio::test]
async fn drain_postgres() {
    let server = PostgresServer::start_with(Durability::Synced).unwrap();
    drain("PostgreSQL", &SqlBench::new(&server.url())).await;
}

#[tokio::test]
async fn drain_mariadb() {
    let server = MariadbServer::start_with(Durability::Synced, &[]).unwrap();
    drain("MariaDB", &SqlBench::new(&server.url())).await;
}

async fn drain(name: &str, bench: &SqlBench) {
    walk(name, bench).await;
    let rows = rows();
    for keys in [rows / 10, rows / 100] {
        for order in [CommitOrder::Id, CommitOrder::KeySeq] {
            fill(bench, rows, keys).await;
            let receiver = Receiver::new(1, 0);
            let start = Instant::now();
            let node = node(bench, order, "n", &receiver);
            receiver.await_taken(rows).await;
            let took = start.elapsed();
            node.stop().await;
            let rate = rows as f64 / took.as_secs_f64();
            println!("{name}: {rows} requests of {keys} keys by {order:?}: {rate:.0}/s");
        }
    }
}

/// Reads a stretch in which everything waits for numbers that are not there.
async fn walk(name: &str, bench: &SqlBench) {
    fill(bench, 20_000, 200).await;
    bench.sql("UPDATE relay_request SET key_seq = key_seq + 1000").await;
    for order in [CommitOrder::Id, CommitOrder::KeySeq] {
        let source = bench.open_in(order);
        let span = Span::Again { after: RequestId(0), up_to: RequestId(20_000) };
        let what = format!("walk by {order:?} over 20,000");
        timed(name, &what, async || read(&source, span.clone()).await).await;
        source.close().await;
    }
}

/// Numbers and ids agree, so that both orders send the same.
async fn fill(bench: &SqlBench, rows: u64, keys: u64) {
    bench.renew().await;
    let (bytes, over) = match bench.url() {
        url if url.starts_with("sqlite:") => ("BLOB", "/"),
        url if url.starts_with("mysql:") => ("BINARY", "DIV"),
        _ => ("BYTEA", "/"),
    };
    let text = format!(
        "INSERT INTO relay_request (code, business_id, key_seq, body) WITH RECURSIVE n(i) AS \
         (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} - 1), \
         named AS (SELECT i, 'key-' || (i % {keys}) AS k FROM n) \
         SELECT 'a', k, i {over} {keys} + 1, CAST(k || ' ' || i AS {bytes}) FROM named ORDER BY i"
    );
    bench.sql(&text).await;
    bench.sql("ANALYZE relay_request").await;
}
