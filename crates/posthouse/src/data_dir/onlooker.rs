//! Looking into a data directory that no node may use meanwhile, without changing anything in it.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use super::{LOCK, in_use, lock_directory};
use crate::failure::Failure;
use crate::store_failure;

/// Keeps nodes off a data directory while somebody looks into it. Any number of onlookers go
/// together. On a directory that no node has ever run on, such as a backup, there is no file to
/// lock.
#[derive(Debug)]
pub(crate) struct Onlooker {
    /// Held open, for the locks end with them.
    _locks: [Option<File>; 2],
}

impl Onlooker {
    /// Begins to look. Needs no permission to write.
    ///
    /// # Errors
    /// [`Code::DataDirInUse`](crate::codes::Code::DataDirInUse) when a node has the directory, or
    /// that its lock cannot be read.
    pub(crate) fn new(dir: &Path) -> Result<Onlooker, Failure> {
        let directory = lock_directory(dir, File::try_lock_shared)?;
        let path = dir.join(LOCK);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Onlooker { _locks: [directory, None] });
            }
            Err(error) => return Err(store_failure::of_error(&path, &error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Onlooker { _locks: [directory, Some(file)] }),
            Err(TryLockError::WouldBlock) => Err(in_use(dir)),
            Err(TryLockError::Error(error)) => Err(store_failure::of_error(&path, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DataDir;
    use super::Onlooker;

    #[test]
    fn onlookers_go_together_and_not_with_a_node() {
        let temporary = tempfile::tempdir().expect("a directory");
        let path = temporary.path();
        drop(Onlooker::new(path).expect("nobody was ever there"));
        let node = DataDir::open(path).expect("it is free");
        assert_eq!(Onlooker::new(path).expect_err("a node has it").code, "PH1306");
        drop(node);
        let (one, two) = (Onlooker::new(path), Onlooker::new(path));
        let refused = DataDir::open(path).expect_err("somebody looks");
        assert_eq!(refused.code, "PH1306");
        drop((one, two));
        DataDir::open(path).expect("it is free again");
    }
}
