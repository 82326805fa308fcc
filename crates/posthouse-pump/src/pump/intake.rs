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
use super::withheld::View;
use crate::read::{Found, ReadNo};
use crate::request::{Request, RequestId, Standing};
use crate::time::Now;

impl Pump {
    pub(super) fn found(&mut self, now: Now, found: Found) {
        let Some(asked) = self.reads.take(found.number) else { return };
        // What was settled since this read was asked for is still needed, to judge what it shows.
        let oldest = self.reads.oldest().map_or(asked.since, |oldest| oldest.min(asked.since));
        self.settling.prune(Some(oldest));
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
            Aim::Walk(..) => {
                self.late.clear();
                self.reads.walk_at = at_mono_ms;
            }
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
        // Beyond what has been read of new ground, that reading or the walk brings the rest.
        let has_more =
            found.has_more && found.rows.last().is_none_or(|row| row.id <= self.high_water);
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
        let ends = [missed, has_more.then_some(next)];
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
            if view == View::Single {
                self.keep_late(request);
            }
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
                self.place_seen(now, request, view);
            }
        } else {
            self.place_seen(now, request, view);
        }
    }

    fn place_seen(&mut self, now: Now, request: Request, view: View) {
        if request.content.is_some() {
            self.unreadable.remove(&request.id);
        }
        self.place(now, request, view);
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
        if request.unreadable.is_none() {
            request.content = request.content.or_else(|| row.request.content.clone());
        }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::attempt::Verdict;
    use crate::effect::Effect;
    use crate::input::{Grant, Input};
    use crate::outcome::{BucketNo, Fence, Settled};
    use crate::plan::{
        Backoff, Breaker, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
    };
    use crate::read::{Read, SlotRange, Span};
    use crate::request::{Content, Slot};

    fn plan() -> Plan {
        let group = Group {
            is_active: true,
            region: None,
            order: Order::Key,
            claim: Claim::Lease,
            on_failure: OnFailure::Block,
            on_expired: OnExpired::Skip,
            attempts_max: 0,
            backoff: Backoff { base_ms: 100, cap_ms: 100 },
            window: None,
        };
        let code = Code { group: "g".into(), endpoint: "e".into(), window: None };
        let breaker = Breaker { failures_max: 0, pause_ms: 1, pause_cap_ms: 1 };
        let endpoint = Endpoint { concurrency_max: 9, rate_per_s: 0, timeout_ms: 60_000, breaker };
        Plan {
            groups: [("g".into(), group)].into(),
            codes: [("c".into(), code)].into(),
            endpoints: [("e".into(), endpoint)].into(),
            ..Plan::default()
        }
    }

    fn request() -> Request {
        Request {
            id: RequestId(1),
            request_id: "r".into(),
            standing: Standing::Ready,
            code: "c".into(),
            group: None,
            region: "".into(),
            key: Some("k".into()),
            slot: Slot(3),
            priority: 4,
            window: None,
            due_ms: 0,
            expires_ms: None,
            attempts: 0,
            created_ms: 0,
            content: Some(Arc::new(Content::default())),
            unreadable: None,
        }
    }

    /// A pump, what it wants, and a table of the one request, which it shows to every read of new
    /// ground.
    struct World {
        pump: Pump,
        mono_ms: u64,
        walk: Option<Read>,
        starts: Vec<crate::attempt::AttemptNo>,
    }

    impl World {
        fn new() -> World {
            let mut world =
                World { pump: Pump::new(1), mono_ms: 0, walk: None, starts: Vec::new() };
            world.apply(Input::Plan(Arc::new(plan())));
            let slots = SlotRange { first: Slot(0), last: Slot(1023) };
            world.apply(Input::Granted(Grant {
                bucket: BucketNo(1),
                slots,
                fence: Fence(1),
                until_mono_ms: u64::MAX / 4,
                quiet_until_mono_ms: 0,
            }));
            world
        }

        /// Everything is answered at once, but for a walk over ground that was read before.
        fn apply(&mut self, input: Input) {
            let mut inputs = vec![input];
            while let Some(input) = inputs.pop() {
                let source_ms = i64::try_from(self.mono_ms).unwrap_or(i64::MAX);
                let now = Now { mono_ms: self.mono_ms, source_ms, error_ms: 0 };
                let mut effects = Vec::new();
                self.pump.apply(now, input, &mut effects);
                for effect in effects {
                    match effect {
                        Effect::Start(attempt) => self.starts.push(attempt.number),
                        Effect::Settle(settlement) => inputs.push(Input::Settled {
                            number: settlement.number,
                            results: vec![Settled::Recorded; settlement.outcomes.len()],
                        }),
                        Effect::Read(read) if matches!(read.span, Span::Again { .. }) => {
                            self.walk = Some(read);
                        }
                        Effect::Read(read) => inputs.push(Input::Found(shown(&read))),
                        _ => {}
                    }
                }
            }
        }

        fn tick_until(&mut self, is_done: impl Fn(&World) -> bool) {
            while !is_done(self) && self.mono_ms < 60_000 {
                self.mono_ms += 10;
                self.apply(Input::Tick);
            }
        }
    }

    fn shown(read: &Read) -> Found {
        let is_new = read.span == Span::Forward { after: RequestId::LOWEST };
        Found {
            number: read.number,
            rows: if is_new { vec![request()] } else { Vec::new() },
            scanned_to: RequestId(1),
            has_more: false,
            missing: Vec::new(),
        }
    }

    #[test]
    fn what_was_settled_during_the_only_read_is_not_sent_again() {
        let mut world = World::new();
        while let Some(walk) = world.walk.take() {
            let found = Found { rows: vec![request()], ..shown(&walk) };
            world.apply(Input::Found(found));
        }
        world.tick_until(|world| world.starts.len() == 1 && world.walk.is_some());
        let walk = world.walk.take().expect("old ground is swept");
        let [attempt] = *world.starts else { panic!("{:?}", world.starts) };
        world.apply(Input::Verdict { attempt, verdict: Verdict::Done { status: None } });
        world.apply(Input::Found(Found { rows: vec![request()], ..shown(&walk) }));
        assert_eq!(world.starts.len(), 1, "it was sent again");
    }
}
