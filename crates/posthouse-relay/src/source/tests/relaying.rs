//! Nodes with real pumps on a real source, and a receiver in memory that remembers what it was
//! given, in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use posthouse_pump::attempt::{Attempt, Blame, Verdict};
use posthouse_pump::plan::{
    Backoff, Breaker, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
};
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::courier::{Carrier, Clock};
use crate::runner::{Handle, Parts, Tempo, start};
use crate::source::conformance::{Bench, SqlBench};
use crate::source::retention::Retention;
use crate::source::{AnySource, CommitOrder};

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(100);

/// What was given to the receiver. Bodies are a key and a number, such as `k3 17`.
pub(super) struct Receiver {
    random: Mutex<Rng>,
    /// Of a hundred calls, so many fail.
    failures: u32,
    /// The numbers of each key, in the order of their calls.
    calls: Mutex<BTreeMap<String, Vec<u64>>>,
    taken: Mutex<u64>,
    news: Notify,
}

impl Receiver {
    pub(super) fn new(seed: u64, failures: u32) -> Arc<Receiver> {
        Arc::new(Receiver {
            random: Mutex::new(Rng::with_seed(seed)),
            failures,
            calls: Mutex::default(),
            taken: Mutex::default(),
            news: Notify::new(),
        })
    }

    /// Waits until so many calls went well.
    pub(super) async fn await_taken(&self, count: u64) {
        let all = async {
            while *self.taken.lock().unwrap() < count {
                self.news.notified().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, all).await;
        assert!(waited.is_ok(), "only {} of {count} were sent", self.taken.lock().unwrap());
    }

    pub(super) fn calls(&self) -> BTreeMap<String, Vec<u64>> {
        self.calls.lock().unwrap().clone()
    }
}

impl Carrier for Receiver {
    async fn carry(&self, attempt: &Attempt, _: &dyn Clock) -> Verdict {
        let body = &attempt.request.content.as_ref().unwrap().body;
        let (key, number) = std::str::from_utf8(body).unwrap().split_once(' ').unwrap();
        let number = number.parse().unwrap();
        self.calls.lock().unwrap().entry(key.to_owned()).or_default().push(number);
        let (pauses, fails) = {
            let mut random = self.random.lock().unwrap();
            (random.u32(0..20), random.u32(0..100) < self.failures)
        };
        for _ in 0..pauses {
            yield_now().await;
        }
        if fails {
            let detail = "not now".to_owned();
            let blame = Blame::Request;
            return Verdict::Failed { status: None, detail, retry_after_ms: None, blame };
        }
        *self.taken.lock().unwrap() += 1;
        self.news.notify_one();
        Verdict::Done { status: None }
    }
}

fn plan() -> Plan {
    let group = Group {
        is_active: true,
        region: None,
        order: Order::Key,
        claim: Claim::Lease,
        on_failure: OnFailure::Block,
        on_expired: OnExpired::Skip,
        attempts_max: 0,
        backoff: Backoff { base_ms: 1, cap_ms: 5 },
        window: None,
    };
    let code = Code { group: "g".into(), endpoint: "e".into(), window: None };
    let breaker = Breaker { failures_max: 0, pause_ms: 1, pause_cap_ms: 1 };
    let endpoint = Endpoint { concurrency_max: 64, rate_per_s: 0, timeout_ms: 10_000, breaker };
    Plan {
        region: "here".into(),
        groups: [("g".into(), group)].into(),
        codes: [("a".into(), code)].into(),
        endpoints: [("e".into(), endpoint)].into(),
        ..Plan::default()
    }
}

/// Starts a node.
pub(super) fn node(
    bench: &SqlBench,
    order: CommitOrder,
    name: &str,
    receiver: &Arc<Receiver>,
) -> Handle {
    node_with(bench, (order, Retention::default()), name, receiver, plan())
}

/// A plan whose requests have no order, and are marked before they are sent.
pub(super) fn shared_plan() -> Plan {
    let mut plan = plan();
    for group in plan.groups.values_mut() {
        (group.order, group.claim) = (Order::None, Claim::Mark);
    }
    plan
}

/// Starts a node with a plan, from whose source finished requests leave.
pub(super) fn node_with(
    bench: &SqlBench,
    how: (CommitOrder, Retention),
    name: &str,
    receiver: &Arc<Receiver>,
    plan: Plan,
) -> Handle {
    start(parts(bench, how, name, receiver, plan))
}

/// What such a node is started with.
pub(super) fn parts(
    bench: &SqlBench,
    (order, retention): (CommitOrder, Retention),
    name: &str,
    receiver: &Arc<Receiver>,
    plan: Plan,
) -> Parts<AnySource, Receiver> {
    Parts {
        name: "s".into(),
        node: name.into(),
        source: Arc::new(bench.open_with(order, retention)),
        carrier: receiver.clone(),
        plan,
        tempo: Tempo { round_ms: 50, lease_ms: 2_000 },
        retention,
        seed: 1,
    }
}
