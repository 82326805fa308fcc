//! Which files a store has, whether they are its own, and which checkpoint holds.

use posthouse_core::ids::BatchNo;

use super::listing::Listing;
use crate::files::{File, Files};
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::manifest::Manifest;
use crate::journal::layout::name::{MANIFEST_NAMES, checkpoint_name, segment_name};
use crate::journal::layout::segment::{HeadFault, SegmentHead, StoreId};

/// What lies in a store's directory. A directory without a manifest, segments and checkpoints is a
/// new store.
#[derive(Debug, Default)]
pub struct Directory {
    /// What the newest valid slot says. `None` only in a new store.
    pub manifest: Option<Manifest>,
    /// Which of the two slots is to be overwritten next: the one that does not count.
    pub stale_slot: usize,
    /// Heads and names of the segments of all kinds, in the order of their ids.
    pub segments: Vec<(SegmentHead, String)>,
    /// Names of files that set room aside.
    pub spares: Vec<String>,
    /// Batches and names of the checkpoints, in the order of the batches.
    pub checkpoints: Vec<(BatchNo, String)>,
    /// Names of what was being written when the node stopped.
    pub unfinished: Vec<String>,
    /// Names of files that Posthouse does not know, and so leaves alone.
    pub strangers: Vec<String>,
}

impl Directory {
    /// Reads the names, the manifest and the heads of all segments.
    ///
    /// # Errors
    /// If a file cannot be read, is damaged, cut short, of another store or of a newer format, or
    /// if a checkpoint or the whole manifest is missing.
    pub fn read(files: &dyn Files) -> Result<Directory, Fault> {
        let listing = Listing::read(files)?;
        let (manifest, stale_slot) = read_manifest(files, &listing)?;
        let store = manifest.map(|manifest| manifest.store);
        let mut segments = Vec::with_capacity(listing.segments.len());
        for (id, name) in listing.segments {
            segments.push((read_head(files, &name, id, store)?, name));
        }
        let Listing { spares, checkpoints, unfinished, strangers, .. } = listing;
        let directory = Directory {
            manifest,
            stale_slot,
            segments,
            spares,
            checkpoints,
            unfinished,
            strangers,
        };
        directory.find_checkpoint(files)?;
        directory.find_last_segment()?;
        Ok(directory)
    }

    /// The last segment of the log has to be there: nothing in the others says how far it went on.
    fn find_last_segment(&self) -> Result<(), Fault> {
        let ids = self.segments.iter().map(|(head, _)| head.id);
        last_segment_is_among(self.manifest, ids)
    }

    /// The checkpoint that the manifest names has to be there in its full length.
    pub(crate) fn find_checkpoint(&self, files: &dyn Files) -> Result<(), Fault> {
        let Some(manifest) = self.manifest.filter(|manifest| manifest.checkpoint.0 != 0) else {
            return Ok(());
        };
        let name = checkpoint_name(manifest.checkpoint);
        if !self.checkpoints.iter().any(|(batch, _)| *batch == manifest.checkpoint) {
            let what = "the manifest names this checkpoint, and there is no such file";
            return Err(Fault::damaged(&name, 0, what));
        }
        let bytes = open(files, &name)?.bytes().map_err(Fault::io("read", &name))?;
        if bytes != manifest.checkpoint_bytes {
            let expected = manifest.checkpoint_bytes;
            let what = format!("it has {bytes} bytes, and the manifest says {expected}");
            return Err(Fault::damaged(&name, bytes.min(expected), what));
        }
        Ok(())
    }
}

/// The segment that a manifest says to be the last of the log has to be among these.
pub(crate) fn last_segment_is_among(
    manifest: Option<Manifest>,
    mut ids: impl Iterator<Item = u64>,
) -> Result<(), Fault> {
    let last = manifest.map_or(0, |manifest| manifest.last_segment);
    if last == 0 || ids.any(|id| id == last) {
        return Ok(());
    }
    let what = "the log went on in this segment, and there is no such file: put it back, or \
                restore a backup";
    Err(Fault::damaged(&segment_name(last), 0, what))
}

/// The newest valid slot, and which slot that is not.
fn read_manifest(files: &dyn Files, listing: &Listing) -> Result<(Option<Manifest>, usize), Fault> {
    let mut newest: Option<Manifest> = None;
    let mut stale_slot = 0;
    for (slot, name) in MANIFEST_NAMES.into_iter().enumerate() {
        let Some(manifest) = read_slot(files, listing, name)? else { continue };
        if newest.is_some_and(|newest| newest.store != manifest.store) {
            return Err(Fault::damaged(name, 0, "the other slot is that of another store"));
        }
        if newest.is_none_or(|newest| newest.generation < manifest.generation) {
            newest = Some(manifest);
            stale_slot = 1 - slot;
        }
    }
    let is_empty = listing.segments.is_empty() && listing.checkpoints.is_empty();
    if newest.is_none() && !is_empty {
        let what = "no slot of the manifest is valid, although there are segments or checkpoints";
        return Err(Fault::damaged(MANIFEST_NAMES[0], 0, what));
    }
    Ok((newest, stale_slot))
}

/// What one slot says. `None` if it is not there or not valid: it may have been torn.
fn read_slot(files: &dyn Files, listing: &Listing, name: &str) -> Result<Option<Manifest>, Fault> {
    if !listing.manifests.iter().any(|there| there == name) {
        return Ok(None);
    }
    let file = open(files, name)?;
    match Manifest::decode(&read_block(&*file, name)?) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(HeadFault::Future { format }) => Err(Fault::Future { file: name.to_owned(), format }),
        Err(HeadFault::NotOne | HeadFault::Damaged) => Ok(None),
    }
}

/// Reads the head of a segment and checks that the file is what its name, its head and the
/// manifest say.
pub(crate) fn read_head(
    files: &dyn Files,
    name: &str,
    id: u64,
    store: Option<StoreId>,
) -> Result<SegmentHead, Fault> {
    let file = open(files, name)?;
    let head = SegmentHead::decode(&read_block(&*file, name)?);
    let head = head.map_err(|fault| match fault {
        HeadFault::Future { format } => Fault::Future { file: name.to_owned(), format },
        HeadFault::NotOne => Fault::damaged(name, 0, "it does not begin as a segment does"),
        HeadFault::Damaged => Fault::damaged(name, 0, "its head is not what was written"),
    })?;
    let bytes = file.bytes().map_err(Fault::io("read", name))?;
    if head.id != id {
        return Err(Fault::damaged(name, 0, format!("its head is that of segment {:x}", head.id)));
    }
    if store.is_some_and(|store| head.store != store) {
        return Err(Fault::damaged(name, 0, "it belongs to another store"));
    }
    if bytes < head.bytes {
        let what = format!("the file is cut off: it should have {} bytes", head.bytes);
        return Err(Fault::damaged(name, bytes, what));
    }
    Ok(head)
}

/// Opens a file by its name.
pub(crate) fn open(files: &dyn Files, name: &str) -> Result<Box<dyn File>, Fault> {
    files.open(name).map_err(Fault::io("open", name))
}

/// The first block of a file; shorter if the file is.
pub(crate) fn read_block(file: &dyn File, name: &str) -> Result<Vec<u8>, Fault> {
    let mut block = vec![0; BLOCK_BYTES];
    let read = file.read_at(&mut block, 0).map_err(Fault::io("read", name))?;
    block.truncate(read);
    Ok(block)
}
