//! The writer: takes what has come in, writes it, and syncs once for all of it.
//!
//! What arrives during a sync is written together after it (group commit), in as many batches as
//! were laid out meanwhile. An error of a write or a sync ends the store; nothing is tried again,
//! because the kernel may have dropped what it could not write and would answer the next sync with
//! success.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Completion;

use super::bell::Bell;
use super::bound::make_within;
use super::crew::{Work, step};
use super::intake::{Pace, Run};
use super::machine::Machine;
use super::places::Spot;
use super::segments::is_full;
use crate::files::File;
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::name::segment_name;
use crate::journal::planted::PlantedBug;

/// After so long without anything the last batch gets its witness.
const VOUCH_AFTER: Duration = Duration::from_millis(10);

/// Gathering takes at most this part of the last sync.
const GATHER_PARTS: u32 = 5;

/// Gathering takes at most so long.
const GATHER_MAX: Duration = Duration::from_micros(300);

/// See the module.
pub(super) struct Writer {
    machine: Arc<Machine>,
    /// Runs for which there was no room.
    held: VecDeque<Run>,
    unsynced: Option<Written>,
    /// How many batches the last sync answered, and how long it took.
    last_sync: (u64, Duration),
}

/// What one sync is to make durable.
#[derive(Default)]
struct Written {
    files: Vec<(u64, Arc<dyn File>)>,
    last: BatchNo,
    /// Behind the last block.
    end: Spot,
    batches: u64,
    bytes: u64,
}

impl Writer {
    pub(super) fn new(machine: Arc<Machine>) -> Writer {
        let held = VecDeque::new();
        Writer { machine, held, unsynced: None, last_sync: (0, Duration::ZERO) }
    }

    /// Writes and syncs what was submitted, then the mark of an orderly stop.
    pub(super) fn finish(&mut self) {
        self.machine.may_retry.store(true, Ordering::Release);
        self.work_off();
        if !self.is_held() {
            self.machine.intake.lock().end();
            self.work_off();
        }
    }

    fn work_off(&mut self) {
        while !self.machine.outbox.has_failed() && self.is_ready() {
            step(&self.machine.clone(), self);
        }
    }

    /// Whether something waits for room.
    fn is_held(&self) -> bool {
        !self.held.is_empty()
    }

    fn write(&mut self) -> Result<(), Fault> {
        self.machine.may_retry.store(false, Ordering::Release);
        let runs = {
            let mut intake = self.machine.intake.lock();
            intake.pace = Pace::Busy;
            intake.take_runs()
        };
        self.held.extend(runs);
        self.machine.is_held.store(false, Ordering::Release);
        let mut written = Written::default();
        let mut buffers = Vec::new();
        while let Some(run) = self.held.pop_front() {
            let Some(file) = self.file_of(&run)? else {
                self.wait_for_room(run);
                break;
            };
            let at = run.block * BLOCK_BYTES as u64;
            let name = segment_name(run.slot.id);
            file.write_at(&run.bytes, at).map_err(Fault::io("write", &name))?;
            written.note(&run, file);
            buffers.push(run.bytes);
        }
        self.after_write(written, buffers);
        Ok(())
    }

    /// Where a run is written to; none if there is no room for now.
    fn file_of(&self, run: &Run) -> Result<Option<Arc<dyn File>>, Fault> {
        let machine = &self.machine;
        let is_short = machine.is_full() && machine.segments.spares.len() == 0;
        // What is left then is for checkpoints, and the keeper knows how much of it they need. When
        // the node stops, there is no keeper any more.
        if is_short && !run.slot.is_made() && !machine.is_stopping() {
            return Ok(None);
        }
        match make_within(machine, &run.slot) {
            Err(fault) if is_full(&fault) => Ok(None),
            other => other,
        }
    }

    /// Puts a run back. The keeper looks for room and says when to try again.
    fn wait_for_room(&mut self, run: Run) {
        self.machine.intake.lock().pace = Pace::Held;
        self.machine.is_held.store(true, Ordering::Release);
        self.held.push_front(run);
        self.machine.wants_upkeep.store(true, Ordering::Release);
        self.machine.bells.keeper.ring();
    }

    fn after_write(&mut self, written: Written, buffers: Vec<Vec<u8>>) {
        {
            let mut intake = self.machine.intake.lock();
            intake.give_back(buffers.into_iter());
            intake.written = intake.written.max(written.last);
        }
        if written.files.is_empty() {
            return;
        }
        if self.machine.options.has(PlantedBug::DurableBeforeSync) {
            self.machine.outbox.push(Completion::Durable(written.last));
        }
        self.unsynced = Some(written);
    }

    fn sync(&mut self, written: &Written) -> Result<(), Fault> {
        let began = Instant::now();
        for (id, file) in &written.files {
            self.sync_file(*id, &**file)?;
        }
        let took = began.elapsed();
        self.last_sync = (written.batches, took);
        self.machine.figures.lock().note_sync(took, written.batches, written.bytes);
        let is_first_of_segment = {
            let mut intake = self.machine.intake.lock();
            intake.pace = if self.is_held() { Pace::Held } else { Pace::Open };
            let used = intake.used_segment;
            if intake.note_durable(written.last, written.end, written.bytes) {
                self.machine.outbox.put_durable(written.last);
            }
            used != intake.used_segment
        };
        if is_first_of_segment {
            // The keeper lets the manifest say so.
            self.machine.bells.keeper.ring();
        }
        // A vouch has nothing to tell, but a batch may have been held back because of it.
        self.machine.outbox.wake();
        self.machine.writer_has_moved();
        Ok(())
    }

    fn sync_file(&self, id: u64, file: &dyn File) -> Result<(), Fault> {
        let synced = file.sync();
        if synced.is_err() && self.machine.options.has(PlantedBug::RetriesSync) {
            return file.sync().map_err(Fault::unsynced(&segment_name(id)));
        }
        synced.map_err(Fault::unsynced(&segment_name(id)))
    }
}

impl Written {
    fn note(&mut self, run: &Run, file: Arc<dyn File>) {
        if self.files.last().is_none_or(|(id, _)| *id != run.slot.id) {
            self.files.push((run.slot.id, file));
        }
        self.last = run.last;
        let blocks = (run.bytes.len() / BLOCK_BYTES) as u64;
        self.end = Spot { segment: run.slot.id, block: run.block + blocks };
        self.batches += run.batches;
        self.bytes += run.bytes.len() as u64;
    }
}

impl Work for Writer {
    fn is_ready(&mut self) -> bool {
        if self.unsynced.is_some() {
            return true;
        }
        if self.is_held() {
            return self.machine.may_retry.load(Ordering::Acquire);
        }
        self.machine.intake.lock().has_runs()
    }

    fn step(&mut self) -> Result<(), Fault> {
        match self.unsynced.take() {
            Some(written) => self.sync(&written),
            None => self.write(),
        }
    }

    fn pause(&self) -> Option<Duration> {
        let lacks_vouch = self.machine.intake.lock().lacks_vouch();
        (lacks_vouch && !self.is_held()).then_some(VOUCH_AFTER)
    }

    fn pass(&mut self) {
        if !self.is_held() && self.unsynced.is_none() {
            self.machine.intake.lock().vouch();
        }
    }

    /// If the last sync answered several producers, those are expected back, and a short wait
    /// saves a sync.
    fn gather(&mut self, bell: &Bell) {
        let (batches, took) = self.last_sync;
        if batches < 2 || self.unsynced.is_some() {
            return;
        }
        let patience = (took / GATHER_PARTS).min(GATHER_MAX);
        let began = Instant::now();
        while self.machine.intake.lock().gather() < batches {
            let left = patience.saturating_sub(began.elapsed());
            if left.is_zero() || !bell.wait(Some(left)) {
                return;
            }
        }
    }
}
