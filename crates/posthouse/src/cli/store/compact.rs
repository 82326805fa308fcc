//! `posthouse store compact`: free all that can be freed while no node runs.
//!
//! The store is opened as a node would open it, and does what it does while a node runs:
//! checkpoints, freeing, compaction. Here it does so until nothing is gained any more, and sets no
//! room aside. It may be interrupted at any time, as a node may.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use posthouse_core::driver::Driver;
use posthouse_store::journal::{Figures, Watch};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::super::Global;
use super::super::broker::block_on;
use super::super::config::SettingArgs;
use super::super::output::{self, Column};
use super::OfflineStore;
use crate::broker_thread::{Clock, Keeping, failed, open_store, read_store};
use crate::codes::Code;
use crate::config::Config;
use crate::data_dir::{self, DataDir};
use crate::failure::Failure;
use crate::store_failure::{JOURNAL_DIR, explained, of_error};

/// How often it is looked whether a checkpoint is over when nothing is heard.
const PAUSE: Duration = Duration::from_millis(5);

/// Checkpoints at most. Each frees at least half of what it moves, so that a few are enough.
const PASSES_MAX: usize = 100;

const SHOW: [Column; 6] = [
    Column("bytes before", "before_bytes"),
    Column("bytes after", "after_bytes"),
    Column("bytes live", "live_bytes"),
    Column("segments freed", "freed_segments"),
    Column("messages moved", "moved_messages"),
    Column("bytes moved", "moved_bytes"),
];

/// How the store is to be opened.
#[derive(Debug, Args)]
pub(crate) struct Compact {
    #[command(flatten)]
    settings: SettingArgs,
}

impl Compact {
    pub(super) fn run(&self, global: &Global) -> Result<(), Failure> {
        let config = self.settings.load(global)?.config;
        let path = config.data_dir.clone().map_or_else(data_dir::default_path, Ok)?;
        // Nothing is made where nothing is.
        OfflineStore::open(&path)?;
        let dir = DataDir::open(&path)?;
        let journal = dir.path().join(JOURNAL_DIR);
        let before = bytes_of(&journal)?;
        let mut figures = Figures::default();
        block_on(async {
            figures = compact(dir.path(), config).await?;
            Ok(())
        })?;
        let row = json!({
            "before_bytes": before,
            "after_bytes": bytes_of(&journal)?,
            "live_bytes": figures.space.live_bytes,
            "freed_segments": figures.freed_segments,
            "moved_messages": figures.moved_messages,
            "moved_bytes": figures.moved_bytes,
        });
        output::single(global.output, &SHOW, &row)
    }
}

/// Takes checkpoints until one has neither freed nor moved anything.
async fn compact(data_dir: &Path, config: Config) -> Result<Figures, Failure> {
    // It is for making room, so it sets none aside; the next node does.
    let keeping =
        Keeping { data_dir: data_dir.to_owned(), config: config.journal, refills_spares: false };
    let news = Arc::new(Notify::new());
    let (store, watch) = open_store(&keeping, &news)?;
    let watch = watch.ok_or_else(|| {
        explained(Code::StoreAbsent, "`journal.enabled` is false: there is no journal".into())
    })?;
    let mut clock = Clock::new();
    let driver = read_store(config.policies, (store, Some(watch.clone())), clock.read())?;
    let mut caretaker = Caretaker { driver, clock, watch, news };
    for _ in 0..PASSES_MAX {
        let before = caretaker.watch.figures();
        caretaker.pass().await?;
        if !has_gained(&before, &caretaker.watch.figures()) {
            break;
        }
    }
    Ok(caretaker.watch.figures())
}

/// A node without anything but its store.
struct Caretaker {
    driver: Driver,
    clock: Clock,
    watch: Watch,
    news: Arc<Notify>,
}

impl Caretaker {
    /// Takes one checkpoint, with all that it makes possible.
    async fn pass(&mut self) -> Result<(), Failure> {
        let hold = self.watch.hold();
        while hold.as_ref().is_some_and(|hold| hold.store().is_none()) {
            self.driver.turn(self.clock.read());
            if let Some(why) = self.driver.failure() {
                return Err(failed(why));
            }
            // Whether it has heard something or not, it looks again.
            let _ = timeout(PAUSE, self.news.notified()).await;
        }
        Ok(())
    }
}

fn has_gained(before: &Figures, after: &Figures) -> bool {
    after.freed_segments > before.freed_segments || after.moved_messages > before.moved_messages
}

fn bytes_of(dir: &Path) -> Result<u64, Failure> {
    let sum = || -> io::Result<u64> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
    };
    sum().map_err(|error| of_error(dir, &error))
}
