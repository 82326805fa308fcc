//! Starting attempts: the only place at which something goes out.

use std::sync::Arc;

use super::Pump;
use super::alarms::Alarm;
use super::lane::{Busy, LaneNo, Place};
use super::lanes::Turn;
use super::row::Phase;
use super::station::Pass;
use crate::attempt::{Attempt, AttemptNo};
use crate::effect::Effect;
use crate::request::RequestId;
use crate::time::Now;

impl Pump {
    /// Starts what may go, at the endpoints at which something has changed.
    pub(super) fn start_ready(&mut self, now: Now) {
        while let Some(name) = self.ready.pop_first() {
            self.start_at(now, &name);
        }
    }

    fn start_at(&mut self, now: Now, name: &Arc<str>) {
        while let Some(station) = self.stations.get_mut(name) {
            let Some(rank) = station.runnable.first().copied() else { return };
            match station.pass(now.mono_ms) {
                Pass::Yes => {}
                Pass::Full => return,
                Pass::At(at) => return self.alarms.set(at, Alarm::Endpoint(name.clone())),
            }
            station.runnable.remove(&rank);
            if let Some(lane) = self.lanes.get_mut(&rank.lane) {
                lane.place = Place::Nowhere;
            }
            self.launch(now, rank.lane);
        }
    }

    /// Starts the head of a lane, if it still may go.
    fn launch(&mut self, now: Now, no: LaneNo) {
        let Some(head) = self.lanes.get(&no).and_then(|lane| lane.head()) else { return };
        match self.turn(now, head) {
            Turn::Go(_) if self.flaw(head).is_some() => self.turn_down(now, no, head),
            Turn::Go(_) if self.is_to_be_marked(head) => self.mark(no, head),
            Turn::Go(until_ms) => self.start(now, no, head, until_ms),
            _ => self.refresh(now, no),
        }
    }

    /// Starts what has been marked at the source and may still go, as its endpoint was told when
    /// marking began.
    pub(super) fn start_marked(&mut self, now: Now, no: LaneNo, id: RequestId, until_ms: i64) {
        let Some(attempt) = self.attempt(now, no, id, until_ms) else { return };
        self.go_out(id, attempt);
    }

    fn flaw(&self, id: RequestId) -> Option<&str> {
        self.rows.get(&id)?.request.content.as_ref()?.flaw.as_deref()
    }

    fn start(&mut self, now: Now, no: LaneNo, id: RequestId, until_ms: i64) {
        let Some(attempt) = self.attempt(now, no, id, until_ms) else { return };
        self.reserve(no, id);
        self.go_out(id, attempt);
        self.fill(no);
    }

    fn go_out(&mut self, id: RequestId, attempt: Attempt) {
        self.last_attempt = attempt.number.0;
        self.attempts.insert(attempt.number, id);
        if let Some(row) = self.rows.get_mut(&id) {
            row.phase = Phase::Running(attempt.number);
        }
        self.count(&attempt.request.code).in_flight += 1;
        self.effects.push(Effect::Start(attempt));
    }

    /// Takes what an attempt takes of its endpoint, and has its lane wait for it.
    pub(super) fn reserve(&mut self, no: LaneNo, id: RequestId) {
        let endpoint = self.rows.get(&id).and_then(|row| row.endpoint.clone());
        let station = endpoint.and_then(|name| self.stations.get_mut(&name));
        let is_trial = station.is_some_and(|station| station.begin());
        if let Some(row) = self.rows.get_mut(&id) {
            row.is_trial = is_trial;
        }
        self.occupy(no, id, true);
    }

    /// The attempt at a request, with the instants up to which it may be made.
    fn attempt(&self, now: Now, no: LaneNo, id: RequestId, until_ms: i64) -> Option<Attempt> {
        let row = self.rows.get(&id)?;
        let bucket = self.buckets.by_number.get(&row.bucket)?;
        let endpoint = row.endpoint.clone()?;
        let timeout_ms = self.stations.get(&endpoint)?.rules.timeout_ms;
        // The window or the expiry, on the steady clock, had the source's clock been ahead by all
        // of its error.
        let rest_ms = until_ms.saturating_sub(1).saturating_sub(now.latest_ms()).max(0);
        let by_mono_ms = now.mono_ms.saturating_add(rest_ms.unsigned_abs());
        let lease_ms = i64::try_from(bucket.until_mono_ms - now.mono_ms).unwrap_or(i64::MAX);
        let lease_end_ms = now.earliest_ms().saturating_add(lease_ms);
        Some(Attempt {
            number: AttemptNo(self.last_attempt + 1),
            request: row.request.clone(),
            endpoint,
            try_no: row.request.attempts.saturating_add(1),
            bucket: row.bucket,
            fence: row.fence,
            start_by_mono_ms: by_mono_ms.min(bucket.until_mono_ms.saturating_sub(1)),
            // It may outlast the lease, which is renewed meanwhile; if it is not, this is aborted.
            end_by_mono_ms: now.mono_ms.saturating_add(timeout_ms),
            not_after_ms: until_ms.saturating_sub(1).min(lease_end_ms),
            after_gap: self.skipped.get(&no).cloned(),
        })
    }

    /// Something is being done about a request: its lane waits for it.
    pub(super) fn occupy(&mut self, no: LaneNo, id: RequestId, is_attempt: bool) {
        let is_keyed = self.lanes.get(&no).is_some_and(|lane| lane.key.is_some());
        let row = self.rows.get(&id).filter(|_| is_keyed);
        let since_ms = row.map(|row| self.waiting_since_ms(row));
        if let Some(lane) = self.lanes.get_mut(&no) {
            lane.since_ms = lane.since_ms.max(since_ms.unwrap_or(i64::MIN));
            lane.remove(id);
            lane.busy.push(Busy { id, is_attempt });
        }
        let lease = self.rows.get(&id).map(|row| (row.bucket, row.fence));
        if let Some(bucket) = lease.and_then(|lease| self.buckets.leased(lease.0, lease.1)) {
            bucket.busy += 1;
        }
    }

    /// Nothing is being done about a request any more.
    pub(super) fn vacate(&mut self, id: RequestId) {
        let Some(row) = self.rows.get(&id) else { return };
        if let Some(lane) = self.lanes.get_mut(&row.lane) {
            lane.busy.retain(|busy| busy.id != id);
        }
        if let Some(bucket) = self.buckets.leased(row.bucket, row.fence) {
            bucket.busy = bucket.busy.saturating_sub(1);
        }
    }
}
