//! Endpoints as this node sees them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use posthouse_pump::plan::Endpoint;
use posthouse_pump::pump::EndpointFigures;
use posthouse_pump::time::Now;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use crate::admin::Admin;
use crate::admin::extract::{Asked, Named};
use crate::admin::page::{ListQuery, Page, Row, SortKey, page};
use crate::admin::problem::Problem;

/// Where requests go.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayEndpoint {
    /// Its name.
    name: String,
    /// `closed`: everything goes through; `open`: nothing but a trial now and then.
    breaker: &'static str,
    /// Attempts under way.
    in_flight: u64,
    /// At most so many at a time.
    concurrency_max: u64,
    /// At most so many a second; 0: no limit.
    rate_per_s: u64,
    /// How long one may take, in milliseconds.
    timeout_ms: u64,
    /// Requests for it in memory.
    resident: u64,
    /// Business ids, and requests without one, that could go as far as they are concerned.
    runnable: u64,
    /// For how long the oldest of these could have gone, in milliseconds.
    oldest_age_ms: Option<u64>,
}

impl Row for RelayEndpoint {
    const SORTS: &'static [&'static str] =
        &["name", "breaker", "in_flight", "resident", "runnable", "oldest_age_ms"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Number(match field {
            "breaker" => return SortKey::Text(self.breaker.to_owned()),
            "in_flight" => self.in_flight,
            "resident" => self.resident,
            "runnable" => self.runnable,
            "oldest_age_ms" => self.oldest_age_ms.unwrap_or(0),
            _ => return SortKey::Text(self.name.clone()),
        })
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text)
    }
}

/// List the endpoints of a source.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/endpoints", tag = "relay",
    params(("name" = String, Path), ListQuery),
    responses((status = 200, body = Page<RelayEndpoint>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_endpoints(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayEndpoint>>, Problem> {
    let status = ask::status(ask::source(&admin, &name)?).await?;
    let endpoints = status.plan.endpoints.iter().map(|(name, endpoint)| {
        let figures = status.figures.endpoints.get(name).cloned().unwrap_or_default();
        describe(name, endpoint, &figures, status.now)
    });
    Ok(Json(page(endpoints.collect(), &query)?))
}

fn describe(name: &str, endpoint: &Endpoint, figures: &EndpointFigures, now: Now) -> RelayEndpoint {
    RelayEndpoint {
        name: name.to_owned(),
        breaker: if figures.is_down { "open" } else { "closed" },
        in_flight: figures.in_flight.into(),
        concurrency_max: endpoint.concurrency_max.into(),
        rate_per_s: endpoint.rate_per_s.into(),
        timeout_ms: endpoint.timeout_ms,
        resident: figures.resident as u64,
        runnable: figures.runnable as u64,
        oldest_age_ms: oldest_age_ms(figures, now),
    }
}

/// For how long the oldest request that could go has been waiting, in milliseconds.
pub(in crate::admin) fn oldest_age_ms(figures: &EndpointFigures, now: Now) -> Option<u64> {
    let oldest_ms = figures.oldest_ms?;
    Some(u64::try_from(now.source_ms.saturating_sub(oldest_ms)).unwrap_or(0))
}
