//! What to read next. At most one read of each kind is under way.

use std::sync::Arc;

use super::Pump;
use super::lane::{End, LaneNo, Refill};
use super::reads::{Aim, Asked};
use super::withheld::Cause;
use crate::effect::Effect;
use crate::limits::{PROBE_RANGES_MAX, READ_BYTES_MAX, SETTLEMENT_MAX};
use crate::read::{Found, Read, ReadNo, Span};
use crate::request::RequestId;
use crate::time::Now;

impl Pump {
    /// Asks for whatever is due.
    pub(super) fn ask(&mut self, now: Now) {
        if self.buckets.slots.is_empty() {
            return;
        }
        let mono_ms = now.mono_ms;
        if mono_ms >= self.reads.forward_at && self.may_go_forward() {
            let span = Span::Forward { after: self.high_water };
            self.read(now, Aim::Forward, span, self.forward_rows());
        }
        if !self.is_walk_kept_back() && self.is_walking(now) && mono_ms >= self.reads.walk_at {
            self.walk(now);
        }
        if self.probe_due_mono_ms().is_some_and(|at| mono_ms >= at) {
            self.probe(now);
        }
        if !self.has_key_read() && mono_ms >= self.reads.key_at {
            self.refill(now);
        }
    }

    /// When the next read is due, milliseconds of the steady clock.
    pub(super) fn next_read_mono_ms(&self) -> Option<u64> {
        if self.buckets.slots.is_empty() {
            return None;
        }
        let forward = self.may_go_forward().then_some(self.reads.forward_at);
        let is_walking = self.withheld.walk.is_some() || self.may_walk();
        let walk_at = if is_walking { self.reads.walk_at } else { self.reads.sweep_at };
        let walk = (!self.is_walk_kept_back()).then_some(walk_at);
        let has_refills = !self.refills.is_empty() && !self.has_key_read();
        let key = has_refills.then_some(self.reads.key_at);
        [forward, walk, key, self.probe_due_mono_ms()].into_iter().flatten().min()
    }

    /// Asks for a part of the source.
    pub(super) fn read(&mut self, now: Now, aim: Aim, span: Span, rows_max: u32) -> ReadNo {
        let codes = self.codes_wanted(now, &aim);
        let slots = self.buckets.slots.clone();
        let since = self.event();
        let asked = Asked { aim, slots: slots.clone(), since, is_stale: false };
        let number = self.reads.ask(asked);
        let bytes_max = READ_BYTES_MAX;
        self.effects.push(Effect::Read(Read { number, span, slots, codes, rows_max, bytes_max }));
        number
    }

    /// The codes whose content is of use in the answer to a read.
    fn codes_wanted(&mut self, now: Now, aim: &Aim) -> Arc<[Arc<str>]> {
        // A sweep finds what is not known of; what it finds is then read with its content.
        if self.is_sweeping(aim) {
            return [].into();
        }
        let (full, withheld) = (&self.full, &self.withheld);
        let is_new = *aim == Aim::Forward;
        self.rules.sendable(now, |name| {
            full.contains(name) || (is_new && withheld.knows(&Cause::EndpointFull(name.clone())))
        })
    }

    fn is_sweeping(&self, aim: &Aim) -> bool {
        matches!(aim, Aim::Walk(..))
            && self.withheld.walk.as_ref().is_some_and(|walk| walk.is_sweep)
    }

    /// Takes in the answer to a probe.
    pub(super) fn found_missing(
        &mut self,
        now: Now,
        found: Found,
        asked: &Asked,
        gaps: &[RequestId],
        changed: &[RequestId],
    ) {
        let shown: Vec<RequestId> = found.rows.iter().map(|row| row.id).collect();
        let end = if found.has_more { found.scanned_to } else { RequestId(i64::MAX) };
        self.gaps.vouch(gaps, end, asked.since);
        for row in found.rows {
            self.see(now, row, asked, super::withheld::View::Single);
        }
        for first in gaps.iter().filter(|first| **first > end) {
            self.gaps.again(*first, now.mono_ms);
        }
        self.changed.extend(changed.iter().filter(|id| **id > end));
        self.release_guarded(now);
        for id in changed.iter().filter(|id| **id <= end) {
            self.let_go_changed(now, *id, &shown, asked);
        }
    }

    /// A request that somebody has changed has been read. If it is not there any more and it is
    /// not known here, it may be what others of its key are withheld for.
    fn let_go_changed(&mut self, now: Now, id: RequestId, shown: &[RequestId], asked: &Asked) {
        let is_known = self.rows.contains_key(&id) || self.blocked.contains_key(&id);
        if !is_known && shown.binary_search(&id).is_err() && id <= self.high_water {
            self.withheld.want(super::withheld::before(id));
        }
        self.let_go_absent(now, (id, id), shown, asked);
    }

    fn may_go_forward(&self) -> bool {
        !self.reads.has(|aim| *aim == Aim::Forward)
            && self.rows.len() < self.room.resident_max
            && self.bytes < self.room.resident_bytes_max
            && !self.is_withheld_full()
            && !self.is_settling_behind()
            && self.forward_rows() > 0
    }

    /// Whether so much waits to be settled that nothing more should be found that has expired.
    fn is_settling_behind(&self) -> bool {
        self.settling.pending() > 4 * SETTLEMENT_MAX
    }

    fn is_walk_kept_back(&self) -> bool {
        self.is_settling_behind() || self.reads.has(|aim| matches!(aim, Aim::Walk(..)))
    }

    fn has_key_read(&self) -> bool {
        self.reads.has(|aim| matches!(aim, Aim::Key(..)))
    }

    fn probe_due_mono_ms(&self) -> Option<u64> {
        if self.reads.has(|aim| matches!(aim, Aim::Probe(..))) {
            return None;
        }
        let changed = self.changed.first().filter(|id| **id <= self.high_water).map(|_| 0);
        let due = changed.into_iter().chain(self.gaps.due_mono_ms()).min();
        due.map(|at| at.max(self.reads.probe_at))
    }

    fn probe(&mut self, now: Now) {
        let mut changed = Vec::new();
        while changed.len() < PROBE_RANGES_MAX
            && let Some(id) = self.changed.first().copied().filter(|id| *id <= self.high_water)
        {
            self.changed.remove(&id);
            changed.push(id);
        }
        let mut ranges = self.gaps.take_due(now.mono_ms);
        let gaps = ranges.iter().map(|(first, _)| *first).collect();
        ranges.extend(changed.iter().map(|id| (*id, *id)));
        ranges.sort_unstable();
        let rows_max = self.room.read_rows_max;
        self.read(now, Aim::Probe(gaps, changed), Span::Probe { ranges }, rows_max);
    }

    /// Reads the next lane that was cut off.
    fn refill(&mut self, now: Now) {
        while let Some(no) = self.refills.pop_front() {
            let Some(lane) = self.lanes.get(&no) else { continue };
            let (End::Cut(from), Some(key)) = (lane.end, lane.key.clone()) else { continue };
            if lane.refill != Refill::Queued {
                continue;
            }
            let has_room = lane.waiting.front().is_none_or(|head| self.has_room_for_lane(*head));
            let room = self.room.lane_max.saturating_sub(lane.waiting.len()).max(1);
            let span = Span::Key { slot: lane.slot, key, from };
            if !has_room {
                // It is queued again when its next request has started.
                self.unqueue(no);
                continue;
            }
            let rows_max = u32::try_from(room).unwrap_or(1);
            let number = self.read(now, Aim::Key(no, from), span, rows_max);
            if let Some(lane) = self.lanes.get_mut(&no) {
                lane.refill = Refill::Reading(number, None);
            }
            return;
        }
    }
    fn unqueue(&mut self, no: LaneNo) {
        if let Some(lane) = self.lanes.get_mut(&no) {
            lane.refill = Refill::None;
        }
    }
}
