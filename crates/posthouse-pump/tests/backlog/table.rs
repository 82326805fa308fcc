//! A large table with one pump on it: everything is answered at once, and every row that is read
//! is counted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use posthouse_pump::attempt::{Attempt, Blame, Verdict};
use posthouse_pump::effect::Effect;
use posthouse_pump::input::{Grant, Input};
use posthouse_pump::outcome::{BucketNo, Fence, Settled, Settlement, State};
use posthouse_pump::plan::{
    Backoff, Breaker, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
};
use posthouse_pump::pump::Pump;
use posthouse_pump::read::{Found, Read, SlotRange, Span};
use posthouse_pump::request::{Content, Request, RequestId, Slot, Standing};
use posthouse_pump::time::Now;

/// How many rows of which kind of read.
#[derive(Debug, Default)]
pub struct Counts {
    pub by_span: BTreeMap<&'static str, (u64, u64)>,
    pub rows: u64,
    pub done: u64,
}

/// See the module.
pub struct Table {
    open: BTreeMap<i64, Request>,
    keys: BTreeMap<Arc<str>, BTreeSet<i64>>,
    last: i64,
    pub counts: Counts,
    /// Endpoints at which nothing works.
    pub down: BTreeSet<&'static str>,
    names: BTreeMap<&'static str, Arc<str>>,
    content: Arc<Content>,
    now: Now,
    pump: Pump,
    inputs: VecDeque<Input>,
}

fn plan(endpoints: &[&'static str]) -> Plan {
    let group = Group {
        is_active: true,
        region: None,
        order: Order::Key,
        claim: Claim::Lease,
        on_failure: OnFailure::Block,
        on_expired: OnExpired::Skip,
        attempts_max: 0,
        backoff: Backoff { base_ms: 100, cap_ms: 1_000 },
        window: None,
    };
    let code = |name: &&'static str| {
        let code = Code { group: "group".into(), endpoint: (*name).into(), window: None };
        ((*name).into(), code)
    };
    let breaker = Breaker { failures_max: 5, pause_ms: 100, pause_cap_ms: 1_000 };
    let endpoint = Endpoint { concurrency_max: 256, rate_per_s: 0, timeout_ms: 1_000, breaker };
    Plan {
        region: "here".into(),
        groups: BTreeMap::from([("group".into(), group)]),
        codes: endpoints.iter().map(code).collect(),
        endpoints: endpoints.iter().map(|name| ((*name).into(), endpoint.clone())).collect(),
        windows: BTreeMap::new(),
    }
}

impl Table {
    /// A table without rows, and a plan with these endpoints; each is the code of what goes there.
    pub fn new(endpoints: &[&'static str]) -> Table {
        let grant = Grant {
            bucket: BucketNo(0),
            slots: SlotRange { first: Slot(0), last: Slot(1_023) },
            fence: Fence(1),
            until_mono_ms: u64::MAX / 2,
            quiet_until_mono_ms: 0,
        };
        let plan = Input::Plan(Arc::new(plan(endpoints)));
        Table {
            open: BTreeMap::new(),
            keys: BTreeMap::new(),
            last: 0,
            counts: Counts::default(),
            down: BTreeSet::new(),
            names: BTreeMap::new(),
            content: Arc::new(Content::default()),
            now: Now { mono_ms: 1, source_ms: 1_800_000_000_000, error_ms: 1 },
            pump: Pump::new(1),
            inputs: VecDeque::from([plan, Input::Granted(grant)]),
        }
    }

    /// Adds a row.
    pub fn add(&mut self, endpoint: &'static str, key: u64, standing: Standing) {
        self.last += 1;
        let id = RequestId(self.last);
        let name = self.names.entry(endpoint).or_insert_with(|| endpoint.into()).clone();
        let key_name: Arc<str> = format!("{endpoint}-{key}").into();
        self.keys.entry(key_name.clone()).or_default().insert(id.0);
        let request = Request {
            id,
            request_id: name.clone(),
            standing,
            code: name,
            group: None,
            region: "here".into(),
            key: Some(key_name),
            slot: Slot((key % 1_024) as u16),
            priority: 4,
            window: None,
            due_ms: 0,
            expires_ms: None,
            attempts: 0,
            created_ms: 0,
            content: None,
            unreadable: None,
        };
        self.open.insert(self.last, request);
    }

    /// Runs until so many rows are done.
    pub fn run(&mut self, done: u64) {
        let mut effects = Vec::new();
        while self.counts.done < done {
            let input = self.inputs.pop_front().unwrap_or_else(|| self.wait());
            self.pump.apply(self.now, input, &mut effects);
            for effect in effects.drain(..) {
                let answer = match effect {
                    Effect::Read(read) => Some(Input::Found(self.read(&read))),
                    Effect::Start(attempt) => Some(self.attempt(&attempt)),
                    Effect::Settle(settlement) => Some(self.settle(&settlement)),
                    _ => None,
                };
                self.inputs.extend(answer);
            }
        }
    }

    /// Nothing but time is missing.
    fn wait(&mut self) -> Input {
        let due = self.pump.due_mono_ms().expect("something must be due");
        let wait_ms = due.saturating_sub(self.now.mono_ms).max(1);
        self.now.mono_ms += wait_ms;
        self.now.source_ms += wait_ms as i64;
        Input::Tick
    }

    fn read(&mut self, read: &Read) -> Found {
        let rows_max = read.rows_max as usize;
        let (name, end, ids): (_, _, Vec<i64>) = match &read.span {
            Span::Forward { after } => {
                ("forward", self.last, self.open_in(after.0, self.last, rows_max))
            }
            Span::Again { after, up_to } => {
                ("again", up_to.0, self.open_in(after.0, up_to.0, rows_max))
            }
            Span::Key { key, from, .. } => {
                let ids = self.keys.get(key).into_iter().flat_map(|ids| ids.range(from.0..));
                ("key", self.last, ids.take(rows_max).copied().collect())
            }
            Span::Probe { .. } => ("probe", 0, Vec::new()),
        };
        let rows: Vec<Request> = ids.iter().map(|id| self.shown(*id, read)).collect();
        let counts = self.counts.by_span.entry(name).or_default();
        *counts = (counts.0 + 1, counts.1 + rows.len() as u64);
        self.counts.rows += rows.len() as u64;
        let has_more = rows.len() == rows_max;
        let last = rows.last().map_or(end, |row| row.id.0);
        let scanned_to = RequestId(if has_more { last } else { end });
        Found { number: read.number, rows, scanned_to, has_more, missing: Vec::new() }
    }

    fn open_in(&self, after: i64, to: i64, rows_max: usize) -> Vec<i64> {
        let ids = self.open.range(after + 1..).map(|(id, _)| *id);
        ids.take_while(|id| *id <= to).take(rows_max).collect()
    }

    fn shown(&self, id: i64, read: &Read) -> Request {
        let row = &self.open[&id];
        let is_wanted = read.codes.contains(&row.code);
        Request { content: is_wanted.then(|| self.content.clone()), ..row.clone() }
    }

    fn attempt(&self, attempt: &Attempt) -> Input {
        let failed = Verdict::Failed {
            status: None,
            detail: "down".to_owned(),
            retry_after_ms: None,
            blame: Blame::Endpoint,
        };
        let is_down = self.down.contains(&*attempt.endpoint);
        let verdict = if is_down { failed } else { Verdict::Done { status: None } };
        Input::Verdict { attempt: attempt.number, verdict }
    }

    fn settle(&mut self, settlement: &Settlement) -> Input {
        for outcome in &settlement.outcomes {
            if outcome.state != State::Done {
                if let Some(row) = self.open.get_mut(&outcome.id.0) {
                    (row.due_ms, row.attempts) = (outcome.due_ms, outcome.attempts);
                }
                continue;
            }
            self.counts.done += 1;
            let row = self.open.remove(&outcome.id.0).expect("settled twice");
            if let Some(ids) = row.key.and_then(|key| self.keys.get_mut(&key)) {
                ids.remove(&outcome.id.0);
            }
        }
        let results = vec![Settled::Recorded; settlement.outcomes.len()];
        Input::Settled { number: settlement.number, results }
    }
}
