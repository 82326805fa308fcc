//! Writing requests, on both databases.

use posthouse_pump::request::RequestId;

use super::super::conformance::{Bench, SqlBench};
use super::super::look::{Answer, Query, Row};
use super::super::submit::{NewRequest, Submitted};
use super::super::{AnySource, CommitOrder, Source, SourceErrorKind};
use crate::fixture::{MariadbServer, PostgresServer};

#[tokio::test]
async fn requests_are_written_to_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("source.db");
    submits(&SqlBench::new(&format!("sqlite:{}", file.display()))).await;
}

#[tokio::test]
async fn requests_are_written_to_postgres() {
    let server = PostgresServer::start().unwrap();
    submits(&SqlBench::new(&server.url())).await;
}

#[tokio::test]
async fn requests_are_written_to_mariadb() {
    let server = MariadbServer::start().unwrap();
    submits(&SqlBench::new(&server.url())).await;
}

fn request() -> NewRequest {
    NewRequest {
        code: "a".into(),
        body: b"{}".to_vec(),
        request_id: Some("named".into()),
        key: Some("\u{5b57}".into()),
        key_seq: Some(3),
        region: Some("here".into()),
        service: Some("s".into()),
        method: Some("m".into()),
        headers: vec![("x".into(), "\"1\"".into())],
        content_type: Some("application/json".into()),
        window: Some("w".into()),
        priority: Some(9),
        due_in_ms: Some(1_000),
        expires_in_ms: Some(60_000),
    }
}

async fn submits(bench: &SqlBench) {
    bench.renew().await;
    let source = bench.open_in(CommitOrder::KeySeq);
    let plain = NewRequest { code: "b".into(), ..NewRequest::default() };
    let first = source.submit(&plain).await.unwrap();
    assert!(first.id == RequestId(1) && !first.request_id.is_empty(), "{first:?}");
    let second = source.submit(&request()).await.unwrap();
    assert_eq!(second, Submitted { id: RequestId(2), request_id: "named".into() });
    let Answer::Row(Some(found)) = source.look(&Query::Row(RequestId(2))).await.unwrap() else {
        panic!("it is there")
    };
    let (row, content) = *found;
    check_row(&row);
    assert_eq!(content.headers, request().headers);
    assert_eq!((&*content.body, content.method.as_deref()), (&b"{}"[..], Some("m")));
    refuses(&source).await;
}

fn check_row(row: &Row) {
    assert_eq!((row.code.as_str(), row.key.as_deref(), row.state), ("a", Some("\u{5b57}"), 0));
    assert_eq!(row.key_seq, Some(3));
    assert_eq!((row.priority, row.window.as_deref()), (9, Some("w")));
    assert_eq!(row.expires_ms.map(|at| at - row.due_ms), Some(59_000));
    assert!(row.due_ms >= row.created_ms, "{row:?}");
}

async fn refuses(source: &AnySource) {
    let long = "x".repeat(129);
    for wrong in [
        NewRequest { code: String::new(), ..request() },
        NewRequest { key: Some(long), ..request() },
        NewRequest { window: Some("a\0".into()), ..request() },
        NewRequest { key_seq: Some(0), request_id: None, ..request() },
        NewRequest { key: None, request_id: None, ..request() },
        NewRequest { request_id: None, ..request() },
        NewRequest { headers: vec![("a".into(), "b".into()); 101], ..request() },
    ] {
        let error = source.submit(&wrong).await.expect_err("it cannot be relayed");
        assert_eq!(error.kind, SourceErrorKind::Refused, "{wrong:?}");
    }
    let error = source.submit(&request()).await.expect_err("its request id is taken");
    assert_eq!(error.kind, SourceErrorKind::Refused);
}
