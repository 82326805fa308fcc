//! When connections want to be looked at again. One ordered set and one sleep serve them all.
//!
//! A deadline that moves later is left where it is: when it comes, the connection is looked at
//! and says the new one. So a connection that talks all the time costs nothing here.

use std::collections::BTreeSet;

use posthouse_core::ids::Key;

/// All deadlines, in monotonic milliseconds. A connection has at most one.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    set: BTreeSet<(u64, Key)>,
}

impl Deadlines {
    /// Makes sure that `key` is looked at by `wanted`, when `armed` holds for it so far. Answers
    /// what holds now.
    pub(super) fn arm(&mut self, key: Key, armed: Option<u64>, wanted: Option<u64>) -> Option<u64> {
        let Some(wanted) = wanted else { return armed };
        match armed {
            Some(armed) if armed <= wanted => Some(armed),
            _ => {
                self.disarm(key, armed);
                self.set.insert((wanted, key));
                Some(wanted)
            }
        }
    }

    /// Forgets what holds for `key`.
    pub(super) fn disarm(&mut self, key: Key, armed: Option<u64>) {
        if let Some(armed) = armed {
            self.set.remove(&(armed, key));
        }
    }

    /// Takes out a connection whose deadline has come.
    pub(super) fn pop_due(&mut self, mono_ms: u64) -> Option<Key> {
        let (deadline, _) = self.set.first()?;
        if *deadline > mono_ms { None } else { self.set.pop_first().map(|(_, key)| key) }
    }

    /// The next deadline.
    pub(super) fn first_ms(&self) -> Option<u64> {
        self.set.first().map(|(deadline, _)| *deadline)
    }
}

#[cfg(test)]
mod tests {
    use posthouse_core::ids::Key;

    use super::Deadlines;

    #[test]
    fn only_earlier_deadlines_move() {
        let key = Key { index: 1, generation: 0 };
        let mut deadlines = Deadlines::default();
        let armed = deadlines.arm(key, None, Some(100));
        assert_eq!(deadlines.arm(key, armed, Some(200)), Some(100), "it stays");
        assert_eq!(deadlines.arm(key, armed, None), Some(100), "it stays");
        let armed = deadlines.arm(key, armed, Some(50));
        assert_eq!((armed, deadlines.first_ms()), (Some(50), Some(50)), "it moves");
        assert_eq!(deadlines.pop_due(49), None);
        assert_eq!(deadlines.pop_due(50), Some(key));
        assert_eq!(deadlines.pop_due(u64::MAX), None, "there was only one");
        let armed = deadlines.arm(key, None, Some(10));
        deadlines.disarm(key, armed);
        assert_eq!(deadlines.first_ms(), None);
    }
}
