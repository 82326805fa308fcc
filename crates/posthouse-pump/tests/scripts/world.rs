//! One pump on a small table. Reads and settlements are answered at once, unless a script keeps
//! them back; couriers answer when a script says so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use posthouse_pump::attempt::{AttemptNo, Blame, Verdict};
use posthouse_pump::calendar::Window;
use posthouse_pump::effect::Effect;
use posthouse_pump::input::{Grant, Hold, Input};
use posthouse_pump::outcome::{BucketNo, Fence, Outcome, Settled, Settlement, State};
use posthouse_pump::plan::{
    Backoff, Breaker, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
};
use posthouse_pump::pump::{Pace, Pump, Room};
use posthouse_pump::read::{Found, Read, SlotRange, Span};
use posthouse_pump::request::{Content, Request, RequestId, Slot, Standing, Unreadable};
use posthouse_pump::time::Now;

const BEGIN_MS: i64 = 1_800_000_000_000;

/// See the module.
pub struct World {
    pump: Pump,
    plan: Plan,
    now: Now,
    open: BTreeMap<i64, Request>,
    last: i64,
    running: BTreeMap<i64, AttemptNo>,
    inputs: VecDeque<Input>,
    /// Answers that are kept back, if they are; perhaps only those to walks.
    kept: Option<Vec<Input>>,
    keeps_walks_only: bool,
    /// All ids that there ever was a row at.
    used: BTreeSet<i64>,
    /// Rows that somebody has a lock on.
    locked: BTreeSet<i64>,
    /// Rows that somebody else has taken.
    taken: BTreeSet<i64>,
    said: Vec<String>,
}

fn plan() -> Plan {
    let group = Group {
        is_active: true,
        region: None,
        order: Order::Key,
        claim: Claim::Lease,
        on_failure: OnFailure::Block,
        on_expired: OnExpired::Skip,
        attempts_max: 2,
        backoff: Backoff { base_ms: 100, cap_ms: 100 },
        window: None,
    };
    let code = |group: &str, endpoint: &str, window: Option<&str>| Code {
        group: group.into(),
        endpoint: endpoint.into(),
        window: window.map(Arc::from),
    };
    let breaker = Breaker { failures_max: 3, pause_ms: 1_000, pause_cap_ms: 4_000 };
    let endpoint =
        |concurrency_max| Endpoint { concurrency_max, rate_per_s: 0, timeout_ms: 500, breaker };
    Plan {
        region: "here".into(),
        groups: BTreeMap::from([
            ("orders".into(), group.clone()),
            ("stock".into(), Group { on_failure: OnFailure::SkipAndMark, ..group.clone() }),
            ("mail".into(), Group { on_failure: OnFailure::BlockFor { ms: 700 }, ..group.clone() }),
            ("away".into(), Group { region: Some("there".into()), ..group.clone() }),
            (
                "shared".into(),
                Group {
                    order: Order::None,
                    claim: Claim::Mark,
                    on_failure: OnFailure::Skip,
                    ..group.clone()
                },
            ),
            ("loose".into(), Group { order: Order::None, on_failure: OnFailure::Skip, ..group }),
        ]),
        codes: BTreeMap::from([
            ("new".into(), code("orders", "shop", None)),
            ("pay".into(), code("orders", "bank", Some("day"))),
            ("move".into(), code("stock", "shop", None)),
            ("send".into(), code("mail", "shop", None)),
            ("ping".into(), code("loose", "narrow", None)),
            ("task".into(), code("shared", "narrow", Some("day"))),
            ("yonder".into(), code("away", "shop", None)),
        ]),
        endpoints: BTreeMap::from([
            ("shop".into(), endpoint(8)),
            ("bank".into(), endpoint(8)),
            ("narrow".into(), endpoint(1)),
        ]),
        windows: BTreeMap::from([("day".into(), Arc::new(Window::Always))]),
    }
}

impl World {
    /// A pump that knows the plan and owns everything.
    pub fn new() -> World {
        let mut world = World {
            pump: Pump::new(1),
            plan: plan(),
            now: Now { mono_ms: 1_000, source_ms: BEGIN_MS, error_ms: 0 },
            open: BTreeMap::new(),
            last: i64::MIN,
            running: BTreeMap::new(),
            inputs: VecDeque::new(),
            kept: None,
            keeps_walks_only: false,
            used: BTreeSet::new(),
            locked: BTreeSet::new(),
            taken: BTreeSet::new(),
            said: Vec::new(),
        };
        world.begin(Room::default());
        world.go();
        world
    }

    /// Another pump takes everything over.
    fn begin(&mut self, room: Room) {
        self.pump = Pump::with(1, Pace::default(), room);
        self.tell_plan();
        self.grant(1, 1_000_000);
    }

    /// Plays one line; answers with what the pump wanted done.
    pub fn play(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["row", id, code, rest @ ..] => self.row(id, code, rest),
            ["done", id] => self.verdict(id, Verdict::Done { status: None }),
            ["reject", id] => {
                self.verdict(id, Verdict::Rejected { status: None, detail: "no".to_owned() });
            }
            ["fail", id] => self.verdict(id, failed(Blame::Request)),
            ["break", id] => self.verdict(id, failed(Blame::Endpoint)),
            ["late", id] => self.verdict(id, Verdict::NotStarted),
            ["wait", ms] => self.wait(ms.parse().unwrap()),
            ["keep", rest @ ..] => {
                self.kept = Some(Vec::new());
                self.keeps_walks_only = rest == ["walks"];
            }
            ["answer"] => self.inputs.extend(self.kept.take().into_iter().flatten()),
            ["grant", fence, ms] => self.grant(fence.parse().unwrap(), ms.parse().unwrap()),
            ["lose"] => self.inputs.push_back(Input::Lost(BucketNo(0))),
            ["drain"] => self.inputs.push_back(Input::Drain(BucketNo(0))),
            ["why", id] => self.why(id),
            ["here", id] => {
                let why = self.pump.why_here(self.now, RequestId(id.parse().unwrap()));
                self.said.push(format!("{why:?}"));
            }
            ["count"] => {
                for it in self.pump.figures().withheld {
                    let (cause, keys, requests) = (it.cause, it.keys, it.requests);
                    self.said.push(format!("{cause:?}: {keys} keys, {requests} requests"));
                }
            }
            ["oldest", code] => {
                let figures = self.pump.figures();
                let oldest_ms = figures.codes.get(*code).and_then(|code| code.oldest_ms);
                let age = |oldest_ms| format!("{} ms", self.now.source_ms - oldest_ms);
                self.said.push(oldest_ms.map_or("none".to_owned(), age));
            }
            _ => self.operate(&words),
        }
        self.go();
        std::mem::take(&mut self.said)
    }

    fn operate(&mut self, words: &[&str]) {
        match *words {
            ["shut"] => self.window(Window::Never),
            ["open"] => self.window(Window::Always),
            ["off", group] => self.switch(group, false),
            ["on", group] => self.switch(group, true),
            ["hold", key] => {
                let hold = Hold::Key { slot: Slot(1), key: key.into() };
                self.inputs.push_back(Input::Holds(vec![hold]));
            }
            ["unhold"] => self.inputs.push_back(Input::Holds(Vec::new())),
            ["retry", id] => self.change(id, |row| {
                (row.standing, row.attempts, row.due_ms) = (Standing::Ready, 0, 0);
            }),
            ["mend", id] => self.change(id, |row| {
                (row.content, row.unreadable) = (Some(Arc::new(Content::default())), None);
            }),
            ["learn", code] => {
                let known = self.plan.codes.values().next().unwrap().clone();
                self.plan.codes.insert(code.into(), known);
                self.tell_plan();
            }
            ["replace"] => self.replace(),
            ["narrow", keys] => {
                self.begin(Room { withheld_keys_max: keys.parse().unwrap(), ..Room::default() });
            }
            ["unlearn", code] => {
                self.plan.codes.remove(code);
                self.tell_plan();
            }
            ["take", id] => _ = self.taken.insert(id.parse().unwrap()),
            ["lose-row", id] => _ = self.open.remove(&id.parse().unwrap()),
            ["lock", id] => _ = self.locked.insert(id.parse().unwrap()),
            ["unlock", id] => _ = self.locked.remove(&id.parse().unwrap()),
            ["cancel", id] => {
                let id: i64 = id.parse().unwrap();
                self.open.remove(&id);
                self.inputs.push_back(Input::Changed(vec![RequestId(id)]));
            }
            _ => panic!("not a command: {words:?}"),
        }
    }

    /// Another table takes the place of this one.
    fn replace(&mut self) {
        self.open.clear();
        self.used.clear();
        self.last = 0;
        self.inputs.push_back(Input::Replaced);
        self.tell_plan();
        self.grant(1, 1_000_000);
    }

    fn change(&mut self, id: &str, how: impl Fn(&mut Request)) {
        let id: i64 = id.parse().unwrap();
        how(self.open.get_mut(&id).unwrap());
        self.inputs.push_back(Input::Changed(vec![RequestId(id)]));
    }

    fn window(&mut self, window: Window) {
        self.plan.windows.insert("day".into(), Arc::new(window));
        self.tell_plan();
    }

    fn switch(&mut self, group: &str, is_active: bool) {
        self.plan.groups.get_mut(group).unwrap().is_active = is_active;
        self.tell_plan();
    }

    fn tell_plan(&mut self) {
        self.inputs.push_back(Input::Plan(Arc::new(self.plan.clone())));
    }

    fn grant(&mut self, fence: i64, for_ms: u64) {
        self.inputs.push_back(Input::Granted(Grant {
            bucket: BucketNo(0),
            slots: SlotRange { first: Slot(0), last: Slot(1_023) },
            fence: Fence(fence),
            until_mono_ms: self.now.mono_ms + for_ms,
            quiet_until_mono_ms: 0,
        }));
    }

    fn row(&mut self, id: &str, code: &str, rest: &[&str]) {
        let id: i64 = id.parse().unwrap();
        let mut row = Request {
            id: RequestId(id),
            request_id: format!("r{id}").into(),
            standing: Standing::Ready,
            code: code.into(),
            group: None,
            region: "here".into(),
            key: None,
            slot: Slot(1),
            priority: 4,
            window: None,
            due_ms: 0,
            expires_ms: None,
            attempts: 0,
            created_ms: self.now.source_ms,
            content: Some(Arc::new(Content::default())),
            unreadable: None,
        };
        for word in rest {
            match word.split_once('=').unwrap_or((word, "")) {
                ("key", key) => row.key = Some(key.into()),
                ("priority", priority) => row.priority = priority.parse().unwrap(),
                ("due", ms) => row.due_ms = self.now.source_ms + ms.parse::<i64>().unwrap(),
                ("expires", ms) => {
                    row.expires_ms = Some(self.now.source_ms + ms.parse::<i64>().unwrap());
                }
                ("created", ms) => row.created_ms = ms.parse().unwrap(),
                ("at", ms) => row.due_ms = ms.parse().unwrap(),
                ("until", ms) => row.expires_ms = Some(ms.parse().unwrap()),
                ("attempts", tries) => row.attempts = tries.parse().unwrap(),
                ("group", group) => row.group = Some(group.into()),
                ("window", window) => row.window = Some(window.into()),
                ("marked", _) => row.standing = Standing::Sending,
                ("blocked", _) => row.standing = Standing::Blocked,
                ("unreadable", column) => unreadable(&mut row, column),
                ("flaw", flaw) => {
                    let flaw = Some(flaw.to_owned());
                    row.content = Some(Arc::new(Content { flaw, ..Content::default() }));
                }
                _ => panic!("not known of a row: {word}"),
            }
        }
        self.open.insert(id, row);
        self.used.insert(id);
        self.last = self.last.max(id);
        self.inputs.push_back(Input::Wake);
    }

    fn verdict(&mut self, id: &str, verdict: Verdict) {
        match self.running.remove(&id.parse().unwrap()) {
            Some(attempt) => self.inputs.push_back(Input::Verdict { attempt, verdict }),
            None => self.said.push("it does not run".to_owned()),
        }
    }

    fn why(&mut self, id: &str) {
        let row = self.open[&id.parse().unwrap()].clone();
        let why = self.pump.why(self.now, &row);
        self.said.push(format!("{why:?}"));
    }

    fn wait(&mut self, ms: u64) {
        let end = self.now.mono_ms + ms;
        while self.now.mono_ms < end {
            let due = self.pump.due_mono_ms().unwrap_or(end).clamp(self.now.mono_ms + 1, end);
            self.now.source_ms += (due - self.now.mono_ms) as i64;
            self.now.mono_ms = due;
            self.inputs.push_back(Input::Tick);
            self.go();
        }
    }

    /// Feeds the pump until it has nothing more to say.
    fn go(&mut self) {
        let mut effects = Vec::new();
        while let Some(input) = self.inputs.pop_front() {
            self.pump.apply(self.now, input, &mut effects);
            for effect in effects.drain(..) {
                self.perform(effect);
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Read(read) => {
                let found = Input::Found(self.read(&read));
                self.reply(found, matches!(read.span, Span::Again { .. }));
            }
            Effect::Settle(settlement) => {
                let settled = self.settle(&settlement);
                self.reply(settled, false);
            }
            Effect::Start(attempt) => {
                let id = attempt.request.id.0;
                let gap = attempt.after_gap.map(|gap| format!(" after {gap}")).unwrap_or_default();
                self.said.push(format!("start {id} try {}{gap}", attempt.try_no));
                self.running.insert(id, attempt.number);
            }
            Effect::Abort(attempt) => {
                let id = self.running.iter().find(|(_, running)| **running == attempt);
                self.said.push(format!("abort {}", id.map_or(0, |(id, _)| *id)));
            }
            Effect::Release(_) => self.said.push("release".to_owned()),
            Effect::Tell(notice) => self.said.push(format!("tell {notice:?}")),
        }
    }

    fn reply(&mut self, input: Input, is_walk: bool) {
        match &mut self.kept {
            Some(kept) if is_walk || !self.keeps_walks_only => kept.push(input),
            _ => self.inputs.push_back(input),
        }
    }

    fn settle(&mut self, settlement: &Settlement) -> Input {
        let results = settlement.outcomes.iter().map(|outcome| self.record(outcome)).collect();
        Input::Settled { number: settlement.number, results }
    }

    fn record(&mut self, outcome: &Outcome) -> Settled {
        let id = outcome.id.0;
        if self.locked.contains(&id) {
            return Settled::Locked;
        }
        self.said.push(format!("settle {id} {:?}", outcome.state));
        if self.taken.contains(&id) {
            return Settled::Gone;
        }
        let Some(row) = self.open.get_mut(&id) else { return Settled::Recorded };
        (row.due_ms, row.attempts) = (outcome.due_ms, outcome.attempts);
        match outcome.state {
            State::Ready => row.standing = Standing::Ready,
            State::Sending => row.standing = Standing::Sending,
            State::Blocked => row.standing = Standing::Blocked,
            _ => _ = self.open.remove(&id),
        }
        Settled::Recorded
    }

    fn read(&self, read: &Read) -> Found {
        let is_wanted = |row: &&Request| match &read.span {
            Span::Forward { after } => row.id >= after.first_after(),
            Span::Again { after, up_to } => after.first_after() <= row.id && row.id <= *up_to,
            Span::Probe { ranges } => ranges.iter().any(|it| it.0 <= row.id && row.id <= it.1),
            Span::Key { key, from, .. } => row.id >= *from && row.key.as_ref() == Some(key),
        };
        let rows = self.open.values().filter(is_wanted).map(|row| {
            let is_wanted = read.codes.contains(&row.code);
            let content = row.content.clone().filter(|_| is_wanted);
            let unreadable = row.unreadable.clone().filter(|it| is_wanted || !it.is_content);
            Request { content, unreadable, ..row.clone() }
        });
        let scanned_to = match &read.span {
            Span::Again { up_to, .. } => up_to.0,
            _ => self.last,
        };
        Found {
            number: read.number,
            rows: rows.collect(),
            scanned_to: RequestId(scanned_to),
            has_more: false,
            missing: self.missing(read),
        }
    }

    fn missing(&self, read: &Read) -> Vec<(RequestId, RequestId)> {
        let Span::Forward { after } = read.span else { return Vec::new() };
        let mut before = after.0.max(0);
        let mut missing = Vec::new();
        for id in self.used.iter().copied().filter(|id| *id > after.0.max(0)) {
            if id - 1 > before {
                missing.push((RequestId(before + 1), RequestId(id - 1)));
            }
            before = id;
        }
        missing
    }
}

/// A request of which a column cannot be read; what is in the headers concerns its content only.
fn unreadable(row: &mut Request, column: &str) {
    let column = if column == "headers" { "headers" } else { "priority" };
    let (detail, is_content) = ("odd".to_owned(), column == "headers");
    row.content = None;
    row.unreadable = Some(Arc::new(Unreadable { column, detail, is_content }));
}

fn failed(blame: Blame) -> Verdict {
    Verdict::Failed { status: None, detail: "not now".to_owned(), retry_after_ms: None, blame }
}
