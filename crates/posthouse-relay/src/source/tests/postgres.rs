//! PostgreSQL.

use std::time::Duration;

use posthouse_pump::input::Hold;
use posthouse_pump::outcome::{Outcome, Settled, Settlement, SettlementNo, State};
use posthouse_pump::read::{Found, Read, ReadNo, SlotRange, Span};
use posthouse_pump::request::{Request, RequestId, SLOTS, Slot};

use super::awake;
use crate::fixture::PostgresServer;
use crate::source::base::{Base, Door, Work};
use crate::source::conformance::{Bench, SqlBench, run};
use crate::source::look::{Answer, Query};
use crate::source::operate::Action;
use crate::source::retention::{Ages, Retention};
use crate::source::{
    AnySource, CommitOrder, Granted, Greeting, Options, Source, SourceErrorKind, connect,
};

async fn started() -> (PostgresServer, SqlBench) {
    let server = PostgresServer::start().unwrap();
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
    work.script(statement).await.unwrap();
    work
}

async fn forward(source: &AnySource, after: i64) -> Found {
    let everything = SlotRange { first: Slot(0), last: Slot(SLOTS - 1) };
    let read = Read {
        number: ReadNo(1),
        span: Span::Forward { after: RequestId(after) },
        slots: [everything].as_slice().into(),
        codes: [].as_slice().into(),
        rows_max: 500,
        bytes_max: 1,
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
async fn a_transaction_that_stays_open_is_seen() {
    let (_server, bench) = started().await;
    let source = bench.open();
    let _late = open_transaction(&bench, INSERT).await;
    loop {
        let Answer::Table(table) = source.look(&Query::Table).await.unwrap() else {
            panic!("it answers in kind");
        };
        if table.oldest_transaction_ms.unwrap() > 20 {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn by_xid_nothing_is_read_before_what_is_older() {
    let (_server, bench) = started().await;
    let options = Options { order: CommitOrder::Xid, ..Options::default() };
    let source = connect(bench.url(), options).unwrap();
    source.prepare().await.unwrap();
    let late = open_transaction(&bench, INSERT).await;
    bench.sql(INSERT).await;
    let found = forward(&source, 0).await;
    assert_eq!((ids(&found), found.scanned_to), (vec![], RequestId(2)));
    assert_eq!(found.missing, [(RequestId(1), RequestId(2))]);
    late.commit().await.unwrap();
    assert_eq!(ids(&forward(&source, 0).await), [1, 2]);
}

#[tokio::test]
async fn a_notice_wakes() {
    let (_server, bench) = started().await;
    let source = bench.open();
    awake(&source).await;
    let quiet = tokio::time::timeout(Duration::from_millis(30), source.wake()).await;
    assert!(quiet.is_err(), "nothing has happened");
    tokio::join!(awake(&source), bench.sql("NOTIFY posthouse_relay"));
    let hold = Action::Hold(Hold::Code("c".into()));
    let (told, ()) = tokio::join!(source.operate(&hold), awake(&source));
    told.unwrap();
    source.close().await;
}

#[tokio::test]
async fn a_user_without_rights_is_told_which() {
    let (server, bench) = started().await;
    bench.sql("CREATE ROLE poor LOGIN PASSWORD 'secret'").await;
    bench.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO poor").await;
    let url = server.url().replace("//postgres@", "//poor:secret@");
    let check = async |expected: &str| {
        let source = connect(&url, Options::default()).unwrap();
        let error = source.prepare().await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Unfit, "{error}");
        assert!(error.detail.contains(expected), "{error}");
        assert!(!error.detail.contains("secret"), "{error}");
    };
    let written = "(state, due_at, attempts, last_status, last_error, fence, updated_at, done_at)";
    check(&format!("`GRANT UPDATE {written} ON relay_request TO poor`")).await;
    bench.sql(&format!("GRANT UPDATE {written} ON relay_request TO poor")).await;
    check("`GRANT UPDATE ON relay_control TO poor`").await;
    bench
        .sql(
            "GRANT UPDATE, INSERT, DELETE ON relay_control, relay_bucket, relay_node, \
             relay_switch, relay_hold, relay_change TO poor",
        )
        .await;
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
            let error = connect(&url, options.clone()).unwrap().prepare().await.unwrap_err();
            let grant = format!("GRANT {right} ON relay_{table} TO poor");
            assert!(error.detail.contains(&format!("`{grant}`")), "{error}");
            bench.sql(&grant).await;
        }
    }
    connect(&url, options).unwrap().prepare().await.unwrap();
    bench.sql("ALTER ROLE poor SET default_transaction_read_only = on").await;
    check("cannot be written to").await;
}

#[tokio::test]
async fn an_address_that_cannot_be_reached_keeps_its_password() {
    let url = "postgres://u:secret@127.0.0.1:1/db";
    let source = connect(url, Options::default()).unwrap();
    let error = source.prepare().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error}");
    assert!(!error.detail.contains("secret"), "{error}");
    let bad = connect("postgres://u:secret@host:port/db", Options::default());
    assert!(!bad.map(|_| ()).unwrap_err().detail.contains("secret"));
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

#[tokio::test]
async fn a_crash_of_the_server_passes() {
    let (mut server, bench) = started().await;
    let source = bench.open();
    source.round(&greeting("n")).await.unwrap();
    server.stop_immediately().unwrap();
    let error = source.round(&greeting("n")).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error}");
    server.restart().unwrap();
    let mut last = source.round(&greeting("n")).await;
    for _ in 0..10 {
        if last.is_ok() {
            break;
        }
        last = source.round(&greeting("n")).await;
    }
    last.unwrap();
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
    CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    IF NEW.fence < OLD.fence THEN RAISE EXCEPTION 'a fence went back'; END IF; RETURN NEW; \
    END $$; \
    CREATE TRIGGER guard BEFORE UPDATE ON relay_request FOR EACH ROW EXECUTE FUNCTION guard()";

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

#[tokio::test]
async fn a_paused_server_is_given_up_and_comes_back() {
    let (mut server, bench) = started().await;
    let source = bench.open();
    source.round(&greeting("n")).await.unwrap();
    server.pause().unwrap();
    let late = tokio::time::timeout(Duration::from_millis(200), source.round(&greeting("n"))).await;
    assert!(late.is_err(), "it does not answer");
    server.resume().unwrap();
    source.round(&greeting("n")).await.unwrap();
}

#[tokio::test]
async fn a_node_that_stands_still_in_a_round_is_put_out() {
    let (_server, bench) = started().await;
    let still =
        open_transaction(&bench, "SELECT 1 FROM relay_control WHERE one = 1 FOR UPDATE").await;
    bench.open().round(&greeting("n")).await.unwrap();
    still.commit().await.unwrap_err();
}

/// Waits until somebody waits for a lock.
async fn somebody_waits(bench: &SqlBench) {
    let waiting = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted";
    while bench.ints(waiting).await == [0] {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_waits_for_a_takeover_is_fenced_by_it() {
    let (_server, bench) = started().await;
    bench.sql(INSERT).await;
    let source = bench.open();
    let held = source.round(&greeting("n")).await.unwrap().granted;
    let takeover = open_transaction(&bench, "UPDATE relay_bucket SET fence = fence + 1000").await;
    let (recorded, ()) = tokio::join!(settle_everything(&source, &held), async {
        somebody_waits(&bench).await;
        takeover.commit().await.unwrap();
    });
    assert_eq!(recorded, 0);
    assert_eq!(bench.ints("SELECT state AS n FROM relay_request").await, [0]);
}

/// What the source says of each outcome.
async fn words(source: &AnySource, held: &[Granted], ids: &[i64]) -> Vec<Settled> {
    let everything = forward(source, 0).await.rows;
    let of = |id: &i64| everything.iter().find(|row| row.id.0 == *id).unwrap();
    let outcomes = ids.iter().map(|id| outcome(of(id), held)).collect();
    let settlement = Settlement { number: SettlementNo(1), outcomes };
    source.settle(&settlement).await.unwrap().results
}

#[tokio::test]
async fn what_somebody_has_locked_holds_up_nothing_else() {
    let (_server, bench) = started().await;
    super::fill(&bench, 3, 0).await;
    let source = bench.open();
    let held = source.round(&greeting("n")).await.unwrap().granted;
    let lock = "SELECT 1 FROM relay_request WHERE id = 2 FOR UPDATE";
    let other = open_transaction(&bench, lock).await;
    let settled = words(&source, &held, &[1, 2, 3]).await;
    assert_eq!(settled, [Settled::Recorded, Settled::Locked, Settled::Recorded]);
    other.undo().await.unwrap();
    assert_eq!(words(&source, &held, &[2]).await, [Settled::Recorded]);
}

#[tokio::test]
async fn what_is_locked_is_fenced_all_the_same() {
    let (_server, bench) = started().await;
    super::fill(&bench, 1, 0).await;
    let source = bench.open();
    let held = source.round(&greeting("n")).await.unwrap().granted;
    bench.sql("UPDATE relay_bucket SET fence = fence + 1000").await;
    let lock = "SELECT 1 FROM relay_request FOR UPDATE";
    let other = open_transaction(&bench, lock).await;
    assert_eq!(words(&source, &held, &[1]).await, [Settled::Fenced]);
    other.undo().await.unwrap();
}

#[tokio::test]
async fn what_was_finished_under_a_lock_is_gone() {
    let (_server, bench) = started().await;
    super::fill(&bench, 1, 0).await;
    let source = bench.open();
    let held = source.round(&greeting("n")).await.unwrap().granted;
    let row = forward(&source, 0).await.rows.remove(0);
    let other = open_transaction(&bench, "UPDATE relay_request SET state = 7").await;
    let outcomes = vec![outcome(&row, &held)];
    let settlement = Settlement { number: SettlementNo(1), outcomes };
    assert_eq!(source.settle(&settlement).await.unwrap().results, [Settled::Locked]);
    other.commit().await.unwrap();
    assert_eq!(source.settle(&settlement).await.unwrap().results, [Settled::Gone]);
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
