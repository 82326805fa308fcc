//! The keeper: carries checkpoints through, makes segments and spares ahead, and fills spares while
//! nothing else is to be done.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::bell::lock;
use super::bound::{make_within, puts_off_spare};
use super::crew::Work;
use super::filling::{Calm, fill_some, may_fill};
use super::freeing::Memory;
use super::machine::Machine;
use super::opening::Slots;
use super::round::{Outcome, Round};
use super::segments::is_full;
use super::slot::Slot;
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::manifest::Manifest;

/// How often it is looked whether time alone asks for something.
const TICK: Duration = Duration::from_secs(1);

/// What is kept for a checkpoint, besides twice the length of the last one: such a part of an
/// ordinary segment, and so many bytes at least.
const BALLAST_PARTS: u64 = 8;
const BALLAST_BYTES_LEAST: u64 = 64 << 10;

/// See the module.
pub(super) struct Keeper {
    machine: Arc<Machine>,
    memory: Memory,
    round: Option<Round>,
    /// When it was last looked whether time asks for something; nothing if it never does.
    looked: Option<Instant>,
    /// When the last checkpoint began.
    began: Instant,
    calm: Calm,
}

impl Keeper {
    /// With `has_clock` things also happen because time has passed.
    pub(super) fn new(machine: Arc<Machine>, slots: Slots, has_clock: bool) -> Keeper {
        let began = Instant::now();
        let looked = has_clock.then_some(began);
        let (memory, calm) = (Memory::new(slots), Calm::default());
        Keeper { machine, memory, round: None, looked, began, calm }
    }

    /// Makes what is to be there ahead, one thing at a time. Without room the broker is told, and
    /// it is tried again when something was freed or time has passed.
    fn upkeep(&mut self) -> Result<(), Fault> {
        self.machine.wants_upkeep.store(false, Ordering::Release);
        match self.make_ahead() {
            Ok(true) => self.machine.set_full(false),
            Ok(false) => self.machine.wants_upkeep.store(true, Ordering::Release),
            Err(fault) if is_full(&fault) => self.machine.run_out_of_room(),
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Whether the log has come to a segment of which the manifest does not know. While somebody
    /// copies the manifest it stays as it is.
    fn is_behind_log(&self) -> bool {
        let used = self.machine.intake.lock().used_segment;
        used > self.memory.slots.manifest.last_segment && !self.machine.holding.is_still()
    }

    /// Lets the manifest say how far the log has come, so that it is noticed if its last segments
    /// are removed.
    fn note_last_segment(&mut self) -> Result<(), Fault> {
        let last_segment = self.machine.intake.lock().used_segment;
        let slots = &mut self.memory.slots;
        let generation = slots.manifest.generation + 1;
        let manifest = Manifest { generation, last_segment, ..slots.manifest };
        slots.write(&*self.machine.segments.files, manifest)
    }

    /// Answers whether everything is there, or comes with the end of a checkpoint.
    fn make_ahead(&self) -> Result<bool, Fault> {
        let spares = &self.machine.segments.spares;
        spares.sort()?;
        let kept = spares.keep_ballast(self.ballast_bytes());
        let slots = self.machine.intake.lock().slots();
        for slot in &slots {
            // The log must not take what checkpoints will want back.
            if kept.is_err() && spares.len() == 0 && !slot.is_made() {
                return self.make_least(slot).and(kept).map(|()| true);
            }
            if !self.make(slot)? {
                return Ok(true);
            }
            // What the writer waits for is the first of them that was not there.
            self.machine.let_writer_retry();
        }
        kept?;
        if spares.are_all_there() || puts_off_spare(&self.machine) {
            return Ok(true);
        }
        spares.replenish()
    }

    /// Enough for a checkpoint that is much longer than the last one.
    fn ballast_bytes(&self) -> u64 {
        let last = self.memory.slots.manifest.checkpoint_bytes.next_multiple_of(BLOCK_BYTES as u64);
        2 * last + (self.machine.options.segment_bytes / BALLAST_PARTS).max(BALLAST_BYTES_LEAST)
    }

    /// Makes a segment as long as there is room for. Answers false if it has to wait. The last
    /// resort is what is kept back for checkpoints, if the one that is being made does not need it
    /// any more.
    fn make(&self, slot: &Slot) -> Result<bool, Fault> {
        let segments = &self.machine.segments;
        let is_written = self.round.as_ref().is_some_and(Round::is_written);
        loop {
            let fault = match make_within(&self.machine, slot) {
                Ok(made) => return Ok(made.is_some()),
                Err(fault) => fault,
            };
            if is_full(&fault) && self.machine.intake.lock().shrink(slot) {
                continue;
            }
            if !(is_written && self.machine.is_held.load(Ordering::Acquire)) {
                return Err(fault);
            }
            segments.spares.give_up_ballast_after(fault)?;
        }
    }

    /// Makes a segment if the writer waits for it, as short as may be, so that most of the ballast
    /// can be set aside again when the checkpoint to which it was given is over.
    fn make_least(&self, slot: &Slot) -> Result<(), Fault> {
        if !self.machine.is_held.load(Ordering::Acquire) {
            return Ok(());
        }
        while self.machine.intake.lock().shrink(slot) {}
        if self.make(slot)? {
            self.machine.let_writer_retry();
        }
        Ok(())
    }

    fn go_on(&mut self, mut round: Round) -> Result<(), Fault> {
        let outcome = round.step(&self.machine, &mut self.memory)?;
        if outcome == Outcome::NoRoom {
            self.machine.set_full(true);
        }
        if outcome == Outcome::More {
            self.round = Some(round);
        } else {
            round.end(&self.machine, outcome != Outcome::NoRoom);
            self.machine.holding.come_to_rest(&self.machine, &self.memory.slots);
        }
        Ok(())
    }

    /// Whether the last checkpoint is so long ago that another one is wanted.
    fn is_late(&self) -> bool {
        let interval = Duration::from_millis(self.machine.options.checkpoint_ms);
        self.looked.is_some() && !interval.is_zero() && self.began.elapsed() >= interval
    }

    fn begin_round(&mut self) {
        if self.round.is_some() || self.machine.holding.is_still() {
            return;
        }
        let mut asked = lock(&self.machine.request);
        if let Some(request) = asked.take() {
            let mut intake = self.machine.intake.lock();
            intake.appetite.begin();
            self.machine.bound.begin_round(intake.last);
            drop(intake);
            self.began = Instant::now();
            self.round = Some(Round::new(request, &mut self.memory));
        }
    }
}

impl Work for Keeper {
    fn is_ready(&mut self) -> bool {
        if self.looked.is_some_and(|looked| looked.elapsed() >= TICK) {
            self.pass();
        }
        self.begin_round();
        if self.machine.wants_upkeep.load(Ordering::Acquire) || self.is_behind_log() {
            return true;
        }
        match &self.round {
            Some(round) => round.is_ready(&self.machine),
            None => may_fill(&self.machine, &mut self.calm),
        }
    }

    fn step(&mut self) -> Result<(), Fault> {
        if self.machine.wants_upkeep.load(Ordering::Acquire) {
            return self.upkeep();
        }
        if self.is_behind_log() {
            return self.note_last_segment();
        }
        match self.round.take() {
            Some(round) => self.go_on(round),
            None => fill_some(&*self.machine.segments.files, &self.machine.segments.spares),
        }
    }

    fn pause(&self) -> Option<Duration> {
        Some(TICK)
    }

    fn pass(&mut self) {
        self.looked = self.looked.map(|_| Instant::now());
        let last = self.machine.intake.lock().last;
        self.calm.pass(last);
        let is_full = self.machine.is_full();
        if is_full {
            self.machine.retry();
        }
        if is_full || self.is_late() {
            self.machine.ask_for_checkpoint_at_last();
        }
    }
}
