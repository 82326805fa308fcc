//! Starting one source.

use std::fs;
use std::sync::Arc;

use posthouse_relay::runner::{self, Parts};
use posthouse_relay::source::{AnySource, Options, connect};

use super::RunningSource;
use super::couriers::Couriers;
use crate::codes::Code;
use crate::config::{SourceConfig, Url};
use crate::failure::Failure;

/// Bytes of a file that holds the address of a database.
const URL_BYTES_MAX: usize = 4_096;

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
        seed: seed(),
    });
    Ok(RunningSource { config: Arc::new(config.clone()), database, handle })
}

/// The database of a source. Nothing is asked of it yet.
///
/// # Errors
/// What is wrong with its address.
pub(crate) fn open(config: &SourceConfig) -> Result<AnySource, Failure> {
    let url = url_of(config)?;
    let options = Options {
        region: config.plan.region.clone(),
        order: config.order,
        body_bytes_max: config.body_bytes_max,
        ..Options::default()
    };
    connect(&url, options).map_err(|error| {
        let message = format!("the relay source \"{}\" cannot be used: {error}", config.name);
        Failure::new(Code::SourceUnusable, message, "check its url in the configuration")
    })
}

fn url_of(config: &SourceConfig) -> Result<String, Failure> {
    let path = match &config.url {
        Url::Here(url) => return Ok(url.0.clone()),
        Url::File(path) => path,
    };
    let text = fs::read_to_string(path).map_err(|error| error.to_string());
    let text = text.and_then(|text| match text.trim() {
        "" => Err("it is empty".to_owned()),
        text if text.len() > URL_BYTES_MAX => {
            Err(format!("it is longer than {URL_BYTES_MAX} bytes"))
        }
        text => Ok(text.to_owned()),
    });
    text.map_err(|reason| {
        let path = path.display();
        let message =
            format!("the relay source \"{}\" cannot be used: {path}: {reason}", config.name);
        Failure::new(
            Code::SourceUnusable,
            message,
            "write the address of its database into that file",
        )
    })
}

/// A number that nobody can foresee; jitter needs no more than that it differs between nodes.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()))
}
