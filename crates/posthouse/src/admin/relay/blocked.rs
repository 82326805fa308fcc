//! Business ids that wait for somebody to decide.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use posthouse_pump::request::RequestId;
use posthouse_relay::source::look;
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
pub(crate) struct BlockedQuery {
    /// Where to go on: `next` of the answer before.
    cursor: Option<i64>,
    /// Business ids at most: 1 to 500, 100 when absent.
    limit: Option<u32>,
}

/// Blocked business ids, by the number of the request that blocks them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BlockedPage {
    /// The business ids.
    items: Vec<BlockedKey>,
    /// The cursor to go on with; absent at the end.
    next: Option<i64>,
}

/// A business id that waits for somebody to decide.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BlockedKey {
    /// The business id; absent of a blocked request that has none.
    key: Option<String>,
    /// The request that was given up.
    id: i64,
    /// Its code.
    code: String,
    /// Since when, in milliseconds since 1970 by the source's clock.
    since_ms: i64,
    /// For how long, in milliseconds.
    age_ms: i64,
    /// Open requests of this business id, counted up to a thousand.
    depth: u64,
    /// What was wrong with the last try.
    error: Option<String>,
}

/// List blocked business ids.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/blocked", tag = "relay",
    params(("name" = String, Path), BlockedQuery),
    responses((status = 200, body = BlockedPage), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_blocked(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<BlockedQuery>,
) -> Result<Json<BlockedPage>, Problem> {
    let source = ask::source(&admin, &name)?;
    let limit = rows::limit(query.limit)?;
    let after = query.cursor.map_or(RequestId::LOWEST, RequestId);
    let keys = ask::blocked(source, after, limit).await?;
    let is_full = u32::try_from(keys.len()).is_ok_and(|count| count >= limit);
    let next = keys.last().filter(|_| is_full).map(|key| key.head.0);
    Ok(Json(BlockedPage { items: keys.into_iter().map(BlockedKey::from).collect(), next }))
}

impl From<look::BlockedKey> for BlockedKey {
    fn from(key: look::BlockedKey) -> BlockedKey {
        BlockedKey {
            key: key.key,
            id: key.head.0,
            code: key.code,
            since_ms: key.since_ms,
            age_ms: key.age_ms,
            depth: key.depth,
            error: key.error,
        }
    }
}
