//! `posthouse store check`: reads every block of every segment, every checkpoint and both slots of
//! the manifest, and tells all that it finds.

use std::io::ErrorKind::PermissionDenied;
use std::sync::Arc;

use bytes::Bytes;
use posthouse_core::ids::BatchNo;
use posthouse_core::record::codec::decode_all;

use super::course::{Course, Missing};
use super::finding::{Finding, FindingKind, Findings};
use super::live::Live;
use super::progress::{Progress, Tell, bytes_of};
use super::walk::{Piece, Walk};
use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::checkpoint::ChunkReader;
use crate::journal::layout::manifest::Manifest;
use crate::journal::layout::name::segment_name;
use crate::journal::layout::place::Place;
use crate::journal::layout::segment::{HeadFault, SegmentHead};
use crate::journal::layout::{BLOCK_BYTES, PAYLOAD_BYTES};
use crate::journal::scan::{
    BlockReader, Directory, Listing, LogReader, last_segment_is_among, open, read_block, read_head,
};

/// What a check has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was found, file by file.
    pub findings: Vec<Finding>,
    /// How many findings there were beyond those.
    pub left_out: u64,
    /// How many segments were read to their end.
    pub segments: u64,
    /// How many batches are there as a whole, those of compacted segments included.
    pub batches: u64,
    /// The last batch of the log, if its end can be told.
    pub last: Option<BatchNo>,
}

impl Report {
    /// Whether a node would start on it and everything can be read.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.kind != FindingKind::Damage)
    }
}

/// Checks a whole store, in memory for one batch, one chunk, the findings, and a bit for each 32
/// bytes of the segments that the checkpoint refers to.
///
/// # Errors
/// If the directory cannot be listed, a file may not be read, or a newer Posthouse has written the
/// store. Everything else is a finding.
pub fn check<'a>(files: &Arc<dyn Files>, tell: &'a mut Tell<'a>) -> Result<Report, Fault> {
    let listing = Listing::read(&**files)?;
    let progress = Progress::new(&**files, &listing, tell);
    let findings = Findings::default();
    let mut check = Check { files, progress, findings, report: Report::default() };
    let manifest = check.manifest(&listing)?;
    check.segments(&listing, manifest)?;
    check.checkpoints(&listing, manifest)?;
    check.others(listing);
    let Findings { all, left_out } = check.findings;
    Ok(Report { findings: all, left_out, ..check.report })
}

/// What a slot of the manifest is.
enum Slot {
    Valid(Manifest),
    Invalid,
    /// Room that was set aside and not needed yet.
    Unused,
}

struct Check<'a> {
    files: &'a Arc<dyn Files>,
    progress: Progress<'a>,
    findings: Findings,
    report: Report,
}

impl Check<'_> {
    fn add(&mut self, kind: FindingKind, file: &str, at: u64, bytes: u64, what: &str) {
        let (file, what) = (file.to_owned(), what.to_owned());
        self.findings.add(Finding { kind, file, at, bytes, what });
    }

    /// Keeps a fault as a finding, unless nothing can be said: the format is a newer one, or
    /// whoever asks may not read the file.
    fn fault(&mut self, file: &str, fault: Fault) -> Result<(), Fault> {
        match fault {
            Fault::Future { .. } => Err(fault),
            Fault::Io { ref error, .. } if error.kind() == PermissionDenied => Err(fault),
            Fault::Damaged { .. } | Fault::Io { .. } => {
                self.findings.add_fault(file, 0, &fault);
                Ok(())
            }
        }
    }

    /// The newest valid slot. One that is not valid may have been torn.
    fn manifest(&mut self, listing: &Listing) -> Result<Option<Manifest>, Fault> {
        let mut newest: Option<Manifest> = None;
        let mut invalid = Vec::new();
        for name in &listing.manifests {
            match self.slot(name)? {
                Slot::Valid(manifest) => {
                    let is_newer = |newest: Manifest| newest.generation < manifest.generation;
                    newest = newest.filter(|newest| !is_newer(*newest)).or(Some(manifest));
                }
                Slot::Invalid => invalid.push(name),
                Slot::Unused => {}
            }
        }
        let is_empty = listing.segments.is_empty() && listing.checkpoints.is_empty();
        if newest.is_none() && !is_empty {
            let what = "no slot is valid, although there are segments or checkpoints";
            self.add(FindingKind::Damage, "manifest.a", 0, BLOCK_BYTES as u64, what);
        }
        for name in invalid {
            let what = "this slot is not valid, as if it had been torn";
            self.add(FindingKind::Tail, name, 0, BLOCK_BYTES as u64, what);
        }
        Ok(newest)
    }

    fn slot(&mut self, name: &str) -> Result<Slot, Fault> {
        self.progress.add(bytes_of(&**self.files, name).unwrap_or(0));
        let block = open(&**self.files, name).and_then(|file| read_block(&*file, name));
        if block.as_ref().is_ok_and(|block| *block == [0; BLOCK_BYTES]) {
            return Ok(Slot::Unused);
        }
        match block.map(|block| Manifest::decode(&block)) {
            Ok(Ok(manifest)) => Ok(Slot::Valid(manifest)),
            Ok(Err(HeadFault::Future { format })) => {
                Err(Fault::Future { file: name.to_owned(), format })
            }
            Ok(Err(HeadFault::NotOne | HeadFault::Damaged)) => Ok(Slot::Invalid),
            Err(fault) => self.fault(name, fault).map(|()| Slot::Invalid),
        }
    }

    /// First every segment by itself, then the log through all of them.
    fn segments(&mut self, listing: &Listing, manifest: Option<Manifest>) -> Result<(), Fault> {
        let store = manifest.map(|manifest| manifest.store);
        let mut directory = Directory { manifest, ..Directory::default() };
        for (id, name) in &listing.segments {
            match read_head(&**self.files, name, *id, store) {
                Ok(head) => {
                    self.segment(head, name)?;
                    directory.segments.push((head, name.clone()));
                }
                Err(fault) => {
                    self.progress.add(bytes_of(&**self.files, name).unwrap_or(0));
                    self.fault(name, fault)?;
                }
            }
        }
        let Some(manifest) = manifest else { return Ok(()) };
        let ids = listing.segments.iter().map(|(id, _)| *id);
        if let Err(fault) = last_segment_is_among(Some(manifest), ids) {
            self.fault("the log", fault)?;
        }
        let from = BatchNo(manifest.checkpoint.0.saturating_add(1));
        self.log(LogReader::new(self.files.clone(), &directory, from))
    }

    fn segment(&mut self, head: SegmentHead, name: &str) -> Result<(), Fault> {
        match self.blocks(head, name) {
            Ok(()) => {
                self.report.segments += 1;
                Ok(())
            }
            Err(fault) => self.fault(name, fault),
        }
    }

    fn blocks(&mut self, head: SegmentHead, name: &str) -> Result<(), Fault> {
        let mut walk = Walk::new(BlockReader::open(&**self.files, head, name)?);
        let mut course = Course::new();
        let mut leftover_blocks = 0;
        self.progress.add(BLOCK_BYTES as u64);
        while let Some((block, piece)) = walk.next_piece()? {
            self.progress.add(piece.blocks() * BLOCK_BYTES as u64);
            leftover_blocks += u64::from(matches!(piece, Piece::Foreign { is_zero: false }));
            let missing = self.piece(name, block, piece, &mut course);
            if let Some(missing) = missing {
                self.missing(name, missing);
            }
        }
        self.rest(name, &course, leftover_blocks);
        Ok(())
    }

    fn piece(
        &mut self,
        name: &str,
        block: u64,
        piece: Piece,
        course: &mut Course,
    ) -> Option<Missing> {
        match piece {
            Piece::Batch { number, whole } => {
                self.report.batches += 1;
                self.records(name, block, number, whole.records);
                course.add_batch(number, (block, whole.blocks), whole.head.durable_up_to.0)
            }
            Piece::Vouch { number, .. } => course.add_vouch(number, block),
            Piece::Loose => {
                course.add_loose();
                None
            }
            Piece::Damage(fault) => {
                self.findings.add_fault(name, BLOCK_BYTES as u64, &fault);
                None
            }
            Piece::Foreign { .. } => None,
        }
    }

    /// Whether records can be read that are what was written.
    fn records(&mut self, name: &str, block: u64, number: u64, records: Vec<u8>) {
        let Err(malformed) = decode_all(&Bytes::from(records)) else { return };
        let position = Place::of_records(0, block).position + malformed.offset as u64;
        let at = position / PAYLOAD_BYTES as u64 * BLOCK_BYTES as u64;
        let what = format!("in the records of batch {number}, {malformed}");
        self.add(FindingKind::Damage, name, at, 0, &what);
    }

    fn missing(&mut self, name: &str, missing: Missing) {
        let Missing { number, block, witness } = missing;
        let what = format!("batch {number} was confirmed and is not here: {witness} proves it");
        let at = block * BLOCK_BYTES as u64;
        if !self.findings.has_damage_at(name, at) {
            self.add(FindingKind::Damage, name, at, 0, &what);
        }
    }

    fn rest(&mut self, name: &str, course: &Course, leftover_blocks: u64) {
        let (at, block_bytes) = (course.end * BLOCK_BYTES as u64, BLOCK_BYTES as u64);
        if course.tail_blocks > 0 {
            let what = "batches that were not written as a whole, or after one that was not";
            self.add(FindingKind::Tail, name, at, course.tail_blocks * block_bytes, what);
        }
        if leftover_blocks > 0 {
            let what = "blocks from an earlier life of the file";
            self.add(FindingKind::Leftover, name, at, leftover_blocks * block_bytes, what);
        }
    }

    /// The log as a start would read it. What it finds first may be known already.
    fn log(&mut self, mut reader: LogReader) -> Result<(), Fault> {
        loop {
            match reader.next() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(Fault::Damaged { file, at, .. }) if self.findings.has_damage_at(&file, at) => {
                    return Ok(());
                }
                Err(fault) => return self.fault("the log", fault),
            }
        }
        self.report.last = reader.end().map(|end| end.last);
        Ok(())
    }

    /// Every checkpoint, although only one counts.
    fn checkpoints(&mut self, listing: &Listing, manifest: Option<Manifest>) -> Result<(), Fault> {
        let checkpoints = listing.checkpoints.clone();
        let directory = Directory { manifest, checkpoints, ..Directory::default() };
        if let Err(fault) = directory.find_checkpoint(&**self.files) {
            self.fault("the checkpoint", fault)?;
        }
        for (batch, name) in &directory.checkpoints {
            let is_needed = manifest.is_some_and(|manifest| manifest.checkpoint == *batch);
            let bytes = bytes_of(&**self.files, name).unwrap_or(0);
            self.progress.add(bytes);
            match self.checkpoint(name, *batch, manifest) {
                Err(fault) if is_needed => self.fault(name, fault)?,
                Err(_) => {
                    let what = "a checkpoint that does not count and cannot be read";
                    self.add(FindingKind::Leftover, name, 0, bytes, what);
                }
                Ok(()) if is_needed => self.wanted(listing, &directory),
                Ok(()) => {
                    let what = "a checkpoint that does not count";
                    self.add(FindingKind::Leftover, name, 0, bytes, what);
                }
            }
        }
        Ok(())
    }

    fn checkpoint(
        &self,
        name: &str,
        batch: BatchNo,
        manifest: Option<Manifest>,
    ) -> Result<(), Fault> {
        let file = open(&**self.files, name)?;
        let mut reader = ChunkReader::open(&*file, name)?;
        let head = reader.head();
        if head.batch != batch {
            let what = format!("it is the checkpoint of batch {}", head.batch.0);
            return Err(Fault::damaged(name, 0, what));
        }
        if manifest.is_some_and(|manifest| manifest.store != head.store) {
            return Err(Fault::damaged(name, 0, "it belongs to another store"));
        }
        while reader.next_payload()?.is_some() {}
        Ok(())
    }

    /// Every segment that the checkpoint refers to has to be there. A start does not look for
    /// those that come before the log, and nothing in the others tells of them.
    fn wanted(&mut self, listing: &Listing, directory: &Directory) {
        // What cannot be read of the checkpoint is told already.
        let Ok(Some(live)) = Live::read(&**self.files, directory) else { return };
        for (id, messages) in live.segments() {
            let (name, is_there) = (segment_name(id), |(there, _): &(u64, _)| *there == id);
            if listing.segments.iter().any(is_there) || self.findings.has_damage_at(&name, 0) {
                continue;
            }
            let what =
                format!("the checkpoint needs {messages} messages in it, and it is not there");
            self.add(FindingKind::Damage, &name, 0, 0, &what);
        }
    }

    fn others(&mut self, listing: Listing) {
        for name in listing.unfinished {
            let bytes = bytes_of(&**self.files, &name).unwrap_or(0);
            let what = "it was being written when the node stopped; the next start removes it";
            self.add(FindingKind::Leftover, &name, 0, bytes, what);
        }
        for name in listing.strangers {
            let what = "not a name that Posthouse gives; it is left alone";
            self.add(FindingKind::Stranger, &name, 0, 0, what);
        }
    }
}
