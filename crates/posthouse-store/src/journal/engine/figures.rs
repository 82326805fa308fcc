//! Figures of a journal, for metrics and for whoever looks after a node.

use std::time::{Duration, Instant};

use posthouse_core::ids::BatchNo;

/// Upper bounds of the classes of [`Figures::sync_us`], in microseconds; the last class has none.
pub const SYNC_US_BOUNDS: [u64; 10] =
    [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];

/// Upper bounds of the classes of [`Figures::sync_bytes`], in bytes; the last class has none.
pub const SYNC_BYTES_BOUNDS: [u64; 8] =
    [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20];

/// What was found at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Bytes behind the end of the log that belong to no confirmed batch and were left alone.
    pub torn_tail_bytes: u64,
    /// The batch of the checkpoint that the start began with; 0 if there was none.
    pub checkpoint: BatchNo,
    /// Bytes of that checkpoint.
    pub checkpoint_bytes: u64,
    /// Batches that were read after it.
    pub replayed_batches: u64,
    /// Bytes of records in them.
    pub replayed_bytes: u64,
    /// Batches that nothing vouched for and that were therefore written once more.
    pub rewritten_batches: u64,
}

/// What the journal's files hold, as of the last checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes of records that the state refers to.
    pub live_bytes: u64,
    /// Bytes of all segments that lie before the checkpoint.
    pub settled_bytes: u64,
    /// Bytes of the segments that were still written to, or prepared.
    pub current_bytes: u64,
    /// Bytes of the spares.
    pub spare_bytes: u64,
}

/// The last checkpoint of this life of the journal.
#[derive(Clone, Copy, Debug)]
pub struct CheckpointFigures {
    /// The batch that it takes in.
    pub batch: BatchNo,
    /// Length of its file, in bytes.
    pub bytes: u64,
    /// How long it took, with what was freed after it.
    pub took: Duration,
    /// When it was over.
    pub ended: Instant,
}

/// Figures of a journal since it was opened.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// What was found at the start.
    pub opening: Opening,
    /// Syncs of batches.
    pub syncs: u64,
    /// Syncs by how long they took; see [`SYNC_US_BOUNDS`].
    pub sync_us: [u64; SYNC_US_BOUNDS.len() + 1],
    /// How long they took together, in microseconds.
    pub sync_us_sum: u64,
    /// Syncs by how many bytes they made durable; see [`SYNC_BYTES_BOUNDS`].
    pub sync_bytes: [u64; SYNC_BYTES_BOUNDS.len() + 1],
    /// Bytes of batches that were made durable, padding included.
    pub written_bytes: u64,
    /// Batches that were made durable.
    pub batches: u64,
    /// What the files hold.
    pub space: Space,
    /// The last checkpoint, if there was one.
    pub checkpoint: Option<CheckpointFigures>,
    /// Checkpoints that counted.
    pub checkpoints: u64,
    /// Segments that became spares or were removed.
    pub freed_segments: u64,
    /// Messages that compaction has moved.
    pub moved_messages: u64,
    /// Bytes of their records.
    pub moved_bytes: u64,
    /// Messages that were asked for.
    pub loads: u64,
    /// Bytes that were read for them.
    pub loaded_bytes: u64,
    /// Messages that could not be read.
    pub load_failures: u64,
    /// Bytes that the spool takes.
    pub spool_bytes: u64,
    /// Whether there is no room.
    pub is_full: bool,
}

impl Figures {
    /// Takes note of a sync that made so many batches and bytes durable.
    pub(super) fn note_sync(&mut self, took: Duration, batches: u64, bytes: u64) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        count(&mut self.sync_us, &SYNC_US_BOUNDS, us);
        count(&mut self.sync_bytes, &SYNC_BYTES_BOUNDS, bytes);
        self.syncs += 1;
        self.sync_us_sum += us;
        self.batches += batches;
        self.written_bytes += bytes;
    }
}

/// Adds one to the class that `value` falls into.
fn count(classes: &mut [u64], bounds: &[u64], value: u64) {
    let class = bounds.partition_point(|bound| *bound < value);
    if let Some(class) = classes.get_mut(class) {
        *class += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Figures;

    fn check(us: u64, bytes: u64, us_class: usize, bytes_class: usize) {
        let mut figures = Figures::default();
        figures.note_sync(Duration::from_micros(us), 1, bytes);
        assert_eq!(figures.sync_us.get(us_class), Some(&1), "{us} us");
        assert_eq!(figures.sync_bytes.get(bytes_class), Some(&1), "{bytes} bytes");
    }

    #[test]
    fn syncs_fall_into_classes() {
        check(0, 4_096, 0, 0);
        check(50, 4_097, 0, 1);
        check(51, 16 << 10, 1, 1);
        check(50_000, 64 << 20, 9, 7);
        check(50_001, u64::MAX, 10, 8);
    }
}
