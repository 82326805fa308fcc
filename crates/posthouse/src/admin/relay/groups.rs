//! Request groups, and their switches.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use posthouse_pump::plan::{Group, OnExpired, OnFailure, Order, Plan};
use posthouse_pump::pump::{CodeFigures, Figures};
use posthouse_relay::source::operate::Action;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changed, actions, ask};
use crate::admin::Admin;
use crate::admin::access::Principal;
use crate::admin::extract::{Asked, Named};
use crate::admin::page::{ListQuery, Page, Row, SortKey, page};
use crate::admin::problem::Problem;
use crate::config::duration_text;

/// Codes that are switched and governed as one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayGroup {
    /// Its name.
    name: String,
    /// Whether its requests are sent here.
    active: bool,
    /// The region whose relays send its requests; absent if all do.
    region: Option<String>,
    /// Whether that is another region than this relay's: no switch lets it be sent here.
    foreign: bool,
    /// What the configuration says.
    configured: bool,
    /// What an operator has said since; absent if nobody has.
    switched: Option<bool>,
    /// How many codes it has.
    codes: u64,
    /// `key`, `key-and-code` or `none`.
    order: &'static str,
    /// `block`, `block DURATION`, `skip` or `skip-and-mark`.
    on_failure: String,
    /// `skip` or `block`.
    on_expired: &'static str,
    /// Tries before a request is given up; 0 means that it is tried until it expires.
    attempts_max: u32,
    /// Its processing window.
    window: Option<String>,
    /// What has happened on this node.
    #[serde(flatten)]
    figures: CodeCounts,
}

/// What came of putting a switch somewhere.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Switched {
    #[serde(flatten)]
    changed: Changed,
    /// Why that changes nothing here, if it does not.
    note: Option<String>,
}

/// What has happened to requests on this node since it started.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct CodeCounts {
    /// Requests in memory now.
    pub(super) resident: u64,
    /// Attempts under way now.
    pub(super) in_flight: u64,
    /// Delivered.
    pub(super) done: u64,
    /// Given up after their tries.
    pub(super) failed: u64,
    /// Expired.
    pub(super) expired: u64,
    /// Turned down by their receivers.
    pub(super) rejected: u64,
    /// Failed tries that are followed by others.
    pub(super) retried: u64,
}

/// Where to put a switch.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SwitchQuery {
    /// `on`, `off`, or `configured` for what the configuration says.
    to: Position,
}

/// The positions of a switch.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Position {
    /// Its requests are sent.
    On,
    /// Its requests wait.
    Off,
    /// As the configuration says.
    Configured,
}

impl CodeCounts {
    /// Adds what happened to one code.
    pub(super) fn add(&mut self, figures: &CodeFigures) {
        self.resident += figures.resident;
        self.in_flight += figures.in_flight;
        self.done += figures.done;
        self.failed += figures.failed;
        self.expired += figures.expired;
        self.rejected += figures.rejected;
        self.retried += figures.retried;
    }
}

impl Row for RelayGroup {
    const SORTS: &'static [&'static str] =
        &["name", "codes", "resident", "in_flight", "done", "failed", "expired", "rejected"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Number(match field {
            "codes" => self.codes,
            "resident" => self.figures.resident,
            "in_flight" => self.figures.in_flight,
            "done" => self.figures.done,
            "failed" => self.figures.failed,
            "expired" => self.figures.expired,
            "rejected" => self.figures.rejected,
            _ => return SortKey::Text(self.name.clone()),
        })
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text)
    }
}

/// List the request groups of a source.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/groups", tag = "relay",
    params(("name" = String, Path), ListQuery),
    responses((status = 200, body = Page<RelayGroup>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_groups(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayGroup>>, Problem> {
    let source = ask::source(&admin, &name)?;
    let status = ask::status(source).await?;
    let switches: BTreeMap<Arc<str>, bool> =
        ask::control(source).await?.switches.into_iter().collect();
    let groups = status.plan.groups.iter().map(|(name, group)| {
        let switched = switches.get(name).copied();
        describe(name, group, switched, &status.plan, &status.figures)
    });
    Ok(Json(page(groups.collect(), &query)?))
}

/// Switch a group on or off, or leave it to the configuration again. Every node obeys within one
/// round.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/groups/{group}/switch", tag = "relay",
    params(("name" = String, Path), ("group" = String, Path), SwitchQuery),
    responses((status = 200, body = Switched), (status = "4XX", body = Problem))
)]
pub(crate) async fn switch_group(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named((name, group)): Named<(String, String)>,
    Asked(query): Asked<SwitchQuery>,
) -> Result<Json<Switched>, Problem> {
    let source = ask::source(&admin, &name)?;
    let status = ask::status(source).await?;
    let Some(configured) = status.plan.groups.get(&*group) else {
        return Err(ask::no_name("group", &group));
    };
    let note = foreign_note(&group, configured, &status.plan);
    let is_active = match query.to {
        Position::On => Some(true),
        Position::Off => Some(false),
        Position::Configured => None,
    };
    let action = Action::Switch { group, is_active };
    let Json(changed) =
        actions::carry_out(source, &user, "switched a request group", action).await?;
    Ok(Json(Switched { changed, note }))
}

/// Why no switch lets the requests of a group be sent here, if it is of another region. Relays of
/// its own region obey the switch if they share the database.
pub(super) fn foreign_note(name: &str, group: &Group, plan: &Plan) -> Option<String> {
    let region = group.region.as_deref().filter(|_| group.is_foreign(&plan.region))?;
    let ours = &*plan.region;
    Some(format!(
        "the group \"{name}\" is for relays of the region \"{region}\", and this one is of \
         \"{ours}\": nothing of it is sent here, whatever its switch says"
    ))
}

fn describe(
    name: &Arc<str>,
    group: &Group,
    switched: Option<bool>,
    plan: &Plan,
    figures: &Figures,
) -> RelayGroup {
    let mut counts = CodeCounts::default();
    let codes: Vec<&Arc<str>> =
        plan.codes.iter().filter(|(_, code)| code.group == *name).map(|(code, _)| code).collect();
    codes.iter().filter_map(|code| figures.codes.get(*code)).for_each(|code| counts.add(code));
    RelayGroup {
        name: name.to_string(),
        active: switched.unwrap_or(group.is_active) && !group.is_foreign(&plan.region),
        region: group.region.as_deref().map(str::to_owned),
        foreign: group.is_foreign(&plan.region),
        configured: group.is_active,
        switched,
        codes: codes.len() as u64,
        order: match group.order {
            Order::Key => "key",
            Order::KeyAndCode => "key-and-code",
            Order::None => "none",
        },
        on_failure: on_failure(group.on_failure),
        on_expired: match group.on_expired {
            OnExpired::Skip => "skip",
            OnExpired::Block => "block",
        },
        attempts_max: group.attempts_max,
        window: group.window.as_deref().map(str::to_owned),
        figures: counts,
    }
}

fn on_failure(policy: OnFailure) -> String {
    match policy {
        OnFailure::Block => "block".to_owned(),
        OnFailure::BlockFor { ms } => format!("block {}", duration_text(ms)),
        OnFailure::Skip => "skip".to_owned(),
        OnFailure::SkipAndMark => "skip-and-mark".to_owned(),
    }
}
