//! Retention: finished requests that are old enough leave the request table, in small steps.
//!
//! Nothing leaves unless it is asked for. One node at a time walks over the table by its primary
//! key, from the lowest id to the first that is too young; the row of `relay_retention` says who
//! walks and how far the walk has come, so that another node goes on where one died. Each step is
//! a short transaction that says itself what may leave, and leaves alone what somebody has locked.

mod ages;
mod archive;
mod chunk;

pub use ages::{Ages, KEPT_STATES, Retained, Retention};
pub(super) use chunk::retain;
#[cfg(test)]
pub(super) use {
    archive::{archived, forgotten},
    chunk::{deleted, lock_text, stretch_text},
};
