//! How fast a log is read back at the start, from the system's memory: 256 MiB in batches of
//! several sizes. `cargo bench -p posthouse-store --bench replay`; a directory may be named behind
//! `--` to measure another file system.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use posthouse_core::ids::BatchNo;
use posthouse_store::files::Files;
use posthouse_store::files::real::RealFiles;
use posthouse_store::journal::layout::batch::{BatchHead, BatchKind, blocks_of, encode_batch};
use posthouse_store::journal::layout::manifest::Manifest;
use posthouse_store::journal::layout::name::{MANIFEST_NAMES, segment_name};
use posthouse_store::journal::layout::segment::{SegmentHead, SegmentKind, StoreId};
use posthouse_store::journal::scan::{Directory, LogReader};

const SEGMENTS: u64 = 4;
const SEGMENT_BYTES: u64 = 64 << 20;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let place = std::env::args().nth(1).filter(|argument| !argument.starts_with('-'));
    let place = place.map_or_else(std::env::temp_dir, Into::into);
    for records_bytes in [1_000, 16_000, 250_000, 4_000_000] {
        measure(&place, records_bytes)?;
    }
    Ok(())
}

fn measure(place: &Path, records_bytes: usize) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir_in(place)?;
    let files: Arc<dyn Files> = Arc::new(RealFiles::open(directory.path())?);
    let batches = write(&*files, records_bytes)?;
    let mut fastest = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        assert_eq!(replay(&files)?, batches, "everything is read back");
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    let gigabytes = (SEGMENTS * SEGMENT_BYTES) as f64 / 1e9;
    let rate = gigabytes / fastest;
    println!("{records_bytes:>9} bytes of records, {batches:>6} batches: {rate:.2} GB/s");
    Ok(())
}

fn replay(files: &Arc<dyn Files>) -> Result<u64, Box<dyn Error>> {
    let directory = Directory::read(&**files)?;
    let mut reader = LogReader::new(files.clone(), &directory, BatchNo(1));
    let mut batches = 0;
    while let Some(batch) = reader.next()? {
        black_box(batch);
        batches += 1;
    }
    Ok(batches)
}

/// Fills the segments with batches of that size and answers how many there are.
fn write(files: &dyn Files, records_bytes: usize) -> Result<u64, Box<dyn Error>> {
    let store = StoreId([1; 16]);
    let (checkpoint, checkpoint_bytes) = (BatchNo(0), 0);
    let manifest = Manifest {
        generation: 1,
        store,
        checkpoint,
        checkpoint_bytes,
        replay_segment: 0,
        replay_block: 0,
        last_segment: 0,
    };
    files.create(MANIFEST_NAMES[0])?.write_at(&manifest.encode(), 0)?;
    let records = vec![7; records_bytes];
    let batches = (SEGMENT_BYTES / 4096 - 1) / blocks_of(records_bytes);
    let mut number = 0;
    for id in 1..=SEGMENTS {
        let (kind, bytes) = (SegmentKind::Journal, SEGMENT_BYTES);
        let head = SegmentHead { id, epoch: id, kind, bytes, store };
        let mut content = head.encode();
        for _ in 0..batches {
            number += 1;
            encode_batch(&mut content, id, number, &batch_head(number, records_bytes), &records);
        }
        let file = files.create(&segment_name(id))?;
        file.reserve(SEGMENT_BYTES)?;
        file.write_at(&content, 0)?;
    }
    Ok(number)
}

fn batch_head(number: u64, bytes: usize) -> BatchHead {
    let durable_up_to = BatchNo(number - 1);
    BatchHead { kind: BatchKind::Batch, bytes: bytes as u32, durable_up_to, wall_ms: 0 }
}
