//! `posthouse store stats`: what takes the room.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use posthouse_core::ids::BatchNo;
use posthouse_core::record::codec::decode_all;

use super::dump::encoded_bytes;
use super::live::Live;
use super::progress::{Progress, Tell, bytes_of};
use super::text;
use super::walk::{Piece, Walk};
use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::segment::{SegmentHead, SegmentKind};
use crate::journal::scan::{BlockReader, Directory, Listing, Whole};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A slot of the manifest.
    Manifest,
    /// A segment of this kind.
    Segment(SegmentKind),
    /// Room that is set aside.
    Spare,
    /// The state after some batch.
    Checkpoint,
    /// What was being written when the node stopped.
    Unfinished,
    /// Not Posthouse's own.
    Stranger,
}

/// How many there are, and how long they are together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl Amount {
    pub(super) fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentStats {
    /// Its id.
    pub id: u64,
    /// What it holds.
    pub kind: SegmentKind,
    /// Its length in bytes.
    pub bytes: u64,
    /// Bytes of blocks that were written in this life of the file.
    pub used_bytes: u64,
    /// Its batches, and the bytes of their records.
    pub batches: Amount,
    /// The messages in it that the checkpoint refers to, and about how many bytes their records
    /// take. What came after the checkpoint is not counted.
    pub live: Amount,
}

impl SegmentStats {
    /// The part of the segment that is live, from 0 to 1.
    pub fn live_ratio(&self) -> f64 {
        if self.bytes == 0 { 0.0 } else { self.live.bytes as f64 / self.bytes as f64 }
    }
}

/// The checkpoint that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointStats {
    /// The last batch that it takes in.
    pub batch: BatchNo,
    /// Its chunks of records, and the bytes of these.
    pub chunks: Amount,
}

/// What takes the room in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Files by what they are.
    pub files: BTreeMap<FileKind, Amount>,
    /// All segments, in the order of their ids.
    pub segments: Vec<SegmentStats>,
    /// Batches that are there as a whole, and the bytes of their records.
    pub batches: Amount,
    /// Vouches and ends.
    pub vouches: u64,
    /// Records by the name of their kind. What a transaction holds counts as one.
    pub records: BTreeMap<&'static str, Amount>,
    /// Batches of which the records cannot be read, and their bytes.
    pub unreadable: Amount,
    /// Bytes that batches and vouches take on the disk.
    pub block_bytes: u64,
    /// The checkpoint that counts, if there is one.
    pub checkpoint: Option<CheckpointStats>,
}

impl Stats {
    /// The part of what batches and vouches take that is not records, from 0 to 1.
    pub fn padding_share(&self) -> f64 {
        let padding = self.block_bytes.saturating_sub(self.batches.bytes);
        if self.block_bytes == 0 { 0.0 } else { padding as f64 / self.block_bytes as f64 }
    }
}

/// Counts what is in a store, in memory for one batch and one chunk.
///
/// # Errors
/// If a file cannot be read, or the store is damaged in a way that shows before its blocks are
/// read. Damaged blocks are not counted.
pub fn stats<'a>(files: &Arc<dyn Files>, tell: &'a mut Tell<'a>) -> Result<Stats, Fault> {
    let listing = Listing::read(&**files)?;
    let directory = Directory::read(&**files)?;
    let mut progress = Progress::new(&**files, &listing, tell);
    let mut stats = Stats::default();
    stats.add_files(&**files, &listing, &directory)?;
    let live = Live::read(&**files, &directory)?;
    for (head, name) in &directory.segments {
        let walk = Walk::new(BlockReader::open(&**files, *head, name)?);
        let live = live.as_ref().map_or_else(Amount::default, |live| live.of(head.id));
        stats.add_segment(head, live, walk, &mut progress)?;
    }
    stats.checkpoint = live.map(|live| live.checkpoint);
    Ok(stats)
}

impl Stats {
    fn add_files(
        &mut self,
        files: &dyn Files,
        listing: &Listing,
        directory: &Directory,
    ) -> Result<(), Fault> {
        let checkpoints: Vec<String> =
            listing.checkpoints.iter().map(|(_, name)| name.clone()).collect();
        for (kind, names) in [
            (FileKind::Manifest, &listing.manifests),
            (FileKind::Spare, &listing.spares),
            (FileKind::Checkpoint, &checkpoints),
            (FileKind::Unfinished, &listing.unfinished),
        ] {
            for name in names {
                self.files.entry(kind).or_default().add(bytes_of(files, name)?);
            }
        }
        // A stranger may be a directory, or not ours to open.
        for name in &listing.strangers {
            let bytes = bytes_of(files, name).unwrap_or(0);
            self.files.entry(FileKind::Stranger).or_default().add(bytes);
        }
        for (head, _) in &directory.segments {
            self.files.entry(FileKind::Segment(head.kind)).or_default().add(head.bytes);
        }
        Ok(())
    }

    fn add_segment(
        &mut self,
        head: &SegmentHead,
        live: Amount,
        mut walk: Walk,
        progress: &mut Progress<'_>,
    ) -> Result<(), Fault> {
        let SegmentHead { id, kind, bytes, .. } = *head;
        let (used_bytes, batches) = (BLOCK_BYTES as u64, Amount::default());
        let mut segment = SegmentStats { id, kind, bytes, used_bytes, batches, live };
        while let Some((_, piece)) = walk.next_piece()? {
            let piece_bytes = piece.blocks() * BLOCK_BYTES as u64;
            progress.add(piece_bytes);
            if !matches!(piece, Piece::Foreign { .. }) {
                segment.used_bytes += piece_bytes;
            }
            self.add_piece(piece, piece_bytes, &mut segment);
        }
        self.segments.push(segment);
        Ok(())
    }

    fn add_piece(&mut self, piece: Piece, piece_bytes: u64, segment: &mut SegmentStats) {
        match piece {
            Piece::Batch { whole, .. } => {
                self.block_bytes += piece_bytes;
                segment.batches.add(whole.records.len() as u64);
                self.add_batch(whole);
            }
            Piece::Vouch { .. } => {
                self.block_bytes += piece_bytes;
                self.vouches += 1;
            }
            Piece::Loose | Piece::Damage(_) | Piece::Foreign { .. } => {}
        }
    }

    fn add_batch(&mut self, whole: Whole) {
        let bytes = whole.records.len() as u64;
        self.batches.add(bytes);
        let Ok(records) = decode_all(&Bytes::from(whole.records)) else {
            return self.unreadable.add(bytes);
        };
        let mut scratch = Vec::new();
        for record in &records {
            let bytes = encoded_bytes(record, &mut scratch);
            self.records.entry(text::name(record)).or_default().add(bytes);
        }
    }
}
