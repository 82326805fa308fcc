//! The log: all batches behind a checkpoint, through all segments, up to where it ends.

use std::collections::VecDeque;
use std::sync::Arc;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Batch;

use super::behind::{Claim, look_behind};
use super::blocks::BlockReader;
use super::directory::Directory;
use super::look::{Look, Whole, look};
use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::name::segment_name;
use crate::journal::layout::place::Place;
use crate::journal::layout::segment::{SegmentHead, SegmentKind};

/// The first block behind a segment's head.
const FIRST_BLOCK: u64 = 1;

/// Blocks that one batch takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The batch.
    pub number: BatchNo,
    /// Id of the segment.
    pub segment: u64,
    /// Its first block there.
    pub first_block: u64,
    /// How many blocks it takes.
    pub blocks: u64,
}

/// Where and how the log ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEnd {
    /// The last batch; that of the checkpoint if there is none behind it.
    pub last: BatchNo,
    /// The last batch that something vouches for.
    pub vouched: BatchNo,
    /// Where the batches after that lie. They may have been read from the system's memory
    /// without being on the disk.
    pub unvouched: Vec<Span>,
    /// Id of the segment in which the log ends; 0 if there is none.
    pub segment: u64,
    /// The block of that segment behind the last thing that belongs to the log.
    pub block: u64,
    /// How much is left alone behind that, in bytes: batches that were never written as a whole,
    /// or that come after one, and that nobody has been told of.
    pub tail_bytes: u64,
}

/// Reads the batches behind a checkpoint one by one, in memory for one batch and 1 MiB.
#[derive(Debug)]
pub struct LogReader {
    files: Arc<dyn Files>,
    /// The segments of the log, from the one to begin with, and which is being read.
    segments: Vec<(SegmentHead, String)>,
    at: usize,
    reader: Option<BlockReader>,
    block: u64,
    replay_segment: u64,
    unvouched: VecDeque<Span>,
    last: BatchNo,
    vouched: BatchNo,
    end: Option<LogEnd>,
}

impl LogReader {
    /// A reader that begins with batch `from`, which must be the one after the checkpoint that
    /// the directory's manifest names.
    pub fn new(files: Arc<dyn Files>, directory: &Directory, from: BatchNo) -> LogReader {
        let (replay_segment, replay_block) = match directory.manifest {
            Some(manifest) => (manifest.replay_segment, manifest.replay_block),
            None => (0, 0),
        };
        let is_ahead = |(head, _): &&(SegmentHead, String)| {
            head.kind == SegmentKind::Journal && head.id >= replay_segment
        };
        let last = BatchNo(from.0.saturating_sub(1));
        LogReader {
            files,
            segments: directory.segments.iter().filter(is_ahead).cloned().collect(),
            at: 0,
            reader: None,
            block: replay_block.max(FIRST_BLOCK),
            replay_segment,
            unvouched: VecDeque::new(),
            last,
            vouched: last,
            end: None,
        }
    }

    /// The next batch, where its first record lies, and which batch was durable when it was
    /// written. `None` at the end of the log.
    ///
    /// # Errors
    /// If a file cannot be read, or something that was confirmed is not there as it was written.
    #[expect(clippy::should_implement_trait, reason = "an error must not look like one more item")]
    pub fn next(&mut self) -> Result<Option<(Batch, Place, BatchNo)>, Fault> {
        if self.end.is_some() {
            return Ok(None);
        }
        self.begin()?;
        loop {
            match self.look_here_and_ahead()? {
                Look::Batch(whole) => return Ok(Some(self.take(whole))),
                Look::Vouch(head) => {
                    self.block += 1;
                    self.vouch(head.durable_up_to);
                }
                Look::Nothing => {
                    self.end = Some(self.finish()?);
                    return Ok(None);
                }
            }
        }
    }

    /// Where the log ends. `None` before [`LogReader::next`] has come to it.
    pub fn end(&self) -> Option<&LogEnd> {
        self.end.as_ref()
    }

    /// The manifest needs the segment that it names, so that one is never freed.
    fn begin(&mut self) -> Result<(), Fault> {
        if self.reader.is_some() {
            return Ok(());
        }
        let first = self.segments.first().map(|(head, _)| head.id);
        if self.replay_segment != 0 && first != Some(self.replay_segment) {
            let name = segment_name(self.replay_segment);
            let what = "the manifest needs this segment of the log, and it is not there";
            return Err(Fault::damaged(&name, 0, what));
        }
        self.reader = self.open(self.at)?;
        Ok(())
    }

    fn open(&self, at: usize) -> Result<Option<BlockReader>, Fault> {
        let Some((head, name)) = self.segments.get(at) else { return Ok(None) };
        BlockReader::open(&*self.files, *head, name).map(Some)
    }

    /// What follows here or, if it does not, at the start of a later segment. Those between may
    /// be empty, or begin with a batch that was torn.
    fn look_here_and_ahead(&mut self) -> Result<Look, Fault> {
        let Some(reader) = &mut self.reader else { return Ok(Look::Nothing) };
        let found = look(reader, self.block, self.last)?;
        if !matches!(found, Look::Nothing) {
            return Ok(found);
        }
        for at in self.at + 1..self.segments.len() {
            let Some(mut reader) = self.open(at)? else { break };
            let found = look(&mut reader, FIRST_BLOCK, self.last)?;
            if !matches!(found, Look::Nothing) {
                (self.at, self.block, self.reader) = (at, FIRST_BLOCK, Some(reader));
                return Ok(found);
            }
        }
        Ok(Look::Nothing)
    }

    fn take(&mut self, whole: Whole) -> (Batch, Place, BatchNo) {
        let Whole { head, blocks, records } = whole;
        let number = BatchNo(self.last.0.saturating_add(1));
        let (segment, first_block) = (self.segment(), self.block);
        self.unvouched.push_back(Span { number, segment, first_block, blocks });
        self.last = number;
        self.block += blocks;
        self.vouch(head.durable_up_to);
        let batch = Batch { number, wall_ms: head.wall_ms, records };
        (batch, Place::of_records(segment, first_block), head.durable_up_to)
    }

    fn vouch(&mut self, durable_up_to: BatchNo) {
        self.vouched = self.vouched.max(durable_up_to);
        while self.unvouched.front().is_some_and(|span| span.number <= self.vouched) {
            self.unvouched.pop_front();
        }
    }

    fn segment(&self) -> u64 {
        self.segments.get(self.at).map_or(0, |(head, _)| head.id)
    }

    /// An end it is, unless something behind it says that the missing batch was durable.
    fn finish(&mut self) -> Result<LogEnd, Fault> {
        let tail_bytes = self.look_behind_all()?;
        Ok(LogEnd {
            last: self.last,
            vouched: self.vouched,
            unvouched: self.unvouched.iter().copied().collect(),
            segment: self.segment(),
            block: self.block,
            tail_bytes,
        })
    }

    /// How many bytes of a tail lie behind the end, here and in all later segments.
    fn look_behind_all(&mut self) -> Result<u64, Fault> {
        let missing = BatchNo(self.last.0.saturating_add(1));
        let Some(mut reader) = self.reader.take() else { return Ok(0) };
        let name = reader.name().to_owned();
        let mut tail_bytes = 0;
        let (mut at, mut from) = (self.at, self.block);
        loop {
            let behind = look_behind(&mut reader, from, missing)?;
            tail_bytes += behind.tail_bytes;
            if let Some(claim) = behind.claim {
                return Err(self.missing(&name, missing, &claim));
            }
            (at, from) = (at + 1, FIRST_BLOCK);
            match self.open(at)? {
                Some(next) => reader = next,
                None => return Ok(tail_bytes),
            }
        }
    }

    fn missing(&self, name: &str, missing: BatchNo, claim: &Claim) -> Fault {
        let Claim { number, file, at } = claim;
        let missing = missing.0;
        let what = format!(
            "batch {missing} was confirmed and is not here as a whole; batch {number} at byte {at} \
             of {file} proves it"
        );
        Fault::damaged(name, self.block * BLOCK_BYTES as u64, what)
    }
}
