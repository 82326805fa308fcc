//! Crashes of the real node on a bad disk, as many as there are places to crash at.
//!
//! A [`Script`](explore::Script) is one life of a node: the real driver over the real journal on a
//! simulated disk, with clients that do what the [workload](crate::workload) draws. Everything
//! that the disk is told is traced, so one life gives thousands of crashes: after any operation,
//! with any of what was not synced. Each is started again and [examined](examine): the state must
//! be that of the records of some batch, not older than what anybody was told is safe. Some go on
//! living, crash again, in the midst of their recovery too, and in the end are drained, so that
//! the [checker](crate::checker) judges what clients saw through all their lives.
//!
//! Besides, [every call](errors) to the disk fails in turn, [bits](flips) turn over, and the disk
//! becomes [full](full).

mod disks;
pub mod errors;
mod examine;
pub mod explore;
mod failure;
pub mod flips;
pub mod full;
mod life;
mod oracle;
mod past;
pub mod setup;
mod tally;
#[cfg(test)]
mod tests;
mod witness;

pub use failure::Failure;
pub use tally::Tally;
