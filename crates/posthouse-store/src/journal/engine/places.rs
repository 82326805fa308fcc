//! Where the batches since the last checkpoint lie: a checkpoint has to say where the log goes on
//! behind it, and whoever loads a message has to know which batch it waits for.

use std::collections::VecDeque;

use posthouse_core::ids::BatchNo;

/// Where a batch begins: segment, and block in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) segment: u64,
    pub(super) block: u64,
}

/// See the module. Numbers and spots both ascend.
#[derive(Debug, Default)]
pub(super) struct Places {
    spots: VecDeque<(BatchNo, Spot)>,
}

impl Places {
    pub(super) fn push(&mut self, batch: BatchNo, spot: Spot) {
        self.spots.push_back((batch, spot));
    }

    /// Where the first batch after this one begins, if there is one.
    pub(super) fn after(&self, batch: BatchNo) -> Option<Spot> {
        let index = self.spots.partition_point(|(number, _)| *number <= batch);
        self.spots.get(index).map(|(_, spot)| *spot)
    }

    /// The batch that holds this block, if it is one of these.
    pub(super) fn holding(&self, spot: Spot) -> Option<BatchNo> {
        let end = self.spots.partition_point(|(_, start)| *start <= spot);
        let (number, start) = self.spots.get(end.checked_sub(1)?)?;
        (start.segment == spot.segment).then_some(*number)
    }

    /// Forgets the batches up to this one.
    pub(super) fn forget_to(&mut self, batch: BatchNo) {
        let end = self.spots.partition_point(|(number, _)| *number <= batch);
        self.spots.drain(..end);
    }
}

#[cfg(test)]
mod tests {
    use posthouse_core::ids::BatchNo;

    use super::{Places, Spot};

    fn spot(segment: u64, block: u64) -> Spot {
        Spot { segment, block }
    }

    fn places() -> Places {
        let mut places = Places::default();
        for (batch, at) in [(4, spot(1, 5)), (5, spot(1, 7)), (6, spot(3, 1))] {
            places.push(BatchNo(batch), at);
        }
        places
    }

    #[test]
    fn the_batch_after_another_is_found() {
        let check = |batch, expected| assert_eq!(places().after(BatchNo(batch)), expected);
        check(1, Some(spot(1, 5)));
        check(4, Some(spot(1, 7)));
        check(5, Some(spot(3, 1)));
        check(6, None);
    }

    #[test]
    fn the_batch_that_holds_a_block_is_found() {
        let check = |at, expected: Option<u64>| {
            assert_eq!(places().holding(at), expected.map(BatchNo));
        };
        check(spot(1, 4), None);
        check(spot(1, 6), Some(4));
        check(spot(1, 7), Some(5));
        check(spot(2, 1), None);
        check(spot(3, 9), Some(6));
    }

    #[test]
    fn what_a_checkpoint_has_taken_in_is_forgotten() {
        let mut places = places();
        places.forget_to(BatchNo(5));
        assert_eq!(places.after(BatchNo(0)), Some(spot(3, 1)));
        assert_eq!(places.holding(spot(1, 6)), None);
    }
}
