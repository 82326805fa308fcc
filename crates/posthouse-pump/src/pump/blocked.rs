//! Requests that were given up and hold their keys: until somebody decides, or until an instant
//! that stands at the source.

use std::sync::Arc;

use super::Pump;
use super::alarms::Alarm;
use super::lane::{End, LaneNo, Refill};
use super::withheld::{Cause, View};
use crate::request::{Request, RequestId, Slot};
use crate::time::Now;

/// What is kept in memory of a blocked request.
#[derive(Clone, Debug)]
pub(super) struct Blocked {
    pub slot: Slot,
    pub code: Arc<str>,
    /// Until when it holds its key, Unix milliseconds; without it until somebody decides.
    pub until_ms: Option<i64>,
    pub lane: LaneNo,
    /// When it came into sight as blocked, in the count of events.
    pub since: u64,
}

impl Pump {
    /// Blocks a lane at a request. What is below it may still go.
    pub(super) fn block(&mut self, now: Now, no: LaneNo, request: &Arc<Request>, view: View) {
        let Some((bucket, _)) = self.buckets.held(request.slot) else { return };
        if self.is_beyond_end(no, request.id) {
            // Reading the lane again from there shows it.
            return;
        }
        let until_ms = Some(request.due_ms).filter(|due_ms| *due_ms > 0);
        if self.blocked.len() >= self.room.blocked_max {
            self.note_expiry(now, until_ms, request.id);
            return self.withhold(now, no, request, Cause::BlockedFull, view);
        }
        self.lane(no, request, true, bucket);
        self.cut(now, no, request.id);
        let Some(lane) = self.lanes.get_mut(&no) else { return };
        lane.end = End::Blocked(request.id);
        lane.refill = Refill::None;
        let (id, code, slot) = (request.id, request.code.clone(), request.slot);
        let since = self.event();
        self.blocked.insert(id, Blocked { slot, code, until_ms, lane: no, since });
        if let Some(until_ms) = until_ms {
            self.alarms.set(Self::mono_at(now, until_ms), Alarm::Blocked(id));
        }
        self.refresh(now, no);
    }

    /// What was blocked is so no longer: its lane is read again behind it.
    pub(super) fn unblock(&mut self, now: Now, id: RequestId) {
        let Some(blocked) = self.blocked.remove(&id) else { return };
        if let Some(lane) = self.lanes.get_mut(&blocked.lane)
            && lane.end == End::Blocked(id)
        {
            lane.end = End::Cut(RequestId(id.0.saturating_add(1)));
            lane.since_ms = now.source_ms;
            self.refresh(now, blocked.lane);
        }
    }

    /// The alarm of a blocked request has rung: if it has held its key for long enough, it is read
    /// again, and finished.
    pub(super) fn unblock_if_due(&mut self, now: Now, id: RequestId) {
        let Some(blocked) = self.blocked.get(&id) else { return };
        let Some(until_ms) = blocked.until_ms else { return };
        if until_ms > now.earliest_ms() {
            return self.alarms.set(Self::mono_at(now, until_ms), Alarm::Blocked(id));
        }
        let no = blocked.lane;
        self.blocked.remove(&id);
        if let Some(lane) = self.lanes.get_mut(&no)
            && lane.end == End::Blocked(id)
        {
            lane.end = End::Cut(id);
            lane.since_ms = now.source_ms;
            self.refresh(now, no);
        }
    }
}
