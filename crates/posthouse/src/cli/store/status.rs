//! `posthouse store status`: the figures of the store of a running node.

use super::super::Global;
use super::super::api::Api;
use super::super::output::{self, Column};
use crate::failure::Failure;

const SHOW: [Column; 27] = [
    Column("full", "full"),
    Column("held by a backup", "held"),
    Column("batches", "batches"),
    Column("bytes written", "written_bytes"),
    Column("syncs", "syncs"),
    Column("seconds in syncs", "sync_seconds"),
    Column("bytes live", "live_bytes"),
    Column("bytes dead", "dead_bytes"),
    Column("bytes current", "current_bytes"),
    Column("bytes spare", "spare_bytes"),
    Column("live ratio", "live_ratio"),
    Column("checkpoints", "checkpoints"),
    Column("last checkpoint, batch", "checkpoint.batch"),
    Column("last checkpoint, bytes", "checkpoint.bytes"),
    Column("last checkpoint, seconds", "checkpoint.seconds"),
    Column("last checkpoint, age in seconds", "checkpoint.age_seconds"),
    Column("segments freed", "freed_segments"),
    Column("messages moved", "moved_messages"),
    Column("bytes moved", "moved_bytes"),
    Column("loads", "loads"),
    Column("bytes loaded", "loaded_bytes"),
    Column("load failures", "load_failures"),
    Column("messages unreadable", "unreadable_messages"),
    Column("bytes in memory", "memory_bytes"),
    Column("bytes in the spool", "spool_bytes"),
    Column("batches read at the start", "opening.replayed_batches"),
    Column("bytes of a torn tail at the start", "opening.torn_tail_bytes"),
];

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let figures = Api::find(global)?.get("/store")?;
    output::single(global.output, &SHOW, &figures)
}
