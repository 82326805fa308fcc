//! Which file stands at the path of a SQLite database.
//!
//! Whoever has opened a file goes on with it when another one is put in its place, and when it is
//! deleted; nothing fails, and nothing that is written to the new one is ever seen. So the path is
//! looked at before each use. The file itself must not be opened for that: closing it would end
//! SQLite's locks on it (<https://sqlite.org/howtocorrupt.html>, section 2.2).

use std::fs::metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::source::error::{SourceError, SourceErrorKind};

/// What no other file has. Numbers of inodes are used again, so that the time is needed too, where
/// a file system knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
    created: Option<SystemTime>,
}

fn id_of(path: &Path) -> Option<FileId> {
    let found = metadata(path).ok()?;
    Some(FileId { device: found.dev(), inode: found.ino(), created: found.created().ok() })
}

#[derive(Debug, Default)]
struct Known {
    /// The file that is open; nothing before the first use, and for databases without a file.
    id: Option<FileId>,
    /// Whether a round has been told that it is another one.
    is_told: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    known: Mutex<Known>,
}

impl Watch {
    /// Nothing is looked at yet.
    pub(super) fn new(path: &Path) -> Watch {
        Watch { path: path.to_owned(), known: Mutex::default() }
    }

    /// The file must be there, and be the one that it was. What is found is remembered before the
    /// file is opened: if it is replaced in between, that is noticed the next time.
    pub(super) fn look(&self, is_round: bool) -> Result<(), SourceError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = id_of(&self.path);
        match (known.id, found) {
            (None, _) => known.id = found,
            (Some(_), None) => return Err(self.gone()),
            (Some(id), Some(found)) if id == found && !known.is_told => {}
            (Some(_), Some(_)) => {
                known.is_told |= is_round;
                return Err(self.replaced());
            }
        }
        Ok(())
    }

    /// Whether the file is another one, and a round knows of it, so that nobody believes to know
    /// what stands in it. If so, the next look is like the first.
    pub(super) fn take_replaced(&self) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = known.is_told;
        if is_told {
            *known = Known::default();
        }
        is_told
    }

    fn gone(&self) -> SourceError {
        SourceError {
            kind: SourceErrorKind::Unavailable,
            detail: format!(
                "the file {} is not there any more: put it back, or make it with `posthouse relay \
                 init`",
                self.path.display()
            ),
        }
    }

    fn replaced(&self) -> SourceError {
        SourceError {
            kind: SourceErrorKind::Replaced,
            detail: format!(
                "the file {} was replaced by another one, which is read from the beginning; \
                 nothing more goes to the old one",
                self.path.display()
            ),
        }
    }
}
