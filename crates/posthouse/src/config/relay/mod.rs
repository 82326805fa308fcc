//! The relay's part of the configuration: request tables, groups, codes, endpoints and windows.
//!
//! Names must lead somewhere, numbers must be within bounds, windows must be possible: a plan made
//! here need not be checked again. All mistakes are found at once.

mod access;
mod adopt;
mod call;
mod discoveries;
mod endpoints;
mod health;
mod kind;
mod plan;
mod retention;
mod route;
mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_relay::runner::Tempo;

use super::reader::Reader;
pub(crate) use health::{AlarmTarget, HealthConfig};
pub(crate) use route::Route;
pub(crate) use sources::SourceConfig;

/// Longest duration of the relay that may be configured, in milliseconds: thirty days.
const DURATION_MS_MAX: u64 = 30 * 86_400_000;

/// The shortest time from one look of the health rules to the next, in milliseconds.
const CHECK_MS_MIN: u64 = 50;

/// The relay as it is configured. Without sources there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct RelayConfig {
    /// Request tables, each with its plan.
    pub(crate) sources: Vec<SourceConfig>,
    /// How endpoints are reached, by name.
    pub(crate) routes: BTreeMap<Arc<str>, Route>,
    /// How sources are watched over.
    pub(crate) health: HealthConfig,
}

/// Reads it; what is wrong goes to `report`.
pub(super) fn read(reader: &mut Reader<'_>) -> RelayConfig {
    let every_ms = reader.duration("relay.check_every", CHECK_MS_MIN..=DURATION_MS_MAX);
    let (raw, report) = (reader.raw(), &mut reader.report);
    let discoveries = discoveries::read(raw, report);
    let (routes, limits) = endpoints::read(raw, &discoveries, report);
    let endpoints: Vec<Arc<str>> = limits.keys().cloned().collect();
    let mut sources = sources::read(raw, report);
    let names: Vec<String> = sources.iter().map(|source| source.name.to_string()).collect();
    let book = plan::Book::read(raw, &names, limits, report);
    for source in &mut sources {
        source.plan = book.plan_of(&source.name, &source.plan.region);
    }
    let health = health::read(raw, every_ms, &sources, &endpoints, report);
    RelayConfig { sources, routes, health }
}

/// How often a source is looked at, when nothing is said.
const TEMPO: Tempo = Tempo { round_ms: 250, lease_ms: 15_000 };
