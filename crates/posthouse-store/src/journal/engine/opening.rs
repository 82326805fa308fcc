//! Opening a directory: what is there is read and checked before anything is changed, and nothing
//! but unfinished files is removed.

use std::sync::Arc;

use crate::files::{File, Files};
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::manifest::Manifest;
use crate::journal::layout::name::{MANIFEST_NAMES, UNFINISHED};
use crate::journal::layout::segment::StoreId;
use crate::journal::scan::Directory;

/// What was found, and which manifest holds.
pub(super) struct Opened {
    pub(super) directory: Directory,
    pub(super) slots: Slots,
}

/// The two slots of the manifest.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) manifest: Manifest,
    /// Which slot is overwritten next.
    stale: usize,
}

impl Slots {
    /// The name of the slot that counts.
    pub(super) fn name(&self) -> &'static str {
        slot_name(1 - self.stale)
    }

    /// Writes a manifest over the slot that does not count, after which it is the one that does.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn write(&mut self, files: &dyn Files, manifest: Manifest) -> Result<(), Fault> {
        write_slot(files, self.stale, &manifest)?;
        self.manifest = manifest;
        self.stale = 1 - self.stale;
        Ok(())
    }
}

/// Reads the directory and prepares it for writing. A directory without anything becomes a store.
///
/// # Errors
/// Damage, a newer format, or the system's.
pub(super) fn open(files: &dyn Files, new_store: StoreId) -> Result<Opened, Fault> {
    let directory = Directory::read(files)?;
    for name in directory.unfinished.iter().filter(|name| name.ends_with(UNFINISHED)) {
        files.remove(name).map_err(Fault::io("remove", name))?;
    }
    let (manifest, slot) = match directory.manifest {
        Some(manifest) => (manifest, 1 - directory.stale_slot),
        None => {
            reserve_slot(files, 1)?;
            (first_manifest(new_store), 0)
        }
    };
    // What was read may be in the system's memory only, and the slot that is overwritten next may
    // be the one that the medium has. So the newest is written once more before anything else.
    write_slot(files, slot, &manifest)?;
    Ok(Opened { directory, slots: Slots { manifest, stale: 1 - slot } })
}

fn first_manifest(store: StoreId) -> Manifest {
    Manifest {
        generation: 1,
        store,
        checkpoint: Default::default(),
        checkpoint_bytes: 0,
        replay_segment: 0,
        replay_block: 0,
        last_segment: 0,
    }
}

fn slot_name(slot: usize) -> &'static str {
    if slot == 0 { MANIFEST_NAMES[0] } else { MANIFEST_NAMES[1] }
}

/// Sets room aside for a slot, so that a checkpoint never fails for want of so little.
fn reserve_slot(files: &dyn Files, slot: usize) -> Result<(), Fault> {
    let name = slot_name(slot);
    let file = open_or_create(files, name)?;
    file.reserve(BLOCK_BYTES as u64).map_err(Fault::io("set room aside for", name))
}

fn write_slot(files: &dyn Files, slot: usize, manifest: &Manifest) -> Result<(), Fault> {
    let name = slot_name(slot);
    let file = open_or_create(files, name)?;
    file.write_at(&manifest.encode(), 0).map_err(Fault::io("write", name))?;
    file.sync().map_err(Fault::unsynced(name))?;
    files.sync_names().map_err(Fault::unsynced("the journal's directory"))
}

fn open_or_create(files: &dyn Files, name: &str) -> Result<Box<dyn File>, Fault> {
    match files.open(name) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            files.create(name).map_err(Fault::io("make", name))
        }
        other => other.map_err(Fault::io("open", name)),
    }
}

/// Empties the spool: what it held was for subscribers that are gone.
///
/// # Errors
/// The system's.
pub(super) fn empty(spool: &dyn Files) -> Result<(), Fault> {
    let names = spool.names().map_err(Fault::io("list", "the spool's directory"))?;
    names.iter().try_for_each(|name| spool.remove(name).map_err(Fault::io("remove", name)))
}

/// Writes blocks that were read once more, byte for byte, because they may be in the system's
/// memory only.
///
/// # Errors
/// The system's.
pub(super) fn rewrite(file: &dyn File, name: &str, block: u64, blocks: u64) -> Result<(), Fault> {
    let mut bytes = vec![0; blocks as usize * BLOCK_BYTES];
    let at = block * BLOCK_BYTES as u64;
    let read = file.read_at(&mut bytes, at).map_err(Fault::io("read", name))?;
    if read < bytes.len() {
        return Err(Fault::damaged(name, at + read as u64, "the file has become shorter"));
    }
    file.write_at(&bytes, at).map_err(Fault::io("write", name))
}

/// Shares a file that was opened.
pub(super) fn shared(files: &dyn Files, name: &str) -> Result<Arc<dyn File>, Fault> {
    Ok(Arc::from(files.open(name).map_err(Fault::io("open", name))?))
}
