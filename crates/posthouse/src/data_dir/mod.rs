//! The data directory: one process at a time owns it, and nobody else on the machine reads it.

mod endpoints;
pub(crate) mod known_store;
mod onlooker;
pub(crate) mod private_file;
mod token;
mod users;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub(crate) use endpoints::Endpoints;
pub(crate) use onlooker::Onlooker;
pub(crate) use token::{Token, token_file};
pub(crate) use users::{ADMIN, FirstPassword, Users};

use crate::codes::Code;
use crate::failure::Failure;
use crate::store_failure;

/// Bits of the directory: its owner may do everything, others nothing.
const DIR_MODE: u32 = 0o700;

/// Whoever owns the directory holds it and this file in it locked.
const LOCK: &str = "lock";

/// What a new file system comes with.
const LOST_AND_FOUND: &str = "lost+found";

/// Where data is kept when nobody says where: the first of the variables that is set.
///
/// # Errors
/// [`Code::DataDirUnusable`] when none of them is.
pub(crate) fn default_path() -> Result<PathBuf, Failure> {
    default_path_and_variable().map(|(path, _)| path)
}

/// The same with the variable that says so.
///
/// # Errors
/// As [`default_path`].
pub(crate) fn default_path_and_variable() -> Result<(PathBuf, &'static str), Failure> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = variable("POSTHOUSE_DATA_DIR") {
        return Ok((path.into(), "POSTHOUSE_DATA_DIR"));
    }
    if let Some(share) = variable("XDG_DATA_HOME") {
        return Ok((Path::new(&share).join("posthouse"), "XDG_DATA_HOME"));
    }
    match variable("HOME") {
        Some(home) => Ok((Path::new(&home).join(".local/share/posthouse"), "HOME")),
        None => Err(Failure::new(
            Code::DataDirUnusable,
            "there is no data directory, for neither POSTHOUSE_DATA_DIR nor HOME is set",
            "name one with --data-dir",
        )),
    }
}

/// Where a node to play with keeps its data: beside the usual directory, so that it is as private.
///
/// # Errors
/// As [`default_path`].
pub(crate) fn dev_path() -> Result<PathBuf, Failure> {
    let mut path = default_path()?.into_os_string();
    path.push("-dev");
    Ok(path.into())
}

/// Removes what a node to play with has left. What cannot be removed stays for the next one.
pub(crate) fn forget(dir: &Path) {
    if let Err(error) = fs::remove_dir_all(dir) {
        tracing::debug!(%error, dir = %dir.display(), "could not remove the directory");
    }
}

/// The data directory of a running node. Whoever has this value is its only owner.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// Held open, for the locks end with them, however the process ends.
    _locks: (Option<File>, File),
}

impl DataDir {
    /// Makes the directory if it is new, closes it to others and takes it over. What an earlier
    /// run said about its endpoints is taken away, for it is no longer true.
    ///
    /// # Errors
    /// [`Code::DataDirInUse`] when another process has it, [`Code::DataDirUnusable`] when it
    /// cannot be used at all, or what the system's refusal means.
    pub(crate) fn open(path: &Path) -> Result<DataDir, Failure> {
        let unusable = |error: io::Error| unusable(path, &error);
        fs::DirBuilder::new().recursive(true).mode(DIR_MODE).create(path).map_err(unusable)?;
        close_to_others(path).map_err(unusable)?;
        let locks = (lock_directory(path, File::try_lock)?, lock(path)?);
        Endpoints::set_aside(path).map_err(unusable)?;
        Ok(DataDir { path: path.to_owned(), _locks: locks })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// What it means that the system does not let `path` be used: the same as for a file of the store
/// where the store has a page about it.
pub(crate) fn unusable(path: &Path, error: &io::Error) -> Failure {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        PermissionDenied | ReadOnlyFilesystem | StorageFull | QuotaExceeded => {
            store_failure::of_error(path, error)
        }
        _ => Failure::new(
            Code::DataDirUnusable,
            format!("{} cannot be used: {error}", path.display()),
            "check its owner, or name another directory with --data-dir",
        ),
    }
}

/// Takes everybody else's rights away, but never from a directory that is somebody else's: a
/// mistyped path must not close `/tmp`.
fn close_to_others(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    let is_ours = path.join(LOCK).exists() || !holds_anything(path)?;
    if !is_ours {
        let why = "others may read it, and it holds other things; `chmod 700` it if it is \
                   Posthouse's own";
        return Err(io::Error::other(why));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(DIR_MODE))
}

/// A file system of its own is not empty when it is new.
fn holds_anything(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        if entry?.file_name() != LOST_AND_FOUND {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Locks the directory itself, for the file in it looks like a leftover, and one that was removed
/// keeps nobody off. Where directories cannot be locked, as on some network file systems, the file
/// has to do.
fn lock_directory(
    dir: &Path,
    try_lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<Option<File>, Failure> {
    let Ok(directory) = File::open(dir) else { return Ok(None) };
    match try_lock(&directory) {
        Ok(()) => Ok(Some(directory)),
        Err(TryLockError::WouldBlock) => Err(in_use(dir)),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn lock(dir: &Path) -> Result<File, Failure> {
    let path = dir.join(LOCK);
    let unusable = |error: io::Error| unusable(&path, &error);
    let mut options = File::options();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(unusable)?;
            write!(file, "{}", std::process::id()).map_err(unusable)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(in_use(dir)),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn in_use(dir: &Path) -> Failure {
    let mut owner = String::new();
    // The number only helps; the failure is the same without it.
    let _ = File::open(dir.join(LOCK)).map(|lock| lock.take(20).read_to_string(&mut owner));
    let owner =
        if owner.is_empty() { "another process".into() } else { format!("process {owner}") };
    Failure::new(
        Code::DataDirInUse,
        format!("the data directory {} is in use by {owner}", dir.display()),
        "stop that one, or name another directory with --data-dir",
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{DataDir, Onlooker};

    #[test]
    fn a_directory_has_one_owner_and_is_closed_to_others() {
        let temporary = tempfile::tempdir().expect("a directory");
        let path = temporary.path().join("data");
        let first = DataDir::open(&path).expect("it is free");
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let second = DataDir::open(&path).expect_err("it is taken");
        assert_eq!(second.code, "PH1306");
        let owner = format!("process {}", std::process::id());
        assert!(second.message.contains(&owner), "{second}");
        drop(first);
        DataDir::open(&path).expect("it is free again");
    }

    #[test]
    fn a_lock_that_was_removed_keeps_others_off_all_the_same() {
        let temporary = tempfile::tempdir().expect("a directory");
        let path = temporary.path();
        let first = DataDir::open(path).expect("it is free");
        std::fs::remove_file(path.join("lock")).expect("it is there");
        assert_eq!(DataDir::open(path).expect_err("it is taken").code, "PH1306");
        assert_eq!(Onlooker::new(path).expect_err("it is taken").code, "PH1306");
        drop(first);
        DataDir::open(path).expect("it is free again");
    }

    #[test]
    fn a_new_file_system_is_as_good_as_an_empty_directory() {
        let temporary = tempfile::tempdir().expect("a directory");
        let path = temporary.path();
        std::fs::create_dir(path.join("lost+found")).expect("it can be made");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        DataDir::open(path).expect("it holds nothing of anybody's");
    }

    #[test]
    fn a_directory_of_somebody_else_is_left_alone() {
        let temporary = tempfile::tempdir().expect("a directory");
        let path = temporary.path();
        std::fs::write(path.join("letter"), "").expect("it can be written");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        let refused = DataDir::open(path).expect_err("it holds other things");
        assert_eq!(refused.code, "PH1305");
        let mode = std::fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }
}
