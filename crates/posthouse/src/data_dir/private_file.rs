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
    let mut options = File::options();
    // What was set aside has room on a disk that has none left.
    let mut file = options.write(true).create(true).truncate(false).mode(FILE_MODE).open(&new)?;
    overwrite(&mut file, content)?;
    fs::rename(&new, dir.join(name))
}

/// The same, but in its own place where the disk has no room for another one: for what is worth
/// nothing after a crash in the middle.
///
/// # Errors
/// What the file system says.
pub(crate) fn replace_anyhow(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    match replace(dir, name, content) {
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            remove(&dir.join(format!("{name}.new")))?;
            let old = File::options().write(true).open(dir.join(name));
            overwrite(&mut old.map_err(|_| error)?, content)
        }
        done => done,
    }
}

fn overwrite(file: &mut File, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

/// Takes a file away that need not be there, and keeps its room for the one that will replace it.
///
/// # Errors
/// What the file system says.
pub(crate) fn set_aside(dir: &Path, name: &str) -> io::Result<()> {
    match fs::rename(dir.join(name), dir.join(format!("{name}.new"))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use super::{replace, replace_anyhow, set_aside};

    #[test]
    fn a_file_that_was_set_aside_is_gone_until_it_is_replaced() {
        let temporary = tempfile::tempdir().expect("a directory");
        let (dir, name) = (temporary.path(), "file");
        set_aside(dir, name).expect("it need not be there");
        replace(dir, name, b"a long content").expect("it is written");
        set_aside(dir, name).expect("it can be");
        assert!(!dir.join(name).exists());
        replace(dir, name, b"short").expect("it is written");
        assert_eq!(std::fs::read(dir.join(name)).expect("it is there"), b"short");
        replace_anyhow(dir, name, b"other").expect("there is room");
        assert_eq!(std::fs::read(dir.join(name)).expect("it is there"), b"other");
        assert_eq!(std::fs::read_dir(dir).expect("it can be read").count(), 1);
    }
}
