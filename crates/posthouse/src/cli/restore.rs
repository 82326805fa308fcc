//! `posthouse restore`: make a backup the store of a data directory on which no node runs.
//!
//! The backup is checked as a whole before anything is written. The copy grows under another name
//! beside the place where a node looks for its store, so that a restore that was interrupted
//! leaves nothing that could be taken for one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use posthouse_store::backup::{Copied, copy};
use posthouse_store::files::Files;
use posthouse_store::files::real::RealFiles;
use posthouse_store::journal::fault::Fault;
use serde_json::json;

use super::Global;
use super::backup::{Description, is_free, sync_dir, unwritten};
use super::output::{self, Column};
use super::progress::Progress;
use super::store::{OfflineStore, judge, look};
use crate::codes::Code;
use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::store_failure::{JOURNAL_DIR, explained, of_error};

/// Where the copy grows, below the data directory.
const GROWING_DIR: &str = "journal.new";

const SHOW: [Column; 5] = [
    Column("data directory", "data_dir"),
    Column("node", "node"),
    Column("last batch", "batch"),
    Column("files", "files"),
    Column("bytes", "bytes"),
];

/// What to restore.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The directory of the backup.
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
}

impl Restore {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done; then the data directory has no store.
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let data_dir = global.data_dir()?;
        refuse_if_used(&data_dir)?;
        let description = Description::read(&self.backup)?;
        let store = self.check(&description)?;
        let owned = DataDir::open(&data_dir)?;
        refuse_if_used(owned.path())?;
        put(&store, &description.copied(), owned.path())?;
        let row = json!({
            "data_dir": data_dir.display().to_string(),
            "node": description.node,
            "batch": description.batch,
            "files": description.files.len(),
            "bytes": description.files.iter().map(|file| file.bytes).sum::<u64>(),
        });
        output::single(global.output, &SHOW, &row)
    }

    /// Whether the backup has the files that it should have, and a node would start on them.
    fn check(&self, description: &Description) -> Result<OfflineStore, Failure> {
        let store = OfflineStore::open(&self.backup)?;
        let mut expected: Vec<&str> =
            description.files.iter().map(|file| file.name.as_str()).collect();
        expected.sort_unstable();
        // Even a store that never held a message has its manifest, and without one a node would
        // begin another.
        if expected.is_empty() {
            let dir = self.backup.display();
            let message = format!("the backup.json in {dir} lists no files");
            return Err(explained(Code::BackupInvalid, message));
        }
        let there = store.files.names().map_err(|error| of_error(&store.dir, &error))?;
        if there != expected {
            let dir = store.dir.display();
            let message = format!("the files in {dir} are not those that backup.json lists");
            return Err(explained(Code::BackupInvalid, message));
        }
        judge(&store, &look(&store)?)?;
        Ok(store)
    }
}

/// A store that is there is never overwritten.
fn refuse_if_used(data_dir: &Path) -> Result<(), Failure> {
    let dir = data_dir.join(JOURNAL_DIR);
    if is_free(&dir).map_err(|error| of_error(&dir, &error))? {
        return Ok(());
    }
    let message = format!("there is a store in {} already", dir.display());
    Err(explained(Code::StoreExists, message))
}

fn put(store: &OfflineStore, files: &[Copied], data_dir: &Path) -> Result<(), Failure> {
    let growing = data_dir.join(GROWING_DIR);
    let put = put_at(store, files, &growing, &data_dir.join(JOURNAL_DIR));
    if put.is_err() {
        // The next restore removes it first if this does not.
        let _ = fs::remove_dir_all(&growing);
    }
    put
}

fn put_at(
    store: &OfflineStore,
    files: &[Copied],
    growing: &Path,
    wanted: &Path,
) -> Result<(), Failure> {
    let unwritten = |error: io::Error| unwritten(&growing.display(), &error);
    match fs::remove_dir_all(growing) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritten(error)),
        _ => {}
    }
    let to = RealFiles::open(growing).map_err(unwritten)?;
    copy_files(&store.files, files, &to)?;
    to.sync_names().map_err(unwritten)?;
    // An empty directory of that name gives way.
    fs::rename(growing, wanted).map_err(unwritten)?;
    sync_dir(wanted.parent().unwrap_or(wanted)).map_err(unwritten)
}

fn copy_files(from: &Arc<dyn Files>, files: &[Copied], to: &RealFiles) -> Result<(), Failure> {
    let progress = Progress::new("restoring");
    let mut go_on = |done, total| {
        progress.show(done, total);
        true
    };
    copy(&**from, files, to, &mut go_on).map_err(|fault| {
        let code = match fault {
            Fault::Damaged { .. } | Fault::Future { .. } => Code::BackupInvalid,
            Fault::Io { .. } => Code::BackupFailed,
        };
        explained(code, format!("the backup cannot be restored: {fault}"))
    })
}
