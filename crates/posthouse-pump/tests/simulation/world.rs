//! Several pumps on one table, with a network that delays and loses, couriers that fail, writers
//! that commit late, operators that interfere, and one true clock that nobody sees exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use posthouse_pump::attempt::{Attempt, Blame, Verdict};
use posthouse_pump::dice::Dice;
use posthouse_pump::effect::Effect;
use posthouse_pump::input::{Grant, Hold, Input};
use posthouse_pump::outcome::{BucketNo, Fence, Settled, Settlement};
use posthouse_pump::plan::Plan;
use posthouse_pump::pump::{Pace, Pump};
use posthouse_pump::read::{Found, Read};
use posthouse_pump::request::{Request, RequestId};
use posthouse_pump::time::Now;

use crate::table::{BUCKETS, Lease, Table, slots_of};
use crate::workload;

/// Unix milliseconds at which every world begins.
pub const BEGIN_MS: i64 = 1_800_000_000_000;
/// The midnight before, in UTC.
pub const MIDNIGHT_MS: i64 = BEGIN_MS - BEGIN_MS % 86_400_000;
const LEASE_MS: i64 = 2_000;
const LEASE_MARGIN_MS: i64 = 100;
const ROUND_MS: i64 = 300;
pub const ERROR_MS: i64 = 20;

/// Something that will happen at a true instant.
pub enum Event {
    /// Of a node, wanted for this instant of its steady clock.
    Tick(u64, u64),
    Round(u64),
    Input(u64, Box<Input>),
    Read(u64, Read),
    Settle(u64, Settlement),
    /// A courier is about to send.
    Send(u64, Box<Attempt>),
    /// It has been answered, or has given up.
    End(u64, u64, Verdict),
    Commit(Vec<Request>),
    Write,
    Operate,
    Crash,
    /// Somebody else takes a request, and is done with it.
    Take,
    Finish(i64, i64, u8),
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Event::Tick(..) => "tick",
            Event::Round(_) => "round",
            Event::Input(..) => "input",
            Event::Read(..) => "read",
            Event::Settle(..) => "settle",
            Event::Send(..) => "send",
            Event::End(..) => "end",
            Event::Commit(_) => "commit",
            Event::Write => "write",
            Event::Operate => "operate",
            Event::Crash => "crash",
            Event::Take => "take",
            Event::Finish(..) => "finish",
        }
    }
}

/// One node.
pub struct Node {
    pub pump: Pump,
    pub plan: Arc<Plan>,
    pub known_version: u64,
    pub held: BTreeMap<u64, i64>,
    pub clock_off_ms: i64,
    pub cut_off_until_ms: i64,
    pub is_tick_set: Option<u64>,
    pub running: BTreeMap<u64, Attempt>,
}

/// See the module.
pub struct World {
    pub seed: u64,
    pub dice: Dice,
    pub true_ms: i64,
    pub table: Table,
    pub nodes: BTreeMap<u64, Node>,
    last_node: u64,
    queue: BTreeMap<(i64, u64), Event>,
    events: u64,
    /// What operators have set, and its version.
    pub plan: Arc<Plan>,
    pub holds: Vec<Hold>,
    pub version: u64,
    pub changed: Vec<(u64, RequestId)>,
    pub busy_keys: BTreeSet<Arc<str>>,
    /// Attempts on the wire: by node and number, the request and until when at the latest.
    pub on_wire: BTreeMap<(u64, u64), (RequestId, i64)>,
    /// When the windows of what has been started shut, by node and attempt.
    pub closes: BTreeMap<(u64, u64), i64>,
    pub is_calm: bool,
    pub starts: u64,
    pub log: Vec<String>,
    pub happened: BTreeMap<&'static str, u64>,
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut world = World {
            seed,
            dice: Dice::new(seed),
            true_ms: BEGIN_MS,
            table: Table { leases: vec![Lease::default(); BUCKETS as usize], ..Table::default() },
            nodes: BTreeMap::new(),
            last_node: 0,
            queue: BTreeMap::new(),
            events: 0,
            plan: Arc::new(workload::plan(seed)),
            holds: Vec::new(),
            version: 1,
            changed: Vec::new(),
            busy_keys: BTreeSet::new(),
            on_wire: BTreeMap::new(),
            closes: BTreeMap::new(),
            is_calm: false,
            starts: 0,
            log: Vec::new(),
            happened: BTreeMap::new(),
        };
        // Somewhere in the last quarter of a minute, so that windows open and shut in the midst of
        // the trouble.
        world.true_ms += 45_000 + world.dice.below(15_000) as i64;
        for _ in 0..=world.dice.below(3) {
            world.add_node();
        }
        world.at(0, Event::Write);
        world.at(500, Event::Operate);
        world.at(1_500, Event::Crash);
        if workload::is_shared(seed) {
            world.at(100, Event::Take);
        }
        world
    }

    /// Lets something happen after so many milliseconds.
    pub fn at(&mut self, after_ms: i64, event: Event) {
        self.events += 1;
        self.queue.insert((self.true_ms + after_ms, self.events), event);
    }

    /// Lives for so many milliseconds.
    pub fn run(&mut self, for_ms: i64) {
        let end_ms = self.true_ms + for_ms;
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end_ms {
                break;
            }
            let ((at_ms, _), event) = entry.remove_entry();
            self.true_ms = self.true_ms.max(at_ms);
            self.happen(event);
        }
        self.true_ms = end_ms;
    }

    fn happen(&mut self, event: Event) {
        *self.happened.entry(event.name()).or_default() += 1;
        match event {
            Event::Tick(node, due) => self.tick(node, due),
            Event::Round(node) => self.round(node),
            Event::Input(node, input) => self.feed(node, *input),
            Event::Read(node, read) => self.read(node, &read),
            Event::Settle(node, settlement) => self.settle(node, &settlement),
            Event::Send(node, attempt) => self.send(node, &attempt),
            Event::End(node, number, verdict) => self.end(node, number, verdict),
            Event::Commit(rows) => self.commit(rows),
            Event::Write => workload::write(self),
            Event::Operate => workload::operate(self),
            Event::Crash => self.crash(),
            Event::Take => workload::take(self),
            Event::Finish(id, until_ms, state) => workload::finish(self, id, until_ms, state),
        }
    }

    /// Only the last tick that was wanted counts.
    fn tick(&mut self, number: u64, due: u64) {
        let Some(node) = self.nodes.get_mut(&number) else { return };
        if node.is_tick_set == Some(due) {
            node.is_tick_set = None;
            self.feed(number, Input::Tick);
        }
    }

    fn add_node(&mut self) {
        self.last_node += 1;
        let node = Node {
            pump: Pump::with(
                self.seed + self.last_node,
                Pace::default(),
                workload::room(self.seed),
            ),
            plan: Arc::default(),
            known_version: 0,
            held: BTreeMap::new(),
            clock_off_ms: 0,
            cut_off_until_ms: 0,
            is_tick_set: None,
            running: BTreeMap::new(),
        };
        self.nodes.insert(self.last_node, node);
        self.at(0, Event::Round(self.last_node));
    }

    fn crash(&mut self) {
        let pause_ms = 500 + self.dice.below(4_000) as i64;
        self.at(pause_ms, Event::Crash);
        if self.is_calm {
            return;
        }
        let numbers: Vec<u64> = self.nodes.keys().copied().collect();
        let number = numbers[self.dice.below(numbers.len() as u64) as usize];
        match self.dice.below(4) {
            0 => {
                self.note(format!("crash {number}"));
                self.nodes.remove(&number);
                self.add_node();
            }
            1 => {
                let cut_off_until_ms = self.true_ms + 100 + self.dice.below(5_000) as i64;
                let node = self.nodes.get_mut(&number).unwrap();
                node.cut_off_until_ms = cut_off_until_ms;
                self.note(format!("cut off {number} until {}", cut_off_until_ms - BEGIN_MS));
            }
            2 => {
                let held = &self.nodes[&number].held;
                if let Some(bucket) = held.keys().next().copied() {
                    self.feed(number, Input::Drain(BucketNo(bucket)));
                }
            }
            _ => {}
        }
    }

    /// Tells a node something, and does what it says.
    pub fn feed(&mut self, number: u64, input: Input) {
        let true_ms = self.true_ms;
        let now = self.now(number);
        let Some(node) = self.nodes.get_mut(&number) else { return };
        if let Input::Plan(plan) = &input {
            node.plan = plan.clone();
        }
        let mut effects = Vec::new();
        node.pump.apply(now, input, &mut effects);
        let due = node.pump.due_mono_ms();
        for effect in effects {
            self.perform(number, effect);
        }
        let Some(node) = self.nodes.get_mut(&number) else { return };
        if let Some(due) = due
            && node.is_tick_set.is_none_or(|set| due < set)
        {
            node.is_tick_set = Some(due);
            let after_ms = (mono_to_true(number, due) - true_ms).max(1);
            self.at(after_ms, Event::Tick(number, due));
        }
    }

    /// What a node knows of the time.
    fn now(&self, number: u64) -> Now {
        let off_ms = self.nodes.get(&number).map_or(0, |node| node.clock_off_ms);
        Now {
            mono_ms: true_to_mono(number, self.true_ms),
            source_ms: self.true_ms + off_ms,
            error_ms: ERROR_MS,
        }
    }

    fn perform(&mut self, number: u64, effect: Effect) {
        let delay_ms = self.dice.below(20) as i64;
        match effect {
            Effect::Read(read) => self.at(delay_ms, Event::Read(number, read)),
            Effect::Settle(settlement) => self.at(delay_ms, Event::Settle(number, settlement)),
            Effect::Start(attempt) => {
                self.check_start(number, &attempt);
                self.at(delay_ms / 4, Event::Send(number, Box::new(attempt)));
            }
            Effect::Abort(attempt) => {
                let verdict = failed("aborted", Blame::Request);
                self.at(0, Event::End(number, attempt.0, verdict));
            }
            Effect::Release(bucket) => self.release(number, bucket.0),
            Effect::Tell(notice) => self.note(format!("{number} tells {notice:?}")),
        }
    }

    /// Whether a message between a node and the table is lost.
    fn is_lost(&mut self, number: u64) -> bool {
        let is_cut_off =
            self.nodes.get(&number).is_none_or(|node| node.cut_off_until_ms > self.true_ms);
        !self.is_calm && (is_cut_off || self.dice.below(30) == 0)
    }

    fn read(&mut self, number: u64, read: &Read) {
        let input = if self.is_lost(number) {
            Input::ReadFailed(read.number)
        } else {
            let found: Found = self.table.read(read);
            Input::Found(found)
        };
        let delay_ms = self.dice.below(30) as i64;
        self.at(delay_ms, Event::Input(number, Box::new(input)));
    }

    fn settle(&mut self, number: u64, settlement: &Settlement) {
        let delay_ms = self.dice.below(30) as i64;
        let failure = Input::SettleFailed(settlement.number);
        if self.is_lost(number) {
            return self.at(delay_ms, Event::Input(number, Box::new(failure)));
        }
        workload::lock(self, settlement);
        self.table.now_ms = self.true_ms;
        let results: Vec<Settled> = self.table.settle(settlement);
        for (outcome, result) in settlement.outcomes.iter().zip(&results) {
            let (id, state) = (outcome.id.0, outcome.state);
            self.note(format!(
                "{number} settles {id} {state:?} due {}: {result:?}",
                outcome.due_ms - BEGIN_MS
            ));
        }
        let is_answer_lost = self.is_lost(number);
        let answer = Input::Settled { number: settlement.number, results };
        let input = if is_answer_lost { failure } else { answer };
        self.at(delay_ms, Event::Input(number, Box::new(input)));
    }

    fn send(&mut self, number: u64, attempt: &Attempt) {
        let mono_ms = true_to_mono(number, self.true_ms);
        let Some(node) = self.nodes.get_mut(&number) else { return };
        if mono_ms > attempt.start_by_mono_ms {
            let verdict = Verdict::NotStarted;
            let input = Input::Verdict { attempt: attempt.number, verdict };
            return self.at(0, Event::Input(number, Box::new(input)));
        }
        let latest_ms = mono_to_true(number, attempt.end_by_mono_ms);
        node.running.insert(attempt.number.0, attempt.clone());
        self.check_send(number, attempt);
        let verdict = workload::verdict(self, attempt);
        let takes_ms = 1 + self.dice.below(60) as i64;
        let end_ms = (self.true_ms + takes_ms).min(latest_ms);
        let verdict = if self.true_ms + takes_ms > latest_ms {
            failed("timed out", Blame::Endpoint)
        } else {
            verdict
        };
        let wire = (attempt.request.id, end_ms);
        self.on_wire.insert((number, attempt.number.0), wire);
        let after_ms = end_ms - self.true_ms;
        self.at(after_ms, Event::End(number, attempt.number.0, verdict));
    }

    fn end(&mut self, number: u64, attempt: u64, verdict: Verdict) {
        self.on_wire.remove(&(number, attempt));
        let Some(node) = self.nodes.get_mut(&number) else { return };
        if let Some(attempt) = node.running.remove(&attempt) {
            self.feed(number, Input::Verdict { attempt: attempt.number, verdict });
        }
    }

    fn commit(&mut self, rows: Vec<Request>) {
        for request in rows {
            if let Some(key) = &request.key {
                self.busy_keys.remove(key);
            }
            self.note(format!("commit {} {} {:?}", request.id.0, request.code, request.key));
            let row = crate::table::TableRow { state: 0, last_outcome: None, request };
            self.table.rows.insert(row.request.id.0, row);
        }
    }

    fn release(&mut self, number: u64, bucket: u64) {
        let Some(node) = self.nodes.get_mut(&number) else { return };
        let Some(fence) = node.held.remove(&bucket) else { return };
        let lease = &mut self.table.leases[bucket as usize];
        if lease.fence == fence {
            *lease = Lease { owner: None, fence, until_ms: 0 };
        }
    }

    /// Heart-beat, leases and control tables; one transaction.
    fn round(&mut self, number: u64) {
        if !self.nodes.contains_key(&number) {
            return;
        }
        let next_ms = ROUND_MS / 2 + self.dice.below(ROUND_MS as u64) as i64;
        self.at(next_ms, Event::Round(number));
        let off_ms = self.dice.below(2 * ERROR_MS as u64 + 1) as i64 - ERROR_MS;
        if let Some(node) = self.nodes.get_mut(&number) {
            node.clock_off_ms = off_ms;
        }
        if self.is_lost(number) {
            return;
        }
        let mut inputs = self.control(number);
        inputs.extend(self.renew(number));
        inputs.extend(self.grab(number));
        for input in inputs {
            self.feed(number, input);
        }
    }

    fn control(&mut self, number: u64) -> Vec<Input> {
        let Some(node) = self.nodes.get_mut(&number) else { return Vec::new() };
        if node.known_version == self.version {
            return Vec::new();
        }
        let known = std::mem::replace(&mut node.known_version, self.version);
        let changed = self.changed.iter().filter(|(version, _)| *version > known);
        let changed = changed.map(|(_, id)| *id).collect();
        vec![
            Input::Plan(self.plan.clone()),
            Input::Holds(self.holds.clone()),
            Input::Changed(changed),
            Input::Wake,
        ]
    }

    fn renew(&mut self, number: u64) -> Vec<Input> {
        let until_mono_ms = true_to_mono(number, self.true_ms + LEASE_MS - LEASE_MARGIN_MS);
        let Some(node) = self.nodes.get_mut(&number) else { return Vec::new() };
        let mut inputs = Vec::new();
        for (bucket, fence) in node.held.clone() {
            let lease = &mut self.table.leases[bucket as usize];
            if lease.fence == fence && lease.owner == Some(number) {
                lease.until_ms = self.true_ms + LEASE_MS;
                let (bucket, fence) = (BucketNo(bucket), Fence(fence));
                inputs.push(Input::Renewed { bucket, fence, until_mono_ms });
            } else {
                node.held.remove(&bucket);
                inputs.push(Input::Lost(BucketNo(bucket)));
            }
        }
        inputs
    }

    /// Takes a bucket that is free, or whose owner has fallen silent.
    fn grab(&mut self, number: u64) -> Vec<Input> {
        let until_mono_ms = true_to_mono(number, self.true_ms + LEASE_MS - LEASE_MARGIN_MS);
        let quiet_until_mono_ms = true_to_mono(number, self.true_ms + 50);
        let mut free = self.table.leases.iter_mut().zip(0_u64..);
        let free = free.find(|(lease, _)| lease.until_ms < self.true_ms);
        let Some((lease, bucket)) = free else { return Vec::new() };
        let fence = lease.fence + 1;
        *lease = Lease { owner: Some(number), fence, until_ms: self.true_ms + LEASE_MS };
        if let Some(node) = self.nodes.get_mut(&number) {
            node.held.insert(bucket, fence);
        }
        self.note(format!("{number} gets {bucket} with {fence}"));
        let (slots, bucket, fence) = (slots_of(bucket), BucketNo(bucket), Fence(fence));
        let grant = Grant { bucket, slots, fence, until_mono_ms, quiet_until_mono_ms };
        vec![Input::Granted(grant)]
    }

    pub fn note(&mut self, text: impl AsRef<str>) {
        let at_ms = self.true_ms - BEGIN_MS;
        self.log.push(format!("{at_ms} {}", text.as_ref()));
    }
}

/// A failure that nobody knows the outcome of.
pub fn failed(detail: &str, blame: Blame) -> Verdict {
    Verdict::Failed { status: None, detail: detail.to_owned(), retry_after_ms: None, blame }
}

/// Each node's steady clock began at another time.
pub fn true_to_mono(node: u64, true_ms: i64) -> u64 {
    (true_ms - BEGIN_MS) as u64 + node * 1_000
}

fn mono_to_true(node: u64, mono_ms: u64) -> i64 {
    mono_ms.min(i64::MAX as u64 / 2) as i64 - node as i64 * 1_000 + BEGIN_MS
}
