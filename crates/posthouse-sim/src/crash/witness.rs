//! A store between driver and journal that notes what went through, and how far the disk's trace
//! was at the time. What must survive a crash, and what may, follows from it.

use std::cell::RefCell;
use std::rc::Rc;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{
    Batch, Completion, Kept, Locator, Recovered, Snapshot, Store, TakePiece,
};
use posthouse_store::files::sim::SimFiles;

/// What went through the store of one life. Places are numbers of operations on the disk.
#[derive(Debug, Default)]
pub struct Notes {
    /// The last batch that was there at the start.
    pub recovered: BatchNo,
    /// Every batch since, and where in the trace it was submitted.
    pub submitted: Vec<(usize, Batch)>,
    /// What was reported as durable, and where in the trace.
    pub durable: Vec<(usize, BatchNo)>,
    /// Checkpoints that it was given.
    pub checkpoints: u64,
    /// Messages that it has loaded.
    pub loaded: usize,
    /// Messages that it has moved.
    pub relocated: usize,
    /// How often it said that there is no room.
    pub full: u64,
}

impl Notes {
    /// The last batch that was reported as durable by then.
    pub fn durable_at(&self, place: usize) -> BatchNo {
        let known = self.durable.iter().take_while(|(noted, _)| *noted <= place);
        known.map(|(_, batch)| *batch).max().unwrap_or_default()
    }

    /// The batches that had been submitted by then.
    pub fn submitted_at(&self, place: usize) -> &[(usize, Batch)] {
        let len = self.submitted.partition_point(|(noted, _)| *noted <= place);
        self.submitted.get(..len).unwrap_or_default()
    }
}

/// See the module.
pub struct Witness {
    store: Box<dyn Store>,
    disk: SimFiles,
    notes: Rc<RefCell<Notes>>,
}

impl Witness {
    /// Stands before `store`, which is on `disk`. Both are given: the witness and its notes.
    pub fn before(store: Box<dyn Store>, disk: &SimFiles) -> (Witness, Rc<RefCell<Notes>>) {
        let notes = Rc::<RefCell<Notes>>::default();
        (Witness { store, disk: disk.clone(), notes: Rc::clone(&notes) }, notes)
    }

    fn hear(&mut self, completion: &Completion) {
        let mut notes = self.notes.borrow_mut();
        match completion {
            Completion::Durable(batch) => notes.durable.push((self.disk.operations(), *batch)),
            Completion::Loaded(loaded) => notes.loaded += loaded.len(),
            Completion::Relocated(relocated) => notes.relocated += relocated.len(),
            Completion::Full => notes.full += 1,
            _ => {}
        }
    }
}

impl Store for Witness {
    fn submit(&mut self, batch: Batch) -> Locator {
        self.notes.borrow_mut().submitted.push((self.disk.operations(), batch.clone()));
        self.store.submit(batch)
    }

    fn poll(&mut self) -> Option<Completion> {
        let completion = self.store.poll()?;
        self.hear(&completion);
        Some(completion)
    }

    fn is_ready(&self, bytes: usize) -> bool {
        self.store.is_ready(bytes)
    }

    fn unsynced_bytes_max(&self) -> usize {
        self.store.unsynced_bytes_max()
    }

    fn restore(&mut self, piece: &mut TakePiece<'_>) -> Result<BatchNo, String> {
        let restored = self.store.restore(piece)?;
        self.notes.borrow_mut().recovered = restored;
        Ok(restored)
    }

    fn recover(&mut self, from: BatchNo) -> Result<Option<Recovered>, String> {
        let recovered = self.store.recover(from)?;
        if let Some(found) = &recovered {
            self.notes.borrow_mut().recovered = found.batch.number;
        }
        Ok(recovered)
    }

    fn load(&mut self, wanted: Vec<Kept>) {
        self.store.load(wanted);
    }

    fn checkpoint(&mut self, snapshot: Box<dyn Snapshot>) {
        self.notes.borrow_mut().checkpoints += 1;
        self.store.checkpoint(snapshot);
    }

    fn spool(&mut self, records: Vec<u8>) -> Locator {
        self.store.spool(records)
    }

    fn forget(&mut self, locator: Locator, bytes: usize) {
        self.store.forget(locator, bytes);
    }
}
