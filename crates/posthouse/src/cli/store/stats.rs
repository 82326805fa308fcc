//! `posthouse store stats`: what takes the room in a store, and what waits in it.

use posthouse_store::journal::inspect::{
    Amount, CheckpointStats, FileKind, SegmentStats, Stats, Waiting, stats, waiting,
};
use posthouse_store::journal::layout::name::segment_name;
use posthouse_store::journal::layout::segment::SegmentKind;
use serde_json::{Value, json};

use super::super::Global;
use super::super::output::{self, Column};
use super::super::progress::Progress;
use super::OfflineStore;
use crate::data_dir::Onlooker;
use crate::failure::Failure;
use crate::store_failure::of_fault;

const ROWS: [Column; 7] = [
    Column("part", "part"),
    Column("name", "name"),
    Column("count", "count"),
    Column("bytes", "bytes"),
    Column("used", "used_bytes"),
    Column("live", "live_bytes"),
    Column("ratio", "ratio"),
];

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let data_dir = global.data_dir()?;
    let onlooker = Onlooker::new(&data_dir);
    if let Err(failure) = &onlooker {
        eprintln!("{}: the figures are of a store that changes meanwhile", failure.message);
    }
    let store = OfflineStore::open(&data_dir)?;
    let counted = count(&store)?;
    let mut rows = rows_of(&counted);
    match waiting(&store.files) {
        Ok(waiting) => rows.extend(waiting.iter().map(waiting_row)),
        Err(why) => eprintln!("what waits in each destination cannot be told: {why}"),
    }
    output::rows(global.output, &ROWS, &rows, "the store is empty")
}

fn count(store: &OfflineStore) -> Result<Stats, Failure> {
    let progress = Progress::new("counting");
    let mut tell = |done, total| progress.show(done, total);
    stats(&store.files, &mut tell).map_err(|fault| of_fault(&store.dir, &fault))
}

fn rows_of(stats: &Stats) -> Vec<Value> {
    let files = stats.files.iter().map(|(kind, amount)| row("files", word(*kind), *amount));
    let segments = stats.segments.iter().map(segment_row);
    let records = stats.records.iter().map(|(kind, amount)| row("records", kind, *amount));
    let mut rows: Vec<Value> = files.chain(segments).collect();
    rows.extend(stats.checkpoint.as_ref().map(checkpoint_row));
    rows.push(log_row(stats));
    rows.extend(records);
    if stats.unreadable.count > 0 {
        rows.push(row("records", "unreadable", stats.unreadable));
    }
    rows
}

fn row(part: &str, name: &str, amount: Amount) -> Value {
    json!({ "part": part, "name": name, "count": amount.count, "bytes": amount.bytes })
}

fn segment_row(segment: &SegmentStats) -> Value {
    json!({
        "part": "segment",
        "name": segment_name(segment.id),
        "count": segment.batches.count,
        "bytes": segment.bytes,
        "used_bytes": segment.used_bytes,
        "live_bytes": segment.live.bytes,
        "ratio": ratio(segment.live_ratio()),
    })
}

fn checkpoint_row(checkpoint: &CheckpointStats) -> Value {
    row("checkpoint", &format!("batch {}", checkpoint.batch.0), checkpoint.chunks)
}

/// The ratio is that of the padding.
fn log_row(stats: &Stats) -> Value {
    json!({
        "part": "batches",
        "name": "with padding",
        "count": stats.batches.count,
        "bytes": stats.block_bytes,
        "used_bytes": stats.batches.bytes,
        "ratio": ratio(stats.padding_share()),
    })
}

fn waiting_row(waiting: &Waiting) -> Value {
    row("waiting", &waiting.name.to_string(), waiting.messages)
}

/// Four digits are enough.
fn ratio(ratio: f64) -> f64 {
    (ratio * 10_000.0).round() / 10_000.0
}

fn word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Manifest => "manifest",
        FileKind::Segment(SegmentKind::Journal) => "journal segments",
        FileKind::Segment(SegmentKind::Compacted) => "compacted segments",
        FileKind::Segment(SegmentKind::Spool) => "spool segments",
        FileKind::Spare => "spares",
        FileKind::Checkpoint => "checkpoints",
        FileKind::Unfinished => "unfinished",
        FileKind::Stranger => "strangers",
    }
}
