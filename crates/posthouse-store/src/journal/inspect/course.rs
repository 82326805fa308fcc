//! Whether the batches of one segment follow each other, and what lies behind the last of them.
//!
//! A segment begins with a batch or a vouch in its first block and is written from there on
//! without a gap, so a batch that is not where it should be is either torn, or somebody behind it
//! in the same segment knows that it was durable: then it is damaged.

/// The batches seen so far.
#[derive(Debug, Default)]
pub(super) struct Course {
    last: Option<u64>,
    /// The block behind the last batch or vouch that followed the one before.
    pub end: u64,
    /// Blocks of this life of the file behind that.
    pub tail_blocks: u64,
}

/// A batch that was durable and is not in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// The batch.
    pub number: u64,
    /// The block at which it should begin.
    pub block: u64,
    /// The batch that knows of it.
    pub witness: u64,
}

impl Course {
    pub(super) fn new() -> Course {
        Course { last: None, end: 1, tail_blocks: 0 }
    }

    /// Takes a block that belongs to no whole batch.
    pub(super) fn add_loose(&mut self) {
        self.tail_blocks += 1;
    }

    /// Takes batch `number` at `block`, which says that batch `durable_up_to` was durable.
    pub(super) fn add_batch(
        &mut self,
        number: u64,
        (block, blocks): (u64, u64),
        durable_up_to: u64,
    ) -> Option<Missing> {
        let is_first = self.last.is_none() && block == 1;
        let before = number.saturating_sub(1);
        // Something stood before the first that is there, or this would be in the first block.
        let last = if is_first { before } else { self.last.unwrap_or(before.saturating_sub(1)) };
        self.add(number, (block, blocks), durable_up_to, (last, before))
    }

    /// Takes a vouch for batch `number` at `block`.
    pub(super) fn add_vouch(&mut self, number: u64, block: u64) -> Option<Missing> {
        let is_first = self.last.is_none() && block == 1;
        let unknown = if is_first { number } else { number.saturating_sub(1) };
        let last = self.last.unwrap_or(unknown);
        self.add(number, (block, 1), number, (last, number))
    }

    /// `last` is what the course has come to, and `before` what it should have come to.
    fn add(
        &mut self,
        number: u64,
        (block, blocks): (u64, u64),
        durable_up_to: u64,
        (last, before): (u64, u64),
    ) -> Option<Missing> {
        let missing = Missing { number: last.saturating_add(1), block: self.end, witness: number };
        if last != before && durable_up_to <= last {
            self.tail_blocks += blocks;
            return None;
        }
        self.last = Some(number);
        self.end = block + blocks;
        self.tail_blocks = 0;
        (last != before).then_some(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::{Course, Missing};

    /// Takes `(number, block, durable_up_to)` one after the other; all take one block.
    fn check(batches: &[(u64, u64, u64)], missing: Option<(u64, u64)>, end: u64, tail: u64) {
        let mut course = Course::new();
        let mut found = None;
        for &(number, block, durable_up_to) in batches {
            let missing = course.add_batch(number, (block, 1), durable_up_to);
            found = found.or(missing);
        }
        let found = found.map(|Missing { number, block, .. }| (number, block));
        assert_eq!((found, course.end, course.tail_blocks), (missing, end, tail), "{batches:?}");
    }

    #[test]
    fn a_course_knows_a_torn_end_from_a_gap() {
        check(&[(5, 1, 0), (6, 2, 5)], None, 3, 0);
        check(&[(5, 1, 0), (7, 3, 4), (8, 4, 5)], None, 2, 2);
        check(&[(5, 1, 0), (7, 3, 4), (8, 4, 6)], Some((6, 2)), 5, 0);
        check(&[(6, 2, 4)], None, 1, 1);
        check(&[(6, 2, 5)], Some((5, 1)), 3, 0);
    }

    #[test]
    fn a_vouch_belongs_behind_its_batch() {
        let mut course = Course::new();
        assert_eq!(course.add_vouch(4, 1), None);
        assert_eq!(course.add_batch(5, (2, 3), 4), None);
        assert_eq!(course.add_vouch(5, 5), None);
        let missing = Missing { number: 6, block: 6, witness: 6 };
        assert_eq!(course.add_vouch(6, 7), Some(missing));
        assert_eq!(Course::new().add_vouch(6, 2).map(|missing| missing.number), Some(6));
    }
}
