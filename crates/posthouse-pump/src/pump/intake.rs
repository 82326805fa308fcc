//! What a read has found.
//!
//! A read that was asked for before something was settled may show what was true before that. Such
//! sights are not believed: not of requests that were settled since, not of buckets that were
//! granted since.

use super::Pump;
use super::buckets::Bucket;
use super::lane::{End, LaneNo, Refill};
use super::reads::{Aim, Asked};
use super::row::Row;
use super::withheld::{Cause, View};
use crate::read::{Found, ReadNo};
use crate::request::{Request, RequestId, Standing};
use crate::time::Now;

impl Pump {
    pub(super) fn found(&mut self, now: Now, found: Found) {
        let Some(asked) = self.reads.take(found.number) else { return };
        self.settling.prune(self.reads.oldest());
        if asked.is_stale {
            return self.unanswered(now, found.number, asked, now.mono_ms);
        }
        match asked.aim.clone() {
            Aim::Forward => self.found_new(now, found, &asked),
            Aim::Walk(sight, up_to) => self.found_again(now, found, &asked, sight, up_to),
            Aim::Probe(gaps, changed) => {
                self.found_missing(now, found, &asked, &gaps, &changed);
            }
            Aim::Key(lane, from) => self.found_of_key(now, found, &asked, lane, from),
        }
    }

    pub(super) fn read_failed(&mut self, now: Now, number: ReadNo) {
        let Some(asked) = self.reads.take(number) else { return };
        self.settling.prune(self.reads.oldest());
        self.unanswered(now, number, asked, now.mono_ms + self.pace.failure_wait_ms);
    }

    /// What a read was to find is asked for again, from this instant on (steady clock).
    fn unanswered(&mut self, now: Now, number: ReadNo, asked: Asked, at_mono_ms: u64) {
        match asked.aim {
            Aim::Forward => self.reads.forward_at = at_mono_ms,
            Aim::Walk(..) => self.reads.walk_at = at_mono_ms,
            Aim::Probe(gaps, changed) => {
                self.reads.probe_at = at_mono_ms;
                self.changed.extend(changed);
                for first in gaps {
                    self.gaps.again(first, at_mono_ms);
                }
            }
            Aim::Key(lane, ..) => {
                self.reads.key_at = at_mono_ms;
                if let Some(lane) = self.lanes.get_mut(&lane)
                    && matches!(lane.refill, Refill::Reading(read, _) if read == number)
                {
                    lane.refill = Refill::None;
                }
                self.refresh(now, lane);
            }
        }
    }

    fn found_new(&mut self, now: Now, found: Found, asked: &Asked) {
        let is_empty = found.rows.is_empty();
        let wait_ms_max = self.pace.wait_ms_max;
        self.reads.forward_done(now.mono_ms, found.has_more, is_empty, wait_ms_max);
        for row in found.rows {
            self.see(now, row, asked, View::Forward);
        }
        self.high_water = self.high_water.max(found.scanned_to);
        // What was seen in the same instant as a gap cannot have been preceded by something there.
        let event = self.event();
        for range in found.missing {
            // What there is no room for is found by the sweep.
            self.gaps.add(range, now.mono_ms, event);
        }
    }

    fn found_of_key(&mut self, now: Now, found: Found, asked: &Asked, no: LaneNo, from: RequestId) {
        let Some(lane) = self.lanes.get_mut(&no) else { return };
        let Refill::Reading(read, missed) = lane.refill else { return };
        if read != found.number {
            return;
        }
        let next = RequestId(found.scanned_to.0.saturating_add(1));
        lane.refill = Refill::None;
        lane.end = End::Open;
        let mut is_withheld = false;
        // Held open while the answer is taken in, so that the lane is not dropped in between.
        lane.busy.push(super::lane::Busy { id: RequestId(i64::MIN), is_attempt: true });
        for row in found.rows {
            // The key may have other lanes, of other codes; those are read for themselves. New
            // ground is, too, in its order.
            if row.id <= self.high_water && self.lane_of(&row).0 == no {
                let (id, view) = (row.id, if is_withheld { View::Single } else { View::Key(from) });
                self.see(now, row, asked, view);
                is_withheld |= self.withheld.has(no, id);
            }
        }
        if let Some(lane) = self.lanes.get_mut(&no) {
            lane.busy.retain(|busy| busy.id != RequestId(i64::MIN));
        }
        let ends = [missed, found.has_more.then_some(next)];
        self.leave_rest(now, no, is_withheld, ends);
        self.refresh(now, no);
    }

    /// What a read of a key has not brought is left to the walk, or to the next such read.
    fn leave_rest(
        &mut self,
        now: Now,
        no: LaneNo,
        is_withheld: bool,
        ends: [Option<RequestId>; 2],
    ) {
        if is_withheld && self.withheld.has(no, RequestId(i64::MAX)) {
            // The walk decides about the rest of the key.
            self.withheld.extend(no, self.high_water, View::Single);
        } else {
            for end in ends.into_iter().flatten() {
                self.cut(now, no, end);
            }
        }
    }

    /// Looks at one request that a read has found.
    pub(super) fn see(&mut self, now: Now, request: Request, asked: &Asked, view: View) {
        self.gaps.close(request.id);
        let Some((_, bucket)) = self.buckets.held(request.slot) else { return };
        if bucket.since > asked.since || request.region != self.rules.plan.region {
            return;
        }
        if self.is_ahead_of_its_bucket(bucket, request.id, view) {
            return;
        }
        if let Some(is_open) = self.settling.settled_since(request.id, asked.since) {
            return self.distrust(&request, is_open, view);
        }
        if self.rows.contains_key(&request.id) {
            self.see_again(now, request, asked, view);
        } else if let Some(blocked) = self.blocked.get(&request.id) {
            if request.standing == Standing::Ready && blocked.since < asked.since {
                self.unblock(now, request.id);
                self.place_seen(now, request, asked, view);
            }
        } else {
            self.place_seen(now, request, asked, view);
        }
    }

    fn place_seen(&mut self, now: Now, request: Request, asked: &Asked, view: View) {
        let was_asked_for = asked.codes.binary_search(&request.code).is_ok();
        let lack = if was_asked_for { Cause::Unreadable } else { Cause::ContentWanted };
        if request.content.is_some() {
            self.unreadable.remove(&request.id);
        }
        self.place_lacking(now, request, view, lack);
    }

    /// Of a bucket that is new here, only the walk that reads it from the beginning counts.
    fn is_ahead_of_its_bucket(&self, bucket: &Bucket, id: RequestId, view: View) -> bool {
        if bucket.is_caught_up {
            return false;
        }
        let walk = self.withheld.walk.as_ref();
        let walk = walk.filter(|walk| bucket.walk == Some(walk.sight));
        match (view, walk) {
            (View::Key(_), _) => false,
            (View::Walk(sight), Some(walk)) => sight != walk.sight,
            (View::Single, Some(walk)) => id > walk.after,
            (View::Forward, _) | (_, None) => true,
        }
    }

    /// What is seen was settled since. If it is still open, it must be read once more.
    fn distrust(&mut self, request: &Request, is_open: bool, view: View) {
        if !matches!(view, View::Walk(_) | View::Key(_)) {
            return;
        }
        if is_open && !self.rows.contains_key(&request.id) {
            let (no, is_keyed) = self.lane_of(request);
            self.withheld.want_part(super::withheld::before(request.id), request.id);
            if is_keyed {
                self.withheld.distrust(no, request.id, view);
            }
        }
    }

    /// Looks at a request that is in memory already: somebody may have changed it.
    fn see_again(&mut self, now: Now, mut request: Request, asked: &Asked, view: View) {
        let Some(row) = self.rows.get_mut(&request.id) else { return };
        if !row.is_idle() || row.since >= asked.since {
            return;
        }
        let lane = row.lane;
        if row.is_like(&request) {
            if std::mem::take(&mut row.is_unsure) {
                self.refresh(now, lane);
            }
            return;
        }
        request.content = request.content.or_else(|| row.request.content.clone());
        self.take_out(request.id);
        self.place(now, request, view);
        self.refresh(now, lane);
    }

    /// Takes an idle request out of memory and out of its lane, which is to be refreshed
    /// afterwards.
    pub(super) fn take_out(&mut self, id: RequestId) -> Option<Row> {
        let row = self.forget(id)?;
        self.unplace(row.lane);
        if let Some(lane) = self.lanes.get_mut(&row.lane) {
            lane.remove(id);
        }
        Some(row)
    }
}
