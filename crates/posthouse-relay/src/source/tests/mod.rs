//! The suite on SQLite and on PostgreSQL, and what only one of them has.

mod ledger;
mod measure;
mod postgres;
mod sqlite;

use super::Source;
use super::conformance::{Bench, SqlBench};

/// Fills the table with finished and open requests, quickly.
async fn fill(bench: &SqlBench, open: i64, finished: i64) {
    let total = open + finished;
    let text = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {total}) \
         INSERT INTO relay_request (code, body, business_id, state) \
         SELECT 'other', 'a body that is about as long as a short request is, which is not very \
         long', 'key-' || (i % 8000), CASE WHEN i <= {finished} THEN 3 ELSE 0 END FROM n"
    );
    bench.sql(&text).await;
}

/// Waits until a source says that there may be something new; the first time it always says so.
async fn awake(source: &impl Source) {
    source.wake().await;
}
