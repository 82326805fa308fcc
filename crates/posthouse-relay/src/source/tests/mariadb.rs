//! MariaDB.

use std::time::Duration;

use posthouse_pump::input::Hold;
use posthouse_pump::outcome::{Outcome, Settled, Settlement, SettlementNo, State};
use posthouse_pump::read::{Found, Read, ReadNo, SlotRange, Span};
use posthouse_pump::request::{Request, RequestId, SLOTS, Slot};

use super::awake;
use crate::fixture::{Durability, MariadbServer};
use crate::source::base::{Base, Door, Work};
use crate::source::conformance::{Bench, SqlBench, run};
use crate::source::operate::Action;
use crate::source::retention::{Ages, Retention};
use crate::source::submit::NewRequest;
use crate::source::{
    AnySource, CommitOrder, Granted, Greeting, Options, Source, SourceErrorKind, connect, schema,
};

async fn started() -> (MariadbServer, SqlBench) {
    let server = MariadbServer::start().unwrap();
    let bench = SqlBench::new(&server.url());
    bench.renew().await;
    (server, bench)
}

#[tokio::test]
async fn conforms() {
    let (_server, bench) = started().await;
    run(&bench).await;
}

async fn open_transaction(bench: &SqlBench, statement: &str) -> Work {
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    let mut work = base.write(Door::Work).await.unwrap();
    // Writers may take their time.
    work.script("SET SESSION wait_timeout = 600").await.unwrap();
    work.script(statement).await.unwrap();
    work
}

async fn forward(source: &AnySource, after: i64) -> Found {
    let everything = SlotRange { first: Slot(0), last: Slot(SLOTS - 1) };
    let read = Read {
        number: ReadNo(1),
        span: Span::Forward { after: RequestId(after) },
        slots: [everything].as_slice().into(),
        codes: ["a".into(), "other".into()].as_slice().into(),
        rows_max: 500,
        bytes_max: 8 << 20,
    };
    source.read(&read).await.unwrap()
}

fn ids(found: &Found) -> Vec<i64> {
    found.rows.iter().map(|row| row.id.0).collect()
}

const INSERT: &str = "INSERT INTO relay_request (code, body) VALUES ('a', 'x')";

#[tokio::test]
async fn what_is_not_committed_yet_is_missing() {
    let (_server, bench) = started().await;
    let late = open_transaction(&bench, INSERT).await;
    bench.sql(INSERT).await;
    let source = bench.open();
    let found = forward(&source, 0).await;
    assert_eq!((ids(&found), found.scanned_to), (vec![2], RequestId(2)));
    assert_eq!(found.missing, [(RequestId(1), RequestId(1))]);
    late.commit().await.unwrap();
    assert_eq!(ids(&forward(&source, 0).await), [1, 2]);
}

#[tokio::test]
async fn a_commit_wakes_and_so_does_an_operator() {
    let (_server, bench) = started().await;
    let source = bench.open();
    awake(&source).await;
    let quiet = tokio::time::timeout(Duration::from_millis(60), source.wake()).await;
    assert!(quiet.is_err(), "nothing has happened");
    tokio::join!(awake(&source), bench.sql(INSERT));
    let hold = Action::Hold(Hold::Code("c".into()));
    let (told, ()) = tokio::join!(source.operate(&hold), awake(&source));
    told.unwrap();
    source.close().await;
}

async fn check_unfit(url: &str, options: Options, expected: &str) {
    let source = connect(url, options).unwrap();
    let error = source.prepare().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unfit, "{error}");
    assert!(error.detail.contains(expected), "{error}");
    assert!(!error.detail.contains("secret"), "{error}");
    source.close().await;
}

#[tokio::test]
async fn a_user_without_rights_is_told_which() {
    let (server, bench) = started().await;
    bench.sql("CREATE USER poor IDENTIFIED BY 'secret'; GRANT SELECT ON relay.* TO poor").await;
    let url = server.url().replace("//root@", "//poor:secret@");
    let written = "(state, due_at, attempts, last_status, last_error, fence, updated_at, done_at)";
    let grant = format!("GRANT UPDATE {written} ON relay_request TO 'poor'@'%'");
    check_unfit(&url, Options::default(), &format!("`{grant}`")).await;
    bench.sql(&grant).await;
    let expected = "`GRANT UPDATE ON relay_control TO 'poor'@'%'`";
    check_unfit(&url, Options::default(), expected).await;
    for table in ["control", "bucket", "node", "switch", "hold", "change"] {
        bench.sql(&format!("GRANT UPDATE, INSERT, DELETE ON relay_{table} TO poor")).await;
    }
    let source = connect(&url, Options::default()).unwrap();
    source.prepare().await.unwrap();
    bench.sql(INSERT).await;
    let held = source.round(&greeting("n")).await.unwrap().granted;
    assert_eq!(settle_everything(&source, &held).await, 1);
    source.operate(&Action::Retry(vec![RequestId(1)])).await.unwrap();
    let retention = Retention { ages: Ages([Some(1_000); 5]), ..Retention::default() };
    let options = Options { retention, ..Options::default() };
    for (rights, table) in
        [("DELETE", "request"), ("INSERT, DELETE", "archive"), ("UPDATE", "retention")]
    {
        for right in rights.split(", ") {
            let grant = format!("GRANT {right} ON relay_{table} TO 'poor'@'%'");
            check_unfit(&url, options.clone(), &format!("`{grant}`")).await;
            bench.sql(&grant).await;
        }
    }
    connect(&url, options).unwrap().prepare().await.unwrap();
    bench.sql("SET GLOBAL read_only = 1").await;
    source.close().await;
    check_unfit(&url, Options::default(), "cannot be written to").await;
    let wrong = url.replace(":secret@", ":wrong@");
    check_unfit(&wrong, Options::default(), "Access denied for user 'poor'").await;
    let elsewhere = url.replace("/relay", "/secret_files");
    let error = connect(&elsewhere, Options::default()).unwrap().prepare().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unfit, "{error}");
}

#[tokio::test]
async fn what_cannot_work_is_said_at_once() {
    let (_server, bench) = started().await;
    let xid = Options { order: CommitOrder::Xid, ..Options::default() };
    check_unfit(bench.url(), xid, "`xid` is for PostgreSQL").await;
    let large = Options { body_bytes_max: 16 << 20, ..Options::default() };
    connect(bench.url(), large).unwrap().prepare().await.expect("16 MiB are taken by default");
    for (change, expected) in [
        ("ALTER TABLE relay_hold ENGINE = Aria", "`ALTER TABLE relay_hold ENGINE = InnoDB`"),
        (
            "ALTER TABLE relay_request MODIFY business_id VARCHAR(128) COLLATE utf8mb4_general_ci",
            "the type varchar with the collation utf8mb4_general_ci",
        ),
        ("ALTER TABLE relay_bucket MODIFY fence BIGINT UNSIGNED", "the type bigint unsigned"),
        (
            "ALTER TABLE relay_request DROP KEY relay_request_open, \
          ADD INDEX relay_request_open (id)",
            "the index `relay_request_open`",
        ),
        (
            "ALTER TABLE relay_request DROP KEY relay_request_open, DROP COLUMN is_open",
            "no column `is_open`",
        ),
    ] {
        bench.renew().await;
        bench.sql(change).await;
        check_unfit(bench.url(), Options::default(), expected).await;
    }
}

#[tokio::test]
async fn a_log_of_statements_is_refused() {
    let settings = ["--log-bin=log", "--binlog-format=STATEMENT"];
    let server = MariadbServer::start_with(Durability::Quick, &settings).unwrap();
    let error = schema::init(&server.url()).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unfit, "{error}");
    assert!(error.detail.contains("BINLOG_FORMAT"), "{error}");
    check_unfit(&server.url(), Options::default(), "`binlog_format`").await;
}

#[tokio::test]
async fn a_server_that_takes_too_little_at_once_is_refused() {
    let settings = ["--max-allowed-packet=512K"];
    let server = MariadbServer::start_with(Durability::Quick, &settings).unwrap();
    schema::init(&server.url()).await.unwrap();
    check_unfit(&server.url(), Options::default(), "`max_allowed_packet`").await;
}

#[tokio::test]
async fn an_address_that_cannot_be_reached_keeps_its_password() {
    let source = connect("mysql://u:secret@127.0.0.1:1/db", Options::default()).unwrap();
    let error = source.prepare().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error}");
    assert!(!error.detail.contains("secret"), "{error}");
}

fn greeting(name: &str) -> Greeting {
    Greeting {
        node: name.into(),
        lease_ms: 600_000,
        renew: Vec::new(),
        release: Vec::new(),
        wants_more: true,
        known_version: 0,
    }
}

/// Connections that broke are found out one by one.
async fn await_round(source: &AnySource) {
    let mut last = source.round(&greeting("n")).await;
    for _ in 0..10 {
        if last.is_ok() {
            break;
        }
        last = source.round(&greeting("n")).await;
    }
    last.unwrap();
}

#[tokio::test]
async fn a_crash_of_the_server_passes() {
    let (mut server, bench) = started().await;
    let source = bench.open();
    source.round(&greeting("n")).await.unwrap();
    server.stop_immediately().unwrap();
    let error = source.round(&greeting("n")).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error}");
    server.restart().unwrap();
    await_round(&source).await;
}

#[tokio::test]
async fn a_paused_server_is_given_up_and_comes_back() {
    let (mut server, bench) = started().await;
    let source = bench.open();
    source.round(&greeting("n")).await.unwrap();
    server.pause().unwrap();
    let late = tokio::time::timeout(Duration::from_millis(200), source.round(&greeting("n"))).await;
    assert!(late.is_err(), "it does not answer");
    server.resume().unwrap();
    await_round(&source).await;
}

/// As of a node that was stopped in the middle of a round: the next one must not wait for ever.
#[tokio::test]
async fn a_round_that_stands_still_is_ended() {
    let (_server, bench) = started().await;
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    let mut stopped = base.write(Door::Round).await.unwrap();
    let lock = "SELECT * FROM relay_control WHERE one = 1 FOR UPDATE";
    stopped.script(lock).await.unwrap();
    let source = bench.open();
    source.round(&greeting("n")).await.expect("the server ends what stands still");
    assert!(stopped.commit().await.is_err());
}

/// A connection that was in a transaction may be idle again when it is given back.
#[tokio::test]
async fn a_connection_that_was_given_back_may_be_idle() {
    let (_server, bench) = started().await;
    let base = Base::open(bench.url(), &Options::default()).unwrap();
    base.write(Door::Round).await.unwrap().commit().await.unwrap();
    base.write(Door::Round).await.unwrap().undo().await.unwrap();
    base.write(Door::Round).await.unwrap().commit().await.unwrap();
    let mut work = base.single(Door::Round).await.unwrap();
    let text = "SELECT @@wait_timeout AS n, @@transaction_isolation AS i".to_owned();
    let text = text.replace("transaction_isolation", "tx_isolation");
    let row = work.row(text, Vec::new()).await.unwrap();
    assert_eq!(row.text("i").unwrap(), "READ-COMMITTED");
    work.done();
    let idle = "SELECT 1 AS n FROM (SELECT @@wait_timeout AS t) AS asked WHERE t >= 28800";
    let mut work = base.single(Door::Round).await.unwrap();
    assert_eq!(work.rows(idle.to_owned(), Vec::new()).await.unwrap().len(), 1);
    work.done();
}

/// One node of several that do everything at the same time.
async fn live(bench: &SqlBench, name: String, rounds: u32) -> u32 {
    let source = bench.open();
    let mut greeting = greeting(&name);
    greeting.lease_ms = 1;
    let mut held: Vec<Granted> = Vec::new();
    let mut recorded = 0;
    for round in 0..rounds {
        let told = source.round(&greeting).await.unwrap();
        held.retain(|granted| !told.lost.contains(&granted.bucket));
        held.extend(told.granted);
        recorded += settle_everything(&source, &held).await;
        let (back, kept): (Vec<Granted>, Vec<Granted>) =
            held.drain(..).partition(|granted| told.drain.contains(&granted.bucket));
        held = kept;
        let pair = |granted: &Granted| (granted.bucket, granted.fence);
        greeting.renew = held.iter().map(pair).collect();
        greeting.release = back.iter().map(pair).collect();
        if round % 7 == 3 {
            source.operate(&Action::Buckets(1 + round % 11)).await.unwrap();
            source.operate(&Action::RetryKey("key-1".into())).await.unwrap();
        }
    }
    recorded
}

async fn settle_everything(source: &AnySource, held: &[Granted]) -> u32 {
    let rows = forward(source, 0).await.rows;
    let is_held = |row: &&Request| held.iter().any(|granted| granted.slots.contains(row.slot));
    let outcomes = rows.iter().filter(is_held).map(|row| outcome(row, held)).collect();
    let settlement = Settlement { number: SettlementNo(1), outcomes };
    let settled = source.settle(&settlement).await.unwrap().results;
    let recorded = settled.iter().filter(|word| **word == Settled::Recorded);
    u32::try_from(recorded.count()).unwrap()
}

/// That a request was given up, under the lease of its bucket.
fn outcome(row: &Request, held: &[Granted]) -> Outcome {
    let granted = held.iter().find(|granted| granted.slots.contains(row.slot)).unwrap();
    Outcome {
        id: row.id,
        bucket: granted.bucket,
        fence: granted.fence,
        state: State::Blocked,
        due_ms: 0,
        attempts: row.attempts + 1,
        status: None,
        error: None,
    }
}

/// Watches the fences of requests: for one request they may only grow, whoever writes.
const GUARD: &str = "\
    CREATE TRIGGER guard BEFORE UPDATE ON relay_request FOR EACH ROW BEGIN \
    IF NEW.fence < OLD.fence THEN SIGNAL SQLSTATE '45000' \
    SET MESSAGE_TEXT = 'a fence went back'; END IF; END";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_do_everything_at_once() {
    let (_server, bench) = started().await;
    bench.sql(GUARD).await;
    super::fill(&bench, 300, 0).await;
    let (a, b, c) = tokio::join!(
        live(&bench, "a".into(), 40),
        live(&bench, "b".into(), 40),
        live(&bench, "c".into(), 40)
    );
    assert!(a + b + c > 0, "somebody got something done");
}

/// Somebody else has a lock on one of three requests.
#[tokio::test]
async fn a_locked_request_holds_up_no_other() {
    let (_server, bench) = started().await;
    super::fill(&bench, 3, 0).await;
    let source = bench.open();
    let held = source.round(&greeting("n")).await.unwrap().granted;
    let rows = forward(&source, 0).await.rows;
    let lock = "SELECT 1 FROM relay_request WHERE id = 2 FOR UPDATE";
    let other = open_transaction(&bench, lock).await;
    let outcomes: Vec<Outcome> = rows.iter().map(|row| outcome(row, &held)).collect();
    let settlement = Settlement { number: SettlementNo(1), outcomes };
    let settled = source.settle(&settlement).await.unwrap().results;
    assert_eq!(settled, [Settled::Recorded, Settled::Locked, Settled::Recorded]);
    source.round(&greeting("m")).await.expect("rounds go on meanwhile");
    other.undo().await.unwrap();
    assert_eq!(source.settle(&settlement).await.unwrap().results, [Settled::Recorded; 3]);
}

#[tokio::test]
async fn an_action_on_a_locked_request_names_it() {
    let (_server, bench) = started().await;
    super::fill(&bench, 3, 0).await;
    let source = bench.open();
    let lock = "SELECT 1 FROM relay_request WHERE id = 2 FOR UPDATE";
    let other = open_transaction(&bench, lock).await;
    let cancel = Action::Cancel([1, 2, 3].map(RequestId).to_vec());
    let (refused, round) =
        tokio::join!(source.operate(&cancel), async { source.round(&greeting("n")).await });
    round.expect("rounds go on meanwhile");
    let error = refused.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Conflict, "{error}");
    assert!(error.detail.contains("request 2 "), "{error}");
    assert_eq!(bench.ints("SELECT count(*) AS n FROM relay_request WHERE state = 7").await, [0]);
    other.undo().await.unwrap();
    source.operate(&cancel).await.unwrap();
    assert_eq!(bench.ints("SELECT count(*) AS n FROM relay_request WHERE state = 7").await, [3]);
}

/// Long errors in many outcomes are more than a server takes that is set to little.
#[tokio::test]
async fn large_batches_go_in_parts_that_a_small_server_takes() {
    let settings = ["--max-allowed-packet=2M"];
    let server = MariadbServer::start_with(Durability::Quick, &settings).unwrap();
    let bench = SqlBench::new(&server.url());
    bench.renew().await;
    super::fill(&bench, 500, 0).await;
    let source = bench.open();
    source.prepare().await.unwrap();
    let held = source.round(&greeting("n")).await.unwrap().granted;
    let rows = forward(&source, 0).await.rows;
    let mut outcomes: Vec<Outcome> = rows.iter().map(|row| outcome(row, &held)).collect();
    for outcome in &mut outcomes {
        outcome.error = Some("\u{1f600}\u{1}".repeat(250));
    }
    let settlement = Settlement { number: SettlementNo(1), outcomes };
    let settled = source.settle(&settlement).await.unwrap().results;
    assert_eq!(settled, [Settled::Recorded; 500]);
    let whole = "SELECT count(*) AS n FROM relay_request WHERE char_length(last_error) = 500 \
                 AND last_error LIKE '\u{1f600}\u{1}%'";
    assert_eq!(bench.ints(whole).await, [500]);
    let large = NewRequest { code: "a".into(), body: vec![0; 2 << 20], ..NewRequest::default() };
    let error = source.submit(&large).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Refused, "{error}");
    assert!(error.detail.contains("`max_allowed_packet`"), "{error}");
    let fitting = NewRequest { body: vec![0xff; 1 << 20], ..large };
    let id = source.submit(&fitting).await.unwrap().id;
    let found = forward(&source, id.0 - 1).await;
    assert_eq!(found.rows[0].content.as_ref().unwrap().body, fitting.body);
}

/// Letters of every length, and spaces at the end of a business id, which would count for nothing
/// under most collations.
#[tokio::test]
async fn business_ids_are_compared_byte_for_byte() {
    let (_server, bench) = started().await;
    let source = bench.open();
    for key in ["k", "k ", "K", "\u{1f600}", "\u{fc}", "u\u{308}"] {
        let request =
            NewRequest { code: "a".into(), key: Some(key.into()), ..NewRequest::default() };
        source.submit(&request).await.unwrap();
        let skipped = source.operate(&Action::SkipKey(key.into())).await.unwrap().changed;
        assert_eq!(skipped.len(), 1, "{key:?}");
        let slot = crate::source::slot_of(key);
        let hold = Hold::Key { slot, key: key.into() };
        source.operate(&Action::Hold(hold)).await.unwrap();
    }
    assert_eq!(bench.ints("SELECT count(*) AS n FROM relay_hold").await, [6]);
    let slots = "SELECT count(DISTINCT slot) AS n FROM relay_request";
    assert_eq!(bench.ints(slots).await, [6]);
}

/// A writer's session may have any time zone; an hour that it has twice must not make a request
/// young or old.
#[tokio::test]
async fn no_time_zone_moves_the_clock() {
    let (_server, bench) = started().await;
    bench.sql(&format!("SET time_zone = '+09:00'; {INSERT}")).await;
    let source = bench.open();
    let now_ms = source.round(&greeting("n")).await.unwrap().source_ms;
    let created_ms = forward(&source, 0).await.rows[0].created_ms;
    assert!((now_ms - created_ms).abs() < 60_000, "{now_ms} {created_ms}");
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let wall_ms = i64::try_from(wall.as_millis()).unwrap();
    assert!((now_ms - wall_ms).abs() < 60_000, "{now_ms} {wall_ms}");
}
