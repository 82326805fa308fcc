//! The store in figures, for people and scripts.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use posthouse_store::journal::{CheckpointFigures, Figures, Opening, Watch};
use serde::Serialize;
use utoipa::ToSchema;

use super::Admin;
use super::problem::Problem;
use crate::broker_thread::Ask;
use crate::codes::Code;

/// The store in figures. Counters begin at 0 when the node starts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Store {
    /// Whether there is no room on the disk, so that producers are refused.
    full: bool,
    /// Whether a backup keeps everything where it is.
    held: bool,
    /// Batches that were made durable.
    batches: u64,
    /// Bytes of batches that were made durable, padding included.
    written_bytes: u64,
    /// Syncs of batches.
    syncs: u64,
    /// How long they took together, in seconds.
    sync_seconds: f64,
    /// Bytes of messages that are still wanted, as of the last checkpoint.
    live_bytes: u64,
    /// Bytes of segments that are not wanted any more, as of the last checkpoint.
    dead_bytes: u64,
    /// Bytes of segments that were still written to, or prepared, at the last checkpoint.
    current_bytes: u64,
    /// Bytes of segments that are kept back.
    spare_bytes: u64,
    /// The part of the segments before the last checkpoint that is live, from 0 to 1.
    live_ratio: f64,
    /// Checkpoints that counted.
    checkpoints: u64,
    /// The last of them; absent before the first.
    checkpoint: Option<Checkpoint>,
    /// Segments that were freed.
    freed_segments: u64,
    /// Messages that compaction has moved.
    moved_messages: u64,
    /// Bytes of their records.
    moved_bytes: u64,
    /// Messages that were read because they were not in memory.
    loads: u64,
    /// Bytes that were read for them.
    loaded_bytes: u64,
    /// Messages that could not be read.
    load_failures: u64,
    /// Messages that are kept and cannot be read.
    unreadable_messages: u64,
    /// Bytes of messages in memory.
    memory_bytes: u64,
    /// Bytes on disk of messages that need not survive.
    spool_bytes: u64,
    /// What was found when the node started.
    opening: Found,
}

/// The last checkpoint.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Checkpoint {
    /// The last batch that it takes in.
    batch: u64,
    /// Its length.
    bytes: u64,
    /// How long it took, with what was freed and moved after it.
    seconds: f64,
    /// How long ago it was over.
    age_seconds: f64,
}

/// What was found when the node started.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Found {
    /// The batch of the checkpoint that the start began with; 0 if there was none.
    checkpoint_batch: u64,
    /// Batches that were read after it.
    replayed_batches: u64,
    /// Bytes of records in them.
    replayed_bytes: u64,
    /// Bytes that a crash had cut off before they were confirmed.
    torn_tail_bytes: u64,
    /// Batches that were written once more, because only the system's memory may have had them.
    rewritten_batches: u64,
}

/// What the journal's files hold besides the figures that it has: bytes that are not wanted.
pub(super) fn dead_bytes(figures: &Figures) -> u64 {
    figures.space.settled_bytes.saturating_sub(figures.space.live_bytes)
}

/// The part of what lies before the last checkpoint that is wanted, from 0 to 1; 1 if nothing
/// lies there.
pub(super) fn live_ratio(figures: &Figures) -> f64 {
    let space = &figures.space;
    let all = space.settled_bytes.max(space.live_bytes);
    if all == 0 { 1.0 } else { space.live_bytes as f64 / all as f64 }
}

impl From<&CheckpointFigures> for Checkpoint {
    fn from(figures: &CheckpointFigures) -> Checkpoint {
        Checkpoint {
            batch: figures.batch.0,
            bytes: figures.bytes,
            seconds: figures.took.as_secs_f64(),
            age_seconds: figures.ended.elapsed().as_secs_f64(),
        }
    }
}

impl From<&Opening> for Found {
    fn from(opening: &Opening) -> Found {
        Found {
            checkpoint_batch: opening.checkpoint.0,
            replayed_batches: opening.replayed_batches,
            replayed_bytes: opening.replayed_bytes,
            torn_tail_bytes: opening.torn_tail_bytes,
            rewritten_batches: opening.rewritten_batches,
        }
    }
}

/// Show the store in figures.
#[utoipa::path(
    get, path = "/api/v1/store", tag = "store",
    responses((status = 200, body = Store), (status = "4XX", body = Problem))
)]
pub(crate) async fn show_store(State(admin): State<Arc<Admin>>) -> Result<Json<Store>, Problem> {
    let overview = admin.asker.ask(Ask::Overview).await?;
    let destinations = admin.asker.destinations().await?;
    let figures = journal(&admin)?.figures();
    Ok(Json(Store {
        held: admin.holds.is_held(),
        memory_bytes: overview.broker.resident_bytes,
        unreadable_messages: destinations.iter().map(|stats| stats.unreadable).sum(),
        ..Store::from(&figures)
    }))
}

/// The node's journal.
///
/// # Errors
/// That everything is in memory.
pub(super) fn journal(admin: &Admin) -> Result<&Watch, Problem> {
    admin.journal.as_ref().ok_or_else(|| {
        let detail = "this node keeps everything in memory: `journal.enabled` is false";
        Problem::new(StatusCode::NOT_FOUND, Code::StoreAbsent, detail)
    })
}

impl From<&Figures> for Store {
    fn from(figures: &Figures) -> Store {
        Store {
            full: figures.is_full,
            held: false,
            batches: figures.batches,
            written_bytes: figures.written_bytes,
            syncs: figures.syncs,
            sync_seconds: Duration::from_micros(figures.sync_us_sum).as_secs_f64(),
            live_bytes: figures.space.live_bytes,
            dead_bytes: dead_bytes(figures),
            current_bytes: figures.space.current_bytes,
            spare_bytes: figures.space.spare_bytes,
            live_ratio: live_ratio(figures),
            checkpoints: figures.checkpoints,
            checkpoint: figures.checkpoint.as_ref().map(Checkpoint::from),
            freed_segments: figures.freed_segments,
            moved_messages: figures.moved_messages,
            moved_bytes: figures.moved_bytes,
            loads: figures.loads,
            loaded_bytes: figures.loaded_bytes,
            load_failures: figures.load_failures,
            unreadable_messages: 0,
            memory_bytes: 0,
            spool_bytes: figures.spool_bytes,
            opening: Found::from(&figures.opening),
        }
    }
}
