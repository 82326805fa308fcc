//! What cannot be adopted, and what is said of it.

use super::stage::{Stage, marking, reading, with};
use crate::fixture::{MariadbServer, PostgresServer};
use crate::source::adopt::{Adoption, Mapped, States, TableName};
use crate::source::base::Dialect;
use crate::source::conformance::Bench;
use crate::source::{CommitOrder, Options, Source, SourceErrorKind, connect};

/// What is changed of the configuration, and what is then said.
type Case = (&'static str, fn(Adoption) -> Adoption, &'static str);

fn states(adoption: Adoption, change: fn(&mut States)) -> Adoption {
    let mut states = adoption.states.clone().unwrap_or_default();
    change(&mut states);
    Adoption { states: Some(states), ..adoption }
}

/// Of every database: a statement before, a change of what is configured, words of the refusal.
const CASES: [Case; 7] = [
    (
        "",
        |a| Adoption { table: TableName::parse("nowhere").unwrap(), ..a },
        "there is no table nowhere",
    ),
    ("", |a| with(&a, "region", Mapped::Column("land".into())), "outbox has no column land"),
    ("", |a| Adoption { id: "customer".into(), ..a }, "the ids of outbox are no whole numbers"),
    ("", |a| Adoption { id: "tries".into(), ..a }, "outbox may have the same tries twice"),
    (
        "",
        |a| Adoption { condition: Some("kind ** 2".into()), ..a },
        "the database does not take what is configured",
    ),
    ("", |a| Adoption { zone: Some("Mars/Phobos".into()), ..a }, "zone"),
    (
        "",
        |mut a| {
            a.columns.remove("body");
            a
        },
        "nothing says what the body of a request is",
    ),
];

async fn check(stage: &Stage, before: &str, adoption: &Adoption, expected: &str) {
    stage.renew().await;
    if !before.is_empty() {
        stage.bench.sql(before).await;
    }
    let source = stage.source(adoption);
    source.adopt().await.unwrap();
    let error = source.prepare().await.expect_err(expected);
    assert_eq!(error.kind, SourceErrorKind::Unfit, "{error}");
    assert!(error.to_string().contains(expected), "{expected}: {error}");
    source.close().await;
    stage.bench.sql("DROP VIEW IF EXISTS seen").await;
}

async fn run(stage: &Stage, own: &[Case]) {
    for (before, change, expected) in CASES.iter().chain(own) {
        check(stage, before, &change(marking(stage.dialect)), expected).await;
    }
    stage.renew().await;
    let adoption = Some(reading(stage.dialect).into());
    let options = Options { adoption, order: CommitOrder::KeySeq, ..Options::default() };
    let source = connect(stage.bench.url(), options).unwrap();
    source.adopt().await.unwrap();
    let error = source.prepare().await.unwrap_err().to_string();
    assert!(error.contains("map key_seq"), "{error}");
    all_reasons_are_told_together(stage).await;
}

async fn all_reasons_are_told_together(stage: &Stage) {
    let adoption = marking(stage.dialect);
    let adoption = with(&adoption, "grp", Mapped::Column("gang".into()));
    let adoption = Adoption { id: "tries".into(), ..adoption };
    let report = stage.source(&adoption).adoption_report().await.unwrap().unwrap();
    assert!(report.refusals.len() >= 3, "{:?}", report.refusals);
    assert!(report.theirs.iter().any(|text| text.contains("CREATE UNIQUE INDEX")), "{report:?}");
}

#[tokio::test]
async fn sqlite_refuses() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let stage = Stage::new(&format!("sqlite:{}", file.display()));
    let own: [Case; 4] = [
        ("DROP INDEX outbox_ready", |a| a, "no index of outbox finds the rows whose status is 'N'"),
        ("", |a| Adoption { zone: None, ..a }, "does not say in which time zone"),
        (
            "CREATE VIEW seen AS SELECT * FROM outbox",
            |a| Adoption { table: TableName::parse("seen").unwrap(), ..a },
            "seen is a view",
        ),
        (
            "DROP TABLE outbox; CREATE TABLE outbox (id INTEGER PRIMARY KEY, kind TEXT, \
             customer TEXT COLLATE NOCASE, payload TEXT, prio TEXT, created INT, status TEXT, \
             ended INT, fault TEXT, tries INT)",
            |a| a,
            "customer of outbox is compared by nocase",
        ),
    ];
    run(&stage, &own).await;
}

#[tokio::test]
async fn postgres_refuses() {
    let server = PostgresServer::start().unwrap();
    let stage = Stage::new(&server.url());
    let own: [Case; 6] = [
        ("DROP INDEX outbox_ready", |a| a, "CREATE INDEX \"outbox_ready\" ON \"outbox\" (\"id\")"),
        (
            "ALTER TABLE outbox ALTER COLUMN created TYPE TIMESTAMP",
            |a| Adoption { zone: None, ..a },
            "created, which gives created_at, is timestamp without time zone",
        ),
        (
            "CREATE VIEW seen AS SELECT * FROM outbox",
            |a| Adoption { table: TableName::parse("seen").unwrap(), ..a },
            "seen is a view",
        ),
        ("", |a| states(a, |s| s.taken = "PROCESSING".into()), "'PROCESSING' does not fit"),
        (
            "ALTER TABLE outbox ADD CHECK (status IN ('N', 'P', 'S'))",
            |a| a,
            "status does not take the word 'F'",
        ),
        (
            "CREATE COLLATION IF NOT EXISTS loose (provider = icu, locale = 'und-u-ks-level2', \
             deterministic = false); \
             ALTER TABLE outbox ALTER COLUMN customer TYPE VARCHAR(200) COLLATE loose",
            |a| a,
            "customer of outbox is compared by loose",
        ),
    ];
    run(&stage, &own).await;
    let xid = CommitOrder::Xid;
    let adoption = Some(reading(Dialect::Postgres).into());
    let options = Options { adoption, order: xid, ..Options::default() };
    let error = connect(stage.bench.url(), options).unwrap().prepare().await.unwrap_err();
    assert!(error.to_string().contains("those of the feed and not of your writers"), "{error}");
}

#[tokio::test]
async fn mariadb_refuses() {
    let server = MariadbServer::start().unwrap();
    let stage = Stage::new(&server.url());
    let own: [Case; 7] = [
        ("DROP INDEX status ON outbox", |a| a, "CREATE INDEX `outbox_ready` ON `outbox`"),
        ("", |a| Adoption { zone: None, ..a }, "created, which gives created_at, is datetime(3)"),
        (
            "CREATE VIEW seen AS SELECT * FROM outbox",
            |a| Adoption { table: TableName::parse("seen").unwrap(), ..a },
            "seen is a view",
        ),
        ("", |a| states(a, |s| s.taken = "T".into()), "'T' is none of the words of status"),
        (
            "ALTER TABLE outbox MODIFY customer VARCHAR(200) COLLATE utf8mb4_general_ci",
            |a| a,
            "customer of outbox is compared by utf8mb4_general_ci",
        ),
        (
            "ALTER TABLE outbox ADD CHECK (status <> 'F')",
            |a| a,
            "status does not take the word 'F', by the condition",
        ),
        ("ALTER TABLE outbox ENGINE = Aria", |a| a, "`ALTER TABLE `outbox` ENGINE = InnoDB`"),
    ];
    run(&stage, &own).await;
}
