//! What waits for an endpoint, and how much of it may go.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use super::failing::Failing;
use super::lane::LaneNo;
use super::verdict::shorten;
use crate::attempt::{Blame, Verdict};
use crate::breaker::{BreakerState, Turn};
use crate::effect::Notice;
use crate::plan::{Breaker, Endpoint};
use crate::rate::Rate;
use crate::request::RequestId;
use crate::time::Now;

/// The order among lanes that may go: by priority, then by how long they could have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// 255 less the priority.
    pub lowness: u8,
    /// Since when the head could have gone, Unix milliseconds.
    pub since_ms: i64,
    pub id: RequestId,
    pub lane: LaneNo,
}

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Yes,
    /// Not before this instant, milliseconds of the steady clock.
    At(u64),
    /// Not before another attempt has ended.
    Full,
}

/// One endpoint.
#[derive(Clone, Debug)]
pub(super) struct Station {
    pub rules: Endpoint,
    pub runnable: BTreeSet<Rank>,
    pub in_flight: u32,
    pub breaker: BreakerState,
    pub failing: Failing,
    pub rate: Rate,
    /// Requests for it that are in memory, and their bytes.
    pub rows: usize,
    pub bytes: usize,
}

impl Default for Station {
    fn default() -> Station {
        let breaker = Breaker { failures_max: 0, pause_ms: 0, pause_cap_ms: 0 };
        let rules = Endpoint { concurrency_max: 0, rate_per_s: 0, timeout_ms: 0, breaker };
        Station {
            rules,
            runnable: BTreeSet::new(),
            in_flight: 0,
            breaker: BreakerState::default(),
            failing: Failing::default(),
            rate: Rate::default(),
            rows: 0,
            bytes: 0,
        }
    }
}

impl Station {
    /// Takes the rules of a new plan.
    pub fn set(&mut self, rules: &Endpoint, mono_ms: u64) {
        self.rate.set(rules.rate_per_s, mono_ms);
        self.rules = rules.clone();
    }

    /// Whether an attempt may be made now.
    pub fn pass(&mut self, mono_ms: u64) -> Pass {
        if self.in_flight >= self.rules.concurrency_max {
            return Pass::Full;
        }
        let Some(breaker_at) = self.breaker.free_at() else { return Pass::Full };
        let at = breaker_at.max(self.rate.free_at(mono_ms));
        if at <= mono_ms { Pass::Yes } else { Pass::At(at) }
    }

    /// Counts an attempt that begins; whether it is a trial.
    pub fn begin(&mut self) -> bool {
        self.in_flight += 1;
        self.rate.take();
        self.breaker.begin()
    }

    /// Counts an attempt that was begun and will not be made.
    pub fn give_back(&mut self, is_trial: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.breaker.give_back(is_trial);
    }

    /// Counts the answer to an attempt; what people are to be told of the endpoint, if anything.
    pub fn judge(
        &mut self,
        name: &Arc<str>,
        verdict: &Verdict,
        is_trial: bool,
        now: Now,
    ) -> Option<Notice> {
        let (endpoint, breaker) = (name.clone(), &mut self.breaker);
        let (turn, error) = match verdict {
            Verdict::NotStarted => {
                breaker.give_back(is_trial);
                return None;
            }
            Verdict::Failed { blame: Blame::Endpoint, detail, .. } => {
                (breaker.fail(&self.rules.breaker, is_trial, now.mono_ms), Some(detail))
            }
            Verdict::Failed { detail, .. } => (breaker.succeed(is_trial), Some(detail)),
            _ => (breaker.succeed(is_trial), None),
        };
        let error = error.map(|detail| shorten(detail.clone()));
        let run_ms = error.is_some().then(|| self.failing.fail(now)).flatten();
        match (turn, error) {
            (Turn::Opened, error) => {
                self.failing.outdo();
                let error = error.unwrap_or_default();
                Some(Notice::EndpointDown { endpoint, error })
            }
            (Turn::Closed, _) => {
                self.failing.succeed();
                Some(Notice::EndpointUp { endpoint })
            }
            (Turn::None, _) if self.breaker.is_open() => None,
            (Turn::None, Some(error)) => {
                Some(Notice::EndpointFailing { endpoint, error, for_ms: run_ms? })
            }
            (Turn::None, None) => self.failing.succeed().then_some(Notice::EndpointUp { endpoint }),
        }
    }

    /// Since when the oldest of those that may go could have gone, Unix milliseconds.
    pub fn oldest_ms(&self) -> Option<i64> {
        let mut oldest: Option<i64> = None;
        let mut next = self.runnable.first();
        while let Some(rank) = next {
            oldest = Some(oldest.map_or(rank.since_ms, |ms| ms.min(rank.since_ms)));
            let beyond = Rank { since_ms: i64::MAX, id: RequestId(i64::MAX), ..*rank };
            next = self.runnable.range((Excluded(beyond), Unbounded)).next();
        }
        oldest
    }
}
