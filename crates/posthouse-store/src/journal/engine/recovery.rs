//! Reading back at the start: the checkpoint, then the batches after it, then what is to be done
//! at the end of the log before anything new is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Recovered, TakePiece};

use super::checkpoint::remove_others;
use super::figures::Opening;
use super::machine::Machine;
use super::opening::{rewrite, shared};
use super::places::Spot;
use super::wanted::add_segments;
use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::block::stamp_of;
use crate::journal::layout::checkpoint::ChunkReader;
use crate::journal::layout::manifest::Manifest;
use crate::journal::layout::name::{checkpoint_name, segment_name};
use crate::journal::layout::segment::{SegmentHead, SegmentKind};
use crate::journal::planted::PlantedBug;
use crate::journal::scan::{Directory, LogEnd, LogReader, Span};

/// See the module.
pub(super) struct Recovery {
    machine: Arc<Machine>,
    manifest: Manifest,
    reader: LogReader,
    found: Opening,
}

impl Recovery {
    pub(super) fn new(
        machine: Arc<Machine>,
        files: Arc<dyn Files>,
        directory: &Directory,
        manifest: Manifest,
    ) -> Recovery {
        let reader = LogReader::new(files, directory, BatchNo(manifest.checkpoint.0 + 1));
        let found = Opening {
            checkpoint: manifest.checkpoint,
            checkpoint_bytes: manifest.checkpoint_bytes,
            ..Opening::default()
        };
        Recovery { machine, manifest, reader, found }
    }

    /// Hands over the checkpoint that holds, and answers its batch.
    ///
    /// # Errors
    /// Damage, or what `piece` answers.
    pub(super) fn restore(&self, piece: &mut TakePiece<'_>) -> Result<BatchNo, String> {
        let batch = self.manifest.checkpoint;
        if batch != BatchNo(0) {
            self.restore_from(&checkpoint_name(batch), piece)?;
        }
        Ok(batch)
    }

    fn restore_from(&self, name: &str, piece: &mut TakePiece<'_>) -> Result<(), String> {
        let says = |fault: Fault| self.machine.tell_start_fault(fault);
        let file = shared(&*self.machine.segments.files, name).map_err(says)?;
        let mut reader = ChunkReader::open(&*file, name).map_err(says)?;
        let head = reader.head();
        if (head.store, head.batch) != (self.manifest.store, self.manifest.checkpoint) {
            return Err(says(Fault::damaged(name, 0, "it is of another store or batch")));
        }
        let mut wanted = BTreeSet::new();
        while let Some(payload) = reader.next_payload().map_err(says)? {
            add_segments(payload, &mut wanted);
            piece(payload)?;
        }
        self.find_all(&wanted).map_err(says)
    }

    /// A message that is kept has to be somewhere. That it can be read is seen when it is wanted.
    fn find_all(&self, segments: &BTreeSet<u64>) -> Result<(), Fault> {
        let is_gone = |id: &&u64| self.machine.segments.head(**id).is_none();
        let Some(gone) = segments.iter().find(is_gone) else { return Ok(()) };
        let what = "messages that wait lie in this segment, and there is no such file: put it \
                    back, or restore a backup";
        Err(Fault::damaged(&segment_name(*gone), 0, what))
    }

    /// The next batch that survived. `None` at the end of the log, when everything is on the
    /// medium and writing can begin.
    ///
    /// # Errors
    /// Damage, or the system's.
    pub(super) fn next(&mut self) -> Result<Option<Recovered>, Fault> {
        let found = match self.reader.next() {
            Err(Fault::Damaged { .. }) if self.has(PlantedBug::DamageTakenForTear) => None,
            other => other?,
        };
        let Some((batch, place, _)) = found else {
            self.finish()?;
            return Ok(None);
        };
        let spot = Spot { segment: place.segment, block: place.block() };
        let bytes = batch.records.len();
        {
            let mut intake = self.machine.intake.lock();
            intake.resume_after(batch.number);
            intake.places.push(batch.number, spot);
        }
        self.found.replayed_batches += 1;
        self.found.replayed_bytes += bytes as u64;
        Ok(Some(Recovered { batch, place: place.locator() }))
    }

    fn has(&self, bug: PlantedBug) -> bool {
        self.machine.options.has(bug)
    }

    fn finish(&mut self) -> Result<(), Fault> {
        let end = self.reader.end().cloned().unwrap_or_default();
        if !self.has(PlantedBug::TailNotRewritten) {
            self.rewrite_tail(&end.unvouched)?;
        }
        self.remove_unused(&end)?;
        // One that never counted may have the very room that the next one needs on a full disk.
        remove_others(&self.machine.segments, self.manifest.checkpoint)?;
        self.machine.segments.sync_names()?;
        self.found.torn_tail_bytes = end.tail_bytes;
        self.found.rewritten_batches = end.unvouched.len() as u64;
        let mut intake = self.machine.intake.lock();
        let last = self.manifest.checkpoint.max(intake.last);
        intake.resume_after(last);
        intake.appetite.set_last_checkpoint(self.manifest.checkpoint_bytes);
        intake.appetite.eat(self.bytes_behind_checkpoint(&end));
        self.machine.figures.lock().opening = self.found;
        Ok(())
    }

    fn rewrite_tail(&self, spans: &[Span]) -> Result<(), Fault> {
        for spans in spans.chunk_by(|one, other| one.segment == other.segment) {
            let Some(segment) = spans.first().map(|span| span.segment) else { continue };
            let name = segment_name(segment);
            let file = shared(&*self.machine.segments.files, &name)?;
            for span in spans {
                rewrite(&*file, &name, span.first_block, span.blocks)?;
            }
            file.sync().map_err(Fault::unsynced(&name))?;
        }
        Ok(())
    }

    /// Segments behind the end that were made ahead and never written to would only pile up.
    fn remove_unused(&self, end: &LogEnd) -> Result<(), Fault> {
        let is_behind =
            |head: &SegmentHead| head.kind == SegmentKind::Journal && head.id > end.segment;
        for head in self.machine.segments.heads().into_iter().filter(is_behind) {
            if self.is_unused(&head)? {
                self.machine.segments.remove(&head)?;
            }
        }
        Ok(())
    }

    fn is_unused(&self, head: &SegmentHead) -> Result<bool, Fault> {
        let name = segment_name(head.id);
        let file = shared(&*self.machine.segments.files, &name)?;
        let mut block = vec![0; BLOCK_BYTES];
        let read = file.read_at(&mut block, BLOCK_BYTES as u64);
        let read = read.map_err(Fault::io("read", &name))?;
        let stamp = block.get(..read).and_then(stamp_of);
        Ok(stamp.is_none_or(|stamp| stamp.epoch != head.epoch))
    }

    /// What the log takes behind the checkpoint. Each start begins a fresh segment, so what was
    /// left of the former ones counts: many starts in a row want a checkpoint, too.
    fn bytes_behind_checkpoint(&self, end: &LogEnd) -> u64 {
        let manifest = &self.manifest;
        let is_behind = |head: &SegmentHead| {
            head.kind == SegmentKind::Journal
                && (manifest.replay_segment..=end.segment).contains(&head.id)
        };
        let heads = self.machine.segments.heads().into_iter().filter(is_behind);
        let bytes: u64 = heads.map(|head| head.bytes).sum();
        bytes.saturating_sub(manifest.replay_block * BLOCK_BYTES as u64)
    }
}
