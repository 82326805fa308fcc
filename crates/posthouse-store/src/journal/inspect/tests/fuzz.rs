//! Whatever lies on the disk: reading it never panics, and what a start refuses a check finds.

use std::ops::ControlFlow;
use std::sync::Arc;

use posthouse_core::ids::BatchNo;

use super::shared;
use crate::files::held::HeldFiles;
use crate::journal::fault::Fault;
use crate::journal::inspect::{Selection, check, dump, stats};
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::block::{payload_mut, seal, stamp_of};
use crate::journal::layout::name::{MANIFEST_NAMES, checkpoint_name, segment_name};
use crate::journal::scan::tests::script::{lay_out, put_checkpoint};
use crate::journal::scan::{Directory, LogReader};

const ROUNDS: usize = 400;

fn start(files: &Arc<HeldFiles>) -> Result<(), Fault> {
    let directory = Directory::read(&**files)?;
    let checkpoint = directory.manifest.map_or(0, |manifest| manifest.checkpoint.0);
    let mut reader = LogReader::new(shared(files), &directory, BatchNo(checkpoint + 1));
    while reader.next()?.is_some() {}
    Ok(())
}

/// A field that a defect of ours might write: the sums hold and the values are wrong.
fn reseal(random: &mut fastrand::Rng, bytes: &mut [u8]) {
    let block = random.usize(..bytes.len() / BLOCK_BYTES);
    let block = &mut bytes[block * BLOCK_BYTES..][..BLOCK_BYTES];
    let Some(mut stamp) = stamp_of(block) else { return };
    match random.u8(..4) {
        0 => stamp.number = random.u64(..8),
        1 => stamp.number = u64::MAX,
        2 => stamp.index = random.u32(..4),
        _ => payload_mut(block)[random.usize(..24)] = random.u8(..),
    }
    seal(block, stamp);
}

fn harm(random: &mut fastrand::Rng, files: &HeldFiles) {
    let checkpoint = checkpoint_name(BatchNo(2));
    let (first, second) = (segment_name(1), segment_name(2));
    let names = [&*first, &second, &first, &second, &checkpoint, MANIFEST_NAMES[1]];
    let name = names[random.usize(..names.len())];
    files.change(name, |bytes| {
        let at = random.usize(..bytes.len().min(8 * BLOCK_BYTES));
        match random.u8(..8) {
            0 => bytes[at] = random.u8(..),
            1 => bytes[at] ^= 1 << random.u8(..8),
            2 if random.u8(..8) == 0 => bytes.truncate(at.max(1)),
            3 => random.fill(&mut bytes[at..]),
            _ if bytes.len() >= BLOCK_BYTES && name.ends_with("segment") => reseal(random, bytes),
            _ => {}
        }
    });
}

#[test]
fn what_a_start_refuses_a_check_finds() {
    let mut random = fastrand::Rng::with_seed(0x5eed);
    for round in 0..ROUNDS {
        let files = lay_out("1: 1 2/1 3x2/2 4/3\n2: 5x2/4 6/5 v6 ~7 _ 9x2/8");
        put_checkpoint(&files, 2, 1, 3);
        for _ in 0..=random.usize(..3) {
            harm(&mut random, &files);
        }
        let started = start(&files);
        let files = shared(&files);
        let report = match check(&files, &mut |_, _| {}) {
            Err(Fault::Future { .. }) => continue,
            report => report.expect("it can be checked"),
        };
        assert!(started.is_ok() || !report.is_sound(), "round {round}: {started:?}\n{report:#?}");
        dump(&files, &Selection::default(), &mut |_| ControlFlow::Continue(()), &mut |_, _| {})
            .expect("it can be read");
        let _ = stats(&files, &mut |_, _| {});
    }
}
