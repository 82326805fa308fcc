//! `posthouse backup`: copy the store of a running node on the same machine.
//!
//! The node holds its store still and says how much of each file is safe; this command copies
//! that. The copy grows under another name and gets its own only when it is whole, checked and on
//! the disk, so that whatever has the name of a backup is one.

mod description;
mod hold;
mod place;

use std::path::PathBuf;

use clap::Args;
use posthouse_store::backup::copy_held;
use posthouse_store::files::Files;
use posthouse_store::files::real::RealFiles;
use posthouse_store::journal::fault::Fault;
use serde_json::json;

pub(super) use description::Description;
pub(super) use place::{is_free, sync_dir};

use super::Global;
use super::api::Api;
use super::output::{self, Column};
use super::progress::Progress;
use super::store::{OfflineStore, judge, look};
use crate::broker_thread::wall_ms;
use crate::codes::Code;
use crate::failure::Failure;
use crate::store_failure::{JOURNAL_DIR, explained, of_error, of_fault};
use hold::NodeHold;
use place::Place;

const SHOW: [Column; 5] = [
    Column("directory", "directory"),
    Column("node", "node"),
    Column("last batch", "batch"),
    Column("files", "files"),
    Column("bytes", "bytes"),
];

/// What to back up, and where.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The new directory of the backup. It must not exist yet, or be empty.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Backup {
    /// Does it.
    ///
    /// # Errors
    /// Why there is no backup. What was written is removed.
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let place = Place::new(&self.directory)?;
        let description = self.fill(&place, Api::find(global)?)?;
        place.complete().map_err(|error| unwritten(&self.directory.display(), &error))?;
        let row = json!({
            "directory": self.directory.display().to_string(),
            "node": description.node,
            "batch": description.batch,
            "files": description.files.len(),
            "bytes": description.files.iter().map(|file| file.bytes).sum::<u64>(),
        });
        output::single(global.output, &SHOW, &row)
    }

    fn fill(&self, place: &Place, api: Api) -> Result<Description, Failure> {
        let journal = place.dir().join(JOURNAL_DIR);
        let to = RealFiles::open(&journal);
        let to = to.map_err(|error| unwritten(&journal.display(), &error))?;
        let description = copy(NodeHold::take(api)?, &to)?;
        check(place)?;
        let written = description.write(place.dir());
        written.map_err(|error| unwritten(&self.directory.display(), &error))?;
        Ok(description)
    }
}

/// Copies while the node holds still, and describes what was copied.
fn copy(mut hold: NodeHold, to: &RealFiles) -> Result<Description, Failure> {
    let dir = hold.directory();
    let from = RealFiles::open_read_only(&dir).map_err(|error| of_error(&dir, &error))?;
    let store = hold.store()?;
    let progress = Progress::new("copying");
    let mut go_on = |done, total| {
        progress.show(done, total);
        hold.keep()
    };
    let copied = copy_held(&from, &store, to, &mut go_on);
    let copied = match (copied, hold.failure.take()) {
        (_, Some(failure)) => return Err(failure),
        (Err(fault), None) => return Err(failed(&dir, &fault)),
        (Ok(copied), None) => copied,
    };
    to.sync_names().map_err(|error| unwritten(&"its journal directory", &error))?;
    let description = Description::new(&hold.answer, copied, wall_ms());
    // Only a hold that has lasted until now has protected all of the copy.
    hold.end()?;
    Ok(description)
}

/// Damage and what may not be read concern the node's store; everything else the copy.
fn failed(dir: &std::path::Path, fault: &Fault) -> Failure {
    use std::io::ErrorKind::PermissionDenied;
    match fault {
        Fault::Io { error, .. } if error.kind() != PermissionDenied => {
            explained(Code::BackupFailed, format!("the backup failed: {fault}"))
        }
        _ => of_fault(dir, fault),
    }
}

/// A backup that does not open is none. Its blocks are those of the node, so mostly the node would
/// not start on its own ones.
fn check(place: &Place) -> Result<(), Failure> {
    let copy = OfflineStore::open(place.dir())?;
    judge(&copy, &look(&copy)?).map_err(|failure| {
        let why = failure.message;
        let message = format!("the copy is removed, for no node would start on it: {why}");
        Failure { message, ..failure }
    })
}

/// The backup cannot be written.
pub(super) fn unwritten(what: &dyn std::fmt::Display, error: &std::io::Error) -> Failure {
    explained(Code::BackupFailed, format!("{what} cannot be written: {error}"))
}
