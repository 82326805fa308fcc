//! The files that a journal needs, behind a trait: one flat directory, and files that are read
//! and written at a place. The real ones are the system's; the simulated ones lose, tear and
//! reorder what was not synced, fill up and fail on demand.
//!
//! Nothing is durable before its sync: bytes of a file before [`File::sync`], names (made,
//! renamed, removed) before [`Files::sync_names`].

#[cfg(test)]
pub(crate) mod held;
pub mod real;
pub mod sim;

use std::fmt::Debug;
use std::io;

/// One directory.
pub trait Files: Debug + Send + Sync {
    /// The names of the files in it, in ascending order.
    ///
    /// # Errors
    /// The system's.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens a file that is there, to read and write.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if it is not there, or another of the system's.
    fn open(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Makes a new, empty file that only its owner may read.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if it is there, or another of the system's.
    fn create(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Gives a file another name; a file that had it is gone.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes names durable.
    ///
    /// # Errors
    /// The system's. What was to be made durable may never be.
    fn sync_names(&self) -> io::Result<()>;
}

/// One file.
pub trait File: Debug + Send + Sync {
    /// Reads into `buffer` from byte `at` on, until it is full or the file ends; answers how many
    /// bytes were read.
    ///
    /// # Errors
    /// The system's.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at byte `at`.
    ///
    /// # Errors
    /// The system's. Any part of it may have been written.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Makes everything that was written durable, with the length of the file.
    ///
    /// # Errors
    /// The system's. What was to be made durable may never be, and must not be tried again.
    fn sync(&self) -> io::Result<()>;

    /// The length of the file.
    ///
    /// # Errors
    /// The system's.
    fn bytes(&self) -> io::Result<u64>;

    /// Makes the file at least this long and sets the room aside, so that no write within it
    /// finds the disk full. New bytes are zero.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] if there is no room, or another of the system's.
    fn reserve(&self, bytes: u64) -> io::Result<()>;
}
