//! SQLite.

use std::path::Path;
use std::time::Duration;

use super::awake;
use super::relaying::{Receiver, node};
use crate::source::conformance::{Bench, SqlBench, run};
use crate::source::look::{Answer, Query};
use crate::source::{
    CommitOrder, Granted, Greeting, Options, Source, SourceErrorKind, connect, schema,
};

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
    check_unfit("oracle://root:secret@host/db", Options::default(), "must look like").await;
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made_by_looking() {
    let directory = tempfile::tempdir().unwrap();
    let source = connect(&url(directory.path()), Options::default()).unwrap();
    let error = source.prepare().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error}");
}

/// A database of its own with one request, and nobody who has it open.
async fn make(path: &Path, code: &str) {
    let url = format!("sqlite:{}", path.display());
    schema::init(&url).await.unwrap();
    let bench = SqlBench::new(&url);
    bench.sql(&format!("INSERT INTO relay_request (code, body) VALUES ('{code}', 'x')")).await;
    bench.close().await;
}

/// The log of the old file must not be taken for that of the new one.
fn put_in_place(new: &Path, path: &Path) {
    for part in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{part}", path.display()));
    }
    std::fs::rename(new, path).unwrap();
}

fn greeting(renew: &[Granted]) -> Greeting {
    Greeting {
        node: "n".into(),
        lease_ms: 60_000,
        renew: renew.iter().map(|granted| (granted.bucket, granted.fence)).collect(),
        release: Vec::new(),
        wants_more: true,
        known_version: 0,
    }
}

#[tokio::test]
async fn a_file_that_is_replaced_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("source.db");
    make(&path, "old").await;
    let source = connect(&url(directory.path()), Options::default()).unwrap();
    source.prepare().await.unwrap();
    let held = source.round(&greeting(&[])).await.unwrap().granted;
    awake(&source).await;
    let new = directory.path().join("new.db");
    make(&new, "new").await;
    put_in_place(&new, &path);
    let codes = Query::Counts;
    assert_eq!(source.look(&codes).await.unwrap_err().kind, SourceErrorKind::Replaced);
    for _ in 0..2 {
        let error = source.round(&greeting(&held)).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Replaced, "{error}");
        assert!(error.detail.contains("source.db was replaced by another one"), "{error}");
    }
    source.prepare().await.unwrap();
    assert_eq!(source.round(&greeting(&[])).await.unwrap().granted.len(), held.len());
    let Answer::Counts { open, .. } = source.look(&codes).await.unwrap() else { panic!() };
    assert_eq!(open[0].code, "new");
    awake(&source).await;
    source.close().await;
}

#[tokio::test]
async fn a_file_that_is_gone_is_awaited() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("source.db");
    make(&path, "old").await;
    let url = format!("{}?mode=rwc", url(directory.path()));
    let source = connect(&url, Options::default()).unwrap();
    source.prepare().await.unwrap();
    source.round(&greeting(&[])).await.unwrap();
    let aside = directory.path().join("aside.db");
    std::fs::rename(&path, &aside).unwrap();
    let error = source.round(&greeting(&[])).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error}");
    assert!(error.detail.contains("source.db is not there any more"), "{error}");
    assert!(!path.exists(), "it was made anew");
    std::fs::rename(&aside, &path).unwrap();
    source.round(&greeting(&[])).await.unwrap();
}

#[tokio::test]
async fn what_comes_in_the_place_of_a_file_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("source.db");
    let insert = "INSERT INTO relay_request (code, body, business_id) VALUES ('a', 'k1 1', 'k1')";
    let fill = async |path: &Path, count: usize| {
        let url = format!("sqlite:{}", path.display());
        schema::init(&url).await.unwrap();
        let bench = SqlBench::new(&url);
        bench.sql(&vec![insert; count].join(";")).await;
        bench.close().await;
    };
    fill(&path, 5).await;
    let receiver = Receiver::new(1, 0);
    let bench = SqlBench::new(&url(directory.path()));
    let node = node(&bench, CommitOrder::Id, "n", &receiver);
    receiver.await_taken(5).await;
    let new = directory.path().join("new.db");
    fill(&new, 2).await;
    put_in_place(&new, &path);
    receiver.await_taken(7).await;
    node.stop().await;
}
