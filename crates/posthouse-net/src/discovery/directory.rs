//! The instances of one service, shared by whoever calls them and the task that follows them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::balance::Balance;
use super::drains::{Drain, Drains};
use super::instance::Instance;
use super::ledger::{Report, Standing, State};
use super::roster::{InstanceState, InstanceView, NoInstance, Roster};
use crate::limits::INSTANCES_MAX;
use crate::origin::{HttpVersion, Origin};
use crate::pool::lock;

/// How long an attempt waits for the first word of a discovery.
const FIRST_WORD_MAX: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub struct Directory {
    discovery: Arc<str>,
    service: Arc<str>,
    roster: Mutex<Roster>,
    drains: Drains,
    /// Where its clock begins.
    start: Instant,
    /// Something has become of the list.
    pub(super) has_heard: Notify,
}

/// An instance that was chosen for one attempt, which counts as under way until this is dropped.
#[derive(Debug)]
pub struct Choice {
    /// The instance.
    pub instance: Instance,
    directory: Arc<Directory>,
    busy: Arc<AtomicU32>,
}

/// A service as it is to be told.
#[derive(Clone, Debug)]
pub struct View {
    /// The discovery.
    pub discovery: Arc<str>,
    /// The service.
    pub service: Arc<str>,
    /// Whether the configuration names it; if not, a row has.
    pub is_pinned: bool,
    /// How far the list can be trusted.
    pub standing: Standing,
    /// For how long it has been so, in milliseconds.
    pub standing_ms: u64,
    /// For how long the discovery has not said anything that was believed, in milliseconds. One
    /// that is watched says something only when there is something new, or when it is asked again.
    pub age_ms: Option<u64>,
    /// How often the discovery has failed.
    pub failures: u64,
    /// The instances.
    pub instances: Vec<InstanceView>,
}

impl Directory {
    pub(super) fn new(
        discovery: &Arc<str>,
        service: Arc<str>,
        keep_ms: u64,
        drains: &Drains,
        start: Instant,
    ) -> Directory {
        let now_ms = elapsed_ms(start);
        Directory {
            discovery: discovery.clone(),
            service,
            roster: Mutex::new(Roster::new(now_ms, keep_ms)),
            drains: drains.clone(),
            start,
            has_heard: Notify::new(),
        }
    }

    /// The service.
    pub fn service(&self) -> &Arc<str> {
        &self.service
    }

    /// Chooses an instance for one attempt. If nothing has been heard of the service yet, waits for
    /// that, at most until `until` and not for long.
    ///
    /// # Errors
    /// Why there is none that can be called.
    pub async fn choose(
        self: &Arc<Directory>,
        balance: Balance,
        key: Option<&str>,
        until: Instant,
    ) -> Result<Choice, NoInstance> {
        // Too late is told by the choice itself.
        let until = until.min(Instant::now() + FIRST_WORD_MAX);
        let _ = timeout_at(until, self.first_word()).await;
        let drained = self.drained();
        let chosen = lock(&self.roster).choose(self.now_ms(), balance, key, &drained);
        let nobody = |problem| NoInstance { service: self.service.clone(), problem };
        let (instance, busy) = chosen.map_err(nobody)?;
        Ok(Choice { instance, directory: self.clone(), busy })
    }

    /// What is known now. Whether it `is_pinned` is known to who has it.
    pub(super) fn view(&self, is_pinned: bool) -> View {
        let drained = self.drained();
        let roster = lock(&self.roster);
        let now_ms = self.now_ms();
        let standing = roster.ledger.standing().clone();
        View {
            discovery: self.discovery.clone(),
            service: self.service.clone(),
            is_pinned,
            standing_ms: now_ms.saturating_sub(standing.since_ms),
            standing,
            age_ms: roster.ledger.age_ms(now_ms),
            failures: roster.ledger.failures(),
            instances: roster.view(now_ms, &drained),
        }
    }

    /// Takes the whole list. Of two entries with the same id the first counts.
    pub(super) fn heard(&self, mut instances: Vec<Instance>) {
        let mut seen = BTreeSet::new();
        instances.retain(|instance| seen.insert(instance.id.clone()));
        if instances.len() > INSTANCES_MAX {
            let (discovery, service) = (&*self.discovery, &*self.service);
            let instances = instances.len();
            tracing::warn!(discovery, service, instances, "a service has too many instances");
        }
        instances.truncate(INSTANCES_MAX);
        self.report(Report::List(instances));
    }

    /// Takes that there is no list, and why.
    pub(super) fn failed(&self, problem: String) {
        self.report(Report::Failure(problem));
    }

    /// Tells that an entry cannot be understood; the others count all the same.
    pub(super) fn misread(&self, entry: &str, problem: &str) {
        let (discovery, service) = (&*self.discovery, &*self.service);
        tracing::warn!(discovery, service, entry, problem, "an instance is left out");
    }

    /// Drops lists when they have been kept for long enough. Never ends.
    pub(super) async fn grow_old(&self) {
        loop {
            let word = self.has_heard.notified();
            let expires_ms = lock(&self.roster).ledger.expires_ms();
            let left_ms = expires_ms.map(|at_ms| at_ms.saturating_sub(self.now_ms()));
            tokio::select! {
                () = word => {}
                () = sleep(Duration::from_millis(left_ms.unwrap_or(0))), if left_ms.is_some() => {
                    self.expire();
                }
            }
        }
    }

    /// Whether anything is under way to any instance.
    pub(super) fn is_busy(&self) -> bool {
        lock(&self.roster).is_busy()
    }

    /// Whether the last thing that was heard is a list.
    pub(super) fn is_fresh(&self) -> bool {
        let state = lock(&self.roster).ledger.standing().state;
        matches!(state, State::Fresh | State::Unhealthy)
    }

    async fn first_word(&self) {
        loop {
            let word = self.has_heard.notified();
            if lock(&self.roster).ledger.standing().state != State::Waiting {
                return;
            }
            word.await;
        }
    }

    fn report(&self, report: Report) {
        let is_news = lock(&self.roster).take(self.now_ms(), report);
        self.has_heard.notify_waiters();
        self.tell(is_news);
    }

    fn expire(&self) {
        let is_news = lock(&self.roster).expire(self.now_ms());
        self.has_heard.notify_waiters();
        self.tell(is_news);
    }

    /// One line for each change.
    fn tell(&self, is_news: bool) {
        if !is_news {
            return;
        }
        let (standing, instances) = {
            let roster = lock(&self.roster);
            (roster.ledger.standing().clone(), roster.ledger.instances().len())
        };
        let (discovery, service) = (&*self.discovery, &*self.service);
        let error = standing.problem.as_deref().unwrap_or_default();
        match standing.state {
            State::Fresh | State::Waiting => {
                tracing::info!(
                    discovery,
                    service,
                    instances,
                    "the instances of a service are known"
                );
            }
            State::Kept => tracing::warn!(
                discovery,
                service,
                error,
                instances,
                "the last known instances of a service are kept"
            ),
            State::Unhealthy | State::Lost => {
                tracing::error!(discovery, service, error, "a service has no instance to call");
            }
        }
    }

    fn drained(&self) -> BTreeSet<Arc<str>> {
        self.drains.of(&self.discovery, &self.service)
    }

    fn now_ms(&self) -> u64 {
        elapsed_ms(self.start)
    }
}

impl View {
    /// The name of one of its instances among those that are drained.
    pub(super) fn drain_of(&self, instance: &Arc<str>) -> Drain {
        let (discovery, service) = (self.discovery.clone(), self.service.clone());
        Drain { discovery, service, instance: instance.clone() }
    }
}

impl Choice {
    /// Where it is called. It is addressed as `named`, or as it wants to be.
    pub fn origin(&self, is_tls: bool, version: HttpVersion, named: Option<&Arc<str>>) -> Origin {
        self.instance.origin(is_tls, version, named)
    }

    /// It has refused a connection: others come first for a while. Whether there are any.
    pub fn refused(&self) -> bool {
        let (drained, now_ms) = (self.directory.drained(), self.directory.now_ms());
        let mut roster = lock(&self.directory.roster);
        roster.refused(now_ms, &self.instance.id);
        let view = roster.view(now_ms, &drained);
        view.iter().any(|one| one.state == InstanceState::Up)
    }

    /// It has taken a connection.
    pub fn accepted(&self) {
        lock(&self.directory.roster).accepted(&self.instance.id);
    }
}

impl Drop for Choice {
    fn drop(&mut self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

fn elapsed_ms(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
