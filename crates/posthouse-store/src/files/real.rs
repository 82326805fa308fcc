//! The system's files: one directory, read and written at places, without a shared position, so
//! that threads need no lock.
//!
//! An interrupted call is repeated; nothing else is. After a sync that failed the kernel may have
//! dropped what it could not write and would answer the next sync with success, so a caller must
//! take the first error for the last word.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::{File, Files};

/// What this module is asked to do with a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    ReadAndWrite,
    Read,
}

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// A directory of the system's.
#[derive(Debug)]
pub struct RealFiles {
    path: PathBuf,
    directory: fs::File,
    purpose: Use,
}

impl RealFiles {
    /// Opens the directory; makes it, for its owner only, if it is not there yet. What is above it
    /// has to be there.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<RealFiles> {
        let path = path.into();
        match DirBuilder::new().mode(DIRECTORY_MODE).create(&path) {
            Ok(()) => sync_parent(&path)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let directory = fs::File::open(&path)?;
        Ok(RealFiles { path, directory, purpose: Use::ReadAndWrite })
    }

    /// Opens a directory that is there, only to read: nothing in it can be changed through this
    /// value, and neither permission to write nor a medium that takes writes is needed.
    ///
    /// # Errors
    /// The system's.
    pub fn open_read_only(path: impl Into<PathBuf>) -> io::Result<RealFiles> {
        let path = path.into();
        let directory = fs::File::open(&path)?;
        Ok(RealFiles { path, directory, purpose: Use::Read })
    }

    /// # Errors
    /// [`ErrorKind::ReadOnlyFilesystem`] if the directory is only to be read.
    fn check_writable(&self) -> io::Result<()> {
        match self.purpose {
            Use::ReadAndWrite => Ok(()),
            Use::Read => Err(ErrorKind::ReadOnlyFilesystem.into()),
        }
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => fs::File::open(parent)?.sync_all(),
        Some(_) => fs::File::open(".")?.sync_all(),
        None => Ok(()),
    }
}

impl Files for RealFiles {
    /// Names that are not UTF-8 are none of ours; they come out altered, and cannot be opened.
    /// Directories are not ours either, whatever they are called; a file system may put one there.
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(self.purpose == Use::ReadAndWrite);
        RealFile::boxed(options.open(self.path.join(name))?)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.check_writable()?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(FILE_MODE);
        RealFile::boxed(options.open(self.path.join(name))?)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.check_writable()?;
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.check_writable()?;
        fs::remove_file(self.path.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        self.directory.sync_all()
    }
}

/// A file of the system's. It keeps the length that it has made itself, so that a sync need only
/// be the dearer kind when the length has changed.
#[derive(Debug)]
struct RealFile {
    file: fs::File,
    bytes: AtomicU64,
    has_grown: AtomicBool,
}

impl RealFile {
    fn boxed(file: fs::File) -> io::Result<Box<dyn File>> {
        let bytes = AtomicU64::new(file.metadata()?.len());
        Ok(Box::new(RealFile { file, bytes, has_grown: AtomicBool::new(false) }))
    }

    fn grow_to(&self, bytes: u64) {
        if self.bytes.fetch_max(bytes, Ordering::AcqRel) < bytes {
            self.has_grown.store(true, Ordering::Release);
        }
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        loop {
            match fallocate(&self.file, FallocateFlags::empty(), 0, bytes) {
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => return self.write_zeros(bytes),
                other => return other.map_err(io::Error::from),
            }
        }
    }

    /// For file systems that cannot set room aside: what has been written has its room.
    fn write_zeros(&self, bytes: u64) -> io::Result<()> {
        let mut at = self.file.metadata()?.len();
        while at < bytes {
            let step = (bytes - at).min(ZEROS.len() as u64);
            let zeros = ZEROS.get(..step as usize).unwrap_or_default();
            self.file.write_all_at(zeros, at)?;
            at += step;
        }
        Ok(())
    }
}

impl File for RealFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, at + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.grow_to(at + bytes.len() as u64);
        self.file.write_all_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        if self.has_grown.swap(false, Ordering::AcqRel) {
            self.file.sync_all()
        } else {
            self.file.sync_data()
        }
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.grow_to(bytes);
        self.allocate(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::PermissionsExt;

    use super::{File, Files, RealFile, RealFiles, ZEROS};

    fn in_fresh_directory(test: impl FnOnce(&RealFiles) -> io::Result<()>) -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        test(&RealFiles::open(directory.path().join("journal"))?)
    }

    fn read(file: &dyn File, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0xff; bytes];
        let read = file.read_at(&mut buffer, at)?;
        buffer.truncate(read);
        Ok(buffer)
    }

    #[test]
    fn what_is_written_is_read_back_up_to_the_end() -> io::Result<()> {
        in_fresh_directory(|files| {
            let file = files.create("f")?;
            file.write_at(b"posthouse", 3)?;
            file.sync()?;
            let file = files.open("f")?;
            assert_eq!(read(&*file, 0, 5)?, b"\0\0\0po");
            assert_eq!(read(&*file, 8, 100)?, b"ouse".get(..4).unwrap());
            assert_eq!(read(&*file, 12, 1)?, b"");
            assert_eq!(file.bytes()?, 12);
            Ok(())
        })
    }

    #[test]
    fn names_are_made_changed_removed_and_listed_in_order() -> io::Result<()> {
        in_fresh_directory(|files| {
            for name in ["c", "a", "b"] {
                files.create(name)?;
            }
            files.rename("c", "b")?;
            files.create("0")?;
            files.remove("a")?;
            files.sync_names()?;
            std::fs::create_dir(files.path.join("lost+found"))?;
            assert_eq!(files.names()?, ["0", "b"]);
            assert_eq!(files.open("a").unwrap_err().kind(), ErrorKind::NotFound);
            assert_eq!(files.create("b").unwrap_err().kind(), ErrorKind::AlreadyExists);
            Ok(())
        })
    }

    #[test]
    fn room_is_set_aside_without_touching_what_is_there() -> io::Result<()> {
        in_fresh_directory(|files| {
            let file = files.create("f")?;
            file.write_at(b"x", 0)?;
            file.reserve(70_000)?;
            file.reserve(100)?;
            file.sync()?;
            assert_eq!(file.bytes()?, 70_000);
            assert_eq!(read(&*file, 0, 3)?, b"x\0\0");
            Ok(())
        })
    }

    #[test]
    fn zeros_do_where_room_cannot_be_set_aside() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("f");
        std::fs::write(&path, b"x")?;
        let options = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
        let bytes = 2 * ZEROS.len() as u64 + 7;
        let file = RealFile { file: options, bytes: 1.into(), has_grown: false.into() };
        file.write_zeros(bytes)?;
        assert_eq!(file.bytes()?, bytes);
        assert_eq!(read(&file, 0, 2)?, b"x\0");
        Ok(())
    }

    #[test]
    fn a_directory_that_is_only_to_be_read_stays_as_it_is() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("journal");
        assert_eq!(RealFiles::open_read_only(&path).unwrap_err().kind(), ErrorKind::NotFound);
        RealFiles::open(&path)?.create("f")?.write_at(b"x", 0)?;
        let files = RealFiles::open_read_only(&path)?;
        let file = files.open("f")?;
        assert_eq!(read(&*file, 0, 2)?, b"x");
        assert!(file.write_at(b"y", 0).is_err());
        for refused in [files.create("g").map(|_| ()), files.rename("f", "g"), files.remove("f")] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
        }
        assert_eq!(files.names()?, ["f"]);
        Ok(())
    }

    #[test]
    fn only_the_owner_may_read() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("journal");
        RealFiles::open(&path)?.create("f")?;
        RealFiles::open(&path)?;
        let mode = |path| std::fs::metadata(path).map(|data| data.permissions().mode() & 0o777);
        assert_eq!(mode(path.clone())?, 0o700);
        assert_eq!(mode(path.join("f"))?, 0o600);
        Ok(())
    }
}
