//! Settling: what became of requests is written back, and only the source's answer lets a lane go
//! on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Pump;
use super::alarms::Alarm;
use super::lane::LaneNo;
use super::row::{Phase, Row};
use super::withheld::View;
use crate::effect::{Effect, Notice};
use crate::limits::{SETTLEMENT_MAX, SETTLEMENTS_MAX};
use crate::outcome::{BucketNo, Fence, Outcome, Settled, Settlement, SettlementNo, State};
use crate::request::{Request, RequestId, Standing};
use crate::time::Now;

/// The wait before a settlement is written again, at first and at most, in milliseconds.
const WAIT_MS: (u64, u64) = (50, 5_000);

/// What became of a request.
#[derive(Clone, Debug)]
pub(super) struct Result {
    pub state: State,
    pub due_ms: i64,
    pub attempts: u32,
    pub status: Option<i32>,
    pub error: Option<String>,
}

impl Result {
    /// A state after so many tries, without anything else to say.
    pub fn of(state: State, attempts: u32) -> Result {
        Result { state, due_ms: 0, attempts, status: None, error: None }
    }
}

#[derive(Clone, Debug)]
struct Sent {
    settlement: Settlement,
    wait_ms: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Settling {
    pending: BTreeMap<RequestId, Outcome>,
    sent: BTreeMap<SettlementNo, Sent>,
    last: u64,
    /// What was settled while a read was under way: when, in the count of events, and whether it
    /// is open still.
    settled: BTreeMap<RequestId, (u64, bool)>,
    by_time: VecDeque<(u64, RequestId)>,
}

impl Settling {
    /// Numbers settlements after those of another.
    pub fn count_on(&mut self, former: &Settling) {
        self.last = former.last;
    }

    /// Outcomes that have not been sent yet.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Hands an outcome to the next settlement.
    pub fn put(&mut self, outcome: Outcome) {
        self.pending.insert(outcome.id, outcome);
    }

    /// Whether a request was settled after an event, and if so, whether it is open still.
    pub fn settled_since(&self, id: RequestId, event: u64) -> Option<bool> {
        self.settled.get(&id).filter(|(at, _)| *at > event).map(|(_, is_open)| *is_open)
    }

    /// Forgets what was settled before the oldest read that is under way was asked for.
    pub fn prune(&mut self, oldest: Option<u64>) {
        let oldest = oldest.unwrap_or(u64::MAX);
        while let Some((at, id)) = self.by_time.front().copied()
            && at < oldest
        {
            self.by_time.pop_front();
            if self.settled.get(&id).is_some_and(|(latest, _)| *latest == at) {
                self.settled.remove(&id);
            }
        }
    }

    fn note(&mut self, id: RequestId, event: u64, is_open: bool) {
        self.settled.insert(id, (event, is_open));
        self.by_time.push_back((event, id));
    }

    fn may_send(&self) -> bool {
        let is_full = self.pending.len() >= SETTLEMENT_MAX && self.sent.len() < SETTLEMENTS_MAX;
        !self.pending.is_empty() && (self.sent.is_empty() || is_full)
    }

    fn next(&mut self) -> Settlement {
        let rest = self.pending.keys().nth(SETTLEMENT_MAX).copied();
        let rest = rest.map(|id| self.pending.split_off(&id)).unwrap_or_default();
        let outcomes = std::mem::replace(&mut self.pending, rest).into_values().collect();
        self.last += 1;
        let settlement = Settlement { number: SettlementNo(self.last), outcomes };
        let sent = Sent { settlement: settlement.clone(), wait_ms: WAIT_MS.0 };
        self.sent.insert(settlement.number, sent);
        settlement
    }
}

impl Pump {
    /// Hands what became of a request to the next settlement, under the lease that is held now, or
    /// else the one that it was tried under.
    pub(super) fn settle(&mut self, id: RequestId, result: Result) {
        let Some(row) = self.rows.get(&id) else { return };
        let held = self.buckets.held(row.request.slot);
        let lease = held.map_or((row.bucket, row.fence), |(number, bucket)| (number, bucket.fence));
        let outcome = Outcome {
            id,
            bucket: lease.0,
            fence: lease.1,
            state: result.state,
            due_ms: result.due_ms,
            attempts: result.attempts,
            status: result.status,
            error: result.error,
        };
        self.settling.put(outcome);
    }

    /// Settles as expired what was read and is not kept in memory otherwise.
    pub(super) fn expire_unkept(
        &mut self,
        now: Now,
        request: Request,
        no: LaneNo,
        lease: (BucketNo, Fence),
    ) {
        let id = request.id;
        let is_keyed = self.lane_of(&request).1;
        self.lane(no, &request, is_keyed, lease.0);
        let since = self.event();
        self.hold(Row::new(Request { content: None, ..request }, no, lease, since));
        self.expire(now, id);
    }

    /// Settles as failed what was given up and has held its key for long enough.
    pub(super) fn finish_unkept(&mut self, request: Request, no: LaneNo, lease: (BucketNo, Fence)) {
        let (id, attempts) = (request.id, request.attempts);
        self.lane(no, &request, true, lease.0);
        let since = self.event();
        let request = Request { content: None, ..request };
        let row = Row { phase: Phase::Settling, ..Row::new(request, no, lease, since) };
        self.hold(row);
        self.occupy(no, id, false);
        self.settle(id, Result::of(State::Failed, attempts));
    }

    pub(super) fn send_settlements(&mut self) {
        while self.settling.may_send() {
            let settlement = self.settling.next();
            self.effects.push(Effect::Settle(settlement));
        }
    }

    pub(super) fn settled(&mut self, now: Now, number: SettlementNo, results: &[Settled]) {
        let Some(sent) = self.settling.sent.remove(&number) else { return };
        let mut refused: BTreeMap<(BucketNo, Fence), u32> = BTreeMap::new();
        let mut results = results.iter();
        for outcome in sent.settlement.outcomes {
            match results.next() {
                None => self.settling.put(outcome),
                Some(Settled::Locked) if outcome.state != State::Sending => {
                    self.keep_locked(now, outcome);
                }
                Some(result) => {
                    if *result == Settled::Fenced {
                        *refused.entry((outcome.bucket, outcome.fence)).or_default() += 1;
                    }
                    match outcome.state {
                        State::Sending => self.marked(now, &outcome, *result),
                        _ => self.conclude(now, &outcome, *result),
                    }
                }
            }
        }
        for ((bucket, fence), outcomes) in refused {
            self.fenced(bucket, fence, outcomes);
        }
    }

    pub(super) fn settle_failed(&mut self, now: Now, number: SettlementNo) {
        let Some(sent) = self.settling.sent.get_mut(&number) else { return };
        self.alarms.set(now.mono_ms + sent.wait_ms, Alarm::Settlement(number));
        sent.wait_ms = (sent.wait_ms * 2).min(WAIT_MS.1);
    }

    pub(super) fn settle_again(&mut self, number: SettlementNo) {
        if let Some(sent) = self.settling.sent.get(&number) {
            self.effects.push(Effect::Settle(sent.settlement.clone()));
        }
    }

    /// The source has spoken about one request.
    pub(super) fn conclude(&mut self, now: Now, outcome: &Outcome, result: Settled) {
        let id = outcome.id;
        self.locked.forget(id);
        self.vacate(id);
        let Some(row) = self.forget(id) else { return };
        let (no, code) = (row.lane, row.request.code.clone());
        let is_open = matches!(outcome.state, State::Ready | State::Sending | State::Blocked);
        let event = self.event();
        if self.reads.oldest().is_some() {
            self.settling.note(id, event, is_open || result == Settled::Fenced);
        }
        match result {
            Settled::Recorded => self.recorded(now, row, outcome),
            // Whoever else works on the table has it, or the mark of it.
            Settled::Gone if outcome.state == State::Sending => {}
            Settled::Gone => self.count(&code).gone += 1,
            Settled::Fenced => self.refused(now, &row, outcome.fence),
            // Not concluded yet: it was kept.
            Settled::Locked => {}
        }
        self.refresh(now, no);
    }

    fn recorded(&mut self, now: Now, row: Row, outcome: &Outcome) {
        let no = row.lane;
        let figures = self.count(&row.request.code);
        match outcome.state {
            State::Ready => return self.come_back(now, row, outcome),
            State::Blocked => return self.blocked_now(now, &row, outcome),
            // Said of a mark: see `marked`.
            State::Sending => return,
            State::Done => figures.done += 1,
            State::Failed => figures.failed += 1,
            State::Expired => figures.expired += 1,
            State::Rejected => figures.rejected += 1,
        }
        if outcome.state == State::Done {
            self.skipped.remove(&no);
        }
    }

    /// A request is to be tried again.
    fn come_back(&mut self, now: Now, row: Row, outcome: &Outcome) {
        let mut request = Arc::unwrap_or_clone(row.request);
        request.due_ms = outcome.due_ms;
        request.attempts = outcome.attempts;
        request.standing = Standing::Ready;
        self.place(now, request, View::Single);
    }

    fn blocked_now(&mut self, now: Now, row: &Row, outcome: &Outcome) {
        if self.buckets.held(row.request.slot).is_none() {
            return;
        }
        let id = outcome.id;
        if let Some(key) = row.request.key.clone() {
            let error = outcome.error.clone().unwrap_or_default();
            self.tell(Notice::KeyBlocked { id, key, error });
        }
        let request = Arc::new(Request {
            standing: Standing::Blocked,
            due_ms: outcome.due_ms,
            attempts: outcome.attempts,
            ..(*row.request).clone()
        });
        self.block(now, row.lane, &request, View::Single);
    }

    /// The source has refused. If the bucket is ours under a newer lease, the request is read
    /// again before anything else of its key goes.
    fn refused(&mut self, now: Now, row: &Row, fence: Fence) {
        let held = self.buckets.held(row.request.slot);
        let Some((number, _)) = held.filter(|(_, bucket)| bucket.fence != fence) else { return };
        let (no, is_keyed) = self.lane_of(&row.request);
        if is_keyed {
            self.lane(no, &row.request, true, number);
            self.cut(now, no, row.request.id);
        } else {
            self.changed.insert(row.request.id);
        }
    }
}
