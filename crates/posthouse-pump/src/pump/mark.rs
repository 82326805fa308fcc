//! Marking: where a table is shared with others who take requests from it, a request is marked
//! there before it is tried, and tried only when the source has said that the mark is there.
//!
//! What an attempt takes of its endpoint is taken when marking begins, so that no more is marked
//! than can run. A mark that is of no use any more, because a window has shut or the endpoint is
//! down, is taken back; so is one that a former owner has left. Whoever else has the request is
//! no trouble: it is forgotten, and read again by the sweep if it comes back.

use std::sync::Arc;

use super::Pump;
use super::lane::LaneNo;
use super::lanes::Turn;
use super::row::{Phase, Row};
use super::settle::Result;
use super::withheld::View;
use crate::outcome::{BucketNo, Fence, Outcome, Settled, State};
use crate::plan::{Claim, Order};
use crate::request::{Request, RequestId, Standing};
use crate::time::Now;

/// How long a request waits whose row somebody else has locked, in milliseconds: it may be that
/// they are just taking it.
const LOCKED_WAIT_MS: i64 = 250;

/// How long a request waits whose mark was taken back, in milliseconds.
const UNMARKED_WAIT_MS: i64 = 50;

impl Pump {
    /// Whether a request must be marked before it may start.
    pub(super) fn is_to_be_marked(&self, id: RequestId) -> bool {
        let Some(row) = self.rows.get(&id) else { return false };
        let rule = self.rules.of(&row.request.code);
        rule.is_some_and(|rule| rule.claim == Claim::Mark && rule.order == Order::None)
    }

    /// Has a request marked.
    pub(super) fn mark(&mut self, no: LaneNo, id: RequestId) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.phase = Phase::Marking;
        let (due_ms, attempts) = (row.request.due_ms, row.request.attempts);
        self.reserve(no, id);
        self.settle(id, Result { due_ms, ..Result::of(State::Sending, attempts) });
    }

    /// The source has spoken about a mark.
    pub(super) fn marked(&mut self, now: Now, outcome: &Outcome, result: Settled) {
        let id = outcome.id;
        let Some(row) = self.rows.get_mut(&id) else { return };
        let no = row.lane;
        match result {
            Settled::Recorded => {
                row.is_marked = true;
                match self.turn_of_marked(now, id) {
                    Turn::Go(until_ms) => self.start_marked(now, no, id, until_ms),
                    _ => {
                        self.free_endpoint(id);
                        self.unmark(now, id);
                    }
                }
            }
            Settled::Locked => {
                self.free_endpoint(id);
                self.put_off(now, id, LOCKED_WAIT_MS);
            }
            Settled::Gone | Settled::Fenced => {
                self.free_endpoint(id);
                self.conclude(now, outcome, result);
            }
        }
    }

    /// Everything may have changed since marking began.
    fn turn_of_marked(&mut self, now: Now, id: RequestId) -> Turn {
        let row = self.rows.get(&id);
        let station = row.and_then(|row| self.stations.get(row.endpoint.as_ref()?));
        let is_trial = row.is_some_and(|row| row.is_trial);
        match station {
            Some(station) if is_trial || !station.breaker.is_open() => self.turn(now, id),
            _ => Turn::Stay,
        }
    }

    /// Takes a mark back. The request keeps its tries; it is not tried again at once.
    pub(super) fn unmark(&mut self, now: Now, id: RequestId) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.phase = Phase::Settling;
        let (due_ms, attempts) = (row.request.due_ms, row.request.attempts);
        let due_ms = due_ms.max(now.earliest_ms().saturating_add(UNMARKED_WAIT_MS));
        self.settle(id, Result { due_ms, ..Result::of(State::Ready, attempts) });
    }

    /// Takes a mark back that a former owner has left, or whose answer was lost.
    pub(super) fn unmark_unkept(&mut self, request: Request, no: LaneNo, lease: (BucketNo, Fence)) {
        let (id, due_ms, attempts) = (request.id, request.due_ms, request.attempts);
        self.lane(no, &request, false, lease.0);
        let since = self.event();
        let request = Request { standing: Standing::Ready, ..request };
        self.hold(Row { phase: Phase::Settling, ..Row::new(request, no, lease, since) });
        self.occupy(no, id, false);
        self.settle(id, Result { due_ms, ..Result::of(State::Ready, attempts) });
    }

    /// Gives back what a request that will not start has taken of its endpoint.
    fn free_endpoint(&mut self, id: RequestId) {
        let Some(row) = self.rows.get(&id) else { return };
        let (endpoint, is_trial) = (row.endpoint.clone(), row.is_trial);
        let Some(name) = endpoint else { return };
        if let Some(station) = self.stations.get_mut(&name) {
            station.give_back(is_trial);
        }
        self.ready.insert(name);
    }

    /// Puts a request of which nothing was written back into its place, for a while.
    pub(super) fn put_off(&mut self, now: Now, id: RequestId, wait_ms: i64) {
        self.vacate(id);
        let Some(row) = self.forget(id) else { return };
        let no = row.lane;
        self.place(now, Arc::unwrap_or_clone(row.request), View::Single);
        if let Some(row) = self.rows.get_mut(&id) {
            row.not_before_ms = now.earliest_ms() + wait_ms;
        }
        self.refresh(now, no);
    }
}
