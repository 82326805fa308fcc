//! The relay through the API: its sources, what they wait for, and what operators decide.
//!
//! What stands in a platform's database is asked of that database each time, so that an answer
//! holds what was just changed. What only this node knows, such as figures, breakers and clocks,
//! is asked of the running source. Whatever is changed is written down with who changed it.

pub(super) mod actions;
pub(super) mod alarms;
pub(super) mod ask;
pub(super) mod blocked;
pub(super) mod buckets;
pub(super) mod codes;
pub(super) mod endpoints;
pub(super) mod groups;
pub(super) mod holds;
pub(super) mod instances;
pub(super) mod retention;
pub(super) mod rows;
pub(super) mod sources;
mod states;
mod unchanged;
pub(super) mod unfed;
mod why;
pub(super) mod windows;

use serde::Serialize;
use utoipa::ToSchema;

/// What came of an action.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Changed {
    /// Requests that were changed, by id.
    changed: Vec<i64>,
    /// Requests that were named and did not stand as the action needs it.
    unchanged: Vec<i64>,
    /// Why, for the first of those.
    reasons: Vec<String>,
    /// The control version from which on every node knows of it.
    version: i64,
    /// Whether there are more than one action changes: do it again.
    has_more: bool,
}
