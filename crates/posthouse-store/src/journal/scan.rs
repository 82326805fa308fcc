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
pub(crate) mod tests;

pub(crate) use blocks::BlockReader;
pub use directory::Directory;
pub(crate) use directory::{last_segment_is_among, open, read_block, read_head};
pub(crate) use listing::Listing;
pub use log::{LogEnd, LogReader, Span};
pub(crate) use look::{Look, Whole, look};
