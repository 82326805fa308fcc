//! Holding the store still for a backup.
//!
//! Whoever copies the store asks for a hold, gets the list of the files with how much of each is
//! to be copied, renews the hold while it copies, and lets it go. If the renewal, or at last the
//! letting go, is refused, the hold was over before, and the copy is worth nothing. A task beside
//! each hold looks once a second whether it has to end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use posthouse_store::journal::{HeldFile, HeldStore};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use utoipa::ToSchema;

use super::Admin;
use super::access::Principal;
use super::extract::Named;
use super::holds::life_ms;
use super::problem::Problem;
use super::store::journal;
use crate::codes::Code;
use crate::store_failure::JOURNAL_DIR;
use crate::version::VERSION;

/// How long the store may take to come to rest, less than a request may take.
const REST_TIME_MAX: Duration = Duration::from_secs(25);

/// How often it is looked whether it has.
const REST_PAUSE: Duration = Duration::from_millis(5);

/// How often it is looked whether a hold has to end.
const WATCH_PAUSE: Duration = Duration::from_secs(1);

/// A store that is held still.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StoreHold {
    /// Names the hold.
    pub(crate) id: u64,
    /// Milliseconds after which it ends unless it is renewed.
    pub(crate) ends_in_ms: u64,
    /// The node's name.
    pub(crate) node: String,
    /// Its version.
    pub(crate) version: String,
    /// The directory of the files on the node's machine.
    pub(crate) directory: String,
    /// Which store it is, as hexadecimal digits.
    pub(crate) store: String,
    /// The last batch that is in the files.
    pub(crate) batch: u64,
    /// What a copy needs.
    pub(crate) files: Vec<StoreFile>,
}

/// A file of a store that is held still.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StoreFile {
    /// Its name.
    pub(crate) name: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// How much of it is to be copied. What is behind may change.
    pub(crate) durable_bytes: u64,
}

/// What became of a hold.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct HoldState {
    /// Names the hold.
    id: u64,
    /// Milliseconds after which it ends unless it is renewed; 0 if it has ended.
    ends_in_ms: u64,
}

/// Hold the store still for a backup, after a checkpoint.
#[utoipa::path(
    post, path = "/api/v1/store/holds", tag = "store",
    responses((status = 200, body = StoreHold), (status = "4XX", body = Problem))
)]
pub(crate) async fn hold_store(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
) -> Result<Json<StoreHold>, Problem> {
    let hold = journal(&admin)?.hold().ok_or_else(|| {
        let detail = "another backup holds the store; a hold that is not used ends after a minute";
        Problem::new(StatusCode::CONFLICT, Code::StoreHeld, detail)
    })?;
    let id = admin.holds.insert(hold, Instant::now());
    tokio::spawn(watch(admin.clone(), id));
    let store = rest(&admin, id).await?;
    let files = store.files.len();
    tracing::info!(id, batch = store.batch.0, files, user = %user.name(), "holding the store");
    Ok(Json(StoreHold {
        id,
        ends_in_ms: life_ms(),
        node: admin.node_name.clone(),
        version: VERSION.to_owned(),
        directory: admin.data_dir.join(JOURNAL_DIR).display().to_string(),
        store: store.store.to_string(),
        batch: store.batch.0,
        files: store.files.iter().map(StoreFile::from).collect(),
    }))
}

/// Waits until the store has come to rest.
async fn rest(admin: &Admin, id: u64) -> Result<Arc<HeldStore>, Problem> {
    let deadline = Instant::now() + REST_TIME_MAX;
    loop {
        if let Some(store) = admin.holds.store(id)? {
            return Ok(store);
        }
        if Instant::now() >= deadline {
            admin.holds.end(id)?;
            let detail = "the checkpoint before the backup takes too long; try again later";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::StoreHeld, detail));
        }
        sleep(REST_PAUSE).await;
    }
}

async fn watch(admin: Arc<Admin>, id: u64) {
    let is_full = || admin.journal.as_ref().is_some_and(|journal| journal.figures().is_full);
    while admin.holds.watch(id, Instant::now(), is_full()) {
        sleep(WATCH_PAUSE).await;
    }
}

/// Renew a hold.
#[utoipa::path(
    post, path = "/api/v1/store/holds/{id}/renew", tag = "store", params(("id" = u64, Path)),
    responses((status = 200, body = HoldState), (status = "4XX", body = Problem))
)]
pub(crate) async fn renew_hold(
    State(admin): State<Arc<Admin>>,
    Named(id): Named<u64>,
) -> Result<Json<HoldState>, Problem> {
    journal(&admin)?;
    admin.holds.renew(id, Instant::now())?;
    Ok(Json(HoldState { id, ends_in_ms: life_ms() }))
}

/// Let a hold go. Success means that it has lasted until now.
#[utoipa::path(
    delete, path = "/api/v1/store/holds/{id}", tag = "store", params(("id" = u64, Path)),
    responses((status = 200, body = HoldState), (status = "4XX", body = Problem))
)]
pub(crate) async fn end_hold(
    State(admin): State<Arc<Admin>>,
    Named(id): Named<u64>,
) -> Result<Json<HoldState>, Problem> {
    journal(&admin)?;
    admin.holds.end(id)?;
    tracing::info!(id, "let the store go");
    Ok(Json(HoldState { id, ends_in_ms: 0 }))
}

impl From<&HeldFile> for StoreFile {
    fn from(file: &HeldFile) -> StoreFile {
        let HeldFile { name, bytes, durable_bytes } = file.clone();
        StoreFile { name, bytes, durable_bytes }
    }
}
