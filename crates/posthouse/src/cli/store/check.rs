//! `posthouse store check`: whether a node would start on a store, and all that is wrong with it.

use posthouse_store::journal::inspect::{Finding, FindingKind, Report, check};
use posthouse_store::journal::layout::BLOCK_BYTES;
use serde_json::{Value, json};

use super::super::Global;
use super::super::output::{self, Column};
use super::super::progress::Progress;
use super::{OfflineStore, open_alone};
use crate::codes::Code;
use crate::failure::Failure;
use crate::store_failure::{explained, of_fault};

const FINDINGS: [Column; 6] = [
    Column("kind", "kind"),
    Column("file", "file"),
    Column("block", "block"),
    Column("byte", "byte"),
    Column("bytes", "bytes"),
    Column("what", "what"),
];

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let (store, _onlooker) = open_alone(global)?;
    let report = look(&store)?;
    let rows: Vec<Value> = report.findings.iter().map(row).collect();
    output::rows(global.output, &FINDINGS, &rows, "nothing is out of order")?;
    tell(&report);
    judge(&store, &report)
}

/// Checks a whole store, with a bar.
///
/// # Errors
/// If nothing can be said of it.
pub(in super::super) fn look(store: &OfflineStore) -> Result<Report, Failure> {
    let progress = Progress::new("checking");
    let mut tell = |done, total| progress.show(done, total);
    check(&store.files, &mut tell).map_err(|fault| of_fault(&store.dir, &fault))
}

/// Makes damage a failure.
///
/// # Errors
/// [`Code::StoreDamaged`] with the first damage, which a start would meet.
pub(in super::super) fn judge(store: &OfflineStore, report: &Report) -> Result<(), Failure> {
    let is_damage = |finding: &&Finding| finding.kind == FindingKind::Damage;
    let Some(first) = report.findings.iter().find(is_damage) else { return Ok(()) };
    let count = report.findings.iter().filter(is_damage).count();
    let places = if count == 1 { "place" } else { "places" };
    let dir = store.dir.display();
    let message = format!("the store in {dir} is damaged in {count} {places}; the first: {first}");
    Err(explained(Code::StoreDamaged, message))
}

fn tell(report: &Report) {
    let Report { left_out, segments, batches, last, .. } = report;
    if *left_out > 0 {
        eprintln!("these are the first {}; {left_out} more are left out", report.findings.len());
    }
    let last = last.map_or_else(String::new, |last| format!("; the last batch is {}", last.0));
    eprintln!("read {segments} segments with {batches} batches{last}");
}

fn row(finding: &Finding) -> Value {
    let Finding { kind, file, at, bytes, what } = finding;
    json!({
        "kind": kind.as_str(),
        "file": file,
        "block": at / BLOCK_BYTES as u64,
        "byte": at,
        "bytes": bytes,
        "what": what,
    })
}
