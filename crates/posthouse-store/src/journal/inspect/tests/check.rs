//! What a check finds.

use std::sync::Arc;

use posthouse_core::ids::BatchNo;

use super::shared;
use crate::files::held::HeldFiles;
use crate::journal::fault::Fault;
use crate::journal::inspect::{Finding, Report, check as inspect};
use crate::journal::layout::batch::{BatchHead, BatchKind, encode_batch};
use crate::journal::layout::manifest::Manifest;
use crate::journal::layout::name::{checkpoint_name, segment_id, segment_name};
use crate::journal::scan::tests::script::{
    STORE, epoch, lay_out, manifest, put_checkpoint, put_manifest,
};

const BLOCK: u64 = 4096;

fn report(files: &Arc<HeldFiles>) -> Report {
    inspect(&shared(files), &mut |_, _| {}).expect("it can be checked")
}

/// The findings, as `kind file block+blocks` each; of a segment's name only the id is shown.
fn told(report: &Report) -> Vec<String> {
    let tell = |finding: &Finding| {
        let file = segment_id(&finding.file).map_or(finding.file.clone(), |id| id.to_string());
        let (kind, at) = (finding.kind.as_str(), finding.at / BLOCK);
        format!("{kind} {file} {at}+{}", finding.bytes.div_ceil(BLOCK))
    };
    report.findings.iter().map(tell).collect()
}

fn check(script: &str, last: Option<u64>, expected: &[&str]) {
    check_files(&lay_out(script), last, expected);
}

fn check_files(files: &Arc<HeldFiles>, last: Option<u64>, expected: &[&str]) {
    let report = report(files);
    assert_eq!(told(&report), expected, "{:#?}", report.findings);
    assert_eq!(report.last, last.map(BatchNo));
    let is_damaged = expected.iter().any(|finding| finding.starts_with("damage"));
    assert_eq!(report.is_sound(), !is_damaged);
}

#[test]
fn a_sound_store_has_no_findings() {
    check("", Some(0), &[]);
    check("1: 1 2x3/1 v2 3/2\n2: v3 4/3\n3c: m1 m2x2", Some(4), &[]);
    let report = report(&lay_out("1: 1 2x3/1 v2 3/2\n3c: m1 m2x2"));
    assert_eq!((report.segments, report.batches), (2, 5));
}

#[test]
fn a_torn_end_is_no_damage() {
    check("1: 1 2x3-1", Some(1), &["unconfirmed tail 1 2+2"]);
    check("1: 1 2x3-1 3/1", Some(1), &["unconfirmed tail 1 2+3"]);
    check("1: 1 2-0 3/1\n2: 2 3 v3", Some(3), &["unconfirmed tail 1 2+1"]);
    check("1c: m1 m2x2-0", Some(0), &["unconfirmed tail 1 2+1"]);
}

#[test]
fn leftovers_are_no_damage() {
    check("1: 1 v1 ~7x2 _ ~9", Some(1), &["leftover 1 3+3"]);
}

#[test]
fn all_damage_is_told_and_not_only_the_first() {
    check("1: 1 2!0 3 4x3!12 v4", None, &["damage 1 2+1", "damage 1 5+2"]);
    check("1: 1!0 v1\n2: 2!0 v2", None, &["damage 1 1+1", "damage 2 1+1"]);
}

#[test]
fn a_confirmed_batch_that_is_gone_is_damage() {
    check("1: 1 2-0 3/2", None, &["damage 1 2+0"]);
    check("1: 1 2%0 v2", None, &["damage 1 2+0", "leftover 1 4+1"]);
    check("1: 1\n2: 3/2", None, &["damage 1 2+0"]);
    check("1: 1-0 2/1", None, &["damage 1 1+0"]);
    check("1: 1-0 v1", None, &["damage 1 1+0"]);
}

/// What lies before the checkpoint is not replayed, and may still hold messages that wait.
#[test]
fn damage_before_the_checkpoint_is_found() {
    let with = |script: &str| {
        let files = lay_out(script);
        put_checkpoint(&files, 3, 2, 1);
        files
    };
    check_files(&with("1: 1 2 3\n2: 4/3"), Some(4), &[]);
    check_files(&with("1: 1 2!0 3/2\n2: 4/3"), Some(4), &["damage 1 2+1"]);
    check_files(&with("1: 1 2-0 3/2\n2: 4/3"), Some(4), &["damage 1 2+0"]);
    check_files(&with("1: 1 3-0\n2: 4/3"), Some(4), &[]);
}

#[test]
fn segments_that_are_not_what_they_should_be_are_damage() {
    let files = lay_out("1: 1 v1\n2c: m1");
    files.change(&segment_name(2), |bytes| bytes[50] ^= 1);
    check_files(&files, Some(1), &["damage 2 0+0"]);
    let files = lay_out("1: 1 v1");
    files.change(&segment_name(1), |bytes| bytes.truncate(3 * BLOCK as usize));
    check_files(&files, Some(0), &["damage 1 3+0"]);
}

#[test]
fn records_that_cannot_be_read_are_damage() {
    let files = lay_out("1:");
    let kind = BatchKind::Batch;
    let head = BatchHead { kind, bytes: 9, durable_up_to: BatchNo(0), wall_ms: 0 };
    let mut batch = Vec::new();
    encode_batch(&mut batch, epoch(1), 1, &head, &[0xff; 9]);
    files.change(&segment_name(1), |bytes| bytes[4096..8192].copy_from_slice(&batch));
    check_files(&files, Some(1), &["damage 1 1+0"]);
}

#[test]
fn both_slots_of_the_manifest_are_looked_at() {
    let files = lay_out("1: 1");
    files.put("manifest.b", manifest().encode()[..77].to_vec());
    check_files(&files, Some(1), &["unconfirmed tail manifest.b 0+1"]);
    files.put("manifest.b", vec![0; 4096]);
    check_files(&files, Some(1), &[]);
    files.put("manifest.b", vec![1; 4096]);
    files.put("manifest.a", Vec::new());
    let expected = [
        "damage manifest.a 0+1",
        "unconfirmed tail manifest.a 0+1",
        "unconfirmed tail manifest.b 0+1",
    ];
    check_files(&files, None, &expected);
}

#[test]
fn checkpoints_are_read_to_their_end() {
    let files = lay_out("1: 1 2 v2");
    put_checkpoint(&files, 1, 1, 2);
    check_files(&files, Some(2), &[]);
    let (first, second) = (checkpoint_name(BatchNo(1)), checkpoint_name(BatchNo(2)));
    files.put(&second, vec![1; 9]);
    check_files(&files, Some(2), &[&format!("leftover {second} 0+1")]);
    files.change(&first, |bytes| bytes[60] ^= 1);
    let expected = [format!("damage {first} 0+0"), format!("leftover {second} 0+1")];
    check_files(&files, Some(2), &expected.each_ref().map(String::as_str));
    let named = Manifest { generation: 9, checkpoint: BatchNo(7), ..manifest() };
    put_manifest(&files, 1, &named);
    let told = told(&report(&files));
    assert!(told.contains(&"damage 0000000000000007.checkpoint 0+0".to_owned()), "{told:?}");
}

#[test]
fn what_is_not_ours_or_not_finished_is_told() {
    let files = lay_out("");
    files.put("notes.txt", vec![1]);
    files.put("0000000000000003.segment.new", vec![1; 5000]);
    files.put("0000000000000003.spare", vec![1; 5000]);
    let expected = ["leftover 0000000000000003.segment.new 0+2", "stranger notes.txt 0+0"];
    check_files(&files, Some(0), &expected);
}

#[test]
fn a_newer_store_is_not_judged() {
    let files = lay_out("");
    let mut slot = Manifest { store: STORE, ..manifest() }.encode();
    slot[8] = 2;
    let sum = crc32c::crc32c_append(crc32c::crc32c(&slot[..12]), &slot[16..]);
    slot[12..16].copy_from_slice(&sum.to_le_bytes());
    files.put("manifest.b", slot);
    let fault = inspect(&shared(&files), &mut |_, _| {}).expect_err("it is newer");
    assert!(matches!(fault, Fault::Future { format: 2, .. }), "{fault}");
}

#[test]
fn progress_goes_from_nothing_to_everything() {
    let files = lay_out("1: 1 v1\n2: 2");
    let mut steps = Vec::new();
    inspect(&shared(&files), &mut |done, total| steps.push((done, total))).expect("it is sound");
    let total = (2 * 16 + 1) * BLOCK;
    assert_eq!((steps.first(), steps.last()), (Some(&(0, total)), Some(&(total, total))));
}
