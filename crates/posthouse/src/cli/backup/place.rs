//! The directory that a backup grows in.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::unwritten;
use crate::codes::Code;
use crate::failure::Failure;
use crate::store_failure::explained;

/// Its owner may do everything, others nothing: messages are in it.
const DIR_MODE: u32 = 0o700;

/// A new directory under a name of its own, which goes again unless it is completed.
pub(super) struct Place {
    wanted: PathBuf,
    growing: PathBuf,
    is_complete: bool,
}

impl Place {
    /// Makes the directory beside the one that is wanted.
    ///
    /// # Errors
    /// That something is in the way, or that it cannot be made.
    pub(super) fn new(wanted: &Path) -> Result<Place, Failure> {
        refuse_if_used(wanted)?;
        let wanted = plain(wanted)?;
        let mut growing = wanted.clone().into_os_string();
        growing.push(".new");
        let growing = PathBuf::from(growing);
        match DirBuilder::new().mode(DIR_MODE).create(&growing) {
            Ok(()) => Ok(Place { wanted, growing, is_complete: false }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let what = "is there already, perhaps from a backup that was interrupted";
                Err(in_the_way(&growing, what))
            }
            Err(error) => Err(unwritten(&growing.display(), &error)),
        }
    }

    /// Where it grows.
    pub(super) fn dir(&self) -> &Path {
        &self.growing
    }

    /// Gives it the name that is wanted, durably.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn complete(mut self) -> io::Result<()> {
        sync_dir(&self.growing)?;
        // An empty directory of that name gives way.
        fs::rename(&self.growing, &self.wanted)?;
        self.is_complete = true;
        sync_dir(parent_of(&self.wanted))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_complete {
            // What cannot be removed is refused by the next backup, which names it.
            let _ = fs::remove_dir_all(&self.growing);
        }
    }
}

/// The same path without a slash at its end and without dots, behind which the name of what grows
/// would be that of something in the directory itself.
///
/// # Errors
/// That it has no path, or the system's.
fn plain(wanted: &Path) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(wanted);
    let absolute = absolute.map_err(|error| unwritten(&wanted.display(), &error))?;
    Ok(absolute.components().collect())
}

fn refuse_if_used(wanted: &Path) -> Result<(), Failure> {
    match is_free(wanted) {
        Ok(true) => Ok(()),
        Ok(false) => Err(in_the_way(wanted, "is not empty")),
        Err(error) => Err(unwritten(&wanted.display(), &error)),
    }
}

/// Whether a directory is empty, or not there.
///
/// # Errors
/// The system's.
pub(in super::super) fn is_free(dir: &Path) -> io::Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn in_the_way(path: &Path, what: &str) -> Failure {
    explained(Code::StoreExists, format!("{} {what}", path.display()))
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// Makes the names in a directory durable.
///
/// # Errors
/// The system's.
pub(in super::super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
