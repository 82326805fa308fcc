//! What every source must do. A back end is not finished until it runs this.
//!
//! Every case begins with new tables, and speaks SQL that all dialects share to play the writers of
//! requests.

mod bench;
mod extremes;
pub(in crate::source) mod foreign;
mod key_order;
mod leases;
mod looks;
mod marks;
mod node;
mod operators;
mod random;
mod reads;
mod retention;
mod schemas;
mod settlements;

pub use bench::SqlBench;

use super::retention::Retention;
use super::{CommitOrder, Source, SourceError};

/// One database under test.
pub trait Bench {
    /// The source that is tested.
    type Source: Source;
    /// Removes every table and makes new ones.
    fn renew(&self) -> impl Future<Output = ()>;
    /// Makes what is missing.
    fn complete(&self) -> impl Future<Output = Result<(), SourceError>>;
    /// A source on it, as a node would have it.
    fn open(&self) -> Self::Source {
        self.open_in(CommitOrder::Id)
    }
    /// A source on it that shows requests in another order.
    fn open_in(&self, order: CommitOrder) -> Self::Source {
        self.open_with(order, Retention::default())
    }
    /// A source on it from which finished requests leave.
    fn open_with(&self, order: CommitOrder, retention: Retention) -> Self::Source;
    /// Carries out statements.
    fn sql(&self, text: &str) -> impl Future<Output = ()>;
    /// Takes a request as others do who share the table, for so many milliseconds: its id, and
    /// until when it may be kept.
    fn take(&self, patience_ms: i64) -> impl Future<Output = Option<(i64, i64)>>;
    /// Finishes what was taken; whether it was still theirs.
    fn finish(&self, id: i64, until_ms: i64) -> impl Future<Output = bool>;
    /// Gives it back, due at an instant; whether it was still theirs.
    fn give_back(&self, id: i64, until_ms: i64, due_ms: i64) -> impl Future<Output = bool>;
    /// The numbers in the column `n` of an answer.
    fn ints(&self, text: &str) -> impl Future<Output = Vec<i64>>;
}

/// How many random histories of leases are run.
const RANDOM_RUNS: u64 = 20;

/// Runs every case.
///
/// # Panics
/// If the source does not conform; the place of the panic names the case.
pub async fn run(bench: &impl Bench) {
    reads::run(bench).await;
    settlements::run(bench).await;
    leases::run(bench).await;
    operators::run(bench).await;
    looks::run(bench).await;
    extremes::run(bench).await;
    key_order::run(bench).await;
    marks::run(bench).await;
    retention::run(bench).await;
    schemas::run(bench).await;
    for seed in 0..RANDOM_RUNS {
        random::run(bench, seed).await;
    }
}

/// What must not fail here.
fn must<T>(answer: Result<T, SourceError>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => panic!("{:?}: {error}", error.kind),
    }
}
