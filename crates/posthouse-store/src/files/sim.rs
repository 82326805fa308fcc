//! A directory on a simulated disk, for tests: it loses, tears and reorders what was not synced,
//! fills up, fails on demand, and turns bits over.
//!
//! Everything that is done to it is traced. At any place of the trace it can crash, in many ways
//! ([`Fate`]); what is left is a disk of its own, with a trace of its own, that can crash again.
//! The medium is as bad as the journal's format allows: a block of 4 KiB is written wholly or not
//! at all, and nothing else is certain before a sync. A sync that fails loses what it was for,
//! though it can still be read, and the next one succeeds without having written it, as on Linux.

mod content;
mod fate;
mod fault;
mod medium;
mod names;
#[cfg(test)]
mod tests;
mod trace;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use content::BLOCK_BYTES;
pub use fate::Fate;
pub use fault::{Action, Fault};

use super::{File, Files};
use fault::Faults;
use medium::{Medium, Operation};
use names::{Change, FileNo};
use trace::Trace;

/// See the module. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimFiles {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    medium: Medium,
    trace: Trace,
    faults: Faults,
    capacity_bytes: u64,
}

impl State {
    fn carry_out(&mut self, operation: Operation) {
        self.medium.apply(&operation);
        self.trace.note(operation, &self.medium);
    }

    /// How many bytes a file may have when it is to have so many.
    fn room_for(&self, file: FileNo, bytes: u64) -> u64 {
        let has = self.medium.content(file).map_or(0, |content| content.live().bytes);
        let free = self.capacity_bytes.saturating_sub(self.medium.used_bytes());
        bytes.min(has.saturating_add(free))
    }

    fn write(&mut self, file: FileNo, bytes: &[u8], at: u64) {
        let content = self.medium.content(file).filter(|_| !bytes.is_empty());
        let Some(content) = content else { return };
        let blocks = content.live().overlay(bytes, at);
        self.carry_out(Operation::Write { file, blocks, end: at + bytes.len() as u64 });
    }

    fn find(&self, name: &str) -> io::Result<FileNo> {
        let found = self.medium.names.live().get(name).copied();
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no file {name}")))
    }
}

impl Default for SimFiles {
    fn default() -> SimFiles {
        SimFiles::new()
    }
}

impl SimFiles {
    /// An empty directory.
    pub fn new() -> SimFiles {
        SimFiles::on(Medium::default())
    }

    fn on(medium: Medium) -> SimFiles {
        let trace = Trace::new(&medium);
        let faults = Faults::default();
        let state = State { medium, trace, faults, capacity_bytes: u64::MAX };
        SimFiles { state: Arc::new(Mutex::new(state)) }
    }

    /// A panic elsewhere has left nothing half done here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many operations have changed the disk so far.
    pub fn operations(&self) -> usize {
        self.state().trace.operations().len()
    }

    /// The disk that is left if it crashes after `at` operations in the way of `fate`; what is
    /// open to chance is drawn from `seed`.
    pub fn crashed(&self, at: usize, fate: Fate, seed: u64) -> SimFiles {
        let medium = self.state().trace.medium(at);
        SimFiles::on(fate.befall(&medium, seed))
    }

    /// The last of the first `at` operations, in words.
    pub fn describe(&self, at: usize) -> String {
        let state = self.state();
        let operations = state.trace.operations();
        let last = at.checked_sub(1).and_then(|last| operations.get(last));
        last.map_or_else(|| "nothing".to_owned(), |operation| describe(&state.medium, operation))
    }

    /// Orders an error.
    pub fn order(&self, fault: Fault) {
        self.state().faults.order(fault);
    }

    /// Takes back all errors that were ordered.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// How many calls have failed as ordered.
    pub fn struck(&self) -> u64 {
        self.state().faults.struck()
    }

    /// Bytes that all files together may have from now on.
    pub fn limit(&self, capacity_bytes: u64) {
        self.state().capacity_bytes = capacity_bytes;
    }

    /// Bytes of all files together.
    pub fn used_bytes(&self) -> u64 {
        self.state().medium.used_bytes()
    }

    /// Turns one bit of a file over, on the medium. Looking back then ends here. Answers false if
    /// there is no such file or it is too short.
    pub fn flip(&self, name: &str, byte: u64, bit: u8) -> bool {
        let mut state = self.state();
        let Ok(file) = state.find(name) else { return false };
        let is_flipped = state.medium.content_mut(file).flip(byte, bit);
        state.trace = Trace::new(&state.medium);
        is_flipped
    }
}

/// An operation in words, with the name that its file has in the end.
fn describe(medium: &Medium, operation: &Operation) -> String {
    let name = |file: &FileNo| {
        let mut names = medium.names.live().iter();
        names.find(|(_, named)| *named == file).map_or("a file without a name", |(name, _)| name)
    };
    match operation {
        Operation::Write { file, blocks, end } => {
            format!("write of {} blocks up to byte {end} of {}", blocks.len(), name(file))
        }
        Operation::Reserve { file, bytes } => format!("room of {bytes} bytes for {}", name(file)),
        Operation::Sync { file, fails } => format!("sync of {} (fails: {fails})", name(file)),
        Operation::Name(change) => format!("{change:?}"),
        Operation::SyncNames { fails } => format!("sync of the directory (fails: {fails})"),
    }
}

impl Files for SimFiles {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state().medium.names.live().keys().map(ToString::to_string).collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let mut state = self.state();
        state.faults.meet(Action::Open)?;
        let file = state.find(name)?;
        Ok(Box::new(SimFile { files: self.clone(), file }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let mut state = self.state();
        state.faults.meet(Action::Create)?;
        if state.find(name).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if state.medium.used_bytes() >= state.capacity_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = state.medium.next_file();
        state.carry_out(Operation::Name(Change::Created(name.into(), file)));
        Ok(Box::new(SimFile { files: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.faults.meet(Action::Rename)?;
        let file = state.find(from)?;
        state.carry_out(Operation::Name(Change::Renamed(from.into(), to.into(), file)));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.faults.meet(Action::Remove)?;
        let file = state.find(name)?;
        state.carry_out(Operation::Name(Change::Removed(name.into(), file)));
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.state();
        let met = state.faults.meet(Action::SyncNames);
        state.carry_out(Operation::SyncNames { fails: met.is_err() });
        met
    }
}

/// An open file.
#[derive(Debug)]
struct SimFile {
    files: SimFiles,
    file: FileNo,
}

impl File for SimFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut state = self.files.state();
        state.faults.meet(Action::Read)?;
        let content = state.medium.content(self.file);
        Ok(content.map_or(0, |content| content.live().read(buffer, at)))
    }

    /// An error leaves some of the first blocks written.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut state = self.files.state();
        let end = at + bytes.len() as u64;
        let (error, written_end) = match state.faults.meet(Action::Write) {
            Err(error) => (error, at + bytes.len() as u64 / 2),
            Ok(()) if state.room_for(self.file, end) == end => {
                state.write(self.file, bytes, at);
                return Ok(());
            }
            Ok(()) => (io::ErrorKind::StorageFull.into(), state.room_for(self.file, end)),
        };
        let whole_end = written_end - written_end % BLOCK_BYTES as u64;
        let part = usize::try_from(whole_end.saturating_sub(at)).unwrap_or(usize::MAX);
        state.write(self.file, bytes.get(..part).unwrap_or_default(), at);
        Err(error)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.files.state();
        let met = state.faults.meet(Action::Sync);
        state.carry_out(Operation::Sync { file: self.file, fails: met.is_err() });
        met
    }

    fn bytes(&self) -> io::Result<u64> {
        let state = self.files.state();
        Ok(state.medium.content(self.file).map_or(0, |content| content.live().bytes))
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.files.state();
        state.faults.meet(Action::Reserve)?;
        if state.room_for(self.file, bytes) < bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.carry_out(Operation::Reserve { file: self.file, bytes });
        Ok(())
    }
}
