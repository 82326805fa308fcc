//! A store that notes what it is given, so that the simulation knows at every moment which
//! messages are on the disk, without asking the node.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use posthouse_core::ids::BatchNo;
use posthouse_core::record::{Record, codec};
use posthouse_core::store::{Batch, Completion, Locator, Recovered, Store};
use posthouse_store::memory::{Disk, MemoryStore};

use crate::carrier::key_of;
use crate::history::Key;

/// What has been submitted. Clones are the same journal.
#[derive(Clone, Debug)]
pub struct Journal {
    disk: Disk,
    notes: Rc<RefCell<Notes>>,
}

#[derive(Debug, Default)]
struct Notes {
    submitted: u64,
    enqueued: BTreeMap<Key, u64>,
}

impl Journal {
    /// A journal on an empty disk.
    pub fn new() -> Journal {
        Journal { disk: Disk::synced_by_hand(), notes: Rc::default() }
    }

    /// The disk.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Opens the store. Earlier ones are fenced.
    pub fn open(&self) -> Box<dyn Store> {
        Box::new(Noting { store: MemoryStore::on(&self.disk), notes: self.notes.clone() })
    }

    /// The disk loses power; `survivors` batches that it has not confirmed are kept.
    pub fn crash(&self, survivors: usize) {
        self.disk.crash(survivors);
        let kept = self.disk.batches().len() as u64;
        let mut notes = self.notes.borrow_mut();
        notes.submitted = kept;
        notes.enqueued.retain(|_, batch| *batch <= kept);
    }

    /// Whether the message is on the disk for good; `None` if it was never submitted.
    pub fn is_durable(&self, key: Key) -> Option<bool> {
        let notes = self.notes.borrow();
        let durable = notes.submitted - self.disk.unsynced() as u64;
        notes.enqueued.get(&key).map(|batch| *batch <= durable)
    }

    /// How many batches have been submitted.
    pub fn submitted(&self) -> u64 {
        self.notes.borrow().submitted
    }
}

impl Default for Journal {
    fn default() -> Journal {
        Journal::new()
    }
}

struct Noting {
    store: MemoryStore,
    notes: Rc<RefCell<Notes>>,
}

impl Store for Noting {
    fn submit(&mut self, batch: Batch) -> Locator {
        let mut notes = self.notes.borrow_mut();
        notes.submitted = batch.number.0;
        let records = codec::decode_all(&batch.records.clone().into());
        for record in records.expect("the node writes records") {
            notes.note(batch.number.0, &record);
        }
        self.store.submit(batch)
    }

    fn poll(&mut self) -> Option<Completion> {
        self.store.poll()
    }

    fn recover(&mut self, from: BatchNo) -> Result<Option<Recovered>, String> {
        self.store.recover(from)
    }
}

impl Notes {
    fn note(&mut self, batch: u64, record: &Record) {
        match record {
            Record::Enqueued(enqueued) => {
                if let Some(key) = key_of(&enqueued.message) {
                    self.enqueued.entry(key).or_insert(batch);
                }
            }
            Record::Transaction(records) => {
                records.iter().for_each(|record| self.note(batch, record));
            }
            _ => {}
        }
    }
}
