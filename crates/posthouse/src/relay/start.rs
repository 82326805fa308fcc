//! Starting one source.

use std::sync::Arc;

use posthouse_relay::runner::{self, Parts};
use posthouse_relay::source::{AnySource, Options, connect};

use super::RunningSource;
use super::couriers::Couriers;
use crate::codes::Code;
use crate::config::SourceConfig;
use crate::failure::Failure;

/// A name that no other life of a process has: leases are given to it, and never outlive it.
pub(super) fn node_of_this_life(node_name: &str) -> Arc<str> {
    format!("{node_name}-{}-{:08x}", std::process::id(), seed() & 0xffff_ffff).into()
}

/// Characters of a source's name that stand in the name under which it greets its table, which has
/// no room for more.
const SOURCE_CHARS_MAX: usize = 40;

/// Each source has a name of its own, so that two of them on one table notice each other.
fn node_of_source(node: &str, source: &str) -> Arc<str> {
    let source: String = source.chars().take(SOURCE_CHARS_MAX).collect();
    format!("{node}/{source}").into()
}

/// Starts a source on the runtime that this is called on.
///
/// # Errors
/// What is wrong with the address of its database.
pub(super) fn source(
    config: &SourceConfig,
    node: &Arc<str>,
    couriers: &Arc<Couriers>,
) -> Result<RunningSource, Failure> {
    let database = Arc::new(open(config)?);
    let handle = runner::start(Parts {
        name: config.name.clone(),
        node: node_of_source(node, &config.name),
        source: database.clone(),
        carrier: couriers.clone(),
        plan: config.plan.clone(),
        tempo: config.tempo,
        retention: config.retention,
        seed: seed(),
    });
    Ok(RunningSource { config: Arc::new(config.clone()), database, handle })
}

/// The database of a source. Nothing is asked of it yet.
///
/// # Errors
/// What is wrong with its address.
pub(crate) fn open(config: &SourceConfig) -> Result<AnySource, Failure> {
    let unusable = |problem: String| {
        let message = format!("the relay source \"{}\" cannot be used: {problem}", config.name);
        Failure::new(Code::SourceUnusable, message, "check its url in the configuration")
    };
    let url = config.url.read().map_err(unusable)?;
    let options = Options {
        region: config.plan.region.clone(),
        order: config.order,
        body_bytes_max: config.body_bytes_max,
        retention: config.retention,
        adoption: config.adoption.clone(),
        ..Options::default()
    };
    connect(&url, options).map_err(|error| unusable(error.to_string()))
}

/// A number that nobody can foresee; jitter needs no more than that it differs between nodes.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()))
}
