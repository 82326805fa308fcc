//! Copies of a store: one is taken while the node goes on, and put back while none runs.
//!
//! The node holds its journal still for that (see [`Hold`](crate::journal::Hold)) and says how
//! much of each file may be copied. Every block is checked on its way, so that damage is met when
//! the backup is made and not when it is needed. What is not there, or not yet durable, becomes a
//! hole, so that a copy takes no more room than what is in it.
//!
//! A copy is a store of its own: it opens, and can be inspected, like any other.

mod copy;
mod output;
#[cfg(test)]
mod tests;

pub use copy::{GoOn, copy, copy_held};

/// A file of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its name in the journal's directory.
    pub name: String,
    /// Its length in bytes, holes included.
    pub bytes: u64,
    /// The CRC-32C of all of it.
    pub crc32c: u32,
}
