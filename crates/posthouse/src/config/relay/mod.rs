//! The relay's part of the configuration: request tables, groups, codes, endpoints and windows.
//!
//! Names must lead somewhere, numbers must be within bounds, windows must be possible: a plan made
//! here need not be checked again. All mistakes are found at once.

mod endpoints;
mod plan;
mod route;
mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_relay::runner::Tempo;

use super::raw::Raw;
use super::report::Report;
pub(crate) use route::Route;
pub(crate) use sources::SourceConfig;

/// Longest duration of the relay that may be configured, in milliseconds: thirty days.
const DURATION_MS_MAX: u64 = 30 * 86_400_000;

/// The relay as it is configured. Without sources there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct RelayConfig {
    /// Request tables, each with its plan.
    pub(crate) sources: Vec<SourceConfig>,
    /// How endpoints are reached, by name.
    pub(crate) routes: BTreeMap<Arc<str>, Route>,
}

/// Reads it; what is wrong goes to `report`.
pub(super) fn read(raw: &Raw, report: &mut Report) -> RelayConfig {
    let (routes, limits) = endpoints::read(raw, report);
    let mut sources = sources::read(raw, report);
    let names: Vec<String> = sources.iter().map(|source| source.name.to_string()).collect();
    let book = plan::Book::read(raw, &names, limits, report);
    for source in &mut sources {
        source.plan = book.plan_of(&source.name, &source.plan.region);
    }
    RelayConfig { sources, routes }
}

/// How often a source is looked at, when nothing is said.
const TEMPO: Tempo = Tempo { round_ms: 250, lease_ms: 15_000 };
