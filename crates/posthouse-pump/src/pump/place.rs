//! Where a request that has been read belongs: in its lane, among what is withheld, or nowhere.

use std::sync::Arc;

use super::Pump;
use super::lane::{End, Lane, LaneNo, Refill};
use super::row::Row;
use super::rules::Judgement;
use super::withheld::{Cause, Stand, View};
use crate::outcome::BucketNo;
use crate::plan::Order;
use crate::request::{Request, RequestId, Standing};
use crate::time::Now;

impl Pump {
    /// The lane of a request, and whether it shares it with others.
    pub(super) fn lane_of(&self, request: &Request) -> (LaneNo, bool) {
        let order = self.rules.order(&request.code);
        let is_keyed = request.key.is_some() && order != Order::None;
        (LaneNo::of(self.seed, request, order), is_keyed)
    }

    /// Puts a request that is not in memory where it belongs.
    pub(super) fn place(&mut self, now: Now, request: Request, view: View) {
        let Some((number, bucket)) = self.buckets.held(request.slot) else { return };
        let lease = (number, bucket.fence);
        self.singles.remove(request.id);
        let (no, is_keyed) = self.lane_of(&request);
        let mut request = request;
        if request.standing == Standing::Sending && !is_keyed && !request.is_garbled() {
            return self.unmark_unkept(request, no, lease);
        }
        // In an order nobody else takes anything, and a mark that was left means nothing.
        if request.standing == Standing::Sending {
            request.standing = Standing::Ready;
        }
        let judgement = self.rules.judge(&request, now, self.horizon_ms());
        self.warn(&request, &judgement);
        if judgement == Judgement::Expired && request.standing == Standing::Ready {
            if is_keyed && self.withheld.stand(no, request.id, view) == Stand::First {
                self.withheld.lift(no, request.id);
            }
            return self.expire_unkept(now, request, no, lease);
        }
        if self.is_beyond_end(no, request.id) {
            // The walk does not decide about what the lane leaves out.
            self.withheld.distrust(no, request.id, view);
            return self.note_expiry(now, request.expires_ms, request.id);
        }
        let stand = if is_keyed { self.withheld.stand(no, request.id, view) } else { Stand::Free };
        if stand == Stand::Behind {
            self.withheld.extend(no, request.id, view);
            return self.note_expiry(now, request.expires_ms, request.id);
        }
        if request.standing == Standing::Blocked && !request.is_garbled() {
            if is_keyed {
                self.withheld.lift(no, request.id);
                if request.due_ms > 0 && request.due_ms <= now.earliest_ms() {
                    return self.finish_unkept(request, no, lease);
                }
                self.block(now, no, &Arc::new(request), view);
            }
            return;
        }
        match self.reason(&request, judgement, view) {
            Some(cause) => self.withhold(now, no, &Arc::new(request), cause, view),
            None => {
                self.withheld.lift(no, request.id);
                self.lane(no, &request, is_keyed, lease.0);
                let since = self.event();
                self.admit(now, Row::new(request, no, lease, since));
            }
        }
    }

    /// The lane of a request, made if it is not there.
    pub(super) fn lane(&mut self, no: LaneNo, request: &Request, is_keyed: bool, bucket: BucketNo) {
        let lane = self.lanes.entry(no).or_insert_with(|| Lane::new(request, is_keyed, bucket));
        lane.bucket = bucket;
    }

    /// Withholds a request, and with it what its lane has above it.
    pub(super) fn withhold(
        &mut self,
        now: Now,
        no: LaneNo,
        request: &Arc<Request>,
        cause: Cause,
        view: View,
    ) {
        let id = request.id;
        self.note_expiry(now, request.expires_ms, id);
        let high = self.truncate(now, no, id);
        match &cause {
            Cause::EndpointFull(name) => _ = self.full.insert(name.clone()),
            Cause::BlockedFull => self.is_blocked_full = true,
            _ => {}
        }
        let is_keyed = self.lane_of(request).1;
        if !is_keyed {
            self.singles.add(id, request.slot, cause.clone());
        }
        let was_holding = self.withheld.holds(&cause);
        self.withheld.add(is_keyed.then_some(no), (id, high), cause.clone(), view);
        if !was_holding && self.withheld.holds(&cause) {
            self.watch_cause(now, cause);
        }
    }

    /// Whether a lane does not keep this id. If it is just being read again, the id is remembered.
    pub(super) fn is_beyond_end(&mut self, no: LaneNo, id: RequestId) -> bool {
        let Some(lane) = self.lanes.get_mut(&no) else { return false };
        if lane.end == End::Open || id < lane.end_id() {
            return false;
        }
        if let Refill::Reading(read, missed) = lane.refill {
            lane.refill = Refill::Reading(read, Some(missed.map_or(id, |missed| missed.min(id))));
        }
        true
    }

    /// Why a request that has not expired does not come into memory, if it does not.
    fn reason(&self, request: &Request, judgement: Judgement, view: View) -> Option<Cause> {
        if let Judgement::Withhold(cause) = judgement {
            return Some(cause);
        }
        let rule = self.rules.of(&request.code)?;
        let has_content = request.content.is_some();
        let is_known = !has_content && self.unreadable.contains_key(&request.id);
        if is_known || request.unreadable.is_some() {
            return Some(Cause::Unreadable);
        }
        if self.is_kept_out(&rule.endpoint, view, has_content) {
            return Some(Cause::EndpointFull(rule.endpoint.clone()));
        }
        (!has_content).then_some(Cause::ContentWanted)
    }

    /// Takes out of a lane what it has from an id on; answers with the last id that is left out.
    fn truncate(&mut self, now: Now, no: LaneNo, id: RequestId) -> RequestId {
        let Some(lane) = self.lanes.get_mut(&no) else { return id };
        let dropped = lane.split_off(id);
        let mut high = dropped.back().copied().unwrap_or(id).max(id);
        if let End::Cut(_) = lane.end {
            high = high.max(self.high_water);
            lane.end = End::Open;
            lane.refill = Refill::None;
        }
        for id in dropped {
            self.drop_row(now, id);
        }
        high
    }
}
