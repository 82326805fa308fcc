//! What the broker's side of the journal and its three workers share.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use posthouse_core::store::Completion;

use super::bell::{Bell, lock};
use super::bound::Bound;
use super::figures::Figures;
use super::hold::Holding;
use super::intake::Intake;
use super::open_files::OpenFiles;
use super::options::Options;
use super::outbox::Outbox;
use super::reading::{Reading, Ticket};
use super::round::Request;
use super::segments::Segments;
use crate::files::Files;
use crate::journal::fault::Fault;

/// What wakes the workers.
#[derive(Debug, Default)]
pub(super) struct Bells {
    pub(super) writer: Bell,
    pub(super) reader: Bell,
    pub(super) keeper: Bell,
}

/// The figures, behind a lock that is held for a moment only.
#[derive(Debug, Default)]
pub(super) struct SharedFigures(Mutex<Figures>);

impl SharedFigures {
    pub(super) fn lock(&self) -> MutexGuard<'_, Figures> {
        lock(&self.0)
    }
}

/// See the module.
pub(super) struct Machine {
    pub(super) spool: Arc<dyn Files>,
    pub(super) options: Options,
    pub(super) segments: Segments,
    pub(super) intake: Intake,
    pub(super) outbox: Outbox,
    pub(super) reading: Reading,
    /// The checkpoint that is to be made next.
    pub(super) request: Mutex<Option<Request>>,
    pub(super) open_files: OpenFiles,
    pub(super) holding: Holding,
    pub(super) bound: Bound,
    pub(super) bells: Bells,
    pub(super) figures: SharedFigures,
    /// Segments or spares should be made.
    pub(super) wants_upkeep: AtomicBool,
    /// The writer found no room.
    pub(super) is_held: AtomicBool,
    /// It may try again.
    pub(super) may_retry: AtomicBool,
    /// Reader or keeper wait for the writer.
    pub(super) writer_is_awaited: AtomicBool,
    /// The keeper waits for the reader.
    pub(super) reader_is_awaited: AtomicBool,
    /// The spool could not be written to, and nothing was removed from it since.
    pub(super) spool_is_broken: AtomicBool,
    /// The broker has been told that there is no room.
    pub(super) is_full: AtomicBool,
    /// The workers are to end.
    pub(super) is_stopping: AtomicBool,
    /// Why the store could not be read at the start.
    pub(super) start_fault: Mutex<Option<Fault>>,
}

impl Machine {
    pub(super) fn new(
        options: Options,
        segments: Segments,
        intake: Intake,
        outbox: Outbox,
        spool: Arc<dyn Files>,
    ) -> Arc<Machine> {
        Arc::new(Machine {
            open_files: OpenFiles::new(spool.clone()),
            spool,
            reading: Reading::default(),
            request: Mutex::default(),
            holding: Holding::default(),
            bound: Bound::new(segments.bytes()),
            options,
            segments,
            intake,
            outbox,
            bells: Bells::default(),
            figures: SharedFigures::default(),
            wants_upkeep: AtomicBool::new(true),
            is_held: AtomicBool::new(false),
            may_retry: AtomicBool::new(false),
            writer_is_awaited: AtomicBool::new(false),
            reader_is_awaited: AtomicBool::new(false),
            spool_is_broken: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
            start_fault: Mutex::default(),
        })
    }

    /// Whether the broker has been told that there is no room.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Acquire)
    }

    /// The core hands on only words, so whoever wants to know more asks for the fault itself.
    pub(super) fn tell_start_fault(&self, fault: Fault) -> String {
        let words = fault.to_string();
        *lock(&self.start_fault) = Some(fault);
        words
    }

    /// Whether the workers are to end.
    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Tells the broker that there is no room, or that there is again, if that is new.
    pub(super) fn set_full(&self, is_full: bool) {
        if self.is_full.swap(is_full, Ordering::AcqRel) != is_full {
            self.outbox.push(if is_full { Completion::Full } else { Completion::Room });
        }
    }

    /// Tells the broker that there is no room. If that is new a checkpoint is asked for, too: what
    /// comes later may find no room in the log, and then no checkpoint of it would count.
    pub(super) fn run_out_of_room(&self) {
        if !self.is_full() {
            self.set_full(true);
            self.ask_for_checkpoint_at_last();
        }
    }

    /// Wakes those who wait for batches to be written or durable, if there are any.
    pub(super) fn writer_has_moved(&self) {
        if self.writer_is_awaited.swap(false, Ordering::SeqCst) {
            self.bells.reader.ring();
            self.bells.keeper.ring();
        }
    }

    /// Whether `is_so`, which the writer brings about; whoever asks is woken when it moves on.
    pub(super) fn awaits_writer(&self, is_so: impl Fn() -> bool) -> bool {
        if is_so() {
            return true;
        }
        // The wish comes before the second look, so that no move falls between them.
        self.writer_is_awaited.store(true, Ordering::SeqCst);
        is_so()
    }

    /// Wakes the keeper if it waits for loads to be done.
    pub(super) fn reader_has_moved(&self) {
        if self.reader_is_awaited.swap(false, Ordering::SeqCst) {
            self.bells.keeper.ring();
        }
    }

    /// Whether every load up to this one is done; whoever asks is woken when the reader moves on.
    pub(super) fn awaits_reader(&self, ticket: Ticket) -> bool {
        if self.reading.is_done(ticket) {
            return true;
        }
        self.reader_is_awaited.store(true, Ordering::SeqCst);
        self.reading.is_done(ticket)
    }

    /// Lets the keeper look for room, which lets the writer try again if there is some.
    pub(super) fn retry(&self) {
        self.wants_upkeep.store(true, Ordering::Release);
        self.bells.keeper.ring();
    }

    /// Lets the writer try again to write what it found no room for.
    pub(super) fn let_writer_retry(&self) {
        if self.is_held.load(Ordering::Acquire) {
            self.may_retry.store(true, Ordering::Release);
            self.bells.writer.ring();
        }
    }

    /// Lets the workers end.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.bells.writer.ring();
        self.bells.reader.ring();
        self.bells.keeper.ring();
    }

    /// Whether reader and keeper have done what they were asked for.
    pub(super) fn is_settled(&self) -> bool {
        // In this order, because a request that is gone is under way by then.
        let is_asked = lock(&self.request).is_some();
        let has_round = is_asked || self.intake.lock().appetite.is_busy();
        !has_round && self.reading.is_idle() && !self.wants_upkeep.load(Ordering::Acquire)
    }

    /// Whether everything that was submitted is durable.
    ///
    /// # Errors
    /// Why it is not.
    pub(super) fn verdict(&self) -> Result<(), Fault> {
        let fault = |error| Fault::Io { doing: "write everything to the journal".into(), error };
        if let Some(why) = self.outbox.failure() {
            return Err(fault(io::Error::other(why)));
        }
        let intake = self.intake.lock();
        let is_done = intake.durable == intake.last;
        if is_done { Ok(()) } else { Err(fault(io::ErrorKind::StorageFull.into())) }
    }

    /// Asks for a checkpoint if one is due after all.
    pub(super) fn ask_for_checkpoint_at_last(&self) {
        if self.intake.lock().appetite.is_due_at_last() {
            self.outbox.push(Completion::CheckpointWanted);
        }
    }
}
