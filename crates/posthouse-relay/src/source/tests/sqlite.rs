//! SQLite.

use std::path::Path;
use std::time::Duration;

use super::awake;
use crate::source::conformance::{Bench, SqlBench, run};
use crate::source::{CommitOrder, Options, Source, SourceErrorKind, connect};

fn url(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("source.db").display())
}

#[tokio::test]
async fn conforms() {
    let directory = tempfile::tempdir().unwrap();
    run(&SqlBench::new(&url(directory.path()))).await;
}

#[tokio::test]
async fn a_write_of_somebody_else_wakes() {
    let directory = tempfile::tempdir().unwrap();
    let bench = SqlBench::new(&url(directory.path()));
    bench.renew().await;
    let source = bench.open();
    awake(&source).await;
    let quiet = tokio::time::timeout(Duration::from_millis(30), source.wake()).await;
    assert!(quiet.is_err(), "nothing has happened");
    let insert = "INSERT INTO relay_request (code, body) VALUES ('a', 'x')";
    tokio::join!(awake(&source), bench.sql(insert));
    source.close().await;
}

async fn check_unfit(url: &str, options: Options, expected: &str) {
    let error = match connect(url, options) {
        Ok(source) => source.prepare().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind, SourceErrorKind::Unfit, "{error}");
    assert!(error.detail.contains(expected), "{error}");
}

#[tokio::test]
async fn what_cannot_work_is_said_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let url = url(directory.path());
    SqlBench::new(&url).renew().await;
    let xid = Options { order: CommitOrder::Xid, ..Options::default() };
    check_unfit(&url, xid, "is for PostgreSQL").await;
    let read_only = format!("{url}?mode=ro");
    check_unfit(&read_only, Options::default(), "cannot be written to").await;
    check_unfit("mysql://root:secret@host/db", Options::default(), "must look like").await;
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made_by_looking() {
    let directory = tempfile::tempdir().unwrap();
    let source = connect(&url(directory.path()), Options::default()).unwrap();
    let error = source.prepare().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error}");
}
