//! What every source must do. A back end is not finished until it runs this.
//!
//! Every case begins with new tables, and speaks SQL that all dialects share to play the writers of
//! requests.

mod bench;
mod extremes;
mod key_order;
mod leases;
mod looks;
mod node;
mod operators;
mod random;
mod reads;
mod schemas;
mod settlements;

pub use bench::SqlBench;

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
    fn open_in(&self, order: CommitOrder) -> Self::Source;
    /// Carries out statements.
    fn sql(&self, text: &str) -> impl Future<Output = ()>;
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
