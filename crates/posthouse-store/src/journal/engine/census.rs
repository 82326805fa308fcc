//! Counting what is still wanted: for each segment the records that a checkpoint refers to.

use std::collections::{BTreeMap, BTreeSet};

use posthouse_core::message::OVERHEAD_BYTES;
use posthouse_core::store::{Kept, Snapshot};

use super::spool::is_spool;
use crate::journal::layout::place::Place;

/// What a record has besides properties and body, in bytes, when it names few subscriptions.
const RECORD_OVERHEAD_BYTES: u64 = 48;

/// No two records begin within so many bytes.
const RECORD_BYTES_LEAST: u64 = 32;

/// What is wanted of one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::journal) struct Live {
    /// Bytes of records, each counted once.
    pub(in crate::journal) bytes: u64,
    /// Messages that are kept; several may share a record.
    pub(in crate::journal) messages: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Census {
    segments: BTreeMap<u64, Live>,
}

impl Census {
    /// Counts all messages of a snapshot.
    pub(super) fn of(snapshot: &dyn Snapshot) -> Census {
        let mut counting = BTreeMap::new();
        snapshot.messages(&mut |kept| {
            if let Some(place) = place_in_log(&kept) {
                let counted: &mut Counting = counting.entry(place.segment).or_default();
                counted.count(place, record_bytes(&kept));
            }
        });
        let live = |(segment, counting): (u64, Counting)| (segment, counting.live);
        Census { segments: counting.into_iter().map(live).collect() }
    }

    /// What is wanted of a segment.
    pub(super) fn live(&self, segment: u64) -> Live {
        self.segments.get(&segment).copied().unwrap_or_default()
    }

    /// Whether nothing in a segment is wanted.
    pub(super) fn is_dead(&self, segment: u64) -> bool {
        !self.segments.contains_key(&segment)
    }

    /// Bytes of all records that are wanted.
    pub(super) fn live_bytes(&self) -> u64 {
        self.segments.values().map(|live| live.bytes).sum()
    }
}

/// Where a message lies, if it is in the journal.
pub(super) fn place_in_log(kept: &Kept) -> Option<Place> {
    Place::from_locator(kept.locator).filter(|place| !is_spool(place.segment))
}

/// About how many bytes the record of a message takes.
pub(in crate::journal) fn record_bytes(kept: &Kept) -> u64 {
    u64::from(kept.bytes).saturating_sub(OVERHEAD_BYTES as u64) + RECORD_OVERHEAD_BYTES
}

/// One segment while it is being counted: a bit for each stretch in which a record may begin
/// says whether it has been counted.
#[derive(Debug, Default)]
pub(in crate::journal) struct Counting {
    pub(in crate::journal) live: Live,
    begins: Vec<u64>,
}

impl Counting {
    /// Counts a message whose record lies at `place` and takes so many bytes.
    pub(in crate::journal) fn count(&mut self, place: Place, bytes: u64) {
        let stretch = place.position / RECORD_BYTES_LEAST;
        let (word, bit) = ((stretch / 64) as usize, 1 << (stretch % 64));
        if self.begins.len() <= word {
            self.begins.resize(word + 1, 0);
        }
        let Some(word) = self.begins.get_mut(word) else { return };
        self.live.messages += 1;
        if *word & bit == 0 {
            self.live.bytes += bytes;
        }
        *word |= bit;
    }
}

/// All kept messages of some segments, in the order of their places.
pub(super) fn survivors(snapshot: &dyn Snapshot, segments: &BTreeSet<u64>) -> Vec<Kept> {
    let mut survivors = Vec::new();
    snapshot.messages(&mut |kept| {
        if place_in_log(&kept).is_some_and(|place| segments.contains(&place.segment)) {
            survivors.push(kept);
        }
    });
    survivors.sort_unstable_by_key(|kept| (kept.locator, kept.destination, kept.seq));
    survivors
}

#[cfg(test)]
mod tests {
    use posthouse_core::ids::{BatchNo, DestinationId};
    use posthouse_core::store::{Kept, Snapshot};

    use super::{Census, Live, OVERHEAD_BYTES, survivors};
    use crate::journal::layout::place::Place;

    struct Messages(Vec<Kept>);

    impl Snapshot for Messages {
        fn batch(&self) -> BatchNo {
            BatchNo(1)
        }

        fn pieces(&self, _: &mut dyn FnMut(&[u8]) -> bool) {}

        fn messages(&self, message: &mut dyn FnMut(Kept)) {
            self.0.iter().for_each(|kept| message(*kept));
        }
    }

    fn kept(seq: u64, segment: u64, position: u64) -> Kept {
        let locator = Place { segment, position }.locator();
        Kept { destination: DestinationId(1), seq, locator, bytes: OVERHEAD_BYTES as u32 + 100 }
    }

    fn messages() -> Messages {
        let spooled = kept(9, 1 << 34, 5);
        Messages(vec![
            kept(1, 4, 9_000),
            kept(2, 3, 8_000),
            kept(3, 3, 8_043),
            kept(4, 3, 8_000),
            spooled,
        ])
    }

    #[test]
    fn shared_records_count_once_and_the_spool_not_at_all() {
        let census = Census::of(&messages());
        assert_eq!(census.live(3), Live { bytes: 2 * 148, messages: 3 });
        assert_eq!(census.live(4), Live { bytes: 148, messages: 1 });
        assert_eq!(census.live_bytes(), 3 * 148);
        assert!(census.is_dead(1 << 34) && !census.is_dead(3));
    }

    #[test]
    fn survivors_come_in_the_order_of_their_places() {
        let found = survivors(&messages(), &[3].into());
        let seqs: Vec<u64> = found.iter().map(|kept| kept.seq).collect();
        assert_eq!(seqs, [2, 4, 3]);
    }
}
