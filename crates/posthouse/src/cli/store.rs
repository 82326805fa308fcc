//! `posthouse store`: look into what a node keeps on disk. `check`, `dump` and `stats` need no node
//! and only read, so that they work on a medium that takes no writes, too; `status` asks a running
//! node, and `compact` does a node's work while none runs.

mod check;
mod compact;
mod dump;
mod stats;
mod status;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use posthouse_store::files::Files;
use posthouse_store::files::real::RealFiles;

pub(super) use check::{judge, look};

use super::Global;
use crate::codes::Code;
use crate::data_dir::Onlooker;
use crate::failure::Failure;
use crate::store_failure::{JOURNAL_DIR, explained, of_error};

/// What can be done with a store.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Read everything and list all damage, not only the first.
    Check,
    /// Show every batch and every record in it, on a line each.
    Dump(dump::Dump),
    /// Show what takes the room, and how much waits in each destination.
    Stats,
    /// Show the figures of the store of a running node.
    Status,
    /// Free all that can be freed, while no node runs.
    Compact(compact::Compact),
}

impl Store {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done, or that the store is damaged.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Store::Check => check::run(global),
            Store::Dump(dump) => dump.run(global),
            Store::Stats => stats::run(global),
            Store::Status => status::run(global),
            Store::Compact(compact) => compact.run(global),
        }
    }
}

/// A store to look into.
pub(super) struct OfflineStore {
    /// Where it is.
    pub(super) dir: PathBuf,
    /// Its files, only to be read.
    pub(super) files: Arc<dyn Files>,
}

impl OfflineStore {
    /// Opens the store below the data directory `data_dir`.
    ///
    /// # Errors
    /// That there is none, or that it may not be read.
    pub(super) fn open(data_dir: &Path) -> Result<OfflineStore, Failure> {
        let dir = data_dir.join(JOURNAL_DIR);
        match RealFiles::open_read_only(&dir) {
            Ok(files) => Ok(OfflineStore { dir, files: Arc::new(files) }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(explained(Code::StoreAbsent, format!("there is no store in {}", dir.display())))
            }
            Err(error) => Err(of_error(&dir, &error)),
        }
    }
}

/// Opens the store that is meant, and keeps nodes off it.
///
/// # Errors
/// As [`OfflineStore::open`], or that a node has it.
fn open_alone(global: &Global) -> Result<(OfflineStore, Onlooker), Failure> {
    let data_dir = global.data_dir()?;
    let onlooker = Onlooker::new(&data_dir)?;
    Ok((OfflineStore::open(&data_dir)?, onlooker))
}
