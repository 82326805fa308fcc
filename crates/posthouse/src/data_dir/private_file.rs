//! Files that only their owner may read, replaced as a whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Bits of the file: its owner reads and writes, others do nothing.
const FILE_MODE: u32 = 0o600;

/// Writes the file `name` in `dir`, so that a reader sees the old or the new one and never a part.
///
/// # Errors
/// What the file system says.
pub(crate) fn replace(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let new = dir.join(format!("{name}.new"));
    remove(&new)?;
    let mut file = File::options().write(true).create_new(true).mode(FILE_MODE).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, dir.join(name))
}

/// Removes a file that need not be there.
///
/// # Errors
/// What the file system says.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
