//! What is known of the instances of a service, and how far it can be trusted. Pure.
//!
//! A list with somebody in it is believed at once, even if nobody in it is healthy: somebody has
//! said so of each. An empty list or no answer at all is a reason to doubt, because a discovery
//! that was emptied or cut off looks the same. The last list is then kept, and alarm is given; if
//! it lasts longer than it may, the list is dropped.

use std::sync::Arc;

use super::instance::{Health, Instance};

/// How far the list can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing was heard yet.
    Waiting,
    /// As the discovery has it now.
    Fresh,
    /// As the discovery has it now, and nobody in it is healthy.
    Unhealthy,
    /// The last list that was good, while the discovery does not answer or has nobody.
    Kept,
    /// There is none: the discovery does not answer or has nobody, and has for too long.
    Lost,
}

/// What is to be told of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How far its list can be trusted.
    pub state: State,
    /// Since when it has been so, in milliseconds on the clock of the discovery.
    pub since_ms: u64,
    /// What is wrong, for people, if anything is.
    pub problem: Option<Arc<str>>,
}

/// See the module. All times are milliseconds of one steady clock.
#[derive(Debug)]
pub(super) struct Ledger {
    keep_ms: u64,
    instances: Arc<[Instance]>,
    standing: Standing,
    good_ms: Option<u64>,
    trouble_ms: Option<u64>,
    failures: u64,
}

/// What a discovery says.
#[derive(Clone, Debug)]
pub(super) enum Report {
    /// The whole list.
    List(Vec<Instance>),
    /// Why there is none.
    Failure(String),
}

const EMPTY: &str = "the discovery knows no instance of it";

impl Ledger {
    /// Nothing is known at `now_ms`. Lists are kept for `keep_ms` after trouble began.
    pub(super) fn new(now_ms: u64, keep_ms: u64) -> Ledger {
        Ledger {
            keep_ms,
            instances: Arc::default(),
            standing: Standing { state: State::Waiting, since_ms: now_ms, problem: None },
            good_ms: None,
            trouble_ms: None,
            failures: 0,
        }
    }

    /// Takes what the discovery says. Whether that changes what is to be told.
    pub(super) fn take(&mut self, now_ms: u64, report: Report) -> bool {
        match report {
            Report::List(list) if !list.is_empty() => self.believe(now_ms, list),
            Report::List(_) => self.doubt(now_ms, EMPTY),
            Report::Failure(problem) => {
                self.failures += 1;
                self.doubt(now_ms, &problem)
            }
        }
    }

    /// Drops a list that was kept for long enough. Whether that changes what is to be told.
    pub(super) fn expire(&mut self, now_ms: u64) -> bool {
        if self.expires_ms().is_none_or(|expires_ms| now_ms < expires_ms) {
            return false;
        }
        self.instances = Arc::default();
        let problem = self.standing.problem.clone();
        self.stand(now_ms, State::Lost, problem)
    }

    /// When the list that is kept will be dropped.
    pub(super) fn expires_ms(&self) -> Option<u64> {
        let since_ms = self.trouble_ms.filter(|_| self.standing.state == State::Kept)?;
        Some(since_ms.saturating_add(self.keep_ms))
    }

    /// The list.
    pub(super) fn instances(&self) -> &Arc<[Instance]> {
        &self.instances
    }

    /// What is to be told.
    pub(super) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// For how long the discovery has not said anything that was believed.
    pub(super) fn age_ms(&self, now_ms: u64) -> Option<u64> {
        self.good_ms.map(|good_ms| now_ms.saturating_sub(good_ms))
    }

    /// How often the discovery has failed.
    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    fn believe(&mut self, now_ms: u64, list: Vec<Instance>) -> bool {
        let is_healthy = list.iter().any(|instance| instance.health == Health::Up);
        self.instances = list.into();
        self.good_ms = Some(now_ms);
        self.trouble_ms = None;
        match is_healthy {
            true => self.stand(now_ms, State::Fresh, None),
            false => {
                let problem = "no instance of it is healthy";
                self.stand(now_ms, State::Unhealthy, Some(problem.into()))
            }
        }
    }

    fn doubt(&mut self, now_ms: u64, problem: &str) -> bool {
        let since_ms = *self.trouble_ms.get_or_insert(now_ms);
        let is_over = now_ms >= since_ms.saturating_add(self.keep_ms);
        if is_over {
            self.instances = Arc::default();
        }
        let state = if self.instances.is_empty() { State::Lost } else { State::Kept };
        self.stand(now_ms, state, Some(problem.into()))
    }

    /// The text may change as often as it likes: only another state is news.
    fn stand(&mut self, now_ms: u64, state: State, problem: Option<Arc<str>>) -> bool {
        let is_news = self.standing.state != state;
        let since_ms = if is_news { now_ms } else { self.standing.since_ms };
        self.standing = Standing { state, since_ms, problem };
        is_news
    }
}

impl State {
    /// The word that people see.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Fresh => "fresh",
            State::Unhealthy => "unhealthy",
            State::Kept => "kept",
            State::Lost => "lost",
        }
    }

    /// Whether somebody should look at it.
    pub fn is_alarm(self) -> bool {
        matches!(self, State::Unhealthy | State::Kept | State::Lost)
    }
}
