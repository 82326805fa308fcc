//! One checkpoint from the request to the last thing that it makes possible: file, manifest,
//! freeing, compaction.
//!
//! The order is what makes it safe. The file is durable before the manifest names it; the batches
//! that it takes in are durable before it counts; the manifest is durable, and loads that were
//! asked for before are done, before anything is freed.

use std::collections::BTreeSet;
use std::time::Instant;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Completion, Snapshot};

use super::bound::takes_too_much;
use super::census::{Census, survivors};
use super::checkpoint::CheckpointFile;
use super::compaction::Compaction;
use super::figures::CheckpointFigures;
use super::freeing::{Memory, choose_victims, free_dead, note_space};
use super::machine::Machine;
use super::reading::Ticket;
use super::segments::is_full;
use crate::journal::fault::Fault;
use crate::journal::layout::manifest::Manifest;
use crate::journal::planted::PlantedBug;

/// What the broker's side hands over.
pub(super) struct Request {
    pub(super) snapshot: Box<dyn Snapshot>,
    /// The last load that may still look where the state before the snapshot looked.
    pub(super) loads: Ticket,
    /// Segments of moved messages of which the broker knew everything at the snapshot.
    pub(super) told: BTreeSet<u64>,
}

/// What is to be done next.
enum Stage {
    Write,
    Sync(CheckpointFile),
    Name(CheckpointFile),
    Count(CheckpointFile),
    Free,
    Choose(Census),
    Compact(Census, Compaction),
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is more to do.
    More,
    /// The round is over.
    Over,
    /// The round is over because there was no room.
    NoRoom,
}

/// See the module.
pub(super) struct Round {
    request: Request,
    stage: Option<Stage>,
    began: Instant,
    /// Length of the checkpoint once it counts.
    bytes: Option<u64>,
    live_bytes: u64,
    /// Segments that were chosen to be compacted.
    compacted: BTreeSet<u64>,
    /// Whether anything was moved out of them.
    has_moved: bool,
}

impl Round {
    pub(super) fn new(request: Request, memory: &mut Memory) -> Round {
        memory.untold.retain(|id| !request.told.contains(id));
        Round {
            request,
            stage: Some(Stage::Write),
            began: Instant::now(),
            bytes: None,
            live_bytes: 0,
            compacted: BTreeSet::new(),
            has_moved: false,
        }
    }

    /// Whether the checkpoint's file needs no more room.
    pub(super) fn is_written(&self) -> bool {
        !matches!(self.stage, Some(Stage::Write))
    }

    fn batch(&self) -> BatchNo {
        self.request.snapshot.batch()
    }

    /// Whether the next step need not wait for another worker.
    pub(super) fn is_ready(&self, machine: &Machine) -> bool {
        match &self.stage {
            Some(Stage::Name(_)) => {
                machine.options.has(PlantedBug::CheckpointBeforeSegmentSync)
                    || machine.awaits_writer(|| machine.intake.lock().durable >= self.batch())
            }
            Some(Stage::Free) => machine.awaits_reader(self.request.loads),
            _ => true,
        }
    }

    /// Does the next step.
    ///
    /// # Errors
    /// The system's, other than that there is no room.
    pub(super) fn step(
        &mut self,
        machine: &Machine,
        memory: &mut Memory,
    ) -> Result<Outcome, Fault> {
        let Some(stage) = self.stage.take() else { return Ok(Outcome::Over) };
        match self.advance(stage, machine, memory) {
            Ok(Some(next)) => {
                self.stage = Some(next);
                Ok(Outcome::More)
            }
            Ok(None) => Ok(Outcome::Over),
            Err(fault) if is_full(&fault) => Ok(Outcome::NoRoom),
            Err(fault) => Err(fault),
        }
    }

    fn advance(
        &mut self,
        stage: Stage,
        machine: &Machine,
        memory: &mut Memory,
    ) -> Result<Option<Stage>, Fault> {
        match stage {
            Stage::Write => self.write(machine, memory),
            Stage::Sync(file) => {
                if !machine.options.has(PlantedBug::ManifestBeforeCheckpoint) {
                    file.sync()?;
                }
                Ok(Some(Stage::Name(file)))
            }
            Stage::Name(file) => {
                file.name(&machine.segments)?;
                Ok(Some(Stage::Count(file)))
            }
            Stage::Count(file) => {
                self.count(&file, machine, memory)?;
                Ok(Some(Stage::Free))
            }
            Stage::Free => self.free(machine, memory).map(Some),
            Stage::Choose(census) => Ok(self.choose(census, machine, memory)),
            Stage::Compact(census, compaction) => self.compact(census, compaction, machine, memory),
        }
    }

    /// A state that is kept already is not kept once more: what its checkpoint refers to may not
    /// be freed for the sake of a younger copy.
    fn write(&self, machine: &Machine, memory: &Memory) -> Result<Option<Stage>, Fault> {
        let manifest = &memory.slots.manifest;
        if self.batch() <= manifest.checkpoint {
            machine.intake.lock().appetite.count(manifest.checkpoint_bytes);
            return Ok(None);
        }
        let file = CheckpointFile::write(&machine.segments, &*self.request.snapshot)?;
        Ok(Some(Stage::Sync(file)))
    }

    /// Lets the checkpoint count.
    fn count(
        &mut self,
        file: &CheckpointFile,
        machine: &Machine,
        memory: &mut Memory,
    ) -> Result<(), Fault> {
        let (spot, used) = {
            let intake = machine.intake.lock();
            (intake.spot_after(file.batch), intake.used_segment)
        };
        let spot = machine.segments.spot_that_is_there(spot);
        let manifest = Manifest {
            generation: memory.slots.manifest.generation + 1,
            store: machine.segments.store,
            checkpoint: file.batch,
            checkpoint_bytes: file.bytes,
            replay_segment: spot.segment,
            replay_block: spot.block,
            last_segment: memory.slots.manifest.last_segment.max(used).max(spot.segment),
        };
        if machine.options.has(PlantedBug::FreesTooEarly) {
            self.free_for(&manifest, machine, memory)?;
        }
        memory.slots.write(&*machine.segments.files, manifest)?;
        self.bytes = Some(file.bytes);
        let mut intake = machine.intake.lock();
        intake.places.forget_to(file.batch);
        intake.appetite.count(file.bytes);
        Ok(())
    }

    fn free(&mut self, machine: &Machine, memory: &Memory) -> Result<Stage, Fault> {
        let manifest = memory.slots.manifest;
        let census = self.free_for(&manifest, machine, memory)?;
        self.live_bytes = census.live_bytes();
        note_space(machine, &census, &manifest);
        Ok(Stage::Choose(census))
    }

    fn free_for(
        &self,
        manifest: &Manifest,
        machine: &Machine,
        memory: &Memory,
    ) -> Result<Census, Fault> {
        let census = Census::of(&*self.request.snapshot);
        free_dead(machine, &census, manifest, memory)?;
        Ok(census)
    }

    /// The round is over if there is nothing that is worth to be compacted.
    fn choose(&mut self, census: Census, machine: &Machine, memory: &Memory) -> Option<Stage> {
        let chosen = choose_victims(machine, &census, memory, &self.compacted);
        if chosen.is_empty() {
            return None;
        }
        let survivors = survivors(&*self.request.snapshot, &chosen);
        self.compacted.extend(chosen);
        let compaction = Compaction::new(survivors, machine.options.segment_bytes);
        Some(Stage::Compact(census, compaction))
    }

    /// One compaction is enough, unless the promise about space is broken without another.
    fn compact(
        &mut self,
        census: Census,
        mut compaction: Compaction,
        machine: &Machine,
        memory: &mut Memory,
    ) -> Result<Option<Stage>, Fault> {
        let stepped = compaction.step(machine);
        memory.untold.extend(&compaction.made);
        memory.unreadable.extend(&compaction.unreadable);
        self.has_moved |= !compaction.made.is_empty();
        let is_over = match stepped {
            Ok(is_over) => is_over,
            Err(fault) => {
                compaction.abandon(machine)?;
                return Err(fault);
            }
        };
        if !is_over {
            return Ok(Some(Stage::Compact(census, compaction)));
        }
        let goes_on = takes_too_much(machine, self.live_bytes, &self.compacted);
        Ok(goes_on.then_some(Stage::Choose(census)))
    }

    /// Takes note of a round that is over.
    pub(super) fn end(&self, machine: &Machine, has_found_room: bool) {
        // What was compacted goes only with the next checkpoint. If there was no room to move
        // anything, another one would free nothing, and take from the log what is left of it.
        let is_owing = self.has_moved;
        let is_urgent = is_owing && takes_too_much(machine, self.live_bytes, &BTreeSet::new());
        let wants_another = {
            let appetite = &mut machine.intake.lock().appetite;
            appetite.end(has_found_room || self.bytes.is_some());
            if is_owing {
                appetite.owe();
            }
            appetite.is_due(machine.is_full()) || (is_urgent && appetite.is_due_for_room())
        };
        if wants_another {
            machine.outbox.push(Completion::CheckpointWanted);
        }
        machine.bound.end_round();
        machine.retry();
        if let Some(bytes) = self.bytes {
            self.note(machine, bytes);
        }
    }

    fn note(&self, machine: &Machine, bytes: u64) {
        let took = self.began.elapsed();
        let ended = Instant::now();
        let mut figures = machine.figures.lock();
        figures.checkpoints += 1;
        figures.checkpoint = Some(CheckpointFigures { batch: self.batch(), bytes, took, ended });
    }
}
