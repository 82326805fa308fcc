//! The broker thread.
mod ask;
pub(crate) use ask::*;
