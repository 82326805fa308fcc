//! Reading what is there, without changing anything.
//!
//! [`Directory`] says which files there are and whether they belong together; [`LogReader`] reads
//! the batches behind the checkpoint and finds out where the log ends. Every rule of
//! `docs/log-format.md`, "Starting", that tells a torn end from damage is in here: an end is only
//! an end if nothing behind it claims that more was durable.

mod behind;
mod blocks;
mod directory;
mod listing;
mod log;
mod look;
#[cfg(test)]
mod tests;

pub use directory::Directory;
pub use log::{LogEnd, LogReader, Span};
