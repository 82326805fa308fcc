//! The store port: submit batches of records, hear when they are safe, read them back at start,
//! and fetch the bodies of messages that memory has no room for.
//!
//! The core never waits for a store. It submits and goes on; what depends on the batch waits at
//! its gate until the completion comes, and what needs a body waits until it is loaded.

use std::sync::Arc;

use crate::ids::{BatchNo, DestinationId, Seq};
use crate::limits::UNSYNCED_BYTES_MAX;
use crate::message::Envelope;

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

/// A batch that is read back at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The batch.
    pub batch: Batch,
    /// Where its first record lies; [`Locator::NONE`] if the store cannot load.
    pub place: Locator,
}

/// Where a record lies. Only the store knows what it means; the core keeps it and adds to it: the
/// record that begins at byte `n` of a batch lies `n` further than the batch's first record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locator(pub u64);

impl Locator {
    /// No place: the record is not, or not yet, anywhere that it could be loaded from.
    pub const NONE: Locator = Locator(0);

    /// Stores MUST NOT use this bit. It marks a record of the open batch by its number there.
    const OPEN: u64 = 1 << 63;

    /// Stands for the place of the message record with this number in the open batch.
    pub(crate) fn in_open_batch(ordinal: u32) -> Locator {
        Locator(Locator::OPEN | u64::from(ordinal))
    }

    /// The number of a message record in the open batch, if that is all that is known.
    pub(crate) fn ordinal(self) -> Option<usize> {
        (self.0 & Locator::OPEN != 0).then_some((self.0 & !Locator::OPEN) as usize)
    }

    /// Whether the record can be loaded from here.
    pub fn is_placed(self) -> bool {
        self != Locator::NONE && self.0 & Locator::OPEN == 0
    }

    /// The place of the record that begins `bytes` after this one.
    pub fn after(self, bytes: usize) -> Locator {
        if self == Locator::NONE { self } else { Locator(self.0 + bytes as u64) }
    }
}

/// A kept message and where its [`Enqueued`](crate::record::Enqueued) record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where it is kept.
    pub destination: DestinationId,
    /// Its position there.
    pub seq: Seq,
    /// Where its record lies. Several kept messages may share one.
    pub locator: Locator,
    /// What it counts against limits, in bytes: [`Envelope::size_bytes`].
    pub bytes: u32,
}

/// A message that was asked for.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What was asked.
    pub kept: Kept,
    /// The message, or why it cannot be read, for a person.
    pub message: Result<Arc<Envelope>, String>,
}

/// A message whose record now lies elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocated {
    /// What is kept and where it was until now.
    pub kept: Kept,
    /// Where it also lies. The former place is good until a later checkpoint is durable.
    pub to: Locator,
}

/// Takes a piece of a checkpoint; an error ends the reading.
pub type TakePiece<'a> = dyn FnMut(&[u8]) -> Result<(), String> + 'a;

/// What a store tells.
#[derive(Clone, Debug)]
pub enum Completion {
    /// Every batch up to this one survives anything from now on.
    Durable(BatchNo),
    /// Another owner has taken over; nothing that was not yet durable ever will be by this one.
    Fenced,
    /// It cannot be told whether the batches after the last durable one will survive.
    Unknown(String),
    /// There is no room. Batches that only free room are still taken.
    Full,
    /// There is room again.
    Room,
    /// The store is broken. The node must stop.
    Failed(String),
    /// Messages that were asked for.
    Loaded(Vec<Loaded>),
    /// Messages that have been moved.
    Relocated(Vec<Relocated>),
    /// So much has been submitted since the last checkpoint that another one is wanted.
    CheckpointWanted,
}

/// The state after a batch, as a store keeps it. Whatever it answers is as of that batch, however
/// long it takes to ask.
pub trait Snapshot: Send {
    /// The last batch that it takes in.
    fn batch(&self) -> BatchNo;

    /// Hands over the records that rebuild the state, in pieces of at most 1 MiB, until `piece`
    /// answers false. A piece holds whole records.
    fn pieces(&self, piece: &mut dyn FnMut(&[u8]) -> bool);

    /// Names every message that the state refers to, in no particular order.
    fn messages(&self, message: &mut dyn FnMut(Kept));
}

/// Where batches are kept.
///
/// * `submit` MUST NOT block on the medium and MUST keep the order of the numbers.
/// * After `Durable(n)` the same data, opened again, MUST give back the state of a checkpoint and
///   every batch after it up to `n`, and MUST NOT give batch `m` without every batch before it.
/// * After `Fenced` or `Failed` the store MUST NOT report anything as durable again.
/// * `restore` is called first and once, then `recover` until it answers `None`, then the others.
/// * A store that has no places (answers [`Locator::NONE`]) is never asked to load, and need not
///   keep checkpoints.
pub trait Store {
    /// Takes the next batch. Answers where its first record lies.
    fn submit(&mut self, batch: Batch) -> Locator;

    /// The next thing to tell, if there is one.
    fn poll(&mut self) -> Option<Completion>;

    /// Whether a batch with this many bytes of records would be put to use at once. If not, the
    /// core SHOULD go on filling it, so that fewer and fuller ones are written. A store that has
    /// answered false MUST have the core asked again once that changes.
    fn is_ready(&self, bytes: usize) -> bool {
        let _ = bytes;
        true
    }

    /// How many bytes of records may be submitted and not be durable before the core holds
    /// producers off. A store that sets less room aside than [`UNSYNCED_BYTES_MAX`] needs MUST
    /// answer less, always the same; more makes no difference.
    fn unsynced_bytes_max(&self) -> usize {
        UNSYNCED_BYTES_MAX
    }

    /// Reads the last checkpoint, if there is one, piece by piece, and answers its batch; 0 if
    /// there is none.
    ///
    /// # Errors
    /// A description of damage that a person has to look at, or what `piece` answers.
    fn restore(&mut self, piece: &mut TakePiece<'_>) -> Result<BatchNo, String> {
        let _ = piece;
        Ok(BatchNo(0))
    }

    /// The first batch at or after `from` that survived, for replay at the start. `None` ends it.
    ///
    /// # Errors
    /// A description of damage that a person has to look at.
    fn recover(&mut self, from: BatchNo) -> Result<Option<Recovered>, String>;

    /// Asks for messages; each is answered once by [`Completion::Loaded`].
    fn load(&mut self, wanted: Vec<Kept>) {
        let _ = wanted;
    }

    /// Takes a checkpoint, after which earlier batches may be forgotten.
    fn checkpoint(&mut self, snapshot: Box<dyn Snapshot>) {
        let _ = snapshot;
    }

    /// Takes records of messages that need not survive, to load them later. Answers where the
    /// first lies; [`Locator::NONE`] if there is no room for them.
    fn spool(&mut self, records: Vec<u8>) -> Locator {
        let _ = records;
        Locator::NONE
    }

    /// A spooled message with so many bytes of record is not wanted any more.
    fn forget(&mut self, locator: Locator, bytes: usize) {
        let _ = (locator, bytes);
    }
}
