//! A segment of the log that has been chosen. Id and epoch need no I/O, so that batches can be
//! placed in it at once; the file is made by whoever needs it first, keeper or writer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::files::File;
use crate::journal::layout::{BLOCK_BYTES, SEGMENT_BYTES_MAX};

/// See the module.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: u64,
    pub(super) epoch: u64,
    /// How long the segment is to be. It grows only while it is the next one, for a batch that
    /// would not fit.
    bytes: AtomicU64,
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
        Arc::new(Slot { id, epoch, bytes: AtomicU64::new(bytes), made: Mutex::default() })
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
}
