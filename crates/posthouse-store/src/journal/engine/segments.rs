//! The files of the segments: which there are, how new ones are made, and the spares.
//!
//! Whatever makes a file durable does so in the order of `docs/log-format.md`, "Segments": room,
//! head, name. Names are synced before anything else is made of a file that had another name.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};

use super::bell::lock;
use super::options::Options;
use super::slot::{Made, Slot};
use crate::files::{File, Files};
use crate::journal::fault::Fault;
use crate::journal::layout::name::{UNFINISHED, segment_name, spare_name, spare_number};
use crate::journal::layout::segment::{SegmentHead, SegmentKind, StoreId};
use crate::journal::planted::PlantedBug;
use crate::journal::scan::Directory;

/// Spares that the log leaves for checkpoints: without one nothing could ever be freed again.
const SPARES_LEFT: usize = 1;

/// Whether there is no room on the medium, which is not the end of the store.
pub(super) fn is_full(fault: &Fault) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(fault, Fault::Io { error, .. } if matches!(error.kind(), StorageFull | QuotaExceeded))
}

/// See the module.
#[derive(Debug)]
pub(super) struct Segments {
    pub(super) files: Arc<dyn Files>,
    pub(super) store: StoreId,
    options: Options,
    state: Mutex<State>,
}

/// Room that is set aside. Those that have been written to are the first.
#[derive(Debug)]
struct Spare {
    name: String,
    /// The medium is faster where it has been written to before.
    is_used: bool,
}

#[derive(Debug, Default)]
struct State {
    known: BTreeMap<u64, SegmentHead>,
    spares: VecDeque<Spare>,
    next_id: u64,
    next_spare: u64,
}

impl Segments {
    /// The segments and spares that are there.
    pub(super) fn new(
        files: Arc<dyn Files>,
        store: StoreId,
        options: &Options,
        directory: &Directory,
    ) -> Segments {
        let known: BTreeMap<u64, SegmentHead> =
            directory.segments.iter().map(|(head, _)| (head.id, *head)).collect();
        let replayed = directory.manifest.map_or(0, |manifest| manifest.replay_segment);
        let last_id = known.keys().next_back().copied().unwrap_or(0).max(replayed);
        let names = &directory.spares;
        let last_spare = names.iter().filter_map(|name| spare_number(name)).max().unwrap_or(0);
        let spare = |name: &String| Spare { name: name.clone(), is_used: true };
        let spares = names.iter().map(spare).collect();
        let (next_id, next_spare) = (last_id + 1, last_spare + 1);
        let state = Mutex::new(State { known, spares, next_id, next_spare });
        Segments { files, store, options: options.clone(), state }
    }

    /// Chooses another segment of the log, of ordinary length.
    pub(super) fn choose(&self) -> Arc<Slot> {
        let id = self.next_id();
        Slot::new(id, self.options.epoch_of(id), self.options.segment_bytes)
    }

    /// An id that was never given out.
    pub(super) fn next_id(&self) -> u64 {
        let mut state = lock(&self.state);
        state.next_id += 1;
        state.next_id - 1
    }

    /// The head of a segment that is there.
    pub(super) fn head(&self, id: u64) -> Option<SegmentHead> {
        lock(&self.state).known.get(&id).copied()
    }

    /// Bytes of all segments and spares that are there.
    pub(super) fn bytes(&self) -> u64 {
        let state = lock(&self.state);
        let segments: u64 = state.known.values().map(|head| head.bytes).sum();
        segments + self.options.segment_bytes * state.spares.len() as u64
    }

    /// The heads of all segments that are there.
    pub(super) fn heads(&self) -> Vec<SegmentHead> {
        lock(&self.state).known.values().copied().collect()
    }

    /// Takes note of a segment that was made elsewhere.
    pub(super) fn add(&self, head: SegmentHead) {
        lock(&self.state).known.insert(head.id, head);
    }

    /// The file of a chosen segment, which is made if it is not there yet, or not long enough.
    ///
    /// # Errors
    /// The system's, among them that there is no room.
    pub(super) fn make(&self, slot: &Slot) -> Result<Arc<dyn File>, Fault> {
        let mut made = lock(&slot.made);
        let bytes = slot.bytes();
        let file = match &*made {
            Some(made) if made.bytes >= bytes => return Ok(made.file.clone()),
            Some(made) => self.lengthen(slot, made.file.clone(), bytes)?,
            None => self.create(slot, bytes)?,
        };
        *made = Some(Made { file: file.clone(), bytes });
        slot.set_made();
        Ok(file)
    }

    fn create(&self, slot: &Slot, bytes: u64) -> Result<Arc<dyn File>, Fault> {
        let name = segment_name(slot.id);
        let (file, former_name) = self.raw_file(&name, bytes)?;
        self.write_head(slot, &*file, bytes)?;
        let renamed = self.files.rename(&former_name, &name);
        renamed.map_err(Fault::io("give its name to", &name))?;
        if !self.options.has(PlantedBug::SyncSkipsNewSegment) {
            self.sync_names()?;
        }
        Ok(file)
    }

    fn lengthen(
        &self,
        slot: &Slot,
        file: Arc<dyn File>,
        bytes: u64,
    ) -> Result<Arc<dyn File>, Fault> {
        let name = segment_name(slot.id);
        while let Err(error) = file.reserve(bytes) {
            self.sacrifice_after(Fault::io("lengthen", &name)(error), 0)?;
        }
        // A head that says more than there is would be taken for a file that was cut off.
        file.sync().map_err(Fault::io("sync", &name))?;
        self.write_head(slot, &*file, bytes)?;
        Ok(file)
    }

    fn write_head(&self, slot: &Slot, file: &dyn File, bytes: u64) -> Result<(), Fault> {
        let name = segment_name(slot.id);
        let epoch = slot.epoch;
        let kind = SegmentKind::Journal;
        let head = SegmentHead { id: slot.id, epoch, kind, bytes, store: self.store };
        file.write_at(&head.encode(), 0).map_err(Fault::io("write", &name))?;
        file.sync().map_err(Fault::io("sync", &name))?;
        self.add(head);
        Ok(())
    }

    /// A file with room for a segment, under a name that does not count: a spare if there is one.
    fn raw_file(&self, name: &str, bytes: u64) -> Result<(Arc<dyn File>, String), Fault> {
        if bytes == self.options.segment_bytes
            && let Some(spare) = self.take_spare(SPARES_LEFT)
        {
            return Ok((self.checked_spare(&spare, bytes)?, spare));
        }
        let name = format!("{name}{UNFINISHED}");
        let left = if bytes <= self.options.segment_bytes { SPARES_LEFT } else { 0 };
        loop {
            match self.reserved_file(&name, bytes) {
                Ok(file) => return Ok((file, name)),
                Err(fault) => self.sacrifice_after(fault, left)?,
            }
        }
    }

    /// A spare that was being made when the node stopped may be too short.
    fn checked_spare(&self, spare: &str, bytes: u64) -> Result<Arc<dyn File>, Fault> {
        let file = self.files.open(spare).map_err(Fault::io("open", spare))?;
        if let Err(error) = file.reserve(bytes) {
            self.add_spare(spare.to_owned(), false);
            return Err(Fault::io("set room aside for", spare)(error));
        }
        Ok(Arc::from(file))
    }

    /// A new file with its room set aside; none if there is no room.
    fn reserved_file(&self, name: &str, bytes: u64) -> Result<Arc<dyn File>, Fault> {
        let file = self.files.create(name).map_err(Fault::io("make", name))?;
        if let Err(error) = file.reserve(bytes) {
            drop(file);
            self.files.remove(name).map_err(Fault::io("remove", name))?;
            return Err(Fault::io("set room aside for", name)(error));
        }
        Ok(Arc::from(file))
    }

    /// Gives a spare's room back to the system if `fault` is that there is none.
    ///
    /// # Errors
    /// `fault` if it is something else, or no more than `left` spares are left.
    pub(super) fn sacrifice_after(&self, fault: Fault, left: usize) -> Result<(), Fault> {
        let spare = if is_full(&fault) { self.take_spare(left) } else { None };
        let Some(spare) = spare else { return Err(fault) };
        self.files.remove(&spare).map_err(Fault::io("remove", &spare))
    }

    /// A spare, unless no more than `left` are left.
    fn take_spare(&self, left: usize) -> Option<String> {
        let mut state = lock(&self.state);
        let spare = if state.spares.len() > left { state.spares.pop_front() } else { None };
        spare.map(|spare| spare.name)
    }

    /// How many spares there are.
    pub(super) fn spares(&self) -> usize {
        lock(&self.state).spares.len()
    }

    /// Makes one more spare if there are too few. Answers whether there are enough now.
    ///
    /// # Errors
    /// The system's, among them that there is no room.
    pub(super) fn replenish(&self) -> Result<bool, Fault> {
        if self.spares() < self.options.spares {
            let name = self.next_spare_name();
            self.reserved_file(&name, self.options.segment_bytes)?;
            self.add_spare(name, false);
        }
        Ok(self.spares() >= self.options.spares)
    }

    fn next_spare_name(&self) -> String {
        let mut state = lock(&self.state);
        state.next_spare += 1;
        spare_name(state.next_spare - 1)
    }

    /// Frees segments: as many as are needed become spares, the others go.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn free(&self, heads: &[SegmentHead]) -> Result<(), Fault> {
        let mut spares = Vec::new();
        for head in heads {
            let has_enough = self.spares() + spares.len() >= self.options.spares;
            let is_needed = !has_enough || self.drop_unused_spare()?;
            spares.extend(self.free_one(head, is_needed)?);
        }
        // A name that came back after a power cut must not be that of a file with another head.
        self.sync_names()?;
        spares.into_iter().for_each(|spare| self.add_spare(spare, true));
        Ok(())
    }

    fn free_one(&self, head: &SegmentHead, is_needed: bool) -> Result<Option<String>, Fault> {
        let is_ordinary = head.bytes == self.options.segment_bytes;
        // Only segments of the log are used again. An id that compaction gave out may be given
        // out once more after a crash, and then its blocks must not lie in a file of the log.
        if !(is_needed && is_ordinary && head.kind == SegmentKind::Journal) {
            self.remove(head)?;
            return Ok(None);
        }
        lock(&self.state).known.remove(&head.id);
        let name = segment_name(head.id);
        let spare = self.next_spare_name();
        self.files.rename(&name, &spare).map_err(Fault::io("rename", &name))?;
        Ok(Some(spare))
    }

    /// Removes a segment that holds nothing.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn remove(&self, head: &SegmentHead) -> Result<(), Fault> {
        lock(&self.state).known.remove(&head.id);
        let name = segment_name(head.id);
        self.files.remove(&name).map_err(Fault::io("remove", &name))
    }

    fn add_spare(&self, name: String, is_used: bool) {
        let spares = &mut lock(&self.state).spares;
        let spare = Spare { name, is_used };
        if is_used { spares.push_front(spare) } else { spares.push_back(spare) }
    }

    /// Lets a spare go that was never written to, so that a better one takes its place. Answers
    /// whether there was one.
    fn drop_unused_spare(&self) -> Result<bool, Fault> {
        let unused = {
            let spares = &mut lock(&self.state).spares;
            if spares.back().is_some_and(|spare| !spare.is_used) { spares.pop_back() } else { None }
        };
        let Some(Spare { name, .. }) = unused else { return Ok(false) };
        self.files.remove(&name).map_err(Fault::io("remove", &name))?;
        Ok(true)
    }

    /// Makes names durable.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn sync_names(&self) -> Result<(), Fault> {
        self.files.sync_names().map_err(Fault::io("sync", "the journal's directory"))
    }
}
