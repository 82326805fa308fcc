//! Holding the journal still while somebody copies its files.
//!
//! Why a copy that is made during a hold is a consistent store, although the node goes on writing:
//!
//! * Blocks are appended, never overwritten. What is copied of each segment ends where the last
//!   sync had ended when the hold began, so nothing that is copied changes any more, and
//!   everything that had been confirmed by then is in it.
//! * Batches are copied from the checkpoint's place on without a gap, so the copy is a log that
//!   ends between two batches, as after a crash.
//! * Manifest and checkpoint are changed by the keeper alone, in the course of a checkpoint, and
//!   the
//!   manifest when the log has come to another segment. During a hold it does neither, so it frees,
//!   moves, renames and uses again nothing that is listed. What it goes on to make ahead is not
//!   listed.
//!
//! A hold begins when the checkpoint is over that was asked for with it, so that little of the log
//! has to be read when the copy is opened. If there was no room for one, the copy has the former.

use std::sync::{Arc, Mutex};

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Completion;

use super::bell::lock;
use super::machine::Machine;
use super::opening::Slots;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::manifest::Manifest;
use crate::journal::layout::name::{checkpoint_name, segment_name};
use crate::journal::layout::segment::{SegmentHead, SegmentKind, StoreId};

/// A file of a journal that is held still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFile {
    /// Its name in the journal's directory.
    pub name: String,
    /// How long it is said to be, in bytes.
    pub bytes: u64,
    /// How much of it was durable when the hold began, from its start on. What is behind may
    /// change.
    pub durable_bytes: u64,
}

/// The files of a journal that is held still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldStore {
    /// Which store it is.
    pub store: StoreId,
    /// The last batch that is in the files.
    pub batch: BatchNo,
    /// Everything that a copy needs.
    pub files: Vec<HeldFile>,
}

/// Keeps a journal still until it is dropped.
pub struct Hold {
    machine: Arc<Machine>,
}

impl Hold {
    /// The files, once the journal has come to rest.
    pub fn store(&self) -> Option<Arc<HeldStore>> {
        match &*lock(&self.machine.holding.0) {
            Stage::At(store) => Some(store.clone()),
            Stage::Free | Stage::Wanted => None,
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        *lock(&self.machine.holding.0) = Stage::Free;
        self.machine.bells.keeper.ring();
    }
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Free,
    /// The next checkpoint that is over is the last one.
    Wanted,
    At(Arc<HeldStore>),
}

/// Whether the journal is held.
#[derive(Debug, Default)]
pub(super) struct Holding(Mutex<Stage>);

impl Holding {
    /// Whether no checkpoint may begin.
    pub(super) fn is_still(&self) -> bool {
        matches!(&*lock(&self.0), Stage::At(_))
    }

    /// A checkpoint is over, and with it all that it has made possible.
    pub(super) fn come_to_rest(&self, machine: &Machine, slots: &Slots) {
        let mut stage = lock(&self.0);
        if matches!(*stage, Stage::Wanted) {
            *stage = Stage::At(Arc::new(held_store(machine, slots)));
        }
    }
}

/// Asks for a hold. `None` if somebody else has one.
pub(super) fn hold(machine: &Arc<Machine>) -> Option<Hold> {
    let mut stage = lock(&machine.holding.0);
    if !matches!(*stage, Stage::Free) {
        return None;
    }
    *stage = Stage::Wanted;
    drop(stage);
    // If one is under way or asked for already, that one will do.
    if machine.intake.lock().appetite.is_due_anyway() {
        machine.outbox.push(Completion::CheckpointWanted);
    }
    Some(Hold { machine: machine.clone() })
}

fn held_store(machine: &Machine, slots: &Slots) -> HeldStore {
    let (batch, end) = {
        let intake = machine.intake.lock();
        (intake.durable, intake.durable_end)
    };
    let manifest = &slots.manifest;
    // The manifest needs its segment, although nothing in it may be durable yet but its head.
    let last = end.segment.max(manifest.replay_segment);
    let is_listed = |head: &SegmentHead| head.kind == SegmentKind::Compacted || head.id <= last;
    let heads = machine.segments.heads().into_iter().filter(is_listed);
    let mut files: Vec<HeldFile> = heads
        .map(|head| {
            let blocks = match head.kind {
                SegmentKind::Journal if head.id == end.segment => end.block,
                SegmentKind::Journal if head.id > end.segment => 1,
                _ => head.blocks(),
            };
            let durable_bytes = blocks * BLOCK_BYTES as u64;
            HeldFile { name: segment_name(head.id), bytes: head.bytes, durable_bytes }
        })
        .collect();
    files.extend(checkpoint_file(manifest));
    files.push(whole(slots.name().to_owned(), BLOCK_BYTES as u64));
    HeldStore { store: machine.segments.store, batch, files }
}

fn checkpoint_file(manifest: &Manifest) -> Option<HeldFile> {
    let has_one = manifest.checkpoint != BatchNo(0);
    has_one.then(|| whole(checkpoint_name(manifest.checkpoint), manifest.checkpoint_bytes))
}

fn whole(name: String, bytes: u64) -> HeldFile {
    HeldFile { name, bytes, durable_bytes: bytes }
}
