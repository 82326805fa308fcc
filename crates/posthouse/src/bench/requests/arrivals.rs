//! What the receiver has got: how many, when, and whether anything is wrong with it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;
use posthouse_relay::source::fill::numbers_of;

use crate::bench::clock::Clock;
use crate::bench::figures::histogram;
use crate::bench::tally::Tally;
use crate::failure::Failure;

/// When each request was committed, in nanoseconds of the run's clock, by its number among all; 0
/// for those that are not yet.
pub(super) type Commits = Arc<[AtomicU64]>;

/// See the module.
#[derive(Debug)]
pub(super) struct Arrivals {
    clock: Clock,
    keys: HashMap<u64, OfKey>,
    keys_count: u64,
    commits: Option<Commits>,
    /// Requests that came for the first time.
    pub(super) received: u64,
    /// Calls that were refused, as they were meant to be.
    pub(super) refused: u64,
    /// Calls that are none of ours.
    pub(super) strange: u64,
    /// Requests that came after a later one of their key.
    pub(super) overtaken: u64,
    /// When the first came, and the last, on the run's clock.
    pub(super) first_ns: Option<u64>,
    pub(super) last_ns: u64,
    /// From just before the commit until it came, in nanoseconds.
    pub(super) latency: Histogram<u64>,
}

#[derive(Debug, Default)]
struct OfKey {
    tally: Tally,
    /// One more than the highest number that came.
    high: u64,
}

impl Arrivals {
    /// Nothing has come yet, of `keys` keys; 0 means that order means nothing.
    pub(super) fn new(clock: Clock, keys: u64, commits: Option<Commits>) -> Result<Self, Failure> {
        Ok(Self {
            clock,
            keys: HashMap::new(),
            keys_count: keys,
            commits,
            received: 0,
            refused: 0,
            strange: 0,
            overtaken: 0,
            first_ns: None,
            last_ns: 0,
            latency: histogram()?,
        })
    }

    /// A request has come.
    pub(super) fn note(&mut self, body: &[u8]) {
        let now_ns = self.clock.now_ns();
        let Some((key, number)) = numbers_of(body) else {
            self.strange += 1;
            return;
        };
        let of_key = self.keys.entry(key).or_default();
        if !of_key.tally.note(number) {
            return;
        }
        self.overtaken += u64::from(self.keys_count > 0 && number < of_key.high);
        of_key.high = of_key.high.max(number.saturating_add(1));
        self.received += 1;
        self.first_ns.get_or_insert(now_ns);
        self.last_ns = now_ns;
        self.note_latency(now_ns, key, number);
    }

    fn note_latency(&mut self, now_ns: u64, key: u64, number: u64) {
        let Some(commits) = &self.commits else { return };
        let at = number.saturating_mul(self.keys_count.max(1)).saturating_add(key);
        let place = usize::try_from(at).ok().and_then(|at| commits.get(at));
        let committed_ns = place.map_or(0, |place| place.load(Ordering::Acquire));
        if committed_ns > 0 {
            self.latency.saturating_record(now_ns.saturating_sub(committed_ns).max(1));
        }
    }

    /// How many are missing when `sent` were sent, dealt out to the keys in turn.
    pub(super) fn lost(&self, sent: u64) -> u64 {
        let keys = self.keys_count.max(1);
        let lost_of = |key: u64| {
            let sent = sent / keys + u64::from(key < sent % keys);
            self.keys.get(&key).map_or(sent, |of_key| of_key.tally.lost(sent))
        };
        (0..keys).map(lost_of).sum()
    }

    /// How many came more than once.
    pub(super) fn duplicated(&self) -> u64 {
        self.keys.values().map(|of_key| of_key.tally.duplicated()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrivals, Clock};

    /// Requests as (key, number), of two keys; then what is lost of `sent`, doubled and overtaken.
    fn check(came: &[(u64, u64)], sent: u64, expected: (u64, u64, u64)) {
        let mut arrivals = Arrivals::new(Clock::start(), 2, None).expect("there is memory");
        for (key, number) in came {
            arrivals.note(format!("{key:08x}{number:016x}...").as_bytes());
        }
        let found = (arrivals.lost(sent), arrivals.duplicated(), arrivals.overtaken);
        assert_eq!(found, expected, "{came:?}");
    }

    #[test]
    fn what_is_wrong_is_counted() {
        check(&[], 3, (3, 0, 0));
        check(&[(0, 0), (1, 0), (0, 1)], 3, (0, 0, 0));
        check(&[(0, 0), (1, 0), (0, 1)], 5, (2, 0, 0));
        check(&[(0, 1), (1, 0), (0, 0)], 3, (0, 0, 1));
        check(&[(0, 0), (0, 0), (1, 0)], 2, (0, 1, 0));
    }

    #[test]
    fn what_is_not_ours_is_told_apart() {
        let mut arrivals = Arrivals::new(Clock::start(), 1, None).expect("there is memory");
        arrivals.note(b"hello");
        assert_eq!((arrivals.strange, arrivals.received), (1, 0));
    }
}
