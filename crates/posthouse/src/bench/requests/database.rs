//! The database that requests are made up in.

use std::net::SocketAddr;
use std::sync::Arc;

use posthouse_relay::source::fill::{Batch, Filler};
use posthouse_relay::source::{SourceError, SourceErrorKind, schema};
use tokio::runtime::Runtime;

use super::plan::RequestPlan;
use crate::bench::process::Process;
use crate::codes::Code;
use crate::failure::Failure;

/// Requests of either kind that are written in turn, when they are to be mixed.
const MIXED_BATCH: u64 = 1_000;

/// See the module. Calls wait for their answers.
pub(super) struct Database {
    pub(super) runtime: Runtime,
    pub(super) filler: Arc<Filler>,
    /// The first process of a database that is a server on this machine.
    pub(super) process: Option<Process>,
}

impl Database {
    /// Connects, and makes the tables where they are missing: the relay's, or those of the rival
    /// that sends to `receiver`.
    pub(super) fn open(plan: &RequestPlan, receiver: SocketAddr) -> Result<Self, Failure> {
        let url = &plan.url;
        let tables = plan.rival.as_ref().map(|rival| rival.prepare(url, receiver)).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::unexpected(error.to_string()))?;
        let opened = runtime.block_on(async {
            let filler = match tables {
                Some(tables) => Filler::with_tables(url, tables)?,
                None => {
                    schema::init(url).await?;
                    Filler::open(url)?
                }
            };
            let process = match filler.process_file().await? {
                Some(file) => process_of(&file),
                None => filler.backend_process().await?.and_then(parent_of),
            };
            Ok((Arc::new(filler), process))
        });
        let (filler, process) = opened.map_err(|error| failure_of(&error))?;
        Ok(Self { runtime, filler, process })
    }

    /// Replaces all requests by `batch`.
    pub(super) fn refill(&self, batch: &Batch) -> Result<(), Failure> {
        eprintln!("writing {} requests", batch.count);
        self.wait(async {
            self.filler.clear().await?;
            self.filler.fill(batch).await?;
            self.filler.analyze().await
        })
    }

    /// Replaces all requests by two batches, evenly mixed.
    pub(super) fn refill_mixed(&self, one: &Batch, other: &Batch) -> Result<(), Failure> {
        eprintln!("writing {} and {} requests", one.count, other.count);
        let parts = one.count.max(other.count).div_ceil(MIXED_BATCH);
        self.wait(async {
            self.filler.clear().await?;
            for part in 0..parts {
                for batch in [one, other] {
                    self.filler.fill(&part_of(batch, part, parts)).await?;
                }
            }
            self.filler.analyze().await
        })
    }

    /// How many requests of a code are still ready.
    pub(super) fn ready_count(&self, code: &str) -> Result<u64, Failure> {
        let count = self.wait(self.filler.ready_count(code))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How many dead rows there have been, where the database counts them.
    pub(super) fn dead_rows(&self) -> Result<Option<i64>, Failure> {
        self.wait(self.filler.dead_rows())
    }

    /// Closes all connections.
    pub(super) fn close(&self) {
        self.runtime.block_on(self.filler.close());
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, SourceError>>) -> Result<T, Failure> {
        self.runtime.block_on(work).map_err(|error| failure_of(&error))
    }
}

/// The process that has written its number into a file, if it is on this machine, and what is
/// expected: another one may have the same number.
fn process_of(file: &str) -> Option<Process> {
    let pid = std::fs::read_to_string(file).ok()?.trim().parse().ok()?;
    let process = Process { pid };
    let name = process.name()?;
    ["mariadbd", "mysqld"].contains(&name.as_str()).then_some(process)
}

/// The first process of a database of which this is another one.
fn parent_of(backend: i64) -> Option<Process> {
    let backend = Process { pid: u32::try_from(backend).ok()? };
    let is_backend = backend.name().as_deref() == Some("postgres");
    is_backend.then_some(backend).and_then(Process::parent)
}

/// What a plan has in its database.
pub(super) fn batch_of(plan: &RequestPlan, code: &str, keys: u64, count: u64) -> Batch {
    Batch { code: code.to_owned(), first: 0, count, keys, body_bytes: plan.body_bytes }
}

fn part_of(batch: &Batch, part: u64, parts: u64) -> Batch {
    let edge = |part: u64| batch.count * part / parts.max(1);
    let first = edge(part);
    Batch { first: batch.first + first, count: edge(part + 1) - first, ..batch.clone() }
}

pub(super) fn failure_of(error: &SourceError) -> Failure {
    let (code, help) = match error.kind {
        SourceErrorKind::Unfit => {
            (Code::SourceUnusable, "give the address of an empty database for measuring")
        }
        _ => (Code::SourceUnreachable, "check that the database of --url runs"),
    };
    Failure::new(code, error.to_string(), help)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::plan::{RequestPlan, RequestScenario};
    use super::{Batch, Database, part_of};

    fn check(count: u64, parts: u64, expected: &[(u64, u64)]) {
        let batch = Batch { code: "bench.a".into(), first: 0, count, keys: 1, body_bytes: 24 };
        let part = |part| part_of(&batch, part, parts);
        let found: Vec<(u64, u64)> =
            (0..parts).map(part).map(|batch| (batch.first, batch.count)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_database_is_made_and_filled() {
        let directory = tempfile::tempdir().expect("there is room");
        let url = format!("sqlite:{}", directory.path().join("requests.db").display());
        let plan = RequestPlan {
            scenario: RequestScenario::Ordered,
            url,
            requests: 5,
            keys: 3,
            body_bytes: 24,
            rate: 1,
            duration: Duration::ZERO,
            rounds: 1,
            concurrency: 1,
            rival: None,
        };
        let receiver = "127.0.0.1:1".parse().expect("an address");
        let database = Database::open(&plan, receiver).expect("it can be made");
        let batch = |code: &str, count| Batch {
            code: code.into(),
            first: 0,
            count,
            keys: 3,
            body_bytes: 24,
        };
        database.refill(&batch("bench.old", 5)).expect("it can be filled");
        let mixed = database.refill_mixed(&batch("bench.a", 2_500), &batch("bench.b", 10));
        mixed.expect("it can be filled again");
        let count = |code| database.ready_count(code).expect("it can be counted");
        assert_eq!((count("bench.old"), count("bench.a"), count("bench.b")), (0, 2_500, 10));
        database.close();
    }

    #[test]
    fn parts_are_the_whole() {
        check(10, 1, &[(0, 10)]);
        check(10, 3, &[(0, 3), (3, 3), (6, 4)]);
        check(1, 2, &[(0, 0), (0, 1)]);
    }
}
