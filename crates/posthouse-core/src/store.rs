//! The store port: submit batches of records, hear when they are safe, read them back at start.
//!
//! The core never waits for a store. It submits and goes on; what depends on the batch waits at
//! its gate until the completion comes.

use crate::ids::BatchNo;

/// Records that become durable together or not at all, encoded one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Batches are numbered from 1 without gaps.
    pub number: BatchNo,
    /// When it was closed, in wall milliseconds.
    pub wall_ms: u64,
    /// The encoded records.
    pub records: Vec<u8>,
}

/// What a store tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Every batch up to this one survives anything from now on.
    Durable(BatchNo),
    /// Another owner has taken over; nothing that was not yet durable ever will be by this one.
    Fenced,
    /// It cannot be told whether the batches after the last durable one will survive.
    Unknown(String),
    /// There is no room. Batches that only free room are still taken.
    Full,
    /// The store is broken. The node must stop.
    Failed(String),
}

/// Where batches are kept.
///
/// * `submit` MUST NOT block on the medium and MUST keep the order of the numbers.
/// * After `Durable(n)` a `recover` of the same data MUST return every batch up to `n`, and MUST
///   NOT return batch `m` without every batch before it.
/// * After `Fenced` or `Failed` the store MUST NOT report anything as durable again.
pub trait Store {
    /// Takes the next batch.
    fn submit(&mut self, batch: Batch);

    /// The next thing to tell, if there is one.
    fn poll(&mut self) -> Option<Completion>;

    /// The first batch at or after `from` that survived, for replay at the start. `None` ends it.
    ///
    /// # Errors
    /// A description of damage that a person has to look at.
    fn recover(&mut self, from: BatchNo) -> Result<Option<Batch>, String>;
}
