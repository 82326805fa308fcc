//! Rows of an adopted table that could not be fed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use posthouse_relay::source::adopt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ask, rows};
use crate::admin::Admin;
use crate::admin::extract::{Asked, Named};
use crate::admin::problem::Problem;

/// Which part is wanted.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UnfedQuery {
    /// Where to go on: `next` of the answer before.
    cursor: Option<i64>,
    /// Rows at most: 1 to 500, 100 when absent.
    limit: Option<u32>,
}

/// Rows that could not be fed, by their ids.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UnfedPage {
    /// The rows.
    items: Vec<UnfedRow>,
    /// The cursor to go on with; absent at the end.
    next: Option<i64>,
}

/// A row of an adopted table that could not be fed. It is looked at again and again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UnfedRow {
    /// Its id in the adopted table.
    row: i64,
    /// Its business id, which it holds; absent if it has none, or none that can be read.
    key: Option<String>,
    /// Why it could not be fed.
    reason: String,
    /// Since when, in milliseconds since 1970 by the source's clock.
    since_ms: i64,
}

/// List the rows of the adopted table that could not be fed. A source without one has none.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/unfed", tag = "relay",
    params(("name" = String, Path), UnfedQuery),
    responses((status = 200, body = UnfedPage), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_unfed(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<UnfedQuery>,
) -> Result<Json<UnfedPage>, Problem> {
    let source = ask::source(&admin, &name)?;
    let limit = rows::limit(query.limit)?;
    let unfed = ask::unfed(source, query.cursor, limit).await?;
    let is_full = u32::try_from(unfed.len()).is_ok_and(|count| count >= limit);
    let next = unfed.last().filter(|_| is_full).map(|row| row.row_id);
    Ok(Json(UnfedPage { items: unfed.into_iter().map(UnfedRow::from).collect(), next }))
}

impl From<adopt::Unfed> for UnfedRow {
    fn from(unfed: adopt::Unfed) -> UnfedRow {
        UnfedRow {
            row: unfed.row_id,
            key: unfed.business_id,
            reason: unfed.reason,
            since_ms: unfed.since_ms,
        }
    }
}
