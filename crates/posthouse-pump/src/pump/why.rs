//! Why a request has not gone out: the answer to what people ask most.

use std::sync::Arc;

use super::Pump;
use super::lane::End;
use super::row::{Phase, Row};
use super::rules::Judgement;
use super::station::Pass;
use super::withheld::Cause;
use crate::attempt::AttemptNo;
use crate::request::{Request, RequestId};
use crate::time::Now;

/// What an open request waits for. Where several things keep it, the first in this order is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its region is another one.
    OtherRegion,
    /// Its bucket is not held here, or is being given back.
    OtherBucket,
    /// It is being tried.
    Running(AttemptNo),
    /// It is being marked at the source, before it is tried.
    Marking,
    /// What became of it is being written back.
    Settling,
    /// What became of it cannot be written back, because somebody else has a lock on its row.
    Locked,
    /// It was given up, and waits for an operator.
    Blocked,
    /// It was given up, and holds its key until this instant, Unix milliseconds.
    GivenUpUntil(i64),
    /// It has expired, which is to be written back.
    Expired,
    /// It may not go by itself; until this instant (Unix milliseconds), if it is known.
    Withheld(Cause, Option<i64>),
    /// It is not due before this instant, Unix milliseconds.
    DueAt(i64),
    /// Another request of its key comes first.
    Behind(RequestId),
    /// A blocked request of its key comes first.
    BehindBlocked(RequestId),
    /// It has not been read yet, or not with its content.
    NotRead,
    /// Somebody has changed it; it is being read again.
    Changed,
    /// The lease of its bucket is too new or too near its end.
    LeaseRests,
    /// Something may have been committed before it; that is being looked at.
    Probed,
    /// Its endpoint fails: nothing but trials goes there.
    EndpointDown,
    /// Its endpoint has as many attempts under way as it can bear.
    EndpointBusy,
    /// Its endpoint has had as many attempts as its rate allows, until this instant (steady clock,
    /// milliseconds).
    EndpointRate(u64),
    /// Nothing: it goes when its turn among the others comes.
    Next,
}

impl Pump {
    /// What an open request, as it stands at the source, waits for.
    pub fn why(&mut self, now: Now, request: &Request) -> Why {
        let by_bucket = self.why_by_bucket(request).or_else(|| self.why_in_hand(request.id));
        by_bucket
            .or_else(|| self.why_by_itself(now, request))
            .or_else(|| self.why_by_key(request))
            .unwrap_or_else(|| self.why_by_endpoint(now, request))
    }

    /// What a request waits for that is in memory, or what keeps it from being there.
    pub fn why_here(&mut self, now: Now, id: RequestId) -> Why {
        match self.rows.get(&id).map(|row| row.request.clone()) {
            Some(request) => self.why(now, &request),
            None if self.unreadable.contains_key(&id) => Why::Withheld(Cause::Unreadable, None),
            None => self.why_in_hand(id).unwrap_or(Why::NotRead),
        }
    }

    fn why_by_bucket(&self, request: &Request) -> Option<Why> {
        if request.region != self.rules.plan.region {
            return Some(Why::OtherRegion);
        }
        let is_ours = self.buckets.held(request.slot).is_some();
        (!is_ours && !self.rows.contains_key(&request.id)).then_some(Why::OtherBucket)
    }

    fn why_in_hand(&self, id: RequestId) -> Option<Why> {
        if let Some(blocked) = self.blocked.get(&id) {
            return Some(blocked.until_ms.map_or(Why::Blocked, Why::GivenUpUntil));
        }
        let row = self.rows.get(&id)?;
        match row.phase {
            Phase::Running(attempt) => Some(Why::Running(attempt)),
            Phase::Marking => Some(Why::Marking),
            Phase::Settling if self.locked.has(id) => Some(Why::Locked),
            Phase::Settling => Some(Why::Settling),
            Phase::Idle => None,
        }
    }

    fn why_by_itself(&mut self, now: Now, request: &Request) -> Option<Why> {
        if self.unreadable.contains_key(&request.id) {
            return Some(Why::Withheld(Cause::Unreadable, None));
        }
        match self.rules.judge(request, now, i64::MAX) {
            Judgement::Withhold(cause) => {
                let until_ms = self.rules.cause_ends_ms(&cause, now);
                Some(Why::Withheld(cause, until_ms))
            }
            Judgement::Wait(until_ms) => Some(Why::DueAt(until_ms)),
            Judgement::Expired => Some(Why::Expired),
            Judgement::Go(_) => None,
        }
    }

    fn why_by_key(&self, request: &Request) -> Option<Why> {
        let (no, is_keyed) = self.lane_of(request);
        let is_before = |id: &RequestId| *id < request.id;
        let lane = self.lanes.get(&no).filter(|_| is_keyed);
        let first = lane.and_then(|lane| {
            let busy = lane.busy.iter().map(|busy| busy.id);
            busy.chain(lane.waiting.front().copied()).min()
        });
        if let Some(first) = first.filter(is_before) {
            return Some(Why::Behind(first));
        }
        match lane.map(|lane| lane.end) {
            Some(End::Blocked(id)) if is_before(&id) => return Some(Why::BehindBlocked(id)),
            _ => {}
        }
        let withheld = self.withheld.first(no).filter(|_| is_keyed);
        withheld.filter(is_before).map(Why::Behind)
    }

    fn why_by_endpoint(&mut self, now: Now, request: &Request) -> Why {
        let Some(row) = self.rows.get(&request.id) else {
            return self.why_not_read(request);
        };
        if let Some(why) = self.why_not_ready(now, row) {
            return why;
        }
        let name: Option<Arc<str>> = row.endpoint.clone();
        let Some(station) = name.and_then(|name| self.stations.get_mut(&name)) else {
            return Why::NotRead;
        };
        let is_down = station.breaker.is_open();
        match station.pass(now.mono_ms) {
            Pass::Yes => Why::Next,
            _ if is_down => Why::EndpointDown,
            Pass::Full => Why::EndpointBusy,
            Pass::At(at) => Why::EndpointRate(at),
        }
    }

    fn why_not_read(&self, request: &Request) -> Why {
        let endpoint = self.rules.of(&request.code).map(|rule| rule.endpoint.clone());
        match endpoint.filter(|name| self.is_overfull(name)) {
            Some(name) => Why::Withheld(Cause::EndpointFull(name), None),
            None => Why::NotRead,
        }
    }

    fn why_not_ready(&self, now: Now, row: &Row) -> Option<Why> {
        if row.is_unsure {
            return Some(Why::Changed);
        }
        let lease_rest_ms = now.mono_ms + super::buckets::LEASE_REST_MS;
        let bucket = self.buckets.by_number.get(&row.bucket)?;
        if bucket.quiet_until_mono_ms > now.mono_ms || bucket.until_mono_ms <= lease_rest_ms {
            return Some(Why::LeaseRests);
        }
        if row.not_before_ms > now.earliest_ms() {
            return Some(Why::DueAt(row.not_before_ms));
        }
        (!self.is_vouched(row.request.id)).then_some(Why::Probed)
    }
}
