//! Telling alarms to the endpoints that the configuration names, each in its order, again and again
//! until it is told or turned down. One that is down holds up nobody else.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use posthouse_pump::attempt::{Attempt, AttemptNo, Verdict};
use posthouse_pump::health::Severity;
use posthouse_pump::outcome::{BucketNo, Fence};
use posthouse_pump::request::Request;
use posthouse_relay::courier::{Carrier as _, Clock as _};
use posthouse_relay::runner::SteadyClock;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::board::Past;
use super::notice;
use crate::config::AlarmTarget;
use crate::relay::couriers::Couriers;

/// Changes that wait for one endpoint; what comes beyond is told to the log only.
const WAITING_MAX: usize = 1_000;

/// How long one try may take, and the wait before the next one, which is doubled up to its bound.
const TRY_MAX: Duration = Duration::from_secs(30);
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// One endpoint that alarms go to.
struct Herald {
    severity: Severity,
    waiting: mpsc::Sender<Arc<Request>>,
    task: AbortHandle,
}

impl Drop for Herald {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// See the module.
pub(super) struct Heralds {
    node: Arc<str>,
    couriers: Arc<Couriers>,
    clock: SteadyClock,
    told: AtomicU64,
    heralds: Mutex<BTreeMap<Arc<str>, Herald>>,
}

impl Heralds {
    pub(super) fn new(node: &Arc<str>, couriers: &Arc<Couriers>) -> Heralds {
        Heralds {
            node: node.clone(),
            couriers: couriers.clone(),
            clock: SteadyClock::new(),
            told: AtomicU64::new(0),
            heralds: Mutex::default(),
        }
    }

    /// Alarms go to these from now on. What waits for one that is still there is told.
    pub(super) fn change(&self, targets: &[AlarmTarget]) {
        let mut heralds = self.heralds.lock().unwrap_or_else(PoisonError::into_inner);
        heralds.retain(|name, _| targets.iter().any(|target| target.endpoint == *name));
        for AlarmTarget { endpoint, severity } in targets {
            let herald =
                heralds.entry(endpoint.clone()).or_insert_with(|| self.begin(endpoint.clone()));
            herald.severity = *severity;
        }
    }

    /// Has a change told to all that want it.
    pub(super) fn tell(&self, past: &Past) {
        let number = self.told.fetch_add(1, Ordering::Relaxed);
        let request_id = format!("alarm/{}/{number}", self.node);
        let request = Arc::new(notice::request(past, &self.node, &request_id));
        let heralds = self.heralds.lock().unwrap_or_else(PoisonError::into_inner);
        let wanting = heralds.iter();
        for (name, herald) in
            wanting.filter(|(_, herald)| past.change.alarm.severity >= herald.severity)
        {
            if herald.waiting.try_send(request.clone()).is_err() {
                tracing::error!(endpoint = %name, "too many wait: an alarm is not told there");
            }
        }
    }

    fn begin(&self, endpoint: Arc<str>) -> Herald {
        let (waiting, requests) = mpsc::channel(WAITING_MAX);
        let task = tokio::spawn(carry_all(self.couriers.clone(), self.clock, endpoint, requests));
        Herald { severity: Severity::Warning, waiting, task: task.abort_handle() }
    }
}

async fn carry_all(
    couriers: Arc<Couriers>,
    clock: SteadyClock,
    endpoint: Arc<str>,
    mut requests: mpsc::Receiver<Arc<Request>>,
) {
    while let Some(request) = requests.recv().await {
        carry(&couriers, clock, &endpoint, &request).await;
    }
}

/// Tries until it is told, or turned down for good.
async fn carry(
    couriers: &Couriers,
    clock: SteadyClock,
    endpoint: &Arc<str>,
    request: &Arc<Request>,
) {
    let mut pause = PAUSE_MIN;
    for try_no in 1.. {
        let attempt = attempt(clock, endpoint, request, try_no);
        match couriers.carry(&attempt, &clock).await {
            Verdict::Done { .. } => return,
            Verdict::Rejected { detail, .. } => {
                tracing::error!(%endpoint, error = detail, "an alarm was turned down");
                return;
            }
            Verdict::Failed { detail, retry_after_ms, .. } => {
                if try_no == 1 {
                    tracing::warn!(%endpoint, error = detail, "an alarm could not be told yet");
                }
                let least = Duration::from_millis(retry_after_ms.unwrap_or(0));
                tokio::time::sleep(pause.max(least)).await;
            }
            Verdict::NotStarted => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

fn attempt(
    clock: SteadyClock,
    endpoint: &Arc<str>,
    request: &Arc<Request>,
    try_no: u32,
) -> Attempt {
    let try_ms = u64::try_from(TRY_MAX.as_millis()).unwrap_or(u64::MAX);
    let end_ms = clock.mono_ms().saturating_add(try_ms);
    Attempt {
        number: AttemptNo(u64::from(try_no)),
        request: request.clone(),
        endpoint: endpoint.clone(),
        try_no,
        bucket: BucketNo(0),
        fence: Fence(0),
        start_by_mono_ms: end_ms,
        end_by_mono_ms: end_ms,
        not_after_ms: clock.wall_ms().saturating_add_unsigned(try_ms),
        after_gap: None,
    }
}
