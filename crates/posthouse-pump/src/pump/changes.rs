//! Plans, holds and requests that somebody else has changed.

use std::sync::Arc;

use super::Pump;
use super::lane::{Busy, Lane};
use super::row::Phase;
use super::withheld::{Cause, before};
use crate::input::Hold;
use crate::plan::Plan;
use crate::request::RequestId;
use crate::time::Now;

impl Pump {
    /// Takes a new plan. What runs ends as it began; all else is judged anew.
    pub(super) fn take_plan(&mut self, now: Now, plan: Arc<Plan>) {
        let is_alike = self.rules.is_alike(&plan);
        let old = self.rules.plan.clone();
        for (name, endpoint) in &plan.endpoints {
            self.stations.entry(name.clone()).or_default().set(endpoint, now.mono_ms);
            self.ready.insert(name.clone());
        }
        self.rules.set(now, plan);
        self.told.keep(|cause| self.rules.is_fault_still(cause, &old));
        if is_alike {
            self.judge_anew(now, &old);
        } else {
            self.start_over();
        }
    }

    pub(super) fn take_holds(&mut self, now: Now, holds: Vec<Hold>) {
        for hold in self.rules.set_holds(now, holds) {
            self.withheld.end(&Cause::Held(hold));
        }
        self.refresh_all(now);
    }

    /// Nothing starts of what has changed before it has been read again.
    pub(super) fn take_changed(&mut self, ids: Vec<RequestId>) {
        let is_much = self.changed.len() + ids.len() > self.room.changed_max;
        let since = self.event();
        for id in ids {
            if let Some(row) = self.rows.get_mut(&id).filter(|row| row.is_idle()) {
                row.is_unsure = true;
                row.since = since;
            }
            if is_much {
                self.withheld.want(before(id));
            } else {
                self.changed.insert(id);
            }
        }
    }

    fn judge_anew(&mut self, now: Now, old: &Plan) {
        let causes = self.withheld.causes().map(|(cause, _, _)| cause);
        let ended = causes.filter(|cause| !self.rules.still_holds(cause, old));
        let ended: Vec<Cause> = ended.cloned().collect();
        for cause in ended {
            self.withheld.end(&cause);
        }
        self.refresh_all(now);
    }

    fn refresh_all(&mut self, now: Now) {
        let lanes: Vec<_> = self.lanes.keys().copied().collect();
        for lane in lanes {
            self.refresh(now, lane);
        }
    }

    /// Codes have other groups, endpoints or orders: all lanes are made anew, and all ground is
    /// read again.
    fn start_over(&mut self) {
        for station in self.stations.values_mut() {
            station.runnable.clear();
        }
        self.full.clear();
        let idle = self.rows.iter().filter(|(_, row)| row.is_idle()).map(|(id, _)| *id);
        let idle: Vec<RequestId> = idle.collect();
        for id in idle {
            self.forget(id);
        }
        self.lanes.clear();
        self.blocked.clear();
        self.refills.clear();
        self.withheld.clear();
        self.reads.forget(|aim| *aim != super::reads::Aim::Forward);
        self.keep_busy();
        let is_first = self.high_water == RequestId::LOWEST;
        for bucket in self.buckets.by_number.values_mut() {
            bucket.is_caught_up = is_first;
            bucket.walk = None;
        }
        if !is_first {
            self.withheld.want(RequestId::LOWEST);
        }
    }

    /// Makes the lanes of what is in flight or being settled.
    fn keep_busy(&mut self) {
        let ids: Vec<RequestId> = self.rows.keys().copied().collect();
        for id in ids {
            let Some(request) = self.rows.get(&id).map(|row| row.request.clone()) else { continue };
            let (no, is_keyed) = self.lane_of(&request);
            let Some(row) = self.rows.get_mut(&id) else { continue };
            row.lane = no;
            let bucket = row.bucket;
            // Whether what is being settled was tried is not known any more; to wait for it does
            // no harm.
            let busy = Busy { id, is_attempt: row.phase != Phase::Idle };
            let lane =
                self.lanes.entry(no).or_insert_with(|| Lane::new(&request, is_keyed, bucket));
            lane.busy.push(busy);
        }
    }
}
