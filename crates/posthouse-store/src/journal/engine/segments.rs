//! The files of the segments: which there are, how new ones are made, and the spares.
//!
//! Whatever makes a file durable does so in the order of `docs/log-format.md`, "Segments": room,
//! head, name. Names are synced before anything else is made of a file that had another name.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::bell::lock;
use super::options::Options;
use super::places::Spot;
use super::slot::{Made, Slot};
use super::spares::{Named, Spares, reserved_file};
use crate::files::{File, Files};
use crate::journal::fault::Fault;
use crate::journal::layout::name::{UNFINISHED, segment_name};
use crate::journal::layout::segment::{SegmentHead, SegmentKind, StoreId};
use crate::journal::planted::PlantedBug;
use crate::journal::scan::Directory;

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
    pub(super) spares: Spares,
    options: Options,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: BTreeMap<u64, SegmentHead>,
    next_id: u64,
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
        let state = Mutex::new(State { known, next_id: last_id + 1 });
        let spares = Spares::new(files.clone(), options, &directory.spares);
        Segments { files, store, spares, options: options.clone(), state }
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
        let segments: u64 = lock(&self.state).known.values().map(|head| head.bytes).sum();
        segments + self.options.segment_bytes * self.spares.len() as u64
    }

    /// The heads of all segments that are there.
    pub(super) fn heads(&self) -> Vec<SegmentHead> {
        lock(&self.state).known.values().copied().collect()
    }

    /// Takes note of a segment that was made elsewhere.
    pub(super) fn add(&self, head: SegmentHead) {
        lock(&self.state).known.insert(head.id, head);
    }

    /// Where the log may be said to go on: at `spot`, or if that segment is not there yet, at the
    /// end of the one before, from where it is looked for.
    pub(super) fn spot_that_is_there(&self, spot: Spot) -> Spot {
        let state = lock(&self.state);
        let is_log = |head: &&SegmentHead| head.kind == SegmentKind::Journal;
        let last = state.known.range(..=spot.segment).map(|(_, head)| head).rfind(is_log);
        match last {
            Some(head) if head.id != spot.segment => {
                Spot { segment: head.id, block: head.blocks() }
            }
            _ => spot,
        }
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
        let written = self.write_head(slot, &*file, bytes).and_then(|()| {
            let renamed = self.files.rename(&former_name, &name);
            renamed.map_err(Fault::io("give its name to", &name))
        });
        if let Err(fault) = written {
            return Err(self.give_up(file, &former_name, fault));
        }
        if !self.options.has(PlantedBug::SyncSkipsNewSegment) {
            self.sync_names()?;
        }
        // Not before, for a manifest may name what is known to be there.
        self.add(self.head_of(slot, bytes));
        Ok(file)
    }

    /// Removes a file that has not become a segment for want of room, so that it is not in the way
    /// when it is tried again. Answers what is wrong.
    fn give_up(&self, file: Arc<dyn File>, name: &str, fault: Fault) -> Fault {
        drop(file);
        if !is_full(&fault) {
            return fault;
        }
        let removed = self.files.remove(name).map_err(Fault::io("remove", name));
        removed.err().unwrap_or(fault)
    }

    fn lengthen(
        &self,
        slot: &Slot,
        file: Arc<dyn File>,
        bytes: u64,
    ) -> Result<Arc<dyn File>, Fault> {
        let name = segment_name(slot.id);
        while let Err(error) = file.reserve(bytes) {
            self.spares.give_up_after(Fault::io("lengthen", &name)(error))?;
        }
        // A head that says more than there is would be taken for a file that was cut off.
        file.sync().map_err(Fault::unsynced(&name))?;
        self.write_head(slot, &*file, bytes)?;
        self.add(self.head_of(slot, bytes));
        Ok(file)
    }

    fn head_of(&self, slot: &Slot, bytes: u64) -> SegmentHead {
        let Slot { id, epoch, .. } = *slot;
        SegmentHead { id, epoch, kind: SegmentKind::Journal, bytes, store: self.store }
    }

    fn write_head(&self, slot: &Slot, file: &dyn File, bytes: u64) -> Result<(), Fault> {
        let name = segment_name(slot.id);
        let head = self.head_of(slot, bytes);
        file.write_at(&head.encode(), 0).map_err(Fault::io("write", &name))?;
        file.sync().map_err(Fault::unsynced(&name))
    }

    /// A file with room for a segment, under a name that does not count: a spare if there is one.
    fn raw_file(&self, name: &str, bytes: u64) -> Result<Named, Fault> {
        if bytes == self.options.segment_bytes
            && let Some(spare) = self.spares.open_one(bytes)?
        {
            return Ok(spare);
        }
        let name = format!("{name}{UNFINISHED}");
        loop {
            match reserved_file(&*self.files, &name, bytes) {
                Ok(file) => return Ok((file, name)),
                Err(fault) => self.spares.give_up_after(fault)?,
            }
        }
    }

    /// Frees segments: as many as are needed become spares, the others go.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn free(&self, heads: &[SegmentHead]) -> Result<(), Fault> {
        let mut spares = Vec::new();
        for head in heads {
            // Only segments of the log are used again. An id that compaction gave out may be
            // given out once more after a crash, and then its blocks must not lie in the log.
            let is_ordinary = head.bytes == self.options.segment_bytes;
            if is_ordinary
                && head.kind == SegmentKind::Journal
                && self.spares.has_use_for(spares.len())?
            {
                lock(&self.state).known.remove(&head.id);
                spares.push(self.spares.rename(&segment_name(head.id))?);
            } else {
                self.remove(head)?;
            }
        }
        // A name that came back after a power cut must not be that of a file with another head.
        self.sync_names()?;
        spares.into_iter().for_each(|spare| self.spares.add_used(spare));
        Ok(())
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

    /// Makes names durable.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn sync_names(&self) -> Result<(), Fault> {
        self.files.sync_names().map_err(Fault::unsynced("the journal's directory"))
    }
}
