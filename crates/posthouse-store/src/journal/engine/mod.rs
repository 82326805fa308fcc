//! The engine of the journal: the broker's side, and three workers beside it.
//!
//! ```text
//!  broker thread             front: places batches, hears what there is to tell
//!     |  intake: whole blocks, waiting        ^  outbox: durable, loaded, moved, full
//!     v                                       |
//!  writer: write, sync    reader: load, spool    keeper: checkpoint, free, compact, make ahead
//! ```
//!
//! All they share is in the machine; each wakes the others by a bell. Where things lie is decided
//! in the intake alone, and what a file is called in the segments alone. A worker does its job in
//! steps, so that the same code runs on threads and, step by step, in a simulation.
//!
//! Invariant: nothing is reported as durable before its sync has returned, and nothing at all
//! after an error of a write or a sync.
//! Invariant: nothing is freed before a manifest that does not need it is durable, and before
//! every load that may still look there is done.

mod appetite;
mod bell;
mod bound;
mod census;
mod checkpoint;
mod compaction;
mod crew;
mod fetch;
mod figures;
mod filling;
mod freeing;
mod front;
mod hold;
mod intake;
mod keeper;
mod machine;
mod open_files;
mod opening;
mod options;
mod outbox;
mod places;
mod reader;
mod reading;
mod recovery;
mod round;
mod segments;
mod slot;
mod spares;
mod spool;
mod stretch;
#[cfg(test)]
mod tests;
mod wanted;
mod writer;

pub(in crate::journal) use census::{Counting, record_bytes};
pub use crew::{Crew, Hands, Worker};
pub use figures::{CheckpointFigures, Figures, Opening, SYNC_BYTES_BOUNDS, SYNC_US_BOUNDS, Space};
pub use front::{Journal, Watch};
pub use hold::{HeldFile, HeldStore, Hold};
pub use options::Options;
pub use outbox::Wake;
