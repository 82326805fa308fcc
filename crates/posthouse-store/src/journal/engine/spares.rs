//! Room that is set aside for when the disk is full: spares, each as long as an ordinary segment,
//! for the log; and ballast, which goes for a checkpoint.
//!
//! Without a checkpoint nothing is ever freed, so the log must not be able to take its room.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::bell::lock;
use super::filling::was_written;
use super::options::Options;
use super::segments::is_full;
use crate::files::{File, Files};
use crate::journal::fault::Fault;
use crate::journal::layout::name::{spare_name, spare_number};

/// The number of the ballast; those of spares begin at 1.
const BALLAST_NUMBER: u64 = 0;

/// A file with its name.
pub(super) type Named = (Arc<dyn File>, String);

/// A spare.
#[derive(Debug)]
struct Spare {
    name: String,
    /// The medium is faster where it has been written to before.
    is_written: bool,
    /// How much of it was filled with zeros in this life, in bytes.
    filled_bytes: u64,
}

impl Spare {
    fn new(name: String, is_written: bool) -> Spare {
        Spare { name, is_written, filled_bytes: 0 }
    }
}

/// A spare that nobody else can take until it is given back.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) name: String,
    pub(super) is_written: bool,
    pub(super) filled_bytes: u64,
    /// Where among the spares it was.
    index: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Spares {
    files: Arc<dyn Files>,
    /// How long each is, in bytes.
    pub(super) segment_bytes: u64,
    /// How many there are to be.
    wanted: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that have been written to are the first.
    spares: VecDeque<Spare>,
    /// One more is being filled.
    is_filling: bool,
    ballast: Option<(String, u64)>,
    /// What an earlier life has left, of which the length is not known yet.
    unknown: Vec<String>,
    next_number: u64,
}

impl Spares {
    /// Spares with the names that are there.
    pub(super) fn new(files: Arc<dyn Files>, options: &Options, names: &[String]) -> Spares {
        let last = names.iter().filter_map(|name| spare_number(name)).max().unwrap_or(0);
        let unknown = names.to_vec();
        let state = State { unknown, next_number: last + 1, ..State::default() };
        let wanted = if options.refills_spares { options.spares } else { 0 };
        let segment_bytes = options.segment_bytes;
        Spares { files, segment_bytes, wanted, state: Mutex::new(state) }
    }

    /// Sorts what an earlier life has left. One that is too short, because it was being made, goes.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn sort(&self) -> Result<(), Fault> {
        let unknown = std::mem::take(&mut lock(&self.state).unknown);
        for name in unknown {
            let file = self.files.open(&name).map_err(Fault::io("open", &name))?;
            let bytes = file.bytes().map_err(Fault::io("read", &name))?;
            if spare_number(&name) == Some(BALLAST_NUMBER) {
                lock(&self.state).ballast = Some((name, bytes));
            } else if bytes >= self.segment_bytes {
                let is_written = was_written(&*file, &name, self.segment_bytes)?;
                self.add(Spare::new(name, is_written));
            } else {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    fn add(&self, spare: Spare) {
        let spares = &mut lock(&self.state).spares;
        if spare.is_written { spares.push_front(spare) } else { spares.push_back(spare) }
    }

    fn remove(&self, name: &str) -> Result<(), Fault> {
        self.files.remove(name).map_err(Fault::io("remove", name))
    }

    /// How many spares there are.
    pub(super) fn len(&self) -> usize {
        let state = lock(&self.state);
        state.spares.len() + usize::from(state.is_filling)
    }

    /// Whether none is missing.
    pub(super) fn are_all_there(&self) -> bool {
        self.len() >= self.wanted
    }

    /// Sets so much room aside for the next checkpoint.
    ///
    /// # Errors
    /// The system's, among them that there is no room.
    pub(super) fn keep_ballast(&self, bytes: u64) -> Result<(), Fault> {
        let ballast = lock(&self.state).ballast.clone();
        let name = match ballast {
            Some((_, there)) if there >= bytes => return Ok(()),
            Some((name, _)) => {
                let file = self.files.open(&name).map_err(Fault::io("open", &name))?;
                file.reserve(bytes).map_err(Fault::io("set room aside in", &name))?;
                name
            }
            None => {
                let name = spare_name(BALLAST_NUMBER);
                reserved_file(&*self.files, &name, bytes)?;
                name
            }
        };
        lock(&self.state).ballast = Some((name, bytes));
        Ok(())
    }

    /// Gives the ballast's room back to the system if `fault` is that there is none.
    ///
    /// # Errors
    /// `fault` if it is something else, or there is no ballast.
    pub(super) fn give_up_ballast_after(&self, fault: Fault) -> Result<(), Fault> {
        let ballast = if is_full(&fault) { lock(&self.state).ballast.take() } else { None };
        let Some((name, _)) = ballast else { return Err(fault) };
        self.remove(&name)
    }

    /// Gives a spare's room back to the system if `fault` is that there is none.
    ///
    /// # Errors
    /// `fault` if it is something else, or there are no spares.
    pub(super) fn give_up_after(&self, fault: Fault) -> Result<(), Fault> {
        let spare = if is_full(&fault) { lock(&self.state).spares.pop_front() } else { None };
        let Some(spare) = spare else { return Err(fault) };
        self.remove(&spare.name)
    }

    /// Makes one more spare if there are too few. Answers whether there are enough now.
    ///
    /// # Errors
    /// The system's, among them that there is no room.
    pub(super) fn replenish(&self) -> Result<bool, Fault> {
        if !self.are_all_there() {
            let name = self.next_name();
            reserved_file(&*self.files, &name, self.segment_bytes)?;
            self.add(Spare::new(name, false));
        }
        Ok(self.are_all_there())
    }

    fn next_name(&self) -> String {
        let mut state = lock(&self.state);
        state.next_number += 1;
        spare_name(state.next_number - 1)
    }

    /// Takes a spare out, with its name, if there is one.
    ///
    /// # Errors
    /// The system's, among them that there is no room.
    pub(super) fn open_one(&self, bytes: u64) -> Result<Option<Named>, Fault> {
        let Some(spare) = lock(&self.state).spares.pop_front() else { return Ok(None) };
        let file = self.files.open(&spare.name).map_err(Fault::io("open", &spare.name))?;
        // Its length may have been in the system's memory only.
        file.reserve(bytes).map_err(Fault::io("set room aside in", &spare.name))?;
        Ok(Some((Arc::from(file), spare.name)))
    }

    /// Whether a segment that is freed after so many others may become a spare. One that was never
    /// written to goes for it.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn has_use_for(&self, others: usize) -> Result<bool, Fault> {
        if self.len() + others < self.wanted {
            return Ok(true);
        }
        let unused = {
            let spares = &mut lock(&self.state).spares;
            if spares.back().is_some_and(|spare| !spare.is_written) {
                spares.pop_back()
            } else {
                None
            }
        };
        match unused {
            Some(spare) => self.remove(&spare.name).map(|()| true),
            None => Ok(false),
        }
    }

    /// Gives a file the name of a spare, and answers it.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn rename(&self, name: &str) -> Result<String, Fault> {
        let spare = self.next_name();
        self.files.rename(name, &spare).map_err(Fault::io("rename", name))?;
        Ok(spare)
    }

    /// Says that a former segment may be used.
    pub(super) fn add_used(&self, name: String) {
        self.add(Spare::new(name, true));
    }

    /// Whether there is a spare that was never written to, or not as a whole.
    pub(super) fn has_unwritten(&self) -> bool {
        lock(&self.state).spares.iter().any(|spare| !spare.is_written)
    }

    /// Takes out a spare to be filled, if there is one.
    pub(super) fn begin_filling(&self) -> Option<Filling> {
        let mut state = lock(&self.state);
        let index = state.spares.iter().position(|spare| !spare.is_written)?;
        let Spare { name, is_written, filled_bytes } = state.spares.remove(index)?;
        state.is_filling = true;
        Some(Filling { name, is_written, filled_bytes, index })
    }

    /// Gives such a spare back.
    pub(super) fn end_filling(&self, filling: Filling) {
        let Filling { name, is_written, filled_bytes, index } = filling;
        let mut state = lock(&self.state);
        state.is_filling = false;
        // The log may have taken some of those before it.
        let index = if is_written { 0 } else { index.min(state.spares.len()) };
        state.spares.insert(index, Spare { name, is_written, filled_bytes });
    }
}

/// A new file with its room set aside; none if there is no room.
///
/// # Errors
/// The system's.
pub(super) fn reserved_file(
    files: &dyn Files,
    name: &str,
    bytes: u64,
) -> Result<Arc<dyn File>, Fault> {
    let file = files.create(name).map_err(Fault::io("make", name))?;
    if let Err(error) = file.reserve(bytes) {
        drop(file);
        files.remove(name).map_err(Fault::io("remove", name))?;
        return Err(Fault::io("set room aside for", name)(error));
    }
    Ok(Arc::from(file))
}
