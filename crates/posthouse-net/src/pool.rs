//! Connections that are kept for the next call, by origin.
//!
//! An HTTP/1.1 connection is either in a call or idle here; an HTTP/2 connection stays here and is
//! shared. A call first takes one of its origin's permits, and makes a connection only when none is
//! idle, so permits bound connections too. One task, started with the first idle connection,
//! closes what nobody has used for a while, and ends when nothing is left.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::connect::{Http1Sender, Http2Sender};
use crate::limits::HOSTS_MAX;
use crate::origin::Origin;

/// How often idle connections are looked at.
const SWEEP_MS: u64 = 500;

/// All origins of one client.
pub(crate) struct Pool {
    hosts: Mutex<HashMap<Origin, Arc<Host>>>,
    idle_max: Duration,
    calls_max: usize,
    has_sweeper: AtomicBool,
}

/// One origin.
pub(crate) struct Host {
    /// One for each call that is under way.
    pub(crate) permits: Arc<Semaphore>,
    /// Held while the connection that is to be shared is made, so that only one is.
    pub(crate) opening: tokio::sync::Mutex<()>,
    kept: Mutex<Kept>,
    idle_max: Duration,
}

#[derive(Default)]
struct Kept {
    idle: Vec<Idle>,
    shared: Vec<Shared>,
    is_shared: bool,
}

struct Idle {
    sender: Http1Sender,
    since: Instant,
}

struct Shared {
    sender: Http2Sender,
    /// Each call holds a copy.
    calls: Arc<()>,
    used_at: Instant,
}

impl Pool {
    /// An empty one.
    pub(crate) fn new(idle_max: Duration, calls_max: usize) -> Arc<Pool> {
        let hosts = Mutex::default();
        Arc::new(Pool { hosts, idle_max, calls_max, has_sweeper: AtomicBool::new(false) })
    }

    /// The connections of an origin; `None` if too many origins are known and all in use.
    pub(crate) fn host(self: &Arc<Pool>, origin: &Origin) -> Option<Arc<Host>> {
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.get(origin) {
            return Some(host.clone());
        }
        if hosts.len() >= HOSTS_MAX {
            hosts.retain(|_, host| host.sweep(self.calls_max));
        }
        if hosts.len() >= HOSTS_MAX {
            return None;
        }
        let host = Arc::new(Host::new(self.idle_max, self.calls_max));
        hosts.insert(origin.clone(), host.clone());
        self.start_sweeper();
        Some(host)
    }

    fn start_sweeper(self: &Arc<Pool>) {
        if !self.has_sweeper.swap(true, Ordering::AcqRel) {
            tokio::spawn(sweep_until_empty(Arc::downgrade(self)));
        }
    }

    /// Whether anything is left.
    fn sweep(&self) -> bool {
        let mut hosts = lock(&self.hosts);
        hosts.retain(|_, host| host.sweep(self.calls_max));
        if hosts.is_empty() {
            self.has_sweeper.store(false, Ordering::Release);
        }
        !hosts.is_empty()
    }
}

async fn sweep_until_empty(pool: Weak<Pool>) {
    loop {
        sleep(Duration::from_millis(SWEEP_MS)).await;
        match pool.upgrade() {
            Some(pool) if pool.sweep() => {}
            _ => return,
        }
    }
}

impl Host {
    fn new(idle_max: Duration, calls_max: usize) -> Host {
        Host {
            permits: Arc::new(Semaphore::new(calls_max)),
            opening: tokio::sync::Mutex::default(),
            kept: Mutex::default(),
            idle_max,
        }
    }

    /// An idle connection that looks alive, the one used last first.
    pub(crate) fn take_idle(&self) -> Option<Http1Sender> {
        let mut kept = lock(&self.kept);
        while let Some(idle) = kept.idle.pop() {
            if idle.since.elapsed() < self.idle_max && !idle.sender.is_closed() {
                return Some(idle.sender);
            }
        }
        None
    }

    /// Keeps a connection whose call is over.
    pub(crate) fn keep_idle(&self, sender: Http1Sender) {
        if !sender.is_closed() {
            lock(&self.kept).idle.push(Idle { sender, since: Instant::now() });
        }
    }

    /// A shared connection that takes another call, and the mark of that call.
    pub(crate) fn share(&self) -> Option<(Http2Sender, Arc<()>)> {
        let mut kept = lock(&self.kept);
        let shared = kept.shared.iter_mut().find(|shared| shared.takes_another(self.idle_max))?;
        shared.used_at = Instant::now();
        Some((shared.sender.clone(), shared.calls.clone()))
    }

    /// Shares a fresh connection, with the mark of its first call.
    pub(crate) fn keep_shared(&self, sender: Http2Sender) -> Arc<()> {
        let calls = Arc::new(());
        let mark = calls.clone();
        let mut kept = lock(&self.kept);
        kept.is_shared = true;
        kept.shared.push(Shared { sender, calls, used_at: Instant::now() });
        mark
    }

    /// Whether this origin is known to share connections.
    pub(crate) fn is_shared(&self) -> bool {
        lock(&self.kept).is_shared
    }

    /// Closes what is of no use any more, and says whether the host is.
    fn sweep(self: &Arc<Host>, calls_max: usize) -> bool {
        let mut kept = lock(&self.kept);
        let is_young = |since: Instant| since.elapsed() < self.idle_max;
        kept.idle.retain(|idle| is_young(idle.since) && !idle.sender.is_closed());
        kept.shared.retain(|shared| {
            !shared.sender.is_closed() && (shared.calls_now() > 0 || is_young(shared.used_at))
        });
        let is_used = self.permits.available_permits() < calls_max || Arc::strong_count(self) > 1;
        is_used || !kept.idle.is_empty() || !kept.shared.is_empty()
    }
}

impl Shared {
    fn calls_now(&self) -> usize {
        Arc::strong_count(&self.calls) - 1
    }

    /// Beyond what the peer allows a call would wait inside, where nobody looks at the clock.
    fn takes_another(&self, idle_max: Duration) -> bool {
        let is_busy = self.calls_now() > 0;
        let is_alive = self.sender.is_ready() && (is_busy || self.used_at.elapsed() < idle_max);
        is_alive && self.calls_now() < self.sender.calls_max()
    }
}

/// What these locks guard is whole after every statement, even if a thread panicked with one.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
