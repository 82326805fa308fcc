//! What a journal is told when it is opened.

use posthouse_core::limits::UNSYNCED_BYTES_MAX;

use crate::journal::layout::segment::StoreId;
use crate::journal::planted::PlantedBug;

/// What is under way when the disk becomes full takes this part of the spares' room: half of it is
/// for acknowledgements and for the first segment of the next life, and of the other half as much
/// may be lost to the ends of segments as is written.
const UNSYNCED_PARTS: u64 = 4;

/// How a journal behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Length of an ordinary segment in bytes: a multiple of 4,096, at most 256 MiB.
    pub segment_bytes: u64,
    /// How many segments are kept back for when the disk is full; at least one.
    pub spares: usize,
    /// Whether a spare that was used is replaced by another.
    pub refills_spares: bool,
    /// A checkpoint is wanted after so many bytes of journal, or after twice the length of the
    /// last checkpoint if that is more.
    pub checkpoint_bytes: u64,
    /// A checkpoint is wanted after so many milliseconds in which anything was submitted; 0 means
    /// that time alone asks for none.
    pub checkpoint_ms: u64,
    /// The most bytes that the spool may take.
    pub spool_bytes_max: u64,
    /// Where the epochs, and the id of a new store, come from. Random in a product; what has been
    /// in a file under one id is never met under another, so that a test may give a fixed one.
    pub seed: u64,
    /// The bug that is switched on.
    #[cfg(feature = "planted-bugs")]
    pub bug: Option<PlantedBug>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes: 64 << 20,
            spares: 2,
            refills_spares: true,
            checkpoint_bytes: 256 << 20,
            checkpoint_ms: 30_000,
            spool_bytes_max: 1 << 30,
            seed: 0,
            #[cfg(feature = "planted-bugs")]
            bug: None,
        }
    }
}

impl Options {
    /// How many bytes of records may be under way un-synced: part of the spares' room, and no more
    /// than the core lets be anyway.
    pub(super) fn unsynced_bytes_max(&self) -> usize {
        let spares_bytes = self.segment_bytes.saturating_mul(self.spares as u64);
        let bytes = usize::try_from(spares_bytes / UNSYNCED_PARTS).unwrap_or(usize::MAX);
        bytes.min(UNSYNCED_BYTES_MAX)
    }

    /// The epoch of the segment with this id: never 0, and another for every id.
    pub(super) fn epoch_of(&self, id: u64) -> u64 {
        let id = if self.has(PlantedBug::StaleSegmentAccepted) { 1 } else { id };
        self.random(id).u64(1..)
    }

    /// The id of a store that begins with these options.
    pub(super) fn store_id(&self) -> StoreId {
        StoreId(self.random(0).u128(..).to_le_bytes())
    }

    fn random(&self, id: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed ^ id.rotate_left(32))
    }

    /// Whether this bug is switched on; never in a product build.
    #[cfg(feature = "planted-bugs")]
    pub(super) fn has(&self, bug: PlantedBug) -> bool {
        self.bug == Some(bug)
    }

    /// Whether this bug is switched on; never in a product build.
    #[cfg(not(feature = "planted-bugs"))]
    pub(super) fn has(&self, _: PlantedBug) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use posthouse_core::limits::UNSYNCED_BYTES_MAX;

    use super::Options;

    fn check(segment_bytes: u64, spares: usize, expected: usize) {
        let options = Options { segment_bytes, spares, ..Options::default() };
        assert_eq!(options.unsynced_bytes_max(), expected, "{spares} of {segment_bytes} bytes");
    }

    #[test]
    fn what_may_be_under_way_follows_the_spares() {
        assert_eq!(Options::default().unsynced_bytes_max(), UNSYNCED_BYTES_MAX);
        check(64 << 20, 2, 32 << 20);
        check(64 << 20, 1, 16 << 20);
        check(1 << 20, 2, 512 << 10);
        check(1 << 20, 64, 16 << 20);
        check(256 << 20, 64, UNSYNCED_BYTES_MAX);
        check(16 << 10, 1, 4 << 10);
    }
}
