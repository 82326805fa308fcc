//! What couriers say, and what follows from that for a request and for its endpoint.

use std::sync::Arc;

use super::Pump;
use super::lane::LaneNo;
use super::row::Phase;
use super::settle::Result;
use crate::attempt::{AttemptNo, Blame, Verdict};
use crate::backoff;
use crate::effect::Notice;
use crate::limits::{ERROR_CHARS_MAX, SKIPPED_MAX};
use crate::outcome::State;
use crate::plan::{Backoff, OnExpired, OnFailure};
use crate::request::{Request, RequestId};
use crate::time::Now;

/// How long a request waits after a courier did not start it, in milliseconds.
const NOT_STARTED_WAIT_MS: i64 = 50;

/// The wait after a failure of a request whose code has left the plan.
const BACKOFF: Backoff = Backoff { base_ms: 1_000, cap_ms: 60_000 };

impl Pump {
    pub(super) fn verdict(&mut self, now: Now, attempt: AttemptNo, verdict: Verdict) {
        let Some(id) = self.attempts.remove(&attempt) else { return };
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.phase = Phase::Settling;
        let (request, is_trial) = (row.request.clone(), row.is_trial);
        if let Some(endpoint) = row.endpoint.clone() {
            self.blame(now, &endpoint, &verdict, is_trial);
        }
        let figures = self.count(&request.code);
        figures.in_flight = figures.in_flight.saturating_sub(1);
        let tries = request.attempts.saturating_add(1);
        match verdict {
            Verdict::NotStarted => self.not_started(now, id),
            Verdict::Done { status } => {
                self.settle(id, Result { status, ..Result::of(State::Done, tries) });
            }
            Verdict::Rejected { status, detail } => {
                let result = Result {
                    status,
                    error: Some(shorten(detail)),
                    ..Result::of(State::Rejected, tries)
                };
                self.give_up(now, &request, result);
            }
            Verdict::Failed { status, detail, retry_after_ms, blame } => {
                // What is known to be down must not use up the tries of what waits for it.
                let is_free = is_trial && blame == Blame::Endpoint;
                let tries = if is_free { request.attempts } else { tries };
                let result = Result {
                    status,
                    error: Some(shorten(detail)),
                    ..Result::of(State::Failed, tries)
                };
                self.fail(now, &request, result, retry_after_ms);
            }
        }
    }

    /// Rejects a request that can never be sent as it stands. Its endpoint is not asked, and it is
    /// no try.
    pub(super) fn turn_down(&mut self, now: Now, no: LaneNo, id: RequestId) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.phase = Phase::Settling;
        let request = row.request.clone();
        let flaw = request.content.as_ref().and_then(|content| content.flaw.clone());
        self.occupy(no, id, false);
        let error = flaw.map(shorten);
        let result = Result { error, ..Result::of(State::Rejected, request.attempts) };
        self.give_up(now, &request, result);
        self.refresh(now, no);
    }

    /// Settles a request in memory as expired.
    pub(super) fn expire(&mut self, now: Now, id: RequestId) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.phase = Phase::Settling;
        let (no, request) = (row.lane, row.request.clone());
        self.unplace(no);
        self.occupy(no, id, false);
        let on_expired = self.rules.of(&request.code).map(|rule| rule.on_expired);
        let is_blocking = on_expired == Some(OnExpired::Block) && self.lane_of(&request).1;
        let state = if is_blocking { State::Blocked } else { State::Expired };
        let error = is_blocking.then(|| "it expired before it could be sent".to_owned());
        self.settle(id, Result { error, ..Result::of(state, request.attempts) });
        self.tell(Notice::Expired { id, attempts: request.attempts });
        self.refresh(now, no);
    }

    /// The alarm for the expiry of a request in memory has rung.
    pub(super) fn expire_if_due(&mut self, now: Now, id: RequestId) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let Some(expires_ms) = row.request.expires_ms else { return };
        if !row.is_idle() || row.is_unsure || expires_ms > now.earliest_ms() {
            let at = Self::mono_at(now, expires_ms.max(now.earliest_ms() + 100));
            row.expiry_mono_ms = Some(at);
            return self.alarms.set(at, super::alarms::Alarm::Expiry(id));
        }
        row.expiry_mono_ms = None;
        self.expire(now, id);
    }

    /// Counts an answer for its endpoint.
    fn blame(&mut self, now: Now, endpoint: &Arc<str>, verdict: &Verdict, is_trial: bool) {
        self.ready.insert(endpoint.clone());
        let Some(station) = self.stations.get_mut(endpoint) else { return };
        station.in_flight = station.in_flight.saturating_sub(1);
        let notice = station.judge(endpoint, verdict, is_trial, now);
        if let Some(notice) = notice {
            self.tell(notice);
        }
    }

    fn not_started(&mut self, now: Now, id: RequestId) {
        match self.rows.get(&id).is_some_and(|row| row.is_marked) {
            true => self.unmark(now, id),
            false => self.put_off(now, id, NOT_STARTED_WAIT_MS),
        }
    }

    /// A try has failed: there will be another, or not.
    fn fail(&mut self, now: Now, request: &Request, result: Result, retry_after_ms: Option<u64>) {
        let rule = self.rules.of(&request.code);
        let tries_max = rule.map_or(0, |rule| rule.attempts_max);
        let backoff = rule.map_or(BACKOFF, |rule| rule.backoff);
        if tries_max > 0 && result.attempts >= tries_max {
            return self.give_up(now, request, result);
        }
        let wait_ms = backoff::wait_ms(&backoff, result.attempts, retry_after_ms, &mut self.dice);
        let due_ms = now.source_ms.saturating_add_unsigned(wait_ms);
        self.count(&request.code).retried += 1;
        self.settle(request.id, Result { state: State::Ready, due_ms, ..result });
    }

    /// There will be no other try: what becomes of the key is the group's choice.
    fn give_up(&mut self, now: Now, request: &Request, result: Result) {
        let (no, is_keyed) = self.lane_of(request);
        let on_failure =
            self.rules.of(&request.code).map_or(OnFailure::Block, |rule| rule.on_failure);
        let error = result.error.clone().unwrap_or_default();
        let id = request.id;
        match on_failure {
            OnFailure::Block if is_keyed => {
                return self.settle(id, Result { state: State::Blocked, ..result });
            }
            OnFailure::BlockFor { ms } if is_keyed => {
                let due_ms = now.source_ms.saturating_add_unsigned(ms);
                return self.settle(id, Result { state: State::Blocked, due_ms, ..result });
            }
            OnFailure::SkipAndMark if is_keyed => self.mark_skipped(no, request),
            _ => {}
        }
        self.tell(Notice::GivenUp { id, error });
        self.settle(id, result);
    }

    fn mark_skipped(&mut self, no: LaneNo, request: &Request) {
        if self.skipped.len() >= SKIPPED_MAX {
            self.skipped.pop_first();
        }
        self.skipped.insert(no, request.request_id.clone());
    }
}

/// As much of an error as is kept.
pub(super) fn shorten(mut error: String) -> String {
    if let Some((end, _)) = error.char_indices().nth(ERROR_CHARS_MAX) {
        error.truncate(end);
    }
    error
}
