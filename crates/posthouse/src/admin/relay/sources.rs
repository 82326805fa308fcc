//! Sources as they do, on this node.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use posthouse_pump::input::Hold;
use posthouse_pump::pump::{Cause, LockedFigures, WithheldFigures};
use posthouse_relay::runner::Status;
use posthouse_relay::source::Dialect;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ask, states};
use crate::admin::Admin;
use crate::admin::access::Principal;
use crate::admin::extract::{Asked, Named};
use crate::admin::page::{ListQuery, Page, Row, SortKey, page};
use crate::admin::problem::Problem;
use crate::relay::RunningSource;

/// A bound of error beyond which nothing is known of the source's clock, in milliseconds.
const CLOCK_ERROR_MS_MAX: i64 = 86_400_000;

/// A request table, and how this node does with it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelaySource {
    /// Its name.
    name: String,
    /// `sqlite` or `postgres`.
    database: &'static str,
    /// The region whose requests are sent.
    region: String,
    /// The name of this node beside its buckets.
    node: String,
    /// `working`, `starting` or `in trouble`.
    state: &'static str,
    /// What was wrong with the last round.
    trouble: Option<String>,
    /// The source's time, in milliseconds since 1970, if it is known.
    source_ms: Option<i64>,
    /// How far that may be off to either side, in milliseconds.
    clock_error_ms: Option<i64>,
    /// How far the source's clock is ahead of this node's, in milliseconds.
    clock_offset_ms: Option<i64>,
    /// The version of the operators' settings that this node obeys.
    control_version: i64,
    /// Requests in memory.
    resident: u64,
    /// Bytes of these, roughly.
    resident_bytes: u64,
    /// Attempts under way.
    in_flight: u64,
    /// Business ids of which something is withheld.
    withheld_keys: u64,
    /// Whether these are so many that nothing new is read until there are fewer.
    withheld_full: bool,
    /// Business ids that are blocked, in the buckets of this node.
    blocked_keys: u64,
    /// Business ids that wait for a number that is not there, as far as this node has counted.
    gap_keys: u64,
    /// Outcomes that are not written back yet.
    unsettled: u64,
    /// Outcomes that are not written back because another transaction has a lock on their
    /// requests; the others are written.
    locked: Option<LockedRows>,
    /// Outcomes that were refused because another node had the bucket by then.
    fenced: u64,
    /// Everything up to this request has been read.
    read_up_to: i64,
    /// What is withheld, and why.
    withheld: Vec<Withheld>,
    /// The table that it adopts, if it adopts one.
    adopts: Option<String>,
    /// Rows of that table that could not be fed; at most a hundred thousand are counted. In lists
    /// it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfed: Option<u64>,
    /// Open requests by state and code. In lists it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<Vec<OpenCount>>,
    /// Whether there are more open requests than were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_partial: Option<bool>,
}

/// Outcomes that another transaction keeps from being written back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LockedRows {
    /// How many.
    requests: u64,
    /// The lowest of the requests.
    lowest: i64,
    /// Since when there has been one of them, in milliseconds since 1970.
    since_ms: i64,
}

/// What is withheld for one cause.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Withheld {
    /// The kind of cause.
    cause: &'static str,
    /// What it is about, such as a group or a window.
    name: String,
    /// Business ids whose first request is withheld for it.
    keys: u64,
    /// Requests without a business id, or of a group without an order, that are withheld for it; at
    /// most a hundred thousand are counted.
    requests: u64,
    /// The lowest request that may be withheld for it.
    lowest: i64,
}

/// Open requests of one state and code.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OpenCount {
    /// Their state.
    state: &'static str,
    /// Their code.
    code: String,
    /// How many.
    requests: u64,
}

/// A source that was told to look.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Poked {
    /// Its name.
    source: String,
}

impl Row for RelaySource {
    const SORTS: &'static [&'static str] =
        &["name", "state", "resident", "in_flight", "withheld_keys", "blocked_keys"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Number(match field {
            "state" => return SortKey::Text(self.state.to_owned()),
            "resident" => self.resident,
            "in_flight" => self.in_flight,
            "withheld_keys" => self.withheld_keys,
            "blocked_keys" => self.blocked_keys,
            _ => return SortKey::Text(self.name.clone()),
        })
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text)
    }
}

/// List the request tables that this node relays.
#[utoipa::path(
    get, path = "/api/v1/relay/sources", tag = "relay", params(ListQuery),
    responses((status = 200, body = Page<RelaySource>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_sources(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelaySource>>, Problem> {
    let mut sources = Vec::new();
    for source in admin.relay.sources().values() {
        sources.push(describe(source, &ask::status(source).await?));
    }
    Ok(Json(page(sources, &query)?))
}

/// Show a source. What is open and what could not be fed is counted, if its database answers.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}", tag = "relay", params(("name" = String, Path)),
    responses((status = 200, body = RelaySource), (status = "4XX", body = Problem))
)]
pub(crate) async fn show_source(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
) -> Result<Json<RelaySource>, Problem> {
    let source = ask::source(&admin, &name)?;
    let mut shown = describe(source, &ask::status(source).await?);
    if let Ok((open, is_partial)) = ask::counts(source).await {
        let count = |count: posthouse_relay::source::look::Count| OpenCount {
            state: states::word(count.state),
            code: count.code,
            requests: count.requests,
        };
        shown.open = Some(open.into_iter().map(count).collect());
        shown.open_partial = Some(is_partial);
    }
    if source.config.adoption.is_some() {
        shown.unfed = ask::unfed_count(source).await.ok();
    }
    Ok(Json(shown))
}

/// Say that a source may have something new, so that it is looked at now.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/poke", tag = "relay",
    params(("name" = String, Path)),
    responses((status = 200, body = Poked), (status = "4XX", body = Problem))
)]
pub(crate) async fn poke_source(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
) -> Result<Json<Poked>, Problem> {
    ask::source(&admin, &name)?.handle.poke();
    // Writers may do this after every commit, so that it is no event worth a line in every log.
    tracing::debug!(source = name, user = user.name(), "poked");
    Ok(Json(Poked { source: name }))
}

fn describe(source: &RunningSource, status: &Status) -> RelaySource {
    let Status { now, figures, .. } = status;
    let is_known = now.error_ms < CLOCK_ERROR_MS_MAX;
    let of_clock = |ms: i64| is_known.then_some(ms);
    let wall_ms = i64::try_from(crate::broker_thread::wall_ms()).unwrap_or(i64::MAX);
    RelaySource {
        name: status.name.to_string(),
        database: match source.database.dialect() {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
            Dialect::Mysql => "mysql",
        },
        region: status.plan.region.to_string(),
        node: status.node.to_string(),
        state: state(status, is_known),
        trouble: status.trouble.clone(),
        source_ms: of_clock(now.source_ms),
        clock_error_ms: of_clock(now.error_ms),
        clock_offset_ms: of_clock(now.source_ms.saturating_sub(wall_ms)),
        control_version: status.control_version,
        resident: figures.resident as u64,
        resident_bytes: figures.resident_bytes as u64,
        in_flight: figures.codes.values().map(|code| code.in_flight).sum(),
        withheld_keys: figures.withheld_keys as u64,
        withheld_full: figures.is_withheld_full,
        blocked_keys: figures.blocked_keys as u64,
        gap_keys: status.gap_keys,
        unsettled: figures.unsettled as u64,
        locked: figures.locked.as_ref().map(locked),
        fenced: status.fenced,
        read_up_to: figures.read_up_to.0,
        withheld: figures.withheld.iter().map(withheld).collect(),
        adopts: source.config.adoption.as_ref().map(|adoption| adoption.table.shown()),
        unfed: None,
        open: None,
        open_partial: None,
    }
}

fn state(status: &Status, is_known: bool) -> &'static str {
    match &status.trouble {
        Some(_) => "in trouble",
        None if is_known => "working",
        None => "starting",
    }
}

fn locked(figures: &LockedFigures) -> LockedRows {
    let LockedFigures { requests, lowest, since_ms } = *figures;
    LockedRows { requests: requests as u64, lowest: lowest.0, since_ms }
}

fn withheld(figures: &WithheldFigures) -> Withheld {
    let (cause, name) = cause(&figures.cause);
    let (keys, requests) = (figures.keys as u64, figures.requests as u64);
    Withheld { cause, name, keys, requests, lowest: figures.lowest.0 }
}

/// The kind of a cause, which is one of a few words, and what it is about.
pub(in crate::admin) fn cause(cause: &Cause) -> (&'static str, String) {
    match cause {
        Cause::UnknownCode(code) => ("code unknown", code.to_string()),
        Cause::OtherGroup(code) => ("other group", code.to_string()),
        Cause::GroupOff(group) => ("group off", group.to_string()),
        Cause::Held(Hold::Key { key, .. }) => ("held", key.to_string()),
        Cause::Held(Hold::Code(name) | Hold::Endpoint(name)) => ("held", name.to_string()),
        Cause::UnknownWindow(window) => ("window unknown", window.to_string()),
        Cause::WindowShut(window) => ("window shut", window.to_string()),
        Cause::DueLater(_) => ("due later", String::new()),
        Cause::EndpointFull(endpoint) => ("endpoint full", endpoint.to_string()),
        Cause::ContentWanted => ("to be read", String::new()),
        Cause::BlockedFull => ("blocked", String::new()),
        Cause::Unreadable => ("unreadable", String::new()),
    }
}
