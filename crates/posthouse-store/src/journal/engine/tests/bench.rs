//! Journals to test: on files that can break, and what drives them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::files::held::HeldFiles;
use crate::files::{File, Files};
use crate::journal::{Crew, Hands, Journal, Options};

/// Segments so short that tests use many.
pub(super) const SEGMENT_BYTES: u64 = 64 << 10;

pub(super) fn options() -> Options {
    Options {
        segment_bytes: SEGMENT_BYTES,
        spares: 2,
        checkpoint_bytes: 4 * SEGMENT_BYTES,
        checkpoint_ms: 0,
        spool_bytes_max: 8 * SEGMENT_BYTES,
        seed: 7,
        #[cfg(feature = "planted-bugs")]
        bug: None,
    }
}

/// Files that fail to be written and synced once they are broken. Clones break together.
#[derive(Clone, Debug)]
pub(super) struct Breakable {
    files: Arc<dyn Files>,
    is_broken: Arc<AtomicBool>,
}

impl Breakable {
    pub(super) fn new(files: Arc<dyn Files>) -> Breakable {
        Breakable { files, is_broken: Arc::default() }
    }

    pub(super) fn break_down(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
    }
}

fn checked(is_broken: &AtomicBool) -> io::Result<()> {
    if is_broken.load(Ordering::SeqCst) {
        return Err(io::Error::other("the medium is broken"));
    }
    Ok(())
}

impl Files for Breakable {
    fn names(&self) -> io::Result<Vec<String>> {
        self.files.names()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let file = self.files.open(name)?;
        Ok(Box::new(BreakableFile { file, is_broken: self.is_broken.clone() }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.files.create(name)?;
        self.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        checked(&self.is_broken)?;
        self.files.sync_names()
    }
}

#[derive(Debug)]
struct BreakableFile {
    file: Box<dyn File>,
    is_broken: Arc<AtomicBool>,
}

impl File for BreakableFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(buffer, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        checked(&self.is_broken)?;
        self.file.write_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        checked(&self.is_broken)?;
        self.file.sync()
    }

    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.file.reserve(bytes)
    }
}

/// A journal on files in memory that does nothing by itself.
pub(super) struct HandBench {
    pub(super) files: Breakable,
    pub(super) spool: HeldFiles,
    pub(super) hands: Hands,
    pub(super) options: Options,
}

impl HandBench {
    pub(super) fn new() -> HandBench {
        HandBench {
            files: Breakable::new(Arc::new(HeldFiles::default())),
            spool: HeldFiles::default(),
            hands: Hands::new(),
            options: options(),
        }
    }

    pub(super) fn journal(&self) -> Journal {
        let crew = Crew::ByHand(self.hands.clone());
        let (files, spool) = (Arc::new(self.files.clone()), Arc::new(self.spool.clone()));
        Journal::open(files, spool, self.options.clone(), crew).expect("what is there is sound")
    }
}
