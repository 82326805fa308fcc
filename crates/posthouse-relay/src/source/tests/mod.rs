//! The suite on SQLite and on PostgreSQL, and what only one of them has.

mod close;
mod drain;
mod ledger;
mod mariadb;
mod measure;
mod numbered;
mod odd;
mod plans;
mod postgres;
mod relaying;
mod retaining;
mod shared;
mod shared_faults;
mod sqlite;
mod submit;

use super::Source;
use super::conformance::{Bench, SqlBench};

/// Fills the table with finished and then open requests, in statements that no time-out ends.
async fn fill(bench: &SqlBench, open: i64, finished: i64) {
    const AT_ONCE: i64 = 20_000;
    let total = open + finished;
    for part in 0..=total / AT_ONCE {
        let (first, last) = (part * AT_ONCE + 1, total.min((part + 1) * AT_ONCE));
        if first > last {
            break;
        }
        let text = format!(
            "INSERT INTO relay_request (id, code, body, business_id, state) WITH RECURSIVE n(i) AS \
             (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) \
             SELECT i, 'other', 'a body that is about as long as a short request is, which is not \
             very long', 'key-' || (i % 8000), CASE WHEN i <= {finished} THEN 3 ELSE 0 END FROM n"
        );
        bench.sql(&text).await;
    }
}

/// Waits until a source says that there may be something new; the first time it always says so.
async fn awake(source: &impl Source) {
    source.wake().await;
}
