//! A segment of the log that has been chosen. Id and epoch need no I/O, so that batches can be
//! placed in it at once; the file is made by whoever needs it first, keeper or writer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::files::File;
use crate::journal::layout::{BLOCK_BYTES, SEGMENT_BYTES_MAX};

/// See the module.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: u64,
    pub(super) epoch: u64,
    /// How long the segment is to be. It grows only while nothing is placed in it, for a batch
    /// that would not fit, and shrinks when there is no room for more.
    bytes: AtomicU64,
    is_made: AtomicBool,
    pub(super) made: Mutex<Option<Made>>,
}

/// The file of a slot.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) file: Arc<dyn File>,
    /// How long its head says that it is.
    pub(super) bytes: u64,
}

impl Slot {
    pub(super) fn new(id: u64, epoch: u64, bytes: u64) -> Arc<Slot> {
        let (bytes, is_made) = (AtomicU64::new(bytes), AtomicBool::new(false));
        Arc::new(Slot { id, epoch, bytes, is_made, made: Mutex::default() })
    }

    /// Whether the file is there; never waits.
    pub(super) fn is_made(&self) -> bool {
        self.is_made.load(Ordering::Acquire)
    }

    /// Says that the file is there.
    pub(super) fn set_made(&self) {
        self.is_made.store(true, Ordering::Release);
    }

    /// How long it is to be, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// How many blocks it is to have, the head included.
    pub(super) fn blocks(&self) -> u64 {
        self.bytes() / BLOCK_BYTES as u64
    }

    /// Makes it long enough for `blocks` blocks besides the head.
    pub(super) fn grow(&self, blocks: u64) {
        let bytes = (blocks + 1) * BLOCK_BYTES as u64;
        self.bytes.fetch_max(bytes.min(SEGMENT_BYTES_MAX), Ordering::AcqRel);
    }

    /// Makes it no longer than this, the head included. Only for a length that has room for all
    /// that is placed there.
    pub(super) fn shrink(&self, blocks: u64) {
        self.bytes.fetch_min(blocks * BLOCK_BYTES as u64, Ordering::AcqRel);
    }
}
