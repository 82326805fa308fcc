//! Looking into a store that no node has open: is it sound, what is in it, what takes the room.
//!
//! Nothing here changes a store. What is damaged does not end an inspection: it goes on with the
//! next block or file, because a person wants to know all of it.

mod check;
mod course;
mod dump;
mod finding;
mod live;
mod progress;
mod selection;
mod state;
mod stats;
#[cfg(test)]
mod tests;
mod text;
mod walk;

pub use check::{Report, check};
pub use dump::{Line, TakeLine, dump};
pub use finding::{Finding, FindingKind};
pub use progress::Tell;
pub use selection::Selection;
pub use state::{Waiting, waiting};
pub use stats::{Amount, CheckpointStats, FileKind, SegmentStats, Stats, stats};
