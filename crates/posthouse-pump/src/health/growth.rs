//! How much a counter has grown lately.

use std::collections::VecDeque;

/// How far back it is remembered, and how many values there are to do so.
const SPAN_MS: u64 = 15 * 60 * 1_000;
const SAMPLES_MAX: u64 = 30;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Growth {
    /// Instants of the steady clock with the value at each, ascending.
    samples: VecDeque<(u64, u64)>,
    last: (u64, u64),
    /// What had been counted by counters that began anew.
    before: u64,
}

impl Growth {
    /// Of a counter that was there before anybody looked: what it has by now is no growth.
    pub fn from_now(mono_ms: u64, counted: u64) -> Growth {
        let last = (mono_ms, counted);
        Growth { samples: [last].into(), last, before: 0 }
    }

    /// Takes note of the counter's value. It was 0 before it was first seen, and one that is lower
    /// than before has begun anew.
    pub fn note(&mut self, mono_ms: u64, counted: u64) {
        if self.before + counted < self.last.1 {
            self.before = self.last.1;
        }
        let value = self.before + counted;
        if self.samples.is_empty() {
            self.samples.push_back((mono_ms, 0));
        }
        let since_ms = self.samples.back().map(|(at, _)| mono_ms.saturating_sub(*at));
        if since_ms.is_none_or(|since_ms| since_ms >= SPAN_MS / SAMPLES_MAX) {
            self.samples.push_back((mono_ms, value));
        }
        self.last = (mono_ms, value);
        while self.samples.get(1).is_some_and(|(at, _)| mono_ms.saturating_sub(*at) >= SPAN_MS) {
            self.samples.pop_front();
        }
    }

    /// By how much it has grown in the last quarter of an hour, or since it began.
    pub fn lately(&self) -> u64 {
        self.samples.front().map_or(0, |(_, value)| self.last.1 - value)
    }

    /// How much it grows in a second, over about the last `span_ms`; `None` if it has not been
    /// watched for so long.
    pub fn per_second(&self, span_ms: u64) -> Option<f64> {
        let begin = self.last.0.checked_sub(span_ms)?;
        let (at, value) = self.samples.iter().rev().find(|(at, _)| *at <= begin)?;
        let elapsed_s = (self.last.0 - at) as f64 / 1_000.0;
        Some((self.last.1 - value) as f64 / elapsed_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value each half minute; how much that is lately, and a second.
    fn check(values: &[u64], lately: u64, per_second: Option<f64>) {
        let mut growth = Growth::default();
        for (step, value) in (0..).zip(values) {
            growth.note(step * 30_000, *value);
        }
        assert_eq!(
            (growth.lately(), growth.per_second(60_000)),
            (lately, per_second),
            "{values:?}"
        );
    }

    #[test]
    fn growth_is_counted_from_the_beginning() {
        check(&[], 0, None);
        check(&[7], 7, None);
        check(&[7, 8], 8, None);
        check(&[0, 30, 60], 60, Some(1.0));
        check(&[0, 600, 600, 600], 600, Some(0.0));
    }

    #[test]
    fn a_counter_that_begins_anew_loses_nothing() {
        check(&[10, 12, 3, 4], 16, Some(4.0 / 60.0));
        check(&[10, 12, 3, 1], 16, Some(4.0 / 60.0));
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let mut values = vec![5; 40];
        values[0] = 0;
        check(&values, 0, Some(0.0));
        check(&values[..20], 5, Some(0.0));
    }
}
