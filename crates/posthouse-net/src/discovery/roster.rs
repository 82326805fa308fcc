//! The instances of a service with what calls have taught of each, and the choice among them. Pure:
//! the time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::balance::{Balance, Candidate};
use super::instance::{Health, Instance};
use super::ledger::{Ledger, Report, State};
use crate::limits::{ASIDE_MS_MAX, ASIDE_MS_MIN};

/// See the module.
#[derive(Debug)]
pub(super) struct Roster {
    pub(super) ledger: Ledger,
    known: BTreeMap<Arc<str>, Known>,
}

/// What calls have taught of an instance.
#[derive(Debug, Default)]
struct Known {
    /// Attempts under way. Whoever makes one holds it, too.
    busy: Arc<AtomicU32>,
    credit: i64,
    refusals: u32,
    aside_until_ms: u64,
}

/// Whether an instance gets calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It does.
    Up,
    /// It has just refused a connection, and gets none while others are there.
    Aside,
    /// It is drained by hand.
    Drained,
    /// The discovery says that it does not work.
    Down,
    /// The discovery says that it is switched off.
    Disabled,
}

/// One instance as it is to be told.
#[derive(Clone, Debug)]
pub struct InstanceView {
    /// As the discovery has it.
    pub instance: Instance,
    /// Whether it gets calls.
    pub state: InstanceState,
    /// Attempts under way.
    pub busy: u32,
    /// For how long it is still set aside, in milliseconds.
    pub aside_ms: u64,
}

/// Why no instance can be called. Its text is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoInstance {
    /// The service.
    pub service: Arc<str>,
    /// Why not.
    pub problem: Arc<str>,
}

/// One that was chosen, with its count of attempts, this one among them.
pub(super) type Chosen = (Instance, Arc<AtomicU32>);

impl Roster {
    /// Nobody is known.
    pub(super) fn new(now_ms: u64, keep_ms: u64) -> Roster {
        Roster { ledger: Ledger::new(now_ms, keep_ms), known: BTreeMap::new() }
    }

    /// Takes what the discovery says. Whether that changes what is to be told.
    pub(super) fn take(&mut self, now_ms: u64, report: Report) -> bool {
        let is_news = self.ledger.take(now_ms, report);
        self.follow();
        is_news
    }

    /// Drops a list that was kept for long enough. Whether that changes what is to be told.
    pub(super) fn expire(&mut self, now_ms: u64) -> bool {
        let is_news = self.ledger.expire(now_ms);
        if is_news {
            self.follow();
        }
        is_news
    }

    /// Chooses one. Those of the lowest rank come first; one that is set aside is called only if
    /// there is no other, and one that is drained never.
    ///
    /// # Errors
    /// Why nobody can be called; the caller puts the name of the service in.
    pub(super) fn choose(
        &mut self,
        now_ms: u64,
        balance: Balance,
        key: Option<&str>,
        drained: &BTreeSet<Arc<str>>,
    ) -> Result<Chosen, Arc<str>> {
        let list = self.ledger.instances().clone();
        let can_work = |one: &&Instance| one.health == Health::Up && !drained.contains(&one.id);
        let willing: Vec<&Instance> = list.iter().filter(can_work).collect();
        let is_awake = |one: &&&Instance| !self.is_aside(now_ms, &one.id);
        let mut pool: Vec<&Instance> = willing.iter().filter(is_awake).copied().collect();
        if pool.is_empty() {
            pool = willing;
        }
        let rank = pool.iter().map(|one| one.rank).min();
        pool.retain(|one| Some(one.rank) == rank);
        self.pick(&pool, balance, key).ok_or_else(|| self.why_nobody(drained))
    }

    fn pick(&mut self, pool: &[&Instance], balance: Balance, key: Option<&str>) -> Option<Chosen> {
        let by_id: BTreeMap<&Arc<str>, &Instance> =
            pool.iter().map(|one| (&one.id, *one)).collect();
        let known = self.known.iter_mut().filter_map(|(id, known)| {
            let instance = by_id.get(id)?;
            Some((*instance, known))
        });
        let (instances, mut known): (Vec<&Instance>, Vec<&mut Known>) = known.unzip();
        let candidates = instances.iter().zip(&mut known).map(|(instance, known)| Candidate {
            id: &instance.id,
            weight: instance.weight,
            busy: known.busy.load(Ordering::Relaxed),
            credit: &mut known.credit,
        });
        let at = balance.choose(&mut candidates.collect::<Vec<_>>(), key)?;
        let busy = known.get(at)?.busy.clone();
        busy.fetch_add(1, Ordering::Relaxed);
        Some(((*instances.get(at)?).clone(), busy))
    }

    /// Sets one aside that has refused a connection, each time for twice as long. What was under
    /// way when it did so teaches nothing new.
    pub(super) fn refused(&mut self, now_ms: u64, id: &str) {
        let Some(known) = self.known.get_mut(id) else { return };
        if known.aside_until_ms > now_ms {
            return;
        }
        let aside_ms = ASIDE_MS_MIN << known.refusals.min(16);
        known.aside_until_ms = now_ms + aside_ms.min(ASIDE_MS_MAX);
        known.refusals = known.refusals.saturating_add(1);
    }

    /// Forgets what one has refused, for it has taken a connection.
    pub(super) fn accepted(&mut self, id: &str) {
        if let Some(known) = self.known.get_mut(id) {
            known.refusals = 0;
            known.aside_until_ms = 0;
        }
    }

    /// All of them.
    pub(super) fn view(&self, now_ms: u64, drained: &BTreeSet<Arc<str>>) -> Vec<InstanceView> {
        let view = |instance: &Instance| {
            let known = self.known.get(&instance.id);
            let aside_until_ms = known.map_or(0, |known| known.aside_until_ms);
            InstanceView {
                instance: instance.clone(),
                state: self.state_of(now_ms, instance, drained),
                busy: known.map_or(0, |known| known.busy.load(Ordering::Relaxed)),
                aside_ms: aside_until_ms.saturating_sub(now_ms),
            }
        };
        self.ledger.instances().iter().map(view).collect()
    }

    /// Whether anything is under way to any of them.
    pub(super) fn is_busy(&self) -> bool {
        self.known.values().any(|known| known.busy.load(Ordering::Relaxed) > 0)
    }

    fn state_of(&self, now_ms: u64, one: &Instance, drained: &BTreeSet<Arc<str>>) -> InstanceState {
        match one.health {
            _ if drained.contains(&one.id) => InstanceState::Drained,
            Health::Down => InstanceState::Down,
            Health::Disabled => InstanceState::Disabled,
            Health::Up if self.is_aside(now_ms, &one.id) => InstanceState::Aside,
            Health::Up => InstanceState::Up,
        }
    }

    fn is_aside(&self, now_ms: u64, id: &str) -> bool {
        self.known.get(id).is_some_and(|known| known.aside_until_ms > now_ms)
    }

    /// Forgets those that are not listed any more. One that comes back begins anew.
    fn follow(&mut self) {
        let list = self.ledger.instances();
        let ids: BTreeSet<&Arc<str>> = list.iter().map(|instance| &instance.id).collect();
        self.known.retain(|id, _| ids.contains(id));
        for id in ids {
            self.known.entry(id.clone()).or_default();
        }
    }

    fn why_nobody(&self, drained: &BTreeSet<Arc<str>>) -> Arc<str> {
        let list = self.ledger.instances();
        let up = || list.iter().filter(|instance| instance.health == Health::Up);
        if up().any(|instance| drained.contains(&instance.id)) {
            return "those that are healthy are drained by hand".into();
        }
        match &self.ledger.standing().problem {
            Some(problem) => problem.clone(),
            None if self.ledger.standing().state == State::Waiting => {
                "the discovery has not answered yet".into()
            }
            None => "no instance of it is healthy".into(),
        }
    }
}

impl InstanceState {
    /// Every one.
    pub const ALL: [InstanceState; 5] = [
        InstanceState::Up,
        InstanceState::Aside,
        InstanceState::Drained,
        InstanceState::Down,
        InstanceState::Disabled,
    ];

    /// The word that people see.
    pub fn as_str(self) -> &'static str {
        match self {
            InstanceState::Up => "up",
            InstanceState::Aside => "aside",
            InstanceState::Drained => "drained",
            InstanceState::Down => "down",
            InstanceState::Disabled => "disabled",
        }
    }
}

impl fmt::Display for NoInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no instance of {} can be called: {}", self.service, self.problem)
    }
}

impl std::error::Error for NoInstance {}
