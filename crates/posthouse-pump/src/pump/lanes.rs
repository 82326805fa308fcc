//! Lanes: requests go in and out, and the head is queued where it belongs.

use std::sync::Arc;

use super::Pump;
use super::alarms::Alarm;
use super::buckets::{Hand, LEASE_REST_MS};
use super::lane::{End, LaneNo, Place, Refill};
use super::row::Row;
use super::rules::Judgement;
use super::station::Rank;
use super::withheld::{Cause, View};
use crate::request::RequestId;
use crate::time::Now;

/// Where the head of a lane belongs.
pub(super) enum Turn {
    /// It may go, until this instant, Unix milliseconds.
    Go(i64),
    /// It is to be looked at again then, milliseconds of the steady clock.
    At(u64),
    /// Something else will come first.
    Stay,
    /// A probe must come first; see [`gaps`](super::gaps).
    Vouch,
    /// It goes out of memory.
    Withhold(Cause),
    /// It has expired.
    Expire,
}

impl Pump {
    /// Takes a request into memory, at its place in its lane. The lane must be there.
    pub(super) fn admit(&mut self, now: Now, mut row: Row) {
        let (id, no) = (row.request.id, row.lane);
        if let Some(expires_ms) = row.request.expires_ms {
            let at = Self::mono_at(now, expires_ms);
            row.expiry_mono_ms = Some(at);
            self.alarms.set(at, Alarm::Expiry(id));
        }
        self.hold(row);
        let Some(lane) = self.lanes.get_mut(&no) else { return };
        lane.insert(id);
        if lane.waiting.len() > self.room.lane_max
            && let Some(last) = lane.waiting.back().copied()
        {
            self.cut(now, no, last);
        }
        self.refresh(now, no);
    }

    /// Keeps a request in memory, and counts it.
    pub(super) fn hold(&mut self, mut row: Row) {
        self.bytes += row.bytes;
        row.endpoint = self.rules.of(&row.request.code).map(|rule| rule.endpoint.clone());
        self.count(&row.request.code).resident += 1;
        if let Some(station) = row.endpoint.as_ref().and_then(|name| self.stations.get_mut(name)) {
            station.rows += 1;
            station.bytes += row.bytes;
        }
        self.rows.insert(row.request.id, row);
    }

    /// Forgets a request in memory; its lane must let go of it too.
    pub(super) fn forget(&mut self, id: RequestId) -> Option<Row> {
        let row = self.rows.remove(&id)?;
        self.bytes -= row.bytes;
        let figures = self.count(&row.request.code);
        figures.resident = figures.resident.saturating_sub(1);
        if let Some(at) = row.expiry_mono_ms {
            self.alarms.clear(at, Alarm::Expiry(id));
        }
        if let Some(name) = row.endpoint.clone() {
            self.leave_station(&name, row.bytes);
        }
        Some(row)
    }

    fn leave_station(&mut self, name: &Arc<str>, bytes: usize) {
        if let Some(station) = self.stations.get_mut(name) {
            station.rows -= 1;
            station.bytes -= bytes;
        }
    }

    /// Keeps nothing of a lane from this id on; it is read again when there is room.
    pub(super) fn cut(&mut self, now: Now, no: LaneNo, id: RequestId) {
        let Some(lane) = self.lanes.get_mut(&no) else { return };
        if let Refill::Reading(read, missed) = lane.refill {
            let missed = missed.map_or(id, |missed| missed.min(id));
            lane.refill = Refill::Reading(read, Some(missed));
        }
        if let End::Blocked(blocked) = lane.end
            && blocked >= id
        {
            self.blocked.remove(&blocked);
        }
        if id <= lane.end_id() {
            lane.end = End::Cut(id);
        }
        let dropped = lane.split_off(id);
        // Reading the lane again decides about all that is left out, whatever it was withheld for.
        self.withheld.forget_above(no, id);
        for dropped in dropped {
            self.drop_row(now, dropped);
        }
    }

    /// Forgets a request that is still open, but not what must be done when it expires.
    pub(super) fn drop_row(&mut self, now: Now, id: RequestId) {
        if let Some(row) = self.forget(id) {
            self.note_expiry(now, row.request.expires_ms, id);
        }
    }

    /// Forgets everything of a lane that is not in flight, and that there is more.
    pub(super) fn empty(&mut self, no: LaneNo) {
        self.unplace(no);
        let Some(lane) = self.lanes.get_mut(&no) else { return };
        if let End::Blocked(id) = lane.end {
            self.blocked.remove(&id);
        }
        lane.end = End::Open;
        lane.refill = Refill::None;
        let is_idle = lane.busy.is_empty();
        for id in std::mem::take(&mut lane.waiting) {
            self.forget(id);
        }
        if is_idle {
            self.lanes.remove(&no);
        }
    }

    /// Queues a lane where its head belongs now.
    pub(super) fn refresh(&mut self, now: Now, no: LaneNo) {
        self.unplace(no);
        while let Some(head) = self.free_head(no) {
            match self.turn(now, head) {
                Turn::Go(_) => return self.enqueue(no, head),
                Turn::At(at) => {
                    self.alarms.set(at, Alarm::Lane(no));
                    return self.set_place(no, Place::Waiting(at));
                }
                Turn::Stay => return,
                Turn::Vouch => return self.guard(no, head),
                Turn::Withhold(cause) => self.evict(now, no, head, cause),
                Turn::Expire => return self.expire(now, head),
            }
        }
    }

    /// What is to be done with the head of a lane.
    pub(super) fn turn(&mut self, now: Now, head: RequestId) -> Turn {
        let Some(row) = self.rows.get(&head) else { return Turn::Stay };
        let Some(bucket) = self.buckets.by_number.get(&row.bucket) else { return Turn::Stay };
        if row.is_unsure || bucket.hand != Hand::Held || bucket.fence != row.fence {
            return Turn::Stay;
        }
        if bucket.quiet_until_mono_ms > now.mono_ms {
            return Turn::At(bucket.quiet_until_mono_ms);
        }
        if bucket.until_mono_ms <= now.mono_ms + LEASE_REST_MS {
            return Turn::At(bucket.until_mono_ms.max(now.mono_ms + 1));
        }
        let (request, not_before_ms) = (row.request.clone(), row.not_before_ms);
        match self.rules.judge(&request, now, self.horizon_ms()) {
            Judgement::Go(_) if not_before_ms > now.earliest_ms() => {
                Turn::At(Self::mono_at(now, not_before_ms))
            }
            Judgement::Go(_) if !self.is_vouched(head) => Turn::Vouch,
            Judgement::Go(until_ms) => Turn::Go(until_ms),
            Judgement::Wait(until_ms) => Turn::At(Self::mono_at(now, until_ms)),
            Judgement::Withhold(cause) => Turn::Withhold(cause),
            Judgement::Expired => Turn::Expire,
        }
    }

    /// The head of a lane, if nothing of the lane keeps it. Empty lanes go.
    fn free_head(&mut self, no: LaneNo) -> Option<RequestId> {
        if self.lanes.get(&no)?.is_empty() {
            self.lanes.remove(&no);
            return None;
        }
        self.fill(no);
        self.lanes.get(&no)?.head()
    }

    /// Queues a lane to be read again if it was cut off and has come down to a half.
    pub(super) fn fill(&mut self, no: LaneNo) {
        let Some(lane) = self.lanes.get_mut(&no) else { return };
        let is_low = lane.waiting.len() <= self.room.lane_max / 2;
        let is_cut = matches!(lane.end, End::Cut(_)) && lane.refill == Refill::None;
        if is_cut && is_low {
            lane.refill = Refill::Queued;
            self.refills.push_back(no);
        }
    }

    /// Whether nothing of its key can have been committed below it and not have been seen.
    pub(super) fn is_vouched(&self, id: RequestId) -> bool {
        let vouched = self.gaps.vouched();
        let Some(row) = self.rows.get(&id) else { return true };
        let is_keyed = self.lanes.get(&row.lane).is_some_and(|lane| lane.key.is_some());
        !is_keyed || row.since <= vouched
    }

    /// Has the gaps looked at before a lane goes on.
    fn guard(&mut self, no: LaneNo, head: RequestId) {
        let since = self.rows.get(&head).map_or(0, |row| row.since);
        self.guarded.insert((since, no));
        self.gaps.hurry(since);
    }

    /// A probe has been answered: lanes that have waited for it may go on.
    pub(super) fn release_guarded(&mut self, now: Now) {
        let vouched = self.gaps.vouched();
        while let Some((since, lane)) = self.guarded.pop_first() {
            if since > vouched {
                self.guarded.insert((since, lane));
                return;
            }
            self.refresh(now, lane);
        }
    }

    fn enqueue(&mut self, no: LaneNo, head: RequestId) {
        let Some(row) = self.rows.get(&head) else { return };
        let Some(name) = row.endpoint.clone() else { return };
        let since_ms = row.request.due_ms.max(row.request.created_ms);
        let rank = Rank { lowness: u8::MAX - row.request.priority, since_ms, id: head, lane: no };
        let Some(station) = self.stations.get_mut(&name) else { return };
        station.runnable.insert(rank);
        self.ready.insert(name.clone());
        self.set_place(no, Place::Runnable(name, rank));
    }

    /// Withholds a lane from its head on.
    fn evict(&mut self, now: Now, no: LaneNo, head: RequestId, cause: Cause) {
        let Some(row) = self.rows.get(&head) else { return };
        let request = row.request.clone();
        self.withhold(now, no, &request, cause, View::Single);
    }

    fn set_place(&mut self, no: LaneNo, place: Place) {
        if let Some(lane) = self.lanes.get_mut(&no) {
            lane.place = place;
        }
    }

    pub(super) fn unplace(&mut self, no: LaneNo) {
        let Some(lane) = self.lanes.get_mut(&no) else { return };
        match std::mem::replace(&mut lane.place, Place::Nowhere) {
            Place::Nowhere => {}
            Place::Waiting(at) => self.alarms.clear(at, Alarm::Lane(no)),
            Place::Runnable(name, rank) => {
                if let Some(station) = self.stations.get_mut(&name) {
                    station.runnable.remove(&rank);
                }
            }
        }
    }
}
