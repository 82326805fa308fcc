//! Files held in memory, for tests that read what they have laid out themselves. Everything is
//! there at once and stays; the simulated disk is the one that loses things.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{File, Files};

type Content = Arc<Mutex<Vec<u8>>>;

/// A directory in memory. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldFiles {
    contents: Arc<Mutex<BTreeMap<String, Content>>>,
}

impl HeldFiles {
    /// Makes or replaces a file.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        lock(&self.contents).insert(name.to_owned(), Arc::new(Mutex::new(bytes)));
    }

    /// Changes a file in place.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut lock(&self.find(name).expect("the file is there")));
    }

    fn find(&self, name: &str) -> io::Result<Content> {
        lock(&self.contents).get(name).cloned().ok_or_else(|| ErrorKind::NotFound.into())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files for HeldFiles {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(lock(&self.contents).keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        Ok(Box::new(HeldFile(self.find(name)?)))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        if self.find(name).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.put(name, Vec::new());
        self.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let content = self.find(from)?;
        self.remove(from)?;
        lock(&self.contents).insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let removed = lock(&self.contents).remove(name);
        removed.map(|_| ()).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct HeldFile(Content);

impl File for HeldFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let content = lock(&self.0);
        let there = content.get(at as usize..).unwrap_or_default();
        let read = there.len().min(buffer.len());
        buffer[..read].copy_from_slice(&there[..read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.reserve(at + bytes.len() as u64)?;
        lock(&self.0)[at as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(lock(&self.0).len() as u64)
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        let mut content = lock(&self.0);
        let bytes = content.len().max(bytes as usize);
        content.resize(bytes, 0);
        Ok(())
    }
}
