//! Ids that were not there when their surroundings were read. A transaction that was open then may
//! still put a request there, so they are looked at again, soon at first and then less and less
//! often, until no transaction can be that old.
//!
//! They also matter for order. Somebody may commit a request there, and then another one of the
//! same key with a higher id, which is seen first. So a request of a key starts only when a probe
//! that was asked for after the request was seen has shown that all gaps of before are gaps still:
//! such a probe *vouches* for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{MISSING_RANGES_MAX, PROBE_RANGES_MAX};
use crate::request::RequestId;

/// The first wait, the longest wait, and the age at which a gap is left to the sweep; in
/// milliseconds.
const WAIT_MS_MIN: u64 = 5;
const WAIT_MS_MAX: u64 = 2_000;
const AGE_MS_MAX: u64 = 70_000;

#[derive(Clone, Debug)]
struct Gap {
    last: RequestId,
    since_mono_ms: u64,
    wait_ms: u64,
    next_mono_ms: u64,
    /// What came into sight before this event cannot have been preceded by something here.
    vouched: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    /// By first id.
    gaps: BTreeMap<RequestId, Gap>,
    queue: BTreeSet<(u64, RequestId)>,
    by_vouched: BTreeSet<(u64, RequestId)>,
    /// Somebody waits until everything vouches for what came into sight before this event.
    wanted: u64,
}

impl Gaps {
    /// Takes note of a range of ids, both ends included. Whether there was room.
    pub fn add(&mut self, range: (RequestId, RequestId), mono_ms: u64, vouched: u64) -> bool {
        if self.gaps.len() >= MISSING_RANGES_MAX {
            return false;
        }
        let next_mono_ms = mono_ms + WAIT_MS_MIN;
        let (last, since_mono_ms, wait_ms) = (range.1, mono_ms, WAIT_MS_MIN);
        let gap = Gap { last, since_mono_ms, wait_ms, next_mono_ms, vouched };
        self.put(range.0, gap);
        true
    }

    /// When the next is to be looked at, milliseconds of the steady clock.
    pub fn due_mono_ms(&self) -> Option<u64> {
        match self.vouched() < self.wanted {
            true => Some(0),
            false => self.queue.first().map(|(at, _)| *at),
        }
    }

    /// The event before which what came into sight is vouched for.
    pub fn vouched(&self) -> u64 {
        self.by_vouched.first().map_or(u64::MAX, |(event, _)| *event)
    }

    /// A probe that was asked for at an event has not found anything in these gaps up to an id.
    pub fn vouch(&mut self, firsts: &[RequestId], end: RequestId, event: u64) {
        for first in firsts {
            if self.gaps.get(first).is_some_and(|gap| gap.last <= end)
                && let Some(mut gap) = self.take(*first)
            {
                gap.vouched = gap.vouched.max(event);
                self.put(*first, gap);
            }
        }
    }

    /// Has everything that does not vouch for what came into sight at an event looked at now. It
    /// costs nothing: many may want it, and one probe looks for all of them.
    pub fn hurry(&mut self, event: u64) {
        self.wanted = self.wanted.max(event);
    }

    /// Those to be looked at now, ascending; at most as many as one probe may name. They count as
    /// looked at.
    pub fn take_due(&mut self, mono_ms: u64) -> Vec<(RequestId, RequestId)> {
        let wanted = self.by_vouched.iter().take_while(|(vouched, _)| *vouched < self.wanted);
        let wanted: Vec<RequestId> =
            wanted.take(PROBE_RANGES_MAX).map(|(_, first)| *first).collect();
        let mut due: Vec<(RequestId, RequestId)> = Vec::new();
        due.extend(wanted.into_iter().filter_map(|first| self.look_at(first, mono_ms)));
        while due.len() < PROBE_RANGES_MAX
            && let Some((at, first)) = self.queue.first().copied()
            && at <= mono_ms
        {
            due.extend(self.look_at(first, mono_ms));
        }
        due.sort_unstable();
        due
    }

    /// One that is looked at now; the next time is after a longer wait, or never.
    fn look_at(&mut self, first: RequestId, mono_ms: u64) -> Option<(RequestId, RequestId)> {
        let mut gap = self.take(first)?;
        let range = (first, gap.last);
        gap.wait_ms = (gap.wait_ms * 2).min(WAIT_MS_MAX);
        gap.next_mono_ms = mono_ms + gap.wait_ms;
        if mono_ms.saturating_sub(gap.since_mono_ms) < AGE_MS_MAX {
            self.put(first, gap);
        }
        Some(range)
    }

    /// A request has been seen at this id, which is missing no longer.
    pub fn close(&mut self, id: RequestId) {
        let Some((first, gap)) = self.gaps.range(..=id).next_back() else { return };
        let (first, last) = (*first, gap.last);
        if last < id {
            return;
        }
        let Some(gap) = self.take(first) else { return };
        if first < id {
            self.put(first, Gap { last: RequestId(id.0 - 1), ..gap.clone() });
        }
        if id < last {
            self.put(RequestId(id.0 + 1), gap);
        }
    }

    /// Looks at a range again soon: its probe was not answered, or not to the end.
    pub fn again(&mut self, first: RequestId, at_mono_ms: u64) {
        if let Some(mut gap) = self.take(first) {
            gap.next_mono_ms = at_mono_ms;
            self.put(first, gap);
        }
    }

    fn put(&mut self, first: RequestId, gap: Gap) {
        self.take(first);
        self.queue.insert((gap.next_mono_ms, first));
        self.by_vouched.insert((gap.vouched, first));
        self.gaps.insert(first, gap);
    }

    fn take(&mut self, first: RequestId) -> Option<Gap> {
        let gap = self.gaps.remove(&first)?;
        self.queue.remove(&(gap.next_mono_ms, first));
        self.by_vouched.remove(&(gap.vouched, first));
        Some(gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gaps of one pump: `+a-b` missed, `xa` found, `@t` time; what is due is shown as `a-b` by
    /// `?`.
    fn check(script: &str, expected: &str) {
        let (mut gaps, mut mono_ms, mut seen) = (Gaps::default(), 0, Vec::new());
        let id = |text: &str| RequestId(text.parse().unwrap());
        for word in script.split(' ') {
            if let Some(range) = word.strip_prefix('+') {
                let (first, last) = range.split_once('-').unwrap();
                gaps.add((id(first), id(last)), mono_ms, 0);
            } else if let Some(found) = word.strip_prefix('x') {
                gaps.close(id(found));
            } else if let Some(at) = word.strip_prefix('@') {
                mono_ms = at.parse().unwrap();
            } else {
                let due = gaps.take_due(mono_ms);
                let due = due.iter().map(|(first, last)| format!("{}-{}", first.0, last.0));
                seen.push(format!("[{}]", due.collect::<Vec<_>>().join(",")));
            }
        }
        assert_eq!(seen.join(" "), expected, "{script}");
    }

    #[test]
    fn gaps_are_looked_at_less_and_less_often() {
        check("+3-4 ? @5 ? ? @14 ? @15 ?", "[] [3-4] [] [] [3-4]");
        check("+3-4 @80000 ? @90000 ?", "[3-4] []");
    }

    #[test]
    fn what_is_found_is_missing_no_longer() {
        check("+3-9 x5 @5 ?", "[3-4,6-9]");
        check("+3-9 x3 x9 x12 @5 ?", "[4-8]");
        check("+3-3 x3 @5 ?", "[]");
    }
}
