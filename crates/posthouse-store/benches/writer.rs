//! How fast records of 1 KiB become durable, in batches of several sizes, beside a bare loop that
//! writes and syncs as many bytes. `cargo bench -p posthouse-store --bench writer`; a directory may
//! be named behind `--` to measure another file system.
//!
//! Both are measured in turn, several times, and the median is shown, because a disk that others
//! use, too, is never twice the same.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Batch, Completion, Store};
use posthouse_store::files::Files;
use posthouse_store::files::real::RealFiles;
use posthouse_store::journal::layout::BLOCK_BYTES;
use posthouse_store::journal::layout::batch::blocks_of;
use posthouse_store::journal::{Crew, Figures, Journal, Options};

const RECORD_BYTES: usize = 1_024;
const SEGMENT_BYTES: u64 = 64 << 20;
const ROUNDS: usize = 5;
const ROUND_TIME: Duration = Duration::from_millis(1_500);

fn main() -> Result<(), Box<dyn Error>> {
    let place = std::env::args().nth(1).filter(|argument| !argument.starts_with('-'));
    let place = place.map_or_else(std::env::temp_dir, Into::into);
    for (records, in_flight) in [(1, 1), (1, 64), (16, 1), (16, 64), (1_000, 1), (1_000, 8)] {
        measure(&place, records, in_flight)?;
    }
    Ok(())
}

fn measure(place: &Path, records: usize, in_flight: u64) -> Result<(), Box<dyn Error>> {
    let (mut bare, mut journal) = (Vec::new(), Vec::new());
    let mut figures = Figures::default();
    for _ in 0..ROUNDS {
        bare.push(bare_rate(place, records)?);
        let (rate, found) = journal_rate(place, records, in_flight)?;
        journal.push(rate);
        figures = found;
    }
    let (bare, journal) = (median(bare), median(journal));
    let per_sync = figures.batches as f64 / figures.syncs.max(1) as f64;
    let sync_us = figures.sync_us_sum / figures.syncs.max(1);
    println!(
        "{records:>5} records a batch, {in_flight:>2} in flight: {journal:>9.0} records/s, bare \
         loop {bare:>9.0}: {:>5.2} times; {per_sync:.1} batches a sync of {sync_us} us",
        journal / bare
    );
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

/// Records per second of a loop that writes and syncs one batch after the other.
fn bare_rate(place: &Path, records: usize) -> Result<f64, Box<dyn Error>> {
    let directory = tempfile::tempdir_in(place)?;
    let files = RealFiles::open(directory.path())?;
    let mut bytes = vec![7; blocks_of(records * RECORD_BYTES) as usize * BLOCK_BYTES];
    let mut file = reserved(&files, 0)?;
    let (mut written, mut at, mut count) = (0_u64, 0, 0);
    let began = Instant::now();
    while began.elapsed() < ROUND_TIME {
        if at + bytes.len() as u64 > SEGMENT_BYTES {
            written += 1;
            (file, at) = (reserved(&files, written)?, 0);
        }
        bytes.fill(count as u8);
        file.write_at(&bytes, at)?;
        file.sync()?;
        at += bytes.len() as u64;
        count += records;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

fn reserved(
    files: &RealFiles,
    number: u64,
) -> Result<Box<dyn posthouse_store::files::File>, Box<dyn Error>> {
    let file = files.create(&number.to_string())?;
    file.reserve(SEGMENT_BYTES)?;
    file.sync()?;
    Ok(file)
}

/// Records per second of a journal that is given the next batch as soon as fewer than so many are
/// not durable yet.
fn journal_rate(
    place: &Path,
    records: usize,
    in_flight: u64,
) -> Result<(f64, Figures), Box<dyn Error>> {
    let directory = tempfile::tempdir_in(place)?;
    let mut journal = open(directory.path())?;
    let (mut last, mut durable) = (0, 0);
    let began = Instant::now();
    while began.elapsed() < ROUND_TIME {
        while last - durable < in_flight {
            last += 1;
            let records = vec![last as u8; records * RECORD_BYTES];
            journal.submit(Batch { number: BatchNo(last), wall_ms: last, records });
        }
        thread::park_timeout(Duration::from_millis(10));
        durable = hear(&mut journal, durable)?;
    }
    let rate = durable as f64 * records as f64 / began.elapsed().as_secs_f64();
    Ok((rate, journal.figures()))
}

fn open(path: &Path) -> Result<Journal, Box<dyn Error>> {
    let files = Arc::new(RealFiles::open(path.join("journal"))?);
    let spool = Arc::new(RealFiles::open(path.join("spool"))?);
    let broker = thread::current();
    let crew = Crew::Threads { wake: Arc::new(move || broker.unpark()) };
    let options = Options { segment_bytes: SEGMENT_BYTES, ..Options::default() };
    let mut journal = Journal::open(files, spool, options, crew)?;
    while journal.recover(BatchNo(1))?.is_some() {}
    Ok(journal)
}

fn hear(journal: &mut Journal, mut durable: u64) -> Result<u64, String> {
    while let Some(completion) = journal.poll() {
        match completion {
            Completion::Durable(batch) => durable = batch.0,
            Completion::Failed(why) => return Err(why),
            _ => {}
        }
    }
    Ok(durable)
}
