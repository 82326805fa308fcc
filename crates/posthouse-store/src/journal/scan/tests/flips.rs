//! A flipped bit anywhere in a store is either noticed or harmless.

use std::sync::Arc;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Batch;

use super::script::{lay_out, put_checkpoint};
use crate::files::Files;
use crate::files::held::HeldFiles;
use crate::journal::fault::Fault;
use crate::journal::layout::checkpoint::ChunkReader;
use crate::journal::layout::name::{MANIFEST_NAMES, checkpoint_name, segment_name};
use crate::journal::scan::{Directory, LogReader};

/// Coprime to the length of everything, so that in the end every field of a block is hit.
const STEP: usize = 43;

/// Everything that a start reads.
#[derive(Debug, PartialEq)]
struct Start {
    payloads: Vec<Vec<u8>>,
    batches: Vec<Batch>,
}

fn start(files: &Arc<HeldFiles>) -> Result<Start, Fault> {
    let directory = Directory::read(&**files)?;
    let manifest = directory.manifest.expect("there is one");
    let payloads = read_checkpoint(&**files, manifest.checkpoint)?;
    let from = BatchNo(manifest.checkpoint.0 + 1);
    let mut reader = LogReader::new(files.clone(), &directory, from);
    let mut batches = Vec::new();
    while let Some((batch, ..)) = reader.next()? {
        batches.push(batch);
    }
    Ok(Start { payloads, batches })
}

fn read_checkpoint(files: &dyn Files, batch: BatchNo) -> Result<Vec<Vec<u8>>, Fault> {
    if batch == BatchNo(0) {
        return Ok(Vec::new());
    }
    let name = checkpoint_name(batch);
    let file = files.open(&name).map_err(Fault::io("open", &name))?;
    let mut reader = ChunkReader::open(&*file, &name)?;
    let mut payloads = Vec::new();
    while let Some(payload) = reader.next_payload()? {
        payloads.push(payload.to_vec());
    }
    Ok(payloads)
}

fn store() -> Arc<HeldFiles> {
    let files = lay_out("1: 1 2/1 3x2/2 4/3\n2: 5x2/4 6/5 v6 ~7");
    put_checkpoint(&files, 2, 1, 3);
    files
}

/// Flips one bit in every [`STEP`]th byte of a file, from `from` to `to`, and compares what a
/// start then reads with what it should.
fn check(name: &str, from: usize, to: usize, is_fine: fn(&Result<Start, Fault>, &Start) -> bool) {
    let files = store();
    let expected = start(&files).expect("nothing is flipped yet");
    for at in (from..to).step_by(STEP) {
        let flip = || files.change(name, |bytes| bytes[at] ^= 1 << (at % 8));
        flip();
        assert!(is_fine(&start(&files), &expected), "byte {at} of {name}");
        flip();
    }
}

fn is_refused(read: &Result<Start, Fault>, _: &Start) -> bool {
    matches!(read, Err(Fault::Damaged { .. }))
}

fn is_harmless(read: &Result<Start, Fault>, expected: &Start) -> bool {
    read.as_ref().is_ok_and(|read| read == expected)
}

#[test]
fn a_flipped_bit_in_what_is_needed_is_refused() {
    let block = 4096;
    check(&segment_name(1), 0, block, is_refused);
    check(&segment_name(1), 3 * block, 6 * block, is_refused);
    check(&segment_name(2), 0, 4 * block, is_refused);
    check(&checkpoint_name(BatchNo(2)), 0, 71, is_refused);
}

#[test]
fn a_flipped_bit_in_what_is_not_needed_is_harmless() {
    let block = 4096;
    check(&segment_name(1), block, 3 * block, is_harmless);
    check(&segment_name(1), 6 * block, 8 * block, is_harmless);
    check(&segment_name(2), 5 * block, 16 * block, is_harmless);
    check(MANIFEST_NAMES[0], 0, block, is_harmless);
}

/// The vouch itself has no witness: if its stamp is hit it might never have been written, and
/// nothing but the vouch is gone.
#[test]
fn a_flipped_bit_in_the_last_vouch_loses_nothing() {
    check(&segment_name(2), 4 * 4096, 5 * 4096, |read, expected| {
        is_refused(read, expected) || is_harmless(read, expected)
    });
}

/// The older slot holds again then, and all that it needs is still there here.
#[test]
fn a_flipped_bit_in_the_newest_slot_falls_back_to_the_one_before() {
    check(MANIFEST_NAMES[1], 0, 4096, |read, expected| {
        read.as_ref().is_ok_and(|read| read.batches.ends_with(&expected.batches))
    });
}
