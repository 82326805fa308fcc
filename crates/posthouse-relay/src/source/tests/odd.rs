//! Rows of SQLite in which something stands that does not belong there. Each must be shown and
//! named, and keep nothing waiting but its own business id.

use std::sync::Arc;

use posthouse_pump::read::{Found, Read, ReadNo, SlotRange, Span};
use posthouse_pump::request::{RequestId, SLOTS, Slot};

use crate::source::base::{Base, Dialect, Door, Options};
use crate::source::conformance::{Bench, SqlBench};
use crate::source::look::{Answer, Filter, Query};
use crate::source::operate::Action;
use crate::source::{AnySource, CommitOrder, Source, slot_of};

const TEXTS: [(&str, usize); 12] = [
    ("business_id", 128),
    ("request_id", 64),
    ("code", 64),
    ("grp", 64),
    ("region", 32),
    ("window_name", 64),
    ("protocol", 16),
    ("service", 128),
    ("method", 128),
    ("content_type", 128),
    ("traceparent", 64),
    ("headers", 16_384),
];

const NUMBERS: [&str; 7] =
    ["slot", "priority", "due_at", "expires_at", "attempts", "created_at", "fence"];

fn bench(directory: &tempfile::TempDir) -> SqlBench {
    SqlBench::new(&format!("sqlite:{}", directory.path().join("source.db").display()))
}

async fn read(source: &AnySource, span: Span, codes: &[&str]) -> Found {
    let codes: Vec<Arc<str>> = codes.iter().map(|code| Arc::from(*code)).collect();
    let read = Read {
        number: ReadNo(1),
        span,
        slots: [SlotRange { first: Slot(0), last: Slot(SLOTS - 1) }].as_slice().into(),
        codes: codes.into(),
        rows_max: 500,
        bytes_max: 1 << 20,
    };
    source.read(&read).await.unwrap()
}

/// Three requests, of which the first has this in a column.
async fn write(bench: &SqlBench, column: &str, value: &str) {
    bench.renew().await;
    for (code, key) in [("a", "k"), ("a", "k"), ("a", "l")] {
        let text = format!(
            "INSERT INTO relay_request (code, business_id, body) VALUES ('{code}', '{key}', 'x')"
        );
        bench.sql(&text).await;
    }
    // Somebody may have made the table without its checks.
    let text = format!(
        "PRAGMA ignore_check_constraints = ON; \
         UPDATE relay_request SET {column} = {value} WHERE id = 1; \
         PRAGMA ignore_check_constraints = OFF"
    );
    bench.sql(&text).await;
}

async fn check(bench: &SqlBench, column: &str, value: &str, words: &str) {
    write(bench, column, value).await;
    let what = format!("{column} = {value}");
    let source = bench.open();
    let found = read(&source, Span::Forward { after: RequestId::LOWEST }, &["a"]).await;
    check_found(&found, column, words, &what);
    let whole = vec![(RequestId(1), RequestId(3))];
    check_found(&read(&source, Span::Probe { ranges: whole }, &["a"]).await, column, words, &what);
    let again = Span::Again { after: RequestId(0), up_to: RequestId(3) };
    assert_eq!(read(&source, again, &[]).await.rows.len(), 3, "{what}");
    check_shown(&source, column, words, &what).await;
    let skipped = source.operate(&Action::Skip(vec![RequestId(1)])).await.unwrap();
    assert_eq!(skipped.changed, [RequestId(1)], "{what}");
    source.close().await;
}

fn check_found(found: &Found, column: &str, words: &str, what: &str) {
    let rows = &found.rows;
    assert_eq!(rows.len(), 3, "{what}");
    let unreadable = rows[0].unreadable.as_ref().unwrap_or_else(|| panic!("{what}: it is read"));
    assert_eq!(unreadable.column, column, "{what}");
    assert!(unreadable.detail.contains(column), "{what}: {unreadable:?}");
    assert!(unreadable.detail.contains(words), "{what}: {unreadable:?}");
    assert!(rows[0].content.is_none(), "{what}");
    let key = (column != "business_id").then_some("k");
    assert_eq!(rows[0].key.as_deref(), key, "{what}");
    assert_eq!(&*rows[0].region, "here", "{what}");
    for row in &rows[1..] {
        assert!(row.content.is_some() && row.unreadable.is_none(), "{what}: {row:?}");
    }
}

async fn check_shown(source: &AnySource, column: &str, words: &str, what: &str) {
    let Answer::Row(Some(shown)) = source.look(&Query::Row(RequestId(1))).await.unwrap() else {
        panic!("{what}: it is there");
    };
    let unreadable = shown.0.unreadable.unwrap_or_else(|| panic!("{what}: it is named"));
    assert_eq!(unreadable.column, column, "{what}");
    assert!(unreadable.detail.contains(words), "{what}: {unreadable:?}");
    let filter = Filter { rows_max: 10, ..Filter::default() };
    let Answer::Rows { rows, .. } = source.look(&Query::Rows(filter)).await.unwrap() else {
        panic!("{what}: it answers in kind");
    };
    assert_eq!(rows.len(), 3, "{what}");
    source.look(&Query::Counts).await.unwrap();
}

#[tokio::test]
async fn a_text_that_is_no_text_waits_alone() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(&directory);
    for (column, _) in TEXTS {
        check(&bench, column, "CAST(x'61ff62' AS TEXT)", "not valid UTF-8").await;
    }
    for (column, _) in &TEXTS[..6] {
        check(&bench, column, "x'61'", "holds bytes").await;
    }
}

/// By one letter, by what is not even brought, and by far.
#[tokio::test]
async fn a_text_that_is_too_long_waits_alone() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(&directory);
    for (column, most) in TEXTS {
        for length in [most + 1, 4 * most + 1, 20_000_000] {
            let value = format!("printf('%.{length}c', 'x')");
            check(&bench, column, &value, &format!("longer than {most}")).await;
        }
    }
}

#[tokio::test]
async fn what_is_no_number_waits_alone() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(&directory);
    for column in NUMBERS.into_iter().filter(|column| *column != "slot") {
        for value in ["'soon'", "1e300", "0.5", "x'31'"] {
            check(&bench, column, value, "must hold a whole number").await;
        }
    }
    check(&bench, "slot", "3.5", "must hold a whole number").await;
    for value in ["17", "0.5"] {
        check(&bench, "body", value, "holds a number").await;
    }
    check(&bench, "headers", "'a: 1'", "no JSON object").await;
}

/// The longest that may be, bytes in what is sent, and numbers that SQLite makes texts of.
#[tokio::test]
async fn what_can_be_understood_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(&directory);
    let mut cases: Vec<(&str, String)> = vec![
        ("headers", "x'7b7d'".into()),
        ("service", "17".into()),
        ("business_id", "17".into()),
        ("due_at", "'5'".into()),
        ("body", "x'ff'".into()),
        ("body", "CAST(x'ff' AS TEXT)".into()),
    ];
    for (column, most) in &TEXTS[..11] {
        cases.push((*column, format!("replace(printf('%.{most}c', 'x'), 'x', char(233))")));
    }
    for (column, value) in cases {
        write(&bench, column, &value).await;
        let source = bench.open();
        let found = read(&source, Span::Forward { after: RequestId::LOWEST }, &["a"]).await;
        let row = &found.rows[0];
        let is_whole = row.content.is_some() || column == "code";
        assert!(row.unreadable.is_none() && is_whole, "{column} = {value}: {row:?}");
        source.close().await;
    }
}

/// A word in the place of a state would be taken for finished, and no index would find it.
#[tokio::test]
async fn a_word_for_a_state_is_refused_by_the_table() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(&directory);
    bench.renew().await;
    let text = "INSERT INTO relay_request (code, body, state) VALUES ('a', 'x', 'ready')";
    check_refused(&bench, text).await;
}

async fn check_refused(bench: &SqlBench, text: &str) {
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    let mut work = base.single(Door::Work).await.unwrap();
    let error = work.script(text).await.unwrap_err();
    assert!(error.detail.contains("CHECK"), "{text}: {error}");
    drop(work);
    base.close().await;
}

/// A table that somebody has made by hand, without the check of states.
async fn unguarded(bench: &SqlBench) {
    bench.renew().await;
    let made =
        crate::source::schema::ddl(Dialect::Sqlite).replace(" CHECK (state BETWEEN 0 AND 7)", "");
    let at = made.find("CREATE INDEX").unwrap();
    bench.sql(&format!("DROP TABLE relay_request; {}", &made[..at])).await;
    bench.complete().await.unwrap();
}

#[tokio::test]
async fn a_table_that_takes_words_for_states_is_guarded_by_init() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(&directory);
    unguarded(&bench).await;
    bench.open().prepare().await.unwrap();
    bench.sql("DROP TRIGGER relay_request_state_insert").await;
    let error = bench.open().prepare().await.unwrap_err();
    assert!(error.detail.contains("takes words in the column `state`"), "{error}");
    bench.sql("DROP TRIGGER relay_request_state_update").await;
    bench.sql("INSERT INTO relay_request (code, body, state) VALUES ('a', 'x', 'ready')").await;
    let error = bench.complete().await.unwrap_err();
    assert!(error.detail.contains("`state` of request 1 holds no number"), "{error}");
    bench.sql("UPDATE relay_request SET state = 0").await;
    bench.complete().await.unwrap();
    bench.open().prepare().await.unwrap();
    check_refused(&bench, "INSERT INTO relay_request (code, body, state) VALUES ('a', 'x', 'y')")
        .await;
    check_refused(&bench, "UPDATE relay_request SET state = 'ready'").await;
}

/// The body comes last: whoever looks at what stands behind a long one walks over all its pages.
#[tokio::test]
async fn long_texts_are_refused_by_the_table() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(&directory);
    bench.renew().await;
    for (column, most) in TEXTS {
        let text = format!(
            "INSERT INTO relay_request (code, body) VALUES ('a', 'x'); \
             UPDATE relay_request SET {column} = printf('%.{}c', 'x')",
            most + 1
        );
        check_refused(&bench, &text).await;
    }
    let last = "SELECT name = 'body' AS n FROM pragma_table_info('relay_request') \
                ORDER BY cid DESC LIMIT 1";
    assert_eq!(bench.ints(last).await, [1]);
}

#[tokio::test]
async fn numbers_of_a_business_id_that_are_none_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(&directory);
    write(&bench, "key_seq", "'second'").await;
    bench
        .sql(
            "UPDATE relay_request SET business_id = CAST(x'6bff' AS TEXT), key_seq = 5 \
               WHERE id = 3",
        )
        .await;
    let source = bench.open_in(CommitOrder::KeySeq);
    let found = read(&source, Span::Forward { after: RequestId::LOWEST }, &["a"]).await;
    let column = found.rows[0].unreadable.as_ref().map(|wrong| wrong.column);
    assert_eq!((found.rows.len(), column), (2, Some("key_seq")));
    source.look(&Query::Turn(RequestId(1))).await.unwrap();
    let mut after = Vec::new();
    let mut told = Vec::new();
    for _ in 0..9 {
        let query = Query::Gaps { after, age_ms_min: -1_000 };
        let Answer::Gaps { gaps, next } = source.look(&query).await.unwrap() else {
            panic!("it answers in kind");
        };
        told.extend(gaps.into_iter().map(|gap| gap.key));
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert!(told.contains(&"k\u{fffd}".to_owned()), "{told:?}");
    assert_eq!(slot_of("k"), found.rows[0].slot);
}
