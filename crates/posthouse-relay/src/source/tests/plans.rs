//! The way that reads go in the order by numbers: both questions about the others of a key take one
//! step in an index of their own, whatever the table holds.

use posthouse_pump::read::{Read, ReadNo, SlotRange, Span};
use posthouse_pump::request::{RequestId, SLOTS, Slot};

use crate::fixture::PostgresServer;
use crate::source::base::{Base, CommitOrder, Dialect, Door, Options, Value};
use crate::source::conformance::{Bench, SqlBench};
use crate::source::read_text::reading;

#[tokio::test]
async fn sqlite_goes_by_both_indexes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("source.db");
    check(&SqlBench::new(&format!("sqlite:{}", file.display()))).await;
}

#[tokio::test]
async fn postgres_goes_by_both_indexes() {
    let server = PostgresServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

/// Some keys with many requests that are finished, and more that wait.
const FILL: &str = "\
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999) \
    INSERT INTO relay_request (code, body, business_id, key_seq, state) SELECT 'a', 'x', \
    'key-' || (i % 40), i / 40 + 1, CASE WHEN i < 10000 THEN 3 ELSE 0 END FROM n";

async fn check(bench: &SqlBench) {
    bench.renew().await;
    let zero = RequestId(0);
    let spans = [
        Span::Forward { after: zero },
        Span::Again { after: zero, up_to: RequestId(15_000) },
        Span::Probe { ranges: vec![(RequestId(3), RequestId(7))] },
        Span::Key { slot: Slot(0), key: "key-1".into(), from: zero },
    ];
    for is_filled in [false, true] {
        if is_filled {
            bench.sql(FILL).await;
            bench.sql("ANALYZE relay_request").await;
        }
        for span in &spans {
            let steps = steps(bench, span.clone()).await;
            for index in ["relay_request_key_open", "relay_request_key_seq"] {
                assert!(steps.contains(index), "{span:?}: not by {index}:\n{steps}");
            }
            for wrong in ["Seq Scan", "Hash", "SCAN lowest", "SCAN former", "SCAN relay_request"] {
                assert!(!steps.contains(wrong), "{span:?}: {wrong}:\n{steps}");
            }
        }
    }
}

/// How a read would be carried out.
async fn steps(bench: &SqlBench, span: Span) -> String {
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    let slots = [SlotRange { first: Slot(0), last: Slot(SLOTS - 1) }];
    let read = Read {
        number: ReadNo(0),
        span,
        slots: slots.as_slice().into(),
        codes: ["a".into()].as_slice().into(),
        rows_max: 500,
        bytes_max: 1,
    };
    let (text, span_values) = reading(base.dialect(), CommitOrder::KeySeq, &read);
    let mut values = vec![Value::Bytes(Vec::new()), Value::texts(["a"]), 1.into()];
    values.extend(span_values);
    let (explain, column) = match base.dialect() {
        Dialect::Postgres => ("EXPLAIN ", "QUERY PLAN"),
        Dialect::Sqlite => ("EXPLAIN QUERY PLAN ", "detail"),
    };
    let mut work = base.single(Door::Work).await.unwrap();
    let rows = work.rows(format!("{explain}{text}"), values).await.unwrap();
    work.done();
    base.close().await;
    let lines: Vec<String> = rows.iter().map(|row| row.text(column).unwrap()).collect();
    lines.join("\n")
}
