//! How far a consumer with a selector has read in a backlog.
//!
//! It reads on from where it stopped. What comes back behind that place is remembered one by one,
//! so that a message that comes back again and again does not make it start anew each time; only
//! when a great many have come back, the place moves.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::ids::Seq;
use crate::message::PRIORITY_MAX;

/// Messages that are remembered one by one.
const RETURNED_MAX: usize = 1_024;

/// See the module.
#[derive(Debug, Default)]
pub struct Scan {
    /// Everything before this has been shown, for each priority.
    next: [Seq; PRIORITY_MAX as usize + 1],
    /// What is to be shown once more although it is before that.
    returned: BTreeSet<(Reverse<u8>, Seq)>,
}

impl Scan {
    /// Where to read on in the lane of `priority`.
    pub fn next(&self, priority: u8) -> Seq {
        self.next.get(usize::from(priority)).copied().unwrap_or_default()
    }

    /// The first message of that priority that has come back.
    pub fn first_returned(&self, priority: u8) -> Option<Seq> {
        let lane = (Reverse(priority), Seq::MIN)..=(Reverse(priority), Seq::MAX);
        self.returned.range(lane).next().map(|(_, seq)| *seq)
    }

    /// The message at `seq` has been shown, or is not there to be shown.
    pub fn mark_seen(&mut self, seq: Seq, priority: u8) {
        self.returned.remove(&(Reverse(priority), seq));
        if let Some(next) = self.next.get_mut(usize::from(priority)) {
            *next = (*next).max(seq + 1);
        }
    }

    /// The message at `seq` is to be shown, even if it was before.
    pub fn show_again(&mut self, seq: Seq, priority: u8) {
        let Some(next) = self.next.get_mut(usize::from(priority)) else { return };
        if seq >= *next {
            return;
        }
        if self.returned.len() < RETURNED_MAX {
            self.returned.insert((Reverse(priority), seq));
        } else {
            *next = seq;
            self.returned.retain(|(lane, returned)| lane.0 != priority || *returned < seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RETURNED_MAX, Scan};

    #[test]
    fn what_comes_back_is_shown_again_and_nothing_is_passed_over() {
        let mut scan = Scan::default();
        scan.mark_seen(5_000, 4);
        scan.show_again(7, 4);
        scan.show_again(6_000, 4);
        assert_eq!((scan.first_returned(4), scan.next(4)), (Some(7), 5_001));
        assert_eq!((scan.first_returned(5), scan.next(5)), (None, 0), "other lanes do not care");
        scan.mark_seen(7, 4);
        assert_eq!((scan.first_returned(4), scan.next(4)), (None, 5_001));

        let many = 2_000..2_000 + RETURNED_MAX as u64;
        many.clone().for_each(|seq| scan.show_again(seq, 4));
        assert_eq!((scan.first_returned(4), scan.next(4)), (Some(2_000), 5_001));
        scan.show_again(2_010, 4);
        assert_eq!(scan.next(4), 2_010, "too many: it starts anew from there");
        for seq in 2_000..2_010 {
            assert_eq!(scan.first_returned(4), Some(seq));
            scan.mark_seen(seq, 4);
        }
        assert_eq!((scan.first_returned(4), scan.next(4)), (None, 2_010));
    }
}
