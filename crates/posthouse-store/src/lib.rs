//! Stores: where batches of records are kept, behind the port that the core defines.
//!
//! [`journal`] keeps them on disk, in files behind the trait of [`files`]. [`memory`] keeps them
//! in memory: for a node without a journal, for tests, and, with faults to order, for the
//! simulator. [`conformance`] is what every store has to pass. [`backup`] copies what is on disk.

pub mod backup;
pub mod conformance;
pub mod files;
pub mod journal;
pub mod memory;
