//! The way that statements go, whatever the table holds: in the order by numbers, both questions
//! about the others of a key take one step in an index of their own; write-backs go by ids.

use posthouse_pump::outcome::{BucketNo, Fence, Outcome, State};
use posthouse_pump::read::{Read, ReadNo, SlotRange, Span};
use posthouse_pump::request::{RequestId, SLOTS, Slot};

use crate::fixture::{MariadbServer, PostgresServer};
use crate::source::base::{Base, CommitOrder, Dialect, Door, Options, Value};
use crate::source::conformance::foreign::statements;
use crate::source::conformance::{Bench, SqlBench};
use crate::source::look_turn::gaps_text;
use crate::source::mysql;
use crate::source::prepare;
use crate::source::read_text::reading;
use crate::source::retention::{
    Ages, Retention, archived, deleted, forgotten, lock_text, stretch_text,
};
use crate::source::settle;
use crate::source::turn::released_text;

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

#[tokio::test]
async fn mariadb_goes_by_both_indexes() {
    let server = MariadbServer::start().unwrap();
    check(&SqlBench::new(&server.url())).await;
}

/// Some keys with many requests that are finished, and more that wait.
const FILL: &str = "\
    INSERT INTO relay_request (code, body, business_id, key_seq, state) WITH RECURSIVE n(i) AS \
    (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999) SELECT 'a', 'x', \
    'key-' || (i % 40), i / 40 + 1, CASE WHEN i < 10000 THEN 3 ELSE 0 END FROM n";

const BOTH: [&str; 2] = ["relay_request_key_open", "relay_request_key_seq"];

async fn check(bench: &SqlBench) {
    bench.renew().await;
    check_all(bench).await;
    bench.sql(FILL).await;
    check_settling(bench).await;
    bench.sql("ANALYZE relay_request").await;
    check_all(bench).await;
    check_settling(bench).await;
    check_retaining(bench).await;
    check_foreign(bench).await;
}

/// Retention goes over the ids, a stretch at a time, and finds the rest by them.
async fn check_retaining(bench: &SqlBench) {
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    let dialect = base.dialect();
    let retention =
        Retention { ages: Ages([Some(1_000); 5]), is_archived: true, archive_ms: Some(1_000) };
    bench.sql("UPDATE relay_request SET created_at = 1000, done_at = 2000 WHERE id < 9000").await;
    let ids = || vec![Value::ints(1..=500)];
    check_walks(&base, &stretch_text(dialect, &retention), vec![7.into()]).await;
    for order in [CommitOrder::Id, CommitOrder::KeySeq] {
        let options = Options { order, retention, ..Options::default() };
        check_walks(&base, &lock_text(dialect, &options), ids()).await;
    }
    check_walks(&base, &archived(dialect), ids()).await;
    check_walks(&base, &deleted(dialect), ids()).await;
    bench
        .sql(
            "INSERT INTO relay_archive (id, request_id, code, body, priority, state, due_at, \
             attempts, fence, created_at, archived_at) WITH RECURSIVE n(i) AS \
             (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999) \
             SELECT i, 'r', 'a', 'x', 0, 3, 0, 1, 1, 0, 1000 + i FROM n",
        )
        .await;
    bench.sql("ANALYZE relay_archive").await;
    check_walks(&base, &forgotten(dialect, 500), vec![1_000.into()]).await;
    base.close().await;
}

/// So do those who take requests from the same table with the manual's statements.
async fn check_foreign(bench: &SqlBench) {
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    let values = [(":patience", 1_000), (":until", 5), (":due", 5), (":id", 5)];
    for purpose in ["take", "finish", "give back"] {
        for text in statements(base.dialect(), purpose, &values) {
            if ["SELECT", "UPDATE", "WITH"].iter().any(|word| text.starts_with(word)) {
                check_walks(&base, &text, Vec::new()).await;
            }
        }
    }
    base.close().await;
}

/// A statement walks over no table from its beginning to its end.
async fn check_walks(base: &Base, text: &str, values: Vec<Value>) {
    let steps = steps_of(base, text, values).await;
    let is_walk = |step: &str| match base.dialect() {
        // Of a table that the statement makes itself, it may read all.
        Dialect::Mysql => step.starts_with("ALL ") && !step.starts_with("ALL <"),
        Dialect::Postgres => step.contains("Seq Scan on relay"),
        Dialect::Sqlite => step.contains("SCAN relay") && !step.contains("USING"),
    };
    assert!(!steps.lines().any(is_walk), "{text}\n{steps}");
}

/// Each outcome finds its row by its id.
async fn check_settling(bench: &SqlBench) {
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    if base.dialect() == Dialect::Mysql {
        return check_settling_in_steps(&base).await;
    }
    let (text, values) = settle::statement(base.dialect(), &outcomes());
    let steps = steps_of(&base, &text, values).await;
    for wrong in ["Seq Scan on relay_request", "SCAN relay_request", "relay_request_slot"] {
        assert!(!steps.contains(wrong), "{wrong}:\n{text}\n{steps}");
    }
    // Whether an id is locked is looked up, not sought among all of them.
    let is_looked_up = steps.contains("hashed SubPlan");
    assert!(is_looked_up || base.dialect() == Dialect::Sqlite, "{text}\n{steps}");
    base.close().await;
}

/// What is locked first, and what is written then.
async fn check_settling_in_steps(base: &Base) {
    let ids = vec![Value::ints(outcomes().iter().map(|outcome| outcome.id.0))];
    let values = Dialect::Mysql.table_values(settle::columns_of(&outcomes()));
    for (text, values) in
        [(mysql::settle::lock_text(), ids), (mysql::settle::update_text(), values)]
    {
        let steps = steps_of(base, &text, values).await;
        let step = steps.lines().last().unwrap();
        let is_looked_up = ["range relay_request PRIMARY", "eq_ref r PRIMARY"]
            .iter()
            .any(|expected| step.starts_with(expected));
        assert!(is_looked_up, "{text}\n{steps}");
    }
    base.close().await;
}

async fn check_all(bench: &SqlBench) {
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    let dialect = base.dialect();
    let zero = RequestId(0);
    let spans = [
        Span::Forward { after: zero },
        Span::Again { after: zero, up_to: RequestId(15_000) },
        Span::Probe { ranges: vec![(RequestId(3), RequestId(7))] },
        Span::Key { slot: Slot(0), key: "key-1".into(), from: zero },
    ];
    for span in spans {
        let (text, values) = statement(dialect, span);
        check_steps(&base, text, values).await;
    }
    let ids = dialect.table_values(vec![Value::ints(1..=500)]);
    check_steps(&base, released_text(dialect), ids).await;
    check_steps(&base, gaps_text(dialect), vec!["".into(), 0.into()]).await;
    base.close().await;
}

fn outcomes() -> Vec<Outcome> {
    let outcome = |id| Outcome {
        id: RequestId(id),
        bucket: BucketNo(1 << 32),
        fence: Fence(1),
        state: State::Done,
        due_ms: 0,
        attempts: 1,
        status: None,
        error: None,
    };
    (1..=500).map(outcome).collect()
}

fn statement(dialect: Dialect, span: Span) -> (String, Vec<Value>) {
    let slots = [SlotRange { first: Slot(0), last: Slot(SLOTS - 1) }];
    let read = Read {
        number: ReadNo(0),
        span,
        slots: slots.as_slice().into(),
        codes: ["a".into()].as_slice().into(),
        rows_max: 500,
        bytes_max: 1,
    };
    let (text, span_values) = reading(dialect, CommitOrder::KeySeq, &read);
    let mut values =
        vec![Value::Bytes(Vec::new()), Value::texts(["a"]), 1.into(), (1 << 20).into()];
    values.extend(span_values);
    (text, values)
}

/// A statement goes by both indexes, and walks over nothing.
async fn check_steps(base: &Base, text: String, values: Vec<Value>) {
    let steps = steps_of(base, &text, values).await;
    for index in BOTH {
        assert!(steps.contains(index), "not by {index}:\n{text}\n{steps}");
    }
    if base.dialect() == Dialect::Mysql {
        let is_walked = steps.lines().any(mysql::prepare::is_whole_walk);
        assert!(!is_walked, "{text}\n{steps}");
    }
    for wrong in
        ["Seq Scan on", "Hash", "SCAN lowest", "SCAN former", "SCAN relay_request", "SCAN r"]
    {
        let is_walked = steps.lines().any(|step| step.contains(wrong) && !step.contains("USING"));
        assert!(!is_walked, "{wrong}:\n{text}\n{steps}");
    }
}

/// How a statement would be carried out.
async fn steps_of(base: &Base, text: &str, values: Vec<Value>) -> String {
    let mut work = base.single(Door::Work).await.unwrap();
    let steps = prepare::steps_of(&mut work, base.dialect(), text, values).await.unwrap();
    work.done();
    steps.join("\n")
}
