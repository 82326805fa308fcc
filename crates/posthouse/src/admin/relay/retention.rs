//! How long finished requests stay, and what has been removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use posthouse_relay::source::retention::KEPT_STATES;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use crate::admin::Admin;
use crate::admin::extract::Named;
use crate::admin::problem::Problem;

/// How long finished requests of a source stay, and what all nodes together have removed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayRetention {
    /// The source.
    source: String,
    /// For each state how long its requests stay, in milliseconds; absent: for ever.
    keep: Vec<Keep>,
    /// Whether they are moved to the archive, instead of being deleted.
    archive: bool,
    /// How long they stay there, in milliseconds; absent: for ever.
    keep_archive_ms: Option<u64>,
    /// The node that walks over the table now.
    walking: Option<String>,
    /// When a walk came to its end last, in milliseconds since 1970 by the source's clock.
    ended_ms: Option<i64>,
    /// Requests that were moved to the archive, ever.
    archived: u64,
    /// Requests that were deleted without, ever.
    deleted: u64,
    /// Requests that were deleted from the archive, ever.
    forgotten: u64,
}

/// How long requests of one state stay.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Keep {
    /// The state.
    state: &'static str,
    /// How long, in milliseconds; absent: for ever.
    keep_ms: Option<u64>,
}

/// Show how long finished requests stay, and what has been removed.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/retention", tag = "relay",
    params(("name" = String, Path)),
    responses((status = 200, body = RelayRetention), (status = "4XX", body = Problem))
)]
pub(crate) async fn show_retention(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
) -> Result<Json<RelayRetention>, Problem> {
    let source = ask::source(&admin, &name)?;
    let state = ask::retention(source).await?;
    let retention = source.config.retention;
    let states = KEPT_STATES.iter().zip(retention.ages.0);
    Ok(Json(RelayRetention {
        source: name,
        keep: states.map(|((state, _), keep_ms)| Keep { state, keep_ms }).collect(),
        archive: retention.is_archived,
        keep_archive_ms: retention.archive_ms,
        walking: state.owner,
        ended_ms: state.ended_ms,
        archived: state.archived,
        deleted: state.deleted,
        forgotten: state.forgotten,
    }))
}
