//! What the broker's side of the journal and its three workers share.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use posthouse_core::store::Completion;

use super::bell::{Bell, lock};
use super::figures::Figures;
use super::intake::Intake;
use super::options::Options;
use super::outbox::Outbox;
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
    pub(super) bells: Bells,
    pub(super) figures: SharedFigures,
    /// Segments or spares should be made.
    pub(super) wants_upkeep: AtomicBool,
    /// The writer may try again to find room.
    pub(super) may_retry: AtomicBool,
    /// Reader or keeper wait for the writer.
    pub(super) writer_is_awaited: AtomicBool,
    /// The broker has been told that there is no room.
    pub(super) is_full: AtomicBool,
    /// The workers are to end.
    pub(super) is_stopping: AtomicBool,
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
            spool,
            options,
            segments,
            intake,
            outbox,
            bells: Bells::default(),
            figures: SharedFigures::default(),
            wants_upkeep: AtomicBool::new(true),
            may_retry: AtomicBool::new(false),
            writer_is_awaited: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
        })
    }

    /// Whether the broker has been told that there is no room.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Acquire)
    }

    /// Tells the broker that there is no room, or that there is again, if that is new.
    pub(super) fn set_full(&self, is_full: bool) {
        if self.is_full.swap(is_full, Ordering::AcqRel) != is_full {
            self.outbox.push(if is_full { Completion::Full } else { Completion::Room });
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
        // The wish comes before the look, so that no move falls between them.
        self.writer_is_awaited.store(true, Ordering::SeqCst);
        is_so()
    }

    /// Lets the keeper look for room, and the writer try again.
    pub(super) fn retry(&self) {
        self.wants_upkeep.store(true, Ordering::Release);
        self.may_retry.store(true, Ordering::Release);
        self.bells.keeper.ring();
        self.bells.writer.ring();
    }

    /// Lets the workers end.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.bells.writer.ring();
        self.bells.reader.ring();
        self.bells.keeper.ring();
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
