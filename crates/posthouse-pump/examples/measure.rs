//! How fast the pump is by itself, and what withheld keys cost: `cargo run --release -p
//! posthouse-pump --example measure`.
//!
//! Rows are handed over ready made, attempts succeed at once and settlements are recorded at once,
//! so that only the pump's own work is counted (and that of making the rows).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use posthouse_pump::attempt::Verdict;
use posthouse_pump::calendar::Window;
use posthouse_pump::effect::Effect;
use posthouse_pump::input::{Grant, Input};
use posthouse_pump::outcome::{BucketNo, Fence, Settled};
use posthouse_pump::plan::{
    Backoff, Breaker, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
};
use posthouse_pump::pump::Pump;
use posthouse_pump::read::{Found, Read, SlotRange, Span};
use posthouse_pump::request::{Content, Request, RequestId, Slot, Standing};
use posthouse_pump::time::Now;

const ROWS: i64 = 1_000_000;

fn plan(is_active: bool) -> Plan {
    let group = Group {
        is_active,
        region: None,
        order: Order::Key,
        claim: Claim::Lease,
        on_failure: OnFailure::Block,
        on_expired: OnExpired::Skip,
        attempts_max: 5,
        backoff: Backoff { base_ms: 100, cap_ms: 1_000 },
        window: None,
    };
    let code = Code { group: "group".into(), endpoint: "endpoint".into(), window: None };
    let breaker = Breaker { failures_max: 5, pause_ms: 100, pause_cap_ms: 1_000 };
    let endpoint = Endpoint { concurrency_max: 256, rate_per_s: 0, timeout_ms: 1_000, breaker };
    Plan {
        region: "here".into(),
        groups: BTreeMap::from([("group".into(), group)]),
        codes: BTreeMap::from([("code".into(), code)]),
        endpoints: BTreeMap::from([("endpoint".into(), endpoint)]),
        windows: BTreeMap::<Arc<str>, Arc<Window>>::new(),
    }
}

fn row(
    id: i64,
    keys: i64,
    code: &Arc<str>,
    region: &Arc<str>,
    content: Option<&Arc<Content>>,
) -> Request {
    Request {
        id: RequestId(id),
        request_id: region.clone(),
        standing: Standing::Ready,
        code: code.clone(),
        group: None,
        region: region.clone(),
        key: Some(format!("key-{}", id % keys).into()),
        slot: Slot((id % keys % 1_024) as u16),
        priority: 4,
        window: None,
        due_ms: 0,
        expires_ms: None,
        attempts: 0,
        created_ms: 0,
        content: content.cloned(),
        unreadable: None,
    }
}

/// A table of which only is known what is done.
struct Table {
    keys: i64,
    is_done: Vec<bool>,
    done: i64,
    code: Arc<str>,
    region: Arc<str>,
    content: Arc<Content>,
}

impl Table {
    fn answer(&self, read: &Read) -> Found {
        let (after, end, step) = match &read.span {
            Span::Forward { after } => (after.0, ROWS, 1),
            Span::Again { after, up_to } => (after.0, up_to.0, 1),
            Span::Key { from, .. } => (from.0 - 1, ROWS, self.keys),
            Span::Probe { .. } => (0, 0, 1),
        };
        let content = (!read.codes.is_empty()).then_some(&self.content);
        let open = (after + 1..=end).step_by(step as usize);
        let open = open.filter(|id| !self.is_done[*id as usize]);
        let rows = open.take(read.rows_max as usize);
        let rows: Vec<Request> =
            rows.map(|id| row(id, self.keys, &self.code, &self.region, content)).collect();
        let has_more = rows.len() == read.rows_max as usize;
        let last = rows.last().map_or(end, |row| row.id.0);
        let scanned_to = RequestId(if has_more { last } else { end });
        Found { number: read.number, rows, scanned_to, has_more, missing: Vec::new() }
    }
    /// Does what the pump wants, and answers at once.
    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Read(read) => Some(Input::Found(self.answer(&read))),
            Effect::Start(attempt) => Some(Input::Verdict {
                attempt: attempt.number,
                verdict: Verdict::Done { status: None },
            }),
            Effect::Settle(settlement) => {
                self.done += settlement.outcomes.len() as i64;
                for outcome in &settlement.outcomes {
                    self.is_done[outcome.id.0 as usize] = true;
                }
                let results = vec![Settled::Recorded; settlement.outcomes.len()];
                Some(Input::Settled { number: settlement.number, results })
            }
            _ => None,
        }
    }
}

/// Runs until all rows are done, or read and withheld; answers with the pump.
fn run(is_active: bool, keys: i64) -> Pump {
    let mut table = Table {
        keys,
        is_done: vec![false; ROWS as usize + 1],
        done: 0,
        code: "code".into(),
        region: "here".into(),
        content: Arc::new(Content::default()),
    };
    let mut pump = Pump::new(1);
    let grant = Grant {
        bucket: BucketNo(0),
        slots: SlotRange { first: Slot(0), last: Slot(1_023) },
        fence: Fence(1),
        until_mono_ms: u64::MAX / 2,
        quiet_until_mono_ms: 0,
    };
    let plan = Input::Plan(Arc::new(plan(is_active)));
    let mut inputs = VecDeque::from([plan, Input::Granted(grant)]);
    let mut effects = Vec::new();
    let mut now = Now { mono_ms: 1, source_ms: 1_800_000_000_000, error_ms: 1 };
    while let Some(input) = inputs.pop_front() {
        pump.apply(now, input, &mut effects);
        inputs.extend(effects.drain(..).filter_map(|effect| table.perform(effect)));
        if inputs.is_empty() && table.done < ROWS && is_active {
            // Nothing but time is missing.
            now.mono_ms = pump.due_mono_ms().unwrap_or(now.mono_ms + 1).max(now.mono_ms + 1);
            inputs.push_back(Input::Tick);
        }
    }
    assert!(table.done == ROWS || !is_active);
    pump
}

/// How long this process has been computing, in seconds; 0 where that cannot be told.
fn computed_s() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().map_or(0.0, |ns: f64| ns / 1e9)
}

/// The resident memory of this process, in MiB; 0 where that cannot be told.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

fn main() {
    for keys in [100_000, 1_000, 10] {
        let (begun, computed) = (Instant::now(), computed_s());
        run(true, keys);
        let rate = ROWS as f64 / begun.elapsed().as_secs_f64();
        let of_cpu = ROWS as f64 / (computed_s() - computed);
        println!("{keys} keys: {rate:.0} rows a second, {of_cpu:.0} a second of computing");
    }
    let before = resident_mib();
    let begun = Instant::now();
    let pump = run(false, ROWS);
    let grown = resident_mib().saturating_sub(before);
    let withheld = pump.figures().withheld_keys;
    println!("{withheld} keys withheld: {grown} MiB, {:?}", begun.elapsed());
}
