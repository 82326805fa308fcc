//! Where receivers are, as discoveries tell this node, and what operators have drained.
//!
//! Discoveries belong to the node and not to a source. What is drained is so at this node, until it
//! is let work again or the node starts anew.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use posthouse_net::discovery::{InstanceState, InstanceView, View, Whom};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::admin::Admin;
use crate::admin::access::Principal;
use crate::admin::extract::{Asked, Named};
use crate::admin::page::{ListQuery, Page, Row, SortKey, page};
use crate::admin::problem::Problem;
use crate::codes::Code;

/// A service whose instances are followed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayDiscovery {
    /// The discovery and the service, parted by a slash.
    name: String,
    /// The discovery.
    discovery: String,
    /// The service.
    service: String,
    /// `waiting`, `fresh`, `unhealthy`, `kept`: the last good list, while the discovery does not
    /// answer or has nobody; or `lost`: no list at all.
    state: &'static str,
    /// For how long it has been so, in milliseconds.
    state_ms: u64,
    /// For how long the discovery has not said anything that was believed, in milliseconds.
    age_ms: Option<u64>,
    /// What is wrong, if anything is.
    problem: Option<String>,
    /// How often the discovery has failed.
    failures: u64,
    /// Instances that are known.
    instances: u64,
    /// Those that get calls.
    up: u64,
}

/// One instance of a service.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayInstance {
    /// Its host and port.
    name: String,
    /// The discovery.
    discovery: String,
    /// The service.
    service: String,
    /// `up`, `aside`: has just refused a connection; `drained`, `down`, `disabled`.
    state: &'static str,
    /// Attempts under way.
    in_flight: u64,
    /// How much of the work it should have.
    weight: u64,
    /// Those of the lowest rank that can be called are.
    rank: u64,
    /// For how long it is still set aside, in milliseconds.
    aside_ms: u64,
    /// How far the list that it stands in can be trusted; see the discoveries.
    standing: &'static str,
}

/// Of which services an instance is meant; of all that have it if nothing is said.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhomQuery {
    /// The discovery.
    discovery: Option<String>,
    /// The service.
    service: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Drained {
    /// Of so many services it is an instance.
    services: u64,
    /// Of so many something has changed.
    changed: u64,
}

impl Row for RelayDiscovery {
    const SORTS: &'static [&'static str] =
        &["name", "state", "state_ms", "age_ms", "failures", "instances", "up"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Number(match field {
            "state" => return SortKey::Text(self.state.to_owned()),
            "state_ms" => self.state_ms,
            "age_ms" => self.age_ms.unwrap_or(0),
            "failures" => self.failures,
            "instances" => self.instances,
            "up" => self.up,
            _ => return SortKey::Text(self.name.clone()),
        })
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text)
    }
}

impl Row for RelayInstance {
    const SORTS: &'static [&'static str] =
        &["name", "discovery", "service", "state", "in_flight", "weight", "rank"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Text(match field {
            "in_flight" => return SortKey::Number(self.in_flight),
            "weight" => return SortKey::Number(self.weight),
            "rank" => return SortKey::Number(self.rank),
            "discovery" => self.discovery.clone(),
            "service" => self.service.clone(),
            "state" => self.state.to_owned(),
            _ => self.name.clone(),
        })
    }

    fn contains(&self, text: &str) -> bool {
        [&self.name, &self.discovery, &self.service].iter().any(|field| field.contains(text))
    }
}

/// List the services whose instances are followed.
#[utoipa::path(
    get, path = "/api/v1/relay/discoveries", tag = "relay", params(ListQuery),
    responses((status = 200, body = Page<RelayDiscovery>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_discoveries(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayDiscovery>>, Problem> {
    let views = admin.relay.discoveries().view();
    Ok(Json(page(views.iter().map(describe).collect(), &query)?))
}

/// List all instances of all services.
#[utoipa::path(
    get, path = "/api/v1/relay/instances", tag = "relay", params(ListQuery),
    responses((status = 200, body = Page<RelayInstance>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_instances(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayInstance>>, Problem> {
    let views = admin.relay.discoveries().view();
    let instances = views.iter().flat_map(|view| {
        view.instances.iter().map(move |instance| describe_instance(view, instance))
    });
    Ok(Json(page(instances.collect(), &query)?))
}

/// Give an instance nothing new from now on. What is under way ends by itself.
#[utoipa::path(
    post, path = "/api/v1/relay/instances/{name}/drain", tag = "relay",
    params(("name" = String, Path), WhomQuery),
    responses((status = 200, body = Drained), (status = "4XX", body = Problem))
)]
pub(crate) async fn drain_instance(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<WhomQuery>,
) -> Result<Json<Drained>, Problem> {
    drain(&admin, &user, name, query, true)
}

/// Let an instance work again.
#[utoipa::path(
    delete, path = "/api/v1/relay/instances/{name}/drain", tag = "relay",
    params(("name" = String, Path), WhomQuery),
    responses((status = 200, body = Drained), (status = "4XX", body = Problem))
)]
pub(crate) async fn undrain_instance(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<WhomQuery>,
) -> Result<Json<Drained>, Problem> {
    drain(&admin, &user, name, query, false)
}

fn drain(
    admin: &Admin,
    user: &Principal,
    instance: String,
    query: WhomQuery,
    is_drained: bool,
) -> Result<Json<Drained>, Problem> {
    let WhomQuery { discovery, service } = query;
    let whom = Whom { instance, discovery, service };
    let (services, changed) = admin.relay.discoveries().drain(&whom, is_drained);
    let instance = whom.instance.as_str();
    if services == 0 {
        let detail = format!("no service that is followed has an instance \"{instance}\"");
        return Err(Problem::new(StatusCode::NOT_FOUND, Code::RelayNameUnknown, detail));
    }
    tracing::info!(?user, instance, services, changed, is_drained, "drained an instance, or not");
    Ok(Json(Drained { services: services as u64, changed: changed as u64 }))
}

fn describe(view: &View) -> RelayDiscovery {
    let is_up = |one: &&InstanceView| one.state == InstanceState::Up;
    RelayDiscovery {
        name: format!("{}/{}", view.discovery, view.service),
        discovery: view.discovery.to_string(),
        service: view.service.to_string(),
        state: view.standing.state.as_str(),
        state_ms: view.standing_ms,
        age_ms: view.age_ms,
        problem: view.standing.problem.as_deref().map(str::to_owned),
        failures: view.failures,
        instances: view.instances.len() as u64,
        up: view.instances.iter().filter(is_up).count() as u64,
    }
}

fn describe_instance(view: &View, one: &InstanceView) -> RelayInstance {
    RelayInstance {
        name: one.instance.id.to_string(),
        discovery: view.discovery.to_string(),
        service: view.service.to_string(),
        state: one.state.as_str(),
        in_flight: one.busy.into(),
        weight: one.instance.weight.into(),
        rank: one.instance.rank.into(),
        aside_ms: one.aside_ms,
        standing: view.standing.state.as_str(),
    }
}
