//! Running one source: the pump with its source and its couriers around it.
//!
//! One task owns the pump and never waits for anything but its inbox and the time. Whatever takes
//! time (reads, write-backs, rounds, attempts) is a task of its own that puts its answer into the
//! inbox. When the node stops, the actor starts nothing more, lets what runs end, gives its buckets
//! back, and ends; a task that is still out then answers into a closed inbox, which is no harm,
//! because the source is the only truth.

mod actor;
mod clock;
mod gap_watch;
mod handle;
mod notices;
mod retainer;
mod rounds;
mod troubles;
mod work;

pub use clock::{SourceClock, SteadyClock};
pub use handle::{Handle, RetentionTally, Status};

use std::sync::Arc;

use posthouse_pump::plan::Plan;

use crate::courier::Carrier;
use crate::source::Source;
use crate::source::retention::Retention;

/// What a running source is made of.
pub struct Parts<S, C> {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The name of this node, unique for each life of a process.
    pub node: Arc<str>,
    /// The request table.
    pub source: Arc<S>,
    /// Who carries, by endpoint.
    pub carrier: Arc<C>,
    /// What is sent where and when, as configured; operators' switches come on top.
    pub plan: Plan,
    /// How often control tables and leases are looked at, and how long leases last.
    pub tempo: Tempo,
    /// How long finished requests stay; as the source was told.
    pub retention: Retention,
    /// Seeds the jitter.
    pub seed: u64,
}

/// How often a source is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tempo {
    /// From one round to the next, in milliseconds: so long may a switch take to be obeyed.
    pub round_ms: u64,
    /// How long a lease lasts, in milliseconds.
    pub lease_ms: u64,
}

/// Starts a source on the runtime that this is called on.
pub fn start<S: Source, C: Carrier>(parts: Parts<S, C>) -> Handle {
    let (handle, inbox) = handle::channel(parts.name.clone());
    tokio::spawn(work::listen(parts.source.clone(), handle.events()));
    tokio::spawn(actor::run(parts, handle.events(), inbox));
    handle
}
