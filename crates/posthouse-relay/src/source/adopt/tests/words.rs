//! Words against the conditions of a table in SQLite, which only its own text tells.

use super::stage::{Stage, marking};
use crate::source::Source;
use crate::source::adopt::{Adoption, States};
use crate::source::base::Dialect;
use crate::source::conformance::Bench;

/// Makes the table with the last of its columns declared in a certain way.
async fn make(stage: &Stage, status: &str) {
    stage.renew().await;
    let text = format!(
        "DROP TABLE outbox; CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, \
         customer TEXT, payload TEXT, prio TEXT, created INTEGER, ended TEXT, fault TEXT, \
         tries INT, status {status}; CREATE INDEX outbox_ready ON outbox (status, id)"
    );
    stage.bench.sql(&text).await;
}

/// Marks with these words: ready, taken, done and failed.
fn with_words(words: [&str; 4]) -> Adoption {
    let adoption = marking(Dialect::Sqlite);
    let [ready, taken, done, failed] = words.map(str::to_owned);
    let states = adoption.states.clone().unwrap_or_default();
    let states = States { ready, taken, done: Some(done), failed: Some(failed), ..states };
    Adoption { states: Some(states), ..adoption }
}

async fn check(stage: &Stage, words: [&str; 4], status: &str, expected: &[&str]) {
    make(stage, status).await;
    let source = stage.source(&with_words(words));
    source.adopt().await.unwrap();
    let report = source.adoption_report().await.unwrap().unwrap();
    let problems: Vec<&str> = report.refusals.iter().map(|one| &*one.problem).collect();
    assert_eq!(problems, expected, "{status}");
    source.close().await;
}

#[tokio::test]
async fn conditions_of_sqlite_are_tried() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let stage = Stage::new(&format!("sqlite:{}", file.display()));
    let words = ["N", "P", "S", "F"];
    for (status, expected) in [
        ("TEXT CHECK (status IN ('N', 'P', 'S', 'F')))", &[][..]),
        (
            "TEXT CHECK (status\n  IN ('N', 'P', 'S')))",
            &["status does not take the word 'F', by the condition status IN ('N', 'P', 'S')"],
        ),
        (
            "TEXT, CONSTRAINT known CHECK (\"STATUS\" <> 'P'))",
            &["status does not take the word 'P', by the condition \"STATUS\" <> 'P'"],
        ),
        ("TEXT COLLATE NOCASE CHECK (status IN ('n', 'p', 's', 'f')))", &[]),
        ("STRING CHECK (status > 'A'))", &[]),
        ("TEXT CHECK (status IN ('N') OR NULL))", &[]),
        ("TEXT CHECK (status <> 'S' OR ended IS NOT NULL))", &[]),
        ("TEXT CHECK (status <> 'S' OR \"ended\" IS NULL))", &[]),
        ("INTEGER)", &[]),
        (
            "INTEGER) STRICT",
            &[
                "status does not take the word 'F'",
                "status does not take the word 'P'",
                "status does not take the word 'S'",
            ],
        ),
    ] {
        check(&stage, words, status, expected).await;
    }
    check(&stage, ["0", "1", "2", "3"], "INT CHECK (status IN (0, 1, 2, 3)))", &[]).await;
    check(&stage, ["0", "1", "2", "3"], "INTEGER) STRICT", &[]).await;
}
