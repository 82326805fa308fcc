//! Which numbers of a producer have come: what was lost, and what came twice.
//!
//! Numbers come nearly in order, so that it is enough to know up to where all have come, and a
//! ring of bits for those that came ahead.

/// Numbers that may come ahead of a missing one before that counts as lost.
const AHEAD_MAX: u64 = 1 << 20;
const WORD_BITS: u64 = u64::BITS as u64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// All below have come or are lost.
    next: u64,
    ahead: Vec<u64>,
    ahead_count: u64,
    lost: u64,
    duplicated: u64,
}

impl Tally {
    /// A number has come. Answers whether it is the first time.
    pub(super) fn note(&mut self, number: u64) -> bool {
        if number == self.next {
            self.next += 1;
            if self.ahead_count > 0 {
                self.close_up();
            }
            return true;
        }
        let is_new = number > self.next && self.note_ahead(number);
        self.duplicated += u64::from(!is_new);
        is_new
    }

    /// How many are missing when `sent` were sent.
    pub(super) fn lost(&self, sent: u64) -> u64 {
        self.lost + sent.saturating_sub(self.next).saturating_sub(self.ahead_count)
    }

    /// How many came more than once.
    pub(super) fn duplicated(&self) -> u64 {
        self.duplicated
    }

    #[cold]
    fn note_ahead(&mut self, number: u64) -> bool {
        if self.ahead.is_empty() {
            self.ahead = vec![0; (AHEAD_MAX / WORD_BITS) as usize];
        }
        while number - self.next >= AHEAD_MAX {
            self.lost += u64::from(!self.take(self.next));
            self.next += 1;
        }
        if number == self.next {
            self.next += 1;
            self.close_up();
            return true;
        }
        self.put(number)
    }

    fn close_up(&mut self) {
        while self.ahead_count > 0 && self.take(self.next) {
            self.next += 1;
        }
    }

    /// The word of a number in the ring, and its bit there.
    fn place(&mut self, number: u64) -> Option<(&mut u64, u64)> {
        let at = number % AHEAD_MAX;
        let word = self.ahead.get_mut((at / WORD_BITS) as usize)?;
        Some((word, 1 << (at % WORD_BITS)))
    }

    /// Sets the bit. Answers whether it was not set.
    fn put(&mut self, number: u64) -> bool {
        let Some((word, bit)) = self.place(number) else { return false };
        let is_new = *word & bit == 0;
        *word |= bit;
        self.ahead_count += u64::from(is_new);
        is_new
    }

    /// Clears the bit. Answers whether it was set.
    fn take(&mut self, number: u64) -> bool {
        let Some((word, bit)) = self.place(number) else { return false };
        let is_set = *word & bit != 0;
        *word &= !bit;
        self.ahead_count -= u64::from(is_set);
        is_set
    }
}

#[cfg(test)]
mod tests {
    use super::{AHEAD_MAX, Tally};

    fn check(numbers: &[u64], sent: u64, lost: u64, duplicated: u64) {
        let mut tally = Tally::default();
        let new = numbers.iter().filter(|number| tally.note(**number)).count() as u64;
        let found = (tally.lost(sent), tally.duplicated());
        assert_eq!(found, (lost, duplicated), "{numbers:?}");
        assert_eq!(new, numbers.len() as u64 - duplicated, "{numbers:?}");
    }

    #[test]
    fn losses_and_duplicates_are_counted() {
        check(&[], 0, 0, 0);
        check(&[], 3, 3, 0);
        check(&[0, 1, 2], 3, 0, 0);
        check(&[0, 1], 3, 1, 0);
        check(&[0, 2], 3, 1, 0);
        check(&[2, 1, 0], 3, 0, 0);
        check(&[0, 0, 1, 2], 3, 0, 1);
        check(&[0, 2, 2, 1, 1], 3, 0, 2);
        check(&[3, 1, 0, 3], 4, 1, 1);
        check(&[0, 65, 64, 63], 66, 62, 0);
        check(&[AHEAD_MAX], AHEAD_MAX + 1, AHEAD_MAX, 0);
        check(&[AHEAD_MAX + 1, 1, 0], AHEAD_MAX + 2, AHEAD_MAX + 1, 2);
        check(&[AHEAD_MAX - 1, AHEAD_MAX, 1], AHEAD_MAX + 1, AHEAD_MAX - 2, 0);
    }
}
