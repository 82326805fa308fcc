//! The broker's side of a journal: nothing here waits for the medium.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{
    Batch, Completion, Kept, Locator, Recovered, Snapshot, Store, TakePiece,
};

use super::appetite::Appetite;
use super::bell::lock;
use super::crew::{Crew, Threads, Workers};
use super::figures::Figures;
use super::hold::{Hold, hold};
use super::intake::Intake;
use super::keeper::Keeper;
use super::machine::Machine;
use super::opening::{self, Opened, Slots};
use super::options::Options;
use super::outbox::Outbox;
use super::reader::Reader;
use super::reading::Job;
use super::recovery::Recovery;
use super::round::Request;
use super::segments::Segments;
use super::spool::{Spool, SpoolPlace};
use super::writer::Writer;
use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::place::Place;
use crate::journal::layout::segment::StoreId;
use crate::journal::layout::{BLOCK_BYTES, SEGMENT_BYTES_MAX};

/// The crash-safe store in a directory. See [`crate::journal`].
///
/// Whoever has it open must hold the data directory's lock; the journal itself does not know of
/// others. With threads of its own it stops in order when it is dropped: what was submitted is
/// written and synced first. By hand it just stops, as if the power had been cut.
pub struct Journal {
    machine: Arc<Machine>,
    crew: Crew,
    threads: Threads,
    spool: Spool,
    /// Segments of moved messages that the broker knows of since the last snapshot, each with the
    /// batch that was the last when it came to know.
    told: BTreeMap<u64, BatchNo>,
    /// Until the end of the log has been read.
    recovery: Option<(Recovery, Slots)>,
}

impl Journal {
    /// Opens the journal in `files`, which becomes a store if nothing is there, and empties
    /// `spool`.
    ///
    /// # Errors
    /// Damage, which a person has to look at, a newer format, or the system's.
    ///
    /// # Panics
    /// If `options.segment_bytes` is no multiple of 4,096 or out of bounds.
    pub fn open(
        files: Arc<dyn Files>,
        spool: Arc<dyn Files>,
        mut options: Options,
        crew: Crew,
    ) -> Result<Journal, Fault> {
        // Without any nothing could be freed on a full disk.
        options.spares = options.spares.max(1);
        let bytes = options.segment_bytes;
        let is_sound = bytes.is_multiple_of(BLOCK_BYTES as u64) && bytes >= 4 * BLOCK_BYTES as u64;
        assert!(is_sound && bytes <= SEGMENT_BYTES_MAX, "a segment has 4 blocks to 256 MiB");
        let Opened { directory, slots } = opening::open(&*files, options.store_id())?;
        opening::empty(&*spool)?;
        let store = slots.manifest.store;
        let segments = Segments::new(files.clone(), store, &options, &directory);
        let intake = Intake::new(&segments, Appetite::new(options.checkpoint_bytes, bytes));
        let wake = match &crew {
            Crew::Threads { wake } => Some(wake.clone()),
            Crew::ByHand(_) => None,
        };
        let machine = Machine::new(options, segments, intake, Outbox::new(wake), spool);
        let recovery = Recovery::new(machine.clone(), files, &directory, slots.manifest);
        let recovery = Some((recovery, slots));
        let spool = Spool::new(&machine.options);
        let (threads, told) = (Threads::default(), BTreeMap::new());
        Ok(Journal { machine, crew, threads, spool, told, recovery })
    }

    /// The figures as of now.
    pub fn figures(&self) -> Figures {
        self.watch().figures()
    }

    /// Something to ask for figures while the journal itself is the broker's.
    pub fn watch(&self) -> Watch {
        Watch { machine: self.machine.clone() }
    }

    /// Writes and syncs what was submitted, marks the orderly stop, and ends.
    ///
    /// # Errors
    /// If the store is broken, or there is no room for what was submitted.
    pub fn close(mut self) -> Result<(), Fault> {
        self.stop();
        self.machine.verdict()
    }

    fn stop(&mut self) {
        self.machine.stop();
        let writer = match &self.crew {
            Crew::Threads { .. } => self.threads.join(),
            Crew::ByHand(hands) => hands.let_go(&self.machine),
        };
        if let Some(mut writer) = writer {
            writer.finish();
        }
    }

    /// Takes note of how much the spool takes, and lets a file of it go.
    fn unspool(&mut self, gone: Option<u64>) {
        self.machine.figures.lock().spool_bytes = self.spool.bytes();
        if let Some(segment) = gone {
            self.machine.reading.push(Job::Unspool { segment });
            self.machine.bells.reader.ring();
        }
    }

    /// Begins to work once the log has been read to its end.
    fn start(&mut self, slots: Slots) -> Result<(), String> {
        let has_clock = matches!(self.crew, Crew::Threads { .. });
        let workers = Workers {
            writer: Writer::new(self.machine.clone()),
            reader: Reader::new(self.machine.clone()),
            keeper: Keeper::new(self.machine.clone(), slots, has_clock),
        };
        match &self.crew {
            Crew::ByHand(hands) => hands.take_on(self.machine.clone(), workers),
            Crew::Threads { .. } => {
                let threads = Threads::start(&self.machine, workers);
                self.threads = threads.map_err(|e| format!("cannot start a thread: {e}"))?;
            }
        }
        Ok(())
    }
}

/// Figures of a journal that somebody else has. Cheap to clone.
#[derive(Clone)]
pub struct Watch {
    machine: Arc<Machine>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// The figures as of now.
    pub fn figures(&self) -> Figures {
        let mut figures = self.machine.figures.lock().clone();
        figures.is_full = self.machine.is_full();
        figures
    }

    /// Asks that nothing that is on the disk is freed, moved or used again while somebody copies
    /// it. `None` if somebody else has asked so already.
    pub fn hold(&self) -> Option<Hold> {
        hold(&self.machine)
    }

    /// Which store it is.
    pub fn store(&self) -> StoreId {
        self.machine.segments.store
    }

    /// Why the store could not be read at the start, if it could not. Answered once.
    pub fn take_start_fault(&self) -> Option<Fault> {
        lock(&self.machine.start_fault).take()
    }

    /// Why the journal is broken, if it is.
    pub fn failure(&self) -> Option<String> {
        self.machine.outbox.failure()
    }

    /// Whether everything that was submitted is durable and everything that was asked for is
    /// done, or never will be.
    pub fn is_settled(&self) -> bool {
        self.machine.outbox.has_failed()
            || (self.machine.is_settled() && self.machine.verdict().is_ok())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        match &self.crew {
            Crew::Threads { .. } => self.stop(),
            Crew::ByHand(hands) => {
                hands.let_go(&self.machine);
            }
        }
    }
}

impl Store for Journal {
    fn submit(&mut self, batch: Batch) -> Locator {
        assert!(self.recovery.is_none(), "the log is read to its end first");
        let machine = &self.machine;
        if machine.outbox.has_failed() {
            return Locator::NONE;
        }
        let placed = machine.intake.lock().take(&batch, &machine.segments, machine.is_full());
        machine.bells.writer.ring();
        if placed.wants_upkeep {
            machine.retry();
        }
        if placed.wants_checkpoint {
            machine.outbox.push(Completion::CheckpointWanted);
        }
        placed.place.locator()
    }

    fn poll(&mut self) -> Option<Completion> {
        let news = self.machine.outbox.pop()?;
        if let Some(segment) = news.moved_to {
            self.told.insert(segment, self.machine.intake.lock().last);
        }
        Some(news.completion)
    }

    fn is_ready(&self, bytes: usize) -> bool {
        self.machine.intake.lock().is_ready(bytes)
    }

    fn unsynced_bytes_max(&self) -> usize {
        self.machine.options.unsynced_bytes_max()
    }

    fn restore(&mut self, piece: &mut TakePiece<'_>) -> Result<BatchNo, String> {
        match &self.recovery {
            Some((recovery, _)) => recovery.restore(piece),
            None => Err("the log has already been read".into()),
        }
    }

    fn recover(&mut self, from: BatchNo) -> Result<Option<Recovered>, String> {
        while let Some((recovery, _)) = &mut self.recovery {
            let found = recovery.next();
            match found.map_err(|fault| self.machine.tell_start_fault(fault))? {
                Some(found) if found.batch.number >= from => return Ok(Some(found)),
                Some(_) => {}
                None => {
                    if let Some((_, slots)) = self.recovery.take() {
                        self.start(slots)?;
                    }
                }
            }
        }
        Ok(None)
    }

    fn load(&mut self, wanted: Vec<Kept>) {
        let after = self.machine.intake.lock().must_be_written(&wanted);
        self.machine.reading.push_load(wanted, after);
        self.machine.bells.reader.ring();
    }

    fn checkpoint(&mut self, snapshot: Box<dyn Snapshot>) {
        // A snapshot is of the moment of its batch, however late it is handed over.
        let batch = snapshot.batch();
        let told = self.told.extract_if(.., |_, last| *last < batch).map(|(segment, _)| segment);
        let mut told: BTreeSet<u64> = told.collect();
        let loads = self.machine.reading.last();
        let mut request = lock(&self.machine.request);
        told.extend(request.take().into_iter().flat_map(|former| former.told));
        *request = Some(Request { snapshot, loads, told });
        drop(request);
        self.machine.bells.keeper.ring();
    }

    fn spool(&mut self, records: Vec<u8>) -> Locator {
        if self.machine.spool_is_broken.load(Ordering::Acquire) {
            return Locator::NONE;
        }
        let (place, gone) = self.spool.place(records.len());
        self.unspool(gone);
        let Some(SpoolPlace { segment, block, number }) = place else { return Locator::NONE };
        self.machine.reading.push(Job::Spool { segment, block, number, records });
        self.machine.bells.reader.ring();
        Place::of_records(segment, block).locator()
    }

    fn forget(&mut self, locator: Locator, bytes: usize) {
        let gone = self.spool.forget(locator, bytes);
        self.unspool(gone);
    }
}
