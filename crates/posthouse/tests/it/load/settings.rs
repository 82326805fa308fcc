//! What the node and the checker are told about destinations, and how clients behave.

use posthouse_sim::history::Terms;
use posthouse_sim::plan::{Carrier, Plan};

/// The destinations of the simulation's plan as the real node reads them.
pub(crate) const CONFIG: &str = r#"
[[destination]]
pattern = "queue/a.retry"
attempts_max = 3
redelivery_delay = "150ms"
redelivery_growth_percent = 200
redelivery_delay_max = "400ms"
on_reject = "requeue"

[[destination]]
pattern = "queue/bin"
dead_letter = ""

[[destination]]
pattern = "queue/memory"
persistence = "never"

[[destination]]
pattern = "queue/kept"
persistence = "always"
"#;

/// Everything small, so that segments rotate, checkpoints are taken, survivors are moved and
/// bodies leave memory within seconds.
pub(crate) const SETTINGS: [&str; 3] =
    ["journal.segment=1MiB", "journal.checkpoint=1MiB", "journal.resident=1MiB"];

/// Bodies are filled up with less than so many bytes.
pub(super) const FILLING_BYTES: u64 = 6_000;

/// How long the real node may take to notice that a connection is over: it is told at once, but
/// may be busy or stopped.
const DETACH_MS: u64 = 5_000;

/// How long draining may take: megabytes wait, on a machine with other things to do.
const PROGRESS_MS: u64 = 60_000;

/// Indices of what [`posthouse_sim::workload::KINDS`] calls sending, settling and subscribing.
const SENDING: usize = 0;
const SETTLING: usize = 1;
const SUBSCRIBING: usize = 2;

/// The features that can be used on a real node without a clock that can be set, and without
/// anybody who manages it.
pub(super) fn plan(seed: u64) -> Plan {
    Plan {
        stalls: false,
        transactions: true,
        expiry: false,
        dedup: true,
        selectors: true,
        limits: false,
        topics: true,
        management: false,
        memory_bytes_max: 0,
        ..Plan::new(seed, Carrier::Stomp)
    }
}

/// What the checker measures by. The clocks of node and clients count whole milliseconds and do
/// not begin one at the same time, so a wait may seem to be one shorter than it was.
pub(super) fn terms(plan: &Plan) -> Terms {
    let mut terms = plan.terms();
    for rule in &mut terms.rules {
        rule.delay_ms = rule.delay_ms.saturating_sub(1);
    }
    Terms { detach_ms: DETACH_MS, progress_ms: PROGRESS_MS, ..terms }
}

/// Sees to it that whoever sends more consumes more.
pub(super) fn balance(weights: &mut [u64]) {
    let sending = weights.get(SENDING).copied().unwrap_or(0);
    for (index, least) in [(SETTLING, sending + 40), (SUBSCRIBING, 8)] {
        if let Some(weight) = weights.get_mut(index) {
            *weight = least.max(*weight);
        }
    }
}

/// `POSTHOUSE_TEST_SEED` repeats a run as far as it can be repeated.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("POSTHOUSE_TEST_SEED").ok();
    given.map_or(1, |text| text.parse().expect("POSTHOUSE_TEST_SEED is a number"))
}
