//! How long things take: every kind of call on a table of some size. To see figures, on a quiet
//! machine, with a million open rows: `POSTHOUSE_MEASURE_ROWS=1000000 cargo test --release -p
//! posthouse-relay measure -- --nocapture --test-threads=1`.

use std::time::Instant;

use posthouse_pump::outcome::{Outcome, Settlement, SettlementNo, State};
use posthouse_pump::read::{Read, ReadNo, SlotRange, Span};
use posthouse_pump::request::{RequestId, SLOTS, Slot};

use crate::fixture::{Durability, MariadbServer, PostgresServer};
use crate::source::conformance::{Bench, SqlBench};
use crate::source::{AnySource, Granted, Greeting, Source};

const TIMES: u32 = 15;

/// Enough for every settlement to find rows of its own.
const OPEN_DEFAULT: i64 = 8_000;

fn open_rows() -> i64 {
    std::env::var("POSTHOUSE_MEASURE_ROWS")
        .ok()
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(OPEN_DEFAULT)
}

#[tokio::test]
async fn measure_sqlite() {
    let directory = tempfile::tempdir_in(crate::fixture::home().unwrap()).unwrap();
    let file = directory.path().join("source.db");
    let bench = SqlBench::new(&format!("sqlite:{}", file.display()));
    measure("SQLite", &bench).await;
}

#[tokio::test]
async fn measure_postgres() {
    let server = PostgresServer::start_with(Durability::Synced).unwrap();
    let bench = SqlBench::new(&server.url());
    measure("PostgreSQL", &bench).await;
}

#[tokio::test]
async fn measure_mariadb() {
    let server = MariadbServer::start_with(Durability::Synced, &[]).unwrap();
    let bench = SqlBench::new(&server.url());
    measure("MariaDB", &bench).await;
}

async fn measure(name: &str, bench: &SqlBench) {
    bench.renew().await;
    let open = open_rows();
    let finished = open / 5;
    super::fill(bench, open, finished).await;
    let source = bench.open();
    source.prepare().await.unwrap();
    let granted = hold_everything(&source).await;
    for (what, after) in [("first", 0), ("middle", finished + open / 2), ("last", open)] {
        timed(name, &format!("read 500 forward, {what}"), async || {
            read(&source, Span::Forward { after: RequestId(after) }).await
        })
        .await;
    }
    let end = Span::Forward { after: RequestId(finished + open) };
    timed(name, "read forward, nothing new", async || read(&source, end.clone()).await).await;
    let up_to = RequestId(finished + 5_000);
    let again = Span::Again { after: RequestId(finished), up_to };
    timed(name, "read 500 again", async || read(&source, again.clone()).await).await;
    let key = Span::Key {
        slot: crate::source::slot_of("key-7"),
        key: "key-7".into(),
        from: RequestId(0),
    };
    timed(name, "read a key", async || read(&source, key.clone()).await).await;
    let ranges = (0..500).map(|at| (RequestId(at * 900), RequestId(at * 900))).collect();
    let probe = Span::Probe { ranges };
    timed(name, "probe 500 ids", async || read(&source, probe.clone()).await).await;
    timed(name, "round", async || round(&source, &granted).await).await;
    let next = std::cell::Cell::new(finished + 1);
    timed(name, "settle 500", async || settle(&source, &granted, &next).await).await;
}

pub(super) async fn timed(name: &str, what: &str, mut work: impl AsyncFnMut() -> usize) {
    let mut took = Vec::new();
    let mut rows = 0;
    for _ in 0..TIMES {
        let start = Instant::now();
        rows = work().await;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    let (best, middle, worst) = (took[0], took[took.len() / 2], took[took.len() - 1]);
    println!("{name}: {what}: {rows} rows, best {best:?}, median {middle:?}, worst {worst:?}");
}

async fn hold_everything(source: &AnySource) -> Vec<Granted> {
    source.round(&greeting(&[])).await.unwrap().granted
}

fn greeting(held: &[Granted]) -> Greeting {
    Greeting {
        node: "n".into(),
        lease_ms: 600_000,
        renew: held.iter().map(|granted| (granted.bucket, granted.fence)).collect(),
        release: Vec::new(),
        wants_more: true,
        known_version: 1,
    }
}

async fn round(source: &AnySource, held: &[Granted]) -> usize {
    source.round(&greeting(held)).await.unwrap().renewed.len()
}

pub(super) async fn read(source: &AnySource, span: Span) -> usize {
    let everything = SlotRange { first: Slot(0), last: Slot(SLOTS - 1) };
    let read = Read {
        number: ReadNo(1),
        span,
        slots: [everything].as_slice().into(),
        codes: ["a".into(), "b".into()].as_slice().into(),
        rows_max: 500,
        bytes_max: 8 << 20,
    };
    source.read(&read).await.unwrap().rows.len()
}

async fn settle(source: &AnySource, held: &[Granted], next: &std::cell::Cell<i64>) -> usize {
    let first = next.replace(next.get() + 500);
    let mut outcomes = Vec::new();
    for id in first..first + 500 {
        let slot = crate::source::slot_of(&format!("key-{}", id % 8000));
        let owner = held.iter().find(|granted| granted.slots.contains(slot)).unwrap();
        outcomes.push(Outcome {
            id: RequestId(id),
            bucket: owner.bucket,
            fence: owner.fence,
            state: State::Done,
            due_ms: 0,
            attempts: 1,
            status: Some(200),
            error: None,
        });
    }
    let settlement = Settlement { number: SettlementNo(1), outcomes };
    let settled = source.settle(&settlement).await.unwrap().results;
    settled.iter().filter(|word| **word == posthouse_pump::outcome::Settled::Recorded).count()
}
