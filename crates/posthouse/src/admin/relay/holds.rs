//! What operators hold: business ids, codes and endpoints of which nothing starts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use posthouse_pump::input::Hold;
use posthouse_relay::source::operate::Action;
use posthouse_relay::source::slot_of;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changed, actions, ask};
use crate::admin::Admin;
use crate::admin::access::Principal;
use crate::admin::extract::{Asked, Named};
use crate::admin::page::{ListQuery, Page, Row, SortKey, page};
use crate::admin::problem::Problem;
use crate::codes::Code;

/// Something that is held.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayHold {
    /// `key`, `code` or `endpoint`.
    kind: &'static str,
    /// Its name.
    name: String,
}

/// What to hold or let go.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HoldQuery {
    /// `key` for a business id, `code` or `endpoint`.
    kind: HoldKind,
    /// Its name.
    of: String,
}

/// What can be held.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HoldKind {
    /// A business id.
    Key,
    /// A request code.
    Code,
    /// An endpoint.
    Endpoint,
}

impl Row for RelayHold {
    const SORTS: &'static [&'static str] = &["name", "kind"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Text(match field {
            "kind" => self.kind.to_owned(),
            _ => self.name.clone(),
        })
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text)
    }
}

/// List what is held.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/holds", tag = "relay",
    params(("name" = String, Path), ListQuery),
    responses((status = 200, body = Page<RelayHold>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_holds(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayHold>>, Problem> {
    let control = ask::control(ask::source(&admin, &name)?).await?;
    Ok(Json(page(control.holds.iter().map(describe).collect(), &query)?))
}

/// Hold a business id, a code or an endpoint: nothing of it starts until it is let go.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/holds", tag = "relay",
    params(("name" = String, Path), HoldQuery),
    responses((status = 200, body = Changed), (status = "4XX", body = Problem))
)]
pub(crate) async fn add_hold(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<HoldQuery>,
) -> Result<Json<Changed>, Problem> {
    let source = ask::source(&admin, &name)?;
    let plan = ask::status(source).await?.plan;
    // A slip in a name would hold nothing, and nobody would notice.
    let is_known = match query.kind {
        HoldKind::Key => true,
        HoldKind::Code => plan.codes.contains_key(&*query.of),
        HoldKind::Endpoint => plan.endpoints.contains_key(&*query.of),
    };
    if !is_known {
        return Err(ask::no_name(query.kind.word(), &query.of));
    }
    actions::carry_out(source, &user, "held something", Action::Hold(hold(&query))).await
}

/// Let go what is held.
#[utoipa::path(
    delete, path = "/api/v1/relay/sources/{name}/holds", tag = "relay",
    params(("name" = String, Path), HoldQuery),
    responses((status = 200, body = Changed), (status = "4XX", body = Problem))
)]
pub(crate) async fn end_hold(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<HoldQuery>,
) -> Result<Json<Changed>, Problem> {
    let source = ask::source(&admin, &name)?;
    let hold = hold(&query);
    if !ask::control(source).await?.holds.contains(&hold) {
        let detail = format!("the {} \"{}\" is not held", query.kind.word(), query.of);
        return Err(Problem::new(StatusCode::NOT_FOUND, Code::RelayNameUnknown, detail));
    }
    actions::carry_out(source, &user, "let something go", Action::Unhold(hold)).await
}

impl HoldKind {
    fn word(self) -> &'static str {
        match self {
            HoldKind::Key => "key",
            HoldKind::Code => "code",
            HoldKind::Endpoint => "endpoint",
        }
    }
}

fn hold(query: &HoldQuery) -> Hold {
    let name: Arc<str> = query.of.as_str().into();
    match query.kind {
        HoldKind::Key => Hold::Key { slot: slot_of(&name), key: name },
        HoldKind::Code => Hold::Code(name),
        HoldKind::Endpoint => Hold::Endpoint(name),
    }
}

fn describe(hold: &Hold) -> RelayHold {
    let (kind, name) = match hold {
        Hold::Key { key, .. } => ("key", key),
        Hold::Code(name) => ("code", name),
        Hold::Endpoint(name) => ("endpoint", name),
    };
    RelayHold { kind, name: name.to_string() }
}
