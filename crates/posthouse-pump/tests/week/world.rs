//! The world of the week: three platforms, two nodes for each, and one true clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use posthouse_pump::attempt::{Attempt, Verdict};
use posthouse_pump::dice::Dice;
use posthouse_pump::effect::Effect;
use posthouse_pump::input::Input;
use posthouse_pump::outcome::{Settled, Settlement};
use posthouse_pump::read::Read;
use posthouse_pump::request::Request;

use crate::alarms::Told;
use crate::business::{self, TurnedDown};
use crate::node::Node;
use crate::platform::{Change, Name, Platform};
use crate::script::Happening;

/// The first instant of Monday, 19 October 2026, in Shanghai.
pub const BEGIN_MS: i64 = 1_792_339_200_000;

/// What plays one week again.
const AGAIN: &str = "cargo test -p posthouse-pump --test week";

/// Something that will happen at a true instant.
pub enum Event {
    /// Of a node, wanted for this instant of its steady clock.
    Tick(u64, u64),
    Round(u64),
    Look(u64),
    Input(u64, Box<Input>),
    Read(u64, Read),
    Settle(u64, Settlement),
    /// A courier is about to send.
    Send(u64, Box<Attempt>),
    /// It has been answered, or has given up.
    End(u64, u64, Verdict),
    Write(Name),
    React(Name, Arc<str>),
    Burst(Name, i64),
    Commit(Name, Vec<(Request, Option<Change>)>),
    /// A line of the script begins, ends, and must be over.
    Begins(usize),
    Ends(usize),
    IsOver(usize),
}

/// See the module.
pub struct World {
    pub seed: u64,
    pub dice: Dice,
    pub true_ms: i64,
    pub platforms: BTreeMap<Name, Platform>,
    pub nodes: BTreeMap<u64, Node>,
    last_node: u64,
    queue: BTreeMap<(i64, u64), Event>,
    events: u64,
    pub script: Vec<Happening>,
    pub told: Vec<Told>,
    /// Orders that somebody has locked, to change them.
    pub busy: BTreeSet<(Name, Arc<str>)>,
    pub orders: u64,
    pub bursts: u64,
    pub turned_down: Option<TurnedDown>,
    /// Programs write nothing more.
    pub is_over: bool,
    pub sends: u64,
    pub wrong: Vec<String>,
}

impl World {
    pub fn new(seed: u64, script: Vec<Happening>) -> World {
        let platforms = Name::ALL.into_iter().map(|name| (name, Platform::new(name))).collect();
        let mut world = World {
            seed,
            dice: Dice::new(seed),
            true_ms: BEGIN_MS,
            platforms,
            nodes: BTreeMap::new(),
            last_node: 0,
            queue: BTreeMap::new(),
            events: 0,
            script,
            told: Vec::new(),
            busy: BTreeSet::new(),
            orders: 0,
            bursts: 0,
            turned_down: None,
            is_over: false,
            sends: 0,
            wrong: Vec::new(),
        };
        for name in Name::ALL {
            world.add_node(name);
            world.add_node(name);
        }
        world.at(0, Event::Write(Name::Participant));
        for at in 0..world.script.len() {
            let happening = &world.script[at];
            let (begin_ms, end_ms, over_ms) =
                (happening.begin_ms, happening.end_ms, happening.over_ms());
            world.at(begin_ms - BEGIN_MS, Event::Begins(at));
            world.at(end_ms - BEGIN_MS, Event::Ends(at));
            world.at(over_ms - BEGIN_MS, Event::IsOver(at));
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
        match event {
            Event::Tick(node, due) => self.tick(node, due),
            Event::Round(node) => self.round(node),
            Event::Look(node) => self.look(node),
            Event::Input(node, input) => self.feed(node, *input),
            Event::Read(node, read) => self.read(node, &read),
            Event::Settle(node, settlement) => self.settle(node, &settlement),
            Event::Send(node, attempt) => self.send(node, &attempt),
            Event::End(node, attempt, verdict) => self.end(node, attempt, verdict),
            Event::Write(name) => business::write(self, name),
            Event::React(name, key) => self.react(name, key),
            Event::Burst(name, until_ms) => business::burst(self, name, until_ms),
            Event::Commit(name, rows) => business::committed(self, name, rows),
            Event::Begins(at) => self.begins(at),
            Event::Ends(at) => self.ends(at),
            Event::IsOver(at) => self.check_over(at),
        }
    }

    /// A program whose database is gone tries again.
    fn react(&mut self, name: Name, key: Arc<str>) {
        if self.platforms[&name].is_database_down || self.busy.contains(&(name, key.clone())) {
            return self.at(30_000, Event::React(name, key));
        }
        business::change(self, name, &key);
    }

    pub fn add_node(&mut self, name: Name) {
        self.last_node += 1;
        self.nodes.insert(self.last_node, Node::new(self.last_node, name, self.seed));
        self.at(0, Event::Round(self.last_node));
        self.at(10, Event::Look(self.last_node));
    }

    /// The nodes of a platform.
    pub fn nodes_of(&self, name: Name) -> Vec<u64> {
        let of = self.nodes.iter().filter(|(_, node)| node.platform == name);
        of.map(|(number, _)| *number).collect()
    }

    /// Whoever waits for something new may look.
    pub fn wake(&mut self, name: Name) {
        for number in self.nodes_of(name) {
            self.at(2, Event::Input(number, Box::new(Input::Wake)));
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

    /// Tells a node something, and does what it says.
    pub fn feed(&mut self, number: u64, input: Input) {
        let true_ms = self.true_ms;
        let Some(node) = self.nodes.get_mut(&number) else { return };
        let mut effects = Vec::new();
        let now = node.now(true_ms);
        node.pump.apply(now, input, &mut effects);
        if let Some(due) = node.pump.due_mono_ms()
            && node.is_tick_set.is_none_or(|set| due < set)
        {
            node.is_tick_set = Some(due);
            let after_ms = (node.true_at(due) - true_ms).max(1);
            self.at(after_ms, Event::Tick(number, due));
        }
        for effect in effects {
            self.perform(number, effect);
        }
    }

    fn perform(&mut self, number: u64, effect: Effect) {
        let delay_ms = 1 + self.dice.below(5) as i64;
        match effect {
            Effect::Read(read) => self.at(delay_ms, Event::Read(number, read)),
            Effect::Settle(settlement) => self.at(delay_ms, Event::Settle(number, settlement)),
            Effect::Start(attempt) => self.at(1, Event::Send(number, Box::new(attempt))),
            Effect::Abort(attempt) => {
                let verdict = Verdict::NotStarted;
                self.at(0, Event::End(number, attempt.0, verdict));
            }
            Effect::Release(bucket) => self.release(number, bucket.0),
            Effect::Tell(_) => {}
        }
    }

    fn read(&mut self, number: u64, read: &Read) {
        let Some(name) = self.reached(number) else {
            let input = Input::ReadFailed(read.number);
            return self.at(100, Event::Input(number, Box::new(input)));
        };
        let found = self.platforms[&name].table.read(read);
        self.at(1, Event::Input(number, Box::new(Input::Found(found))));
    }

    fn settle(&mut self, number: u64, settlement: &Settlement) {
        let Some(name) = self.reached(number) else {
            let input = Input::SettleFailed(settlement.number);
            return self.at(100, Event::Input(number, Box::new(input)));
        };
        let platform = self.platforms.get_mut(&name).unwrap();
        if platform.locks_next && !settlement.outcomes.is_empty() {
            platform.locks_next = false;
            platform.table.locked = Some(settlement.outcomes[0].id.0);
        }
        let results = platform.table.settle(settlement);
        let fenced = results.iter().filter(|result| **result == Settled::Fenced).count();
        if let Some(node) = self.nodes.get_mut(&number) {
            node.fenced += fenced as u64;
        }
        let input = Input::Settled { number: settlement.number, results };
        self.at(1, Event::Input(number, Box::new(input)));
    }

    fn send(&mut self, number: u64, attempt: &Attempt) {
        let true_ms = self.true_ms;
        let Some(node) = self.nodes.get_mut(&number) else { return };
        let from = node.platform;
        let is_late = node.mono_ms(true_ms) > attempt.start_by_mono_ms;
        node.running.insert(attempt.number.0);
        let verdict = if is_late {
            Verdict::NotStarted
        } else {
            self.sends += 1;
            business::receive(self, from, attempt)
        };
        let takes_ms = 5 + self.dice.below(60) as i64;
        self.at(takes_ms, Event::End(number, attempt.number.0, verdict));
    }

    fn end(&mut self, number: u64, attempt: u64, verdict: Verdict) {
        let Some(node) = self.nodes.get_mut(&number) else { return };
        if node.running.remove(&attempt) {
            let attempt = posthouse_pump::attempt::AttemptNo(attempt);
            self.feed(number, Input::Verdict { attempt, verdict });
        }
    }

    /// Takes down what must not be.
    pub fn demand(&mut self, is_so: bool, what: &str, from: Name, attempt: &Attempt) {
        if !is_so {
            let Attempt { request, endpoint, try_no, .. } = attempt;
            let (id, code, key) = (request.id.0, &request.code, &request.key);
            self.blame(&format!(
                "{from:?} {id} {code} {key:?} to {endpoint}, try {try_no}, {what}"
            ));
        }
    }

    /// The same.
    pub fn blame(&mut self, what: &str) {
        let at = self.platforms[&Name::Operation].window.local_time(self.true_ms);
        self.wrong.push(format!("{at} {what}"));
        assert!(self.wrong.len() < 20, "{}", self.verdict());
    }

    /// What was wrong, and how it is seen again.
    pub fn verdict(&self) -> String {
        let told: Vec<String> = self.told.iter().map(Told::to_string).collect();
        format!(
            "seed {}:\n{}\n--- all alarms:\n{}\nagain: WEEK_SEED={} {AGAIN}",
            self.seed,
            self.wrong.join("\n"),
            told.join("\n"),
            self.seed
        )
    }
}
