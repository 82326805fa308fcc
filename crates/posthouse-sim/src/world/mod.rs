//! One run: a node, a network and many clients in virtual time, and everything that goes wrong
//! between them.
//!
//! The world is an agenda of happenings. It draws all chance from the seed's streams and looks at
//! no clock, so that a seed always gives the same run. When the disturbances end it lets everybody
//! leave, has fresh consumers empty everything, and hands the history to the checker.

mod agenda;
mod client;
mod fault;
mod healing;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::checker::{self, Report};
use crate::client::{Client, Role};
use crate::clock;
use crate::history::{Durable, Event, History, Key, Target, Terms, What};
use crate::invariants::Breach;
use crate::network::{End, LinkId, Network};
use crate::node::{Node, Promises};
use crate::plan::Plan;
use crate::random::{Random, Stream};
use crate::shadow::Shadow;
use crate::workload::{self, Numbers};

use agenda::{Agenda, Happening};

/// Happenings of one run; one that needs more is stuck at a moment.
const HAPPENINGS_MAX: u64 = 5_000_000;

/// Time between two comparisons with the shadow, in milliseconds.
const LOOK_MS: u64 = 200;

/// How a run went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What clients did and saw.
    pub history: History,
    /// The invariant that did not hold, if one did not: the run ended there.
    pub breach: Option<Breach>,
    /// What the checker says; absent if the run ended early.
    pub report: Option<Report>,
    /// What was left when nobody hoped any more that everything would be consumed.
    pub remains: Vec<String>,
    /// Simulated time, in milliseconds.
    pub lasted_ms: u64,
    /// How many messages arrived.
    pub deliveries: u64,
    /// How often the node was killed.
    pub crashes: u64,
    /// A number that two runs of the same seed share.
    pub trace: u64,
}

impl Outcome {
    /// What went wrong, in the words of whoever noticed first.
    pub fn failure(&self) -> Option<String> {
        if let Some(breach) = &self.breach {
            return Some(breach.to_string());
        }
        let report = self.report.as_ref()?;
        (!report.violations.is_empty()).then(|| report.to_string())
    }

    /// The name of what noticed that something went wrong: an invariant or a check.
    pub fn noticed_by(&self) -> Option<&'static str> {
        if let Some(breach) = &self.breach {
            return Some(breach.invariant);
        }
        let violation = self.report.as_ref()?.violations.first();
        violation.map(|violation| violation.check.name())
    }
}

/// See the module.
struct World {
    plan: Plan,
    terms: Terms,
    now_ms: u64,
    agenda: Agenda,
    node: Node,
    network: Network,
    clients: BTreeMap<u32, Client>,
    links: BTreeMap<LinkId, u32>,
    history: History,
    numbers: Numbers,
    workload: Random,
    disk: Random,
    faults: Random,
    shadow: Shadow,
    promises: Promises,
    committing: BTreeMap<u64, Vec<(Key, Target)>>,
    durables: BTreeSet<Durable>,
    healed_ms: Option<u64>,
    is_over: bool,
    remains: Vec<String>,
}

/// Runs a plan to its end.
pub fn run(plan: &Plan) -> Outcome {
    let mut world = World::new(plan);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
    let breach = lived.unwrap_or_else(|panic| Err(breach_of(panic.as_ref()))).err();
    let World { history, now_ms, remains, .. } = world;
    let count = |is_meant: fn(&What) -> bool| {
        history.events.iter().filter(|event| is_meant(&event.what)).count() as u64
    };
    let crashes = count(|what| *what == What::Crash);
    let deliveries = count(|what| matches!(what, What::Deliver(_)));
    let report = if breach.is_none() { Some(judge(&history)) } else { None };
    let trace = trace_of(&history);
    let seed = plan.seed;
    let lasted_ms = now_ms;
    Outcome { seed, history, breach, report, remains, lasted_ms, deliveries, crashes, trace }
}

/// A panic of the node is a breach like any other; the world is only looked at after it.
fn breach_of(panic: &(dyn Any + Send)) -> Breach {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let detail = text.unwrap_or("without words").to_owned();
    Breach { invariant: "nothing-panics", detail }
}

fn judge(history: &History) -> Report {
    checker::check(history).expect("the simulation writes consistent histories")
}

/// FNV-1a over the text of the history.
fn trace_of(history: &History) -> u64 {
    let text = history.to_text();
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl World {
    fn new(plan: &Plan) -> World {
        let terms = plan.terms();
        let mut world = World {
            plan: plan.clone(),
            terms: terms.clone(),
            now_ms: 0,
            agenda: Agenda::default(),
            node: Node::new(plan),
            network: Network::new(plan),
            clients: BTreeMap::new(),
            links: BTreeMap::new(),
            history: History { terms, events: Vec::new() },
            numbers: Numbers::default(),
            workload: Random::new(plan.seed, Stream::Workload),
            disk: Random::new(plan.seed, Stream::Disk),
            faults: Random::new(plan.seed, Stream::Faults),
            shadow: Shadow::new(plan.terms()),
            promises: Promises::new(),
            committing: BTreeMap::new(),
            durables: BTreeSet::new(),
            healed_ms: None,
            is_over: false,
            remains: Vec::new(),
        };
        world.populate();
        world
    }

    fn populate(&mut self) {
        for id in 1..=self.plan.clients {
            let is_watcher = self.plan.topics && id == self.plan.clients;
            let role = if is_watcher { Role::Watcher } else { Role::Worker };
            let mut client = Client::new(id, role);
            client.weights = workload::leanings(&mut self.workload);
            if self.plan.topics && id % 2 == 1 {
                client.name = Some(format!("client-{id}"));
            }
            self.clients.insert(id, client);
            let wake_ms = self.workload.below(200);
            self.agenda.add(wake_ms, Happening::Wake(id));
        }
        self.agenda.add(0, Happening::Restart);
        self.agenda.add(1, Happening::Sync);
        self.agenda.add(LOOK_MS, Happening::Look);
        self.agenda.add(self.plan.busy_ms, Happening::Heal);
        self.plan_next_fault(Happening::Crash);
        self.plan_next_fault(Happening::Break);
        self.plan_next_fault(Happening::Manage);
    }

    fn live(&mut self) -> Result<(), Breach> {
        for _ in 0..HAPPENINGS_MAX {
            let Some((at_ms, happening)) = self.agenda.next() else { return Ok(()) };
            self.now_ms = self.now_ms.max(at_ms);
            self.happen(happening)?;
            if self.is_over {
                return Ok(());
            }
        }
        let detail = format!("still at {} ms after {HAPPENINGS_MAX} happenings", self.now_ms);
        Err(Breach { invariant: "time-passes", detail })
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Breach> {
        match happening {
            Happening::Wake(client) => self.wake(client),
            Happening::Arrive(link, End::Client) => self.read(link),
            Happening::Arrive(_, End::Node) => {
                self.settle_soon();
                Ok(())
            }
            Happening::Settle => {
                self.agenda.settled();
                self.settle()
            }
            Happening::Sync => self.sync(),
            Happening::Tick => {
                self.agenda.ticked();
                self.node.tick(clock::now(self.now_ms));
                self.settle()
            }
            Happening::Crash => self.crash(),
            Happening::Restart => self.restart(),
            Happening::Break => {
                self.break_something();
                Ok(())
            }
            Happening::NodeLearns(link) => {
                self.node.hang_up(clock::now(self.now_ms), link);
                if !self.links.contains_key(&link) {
                    self.network.forget(link);
                }
                self.settle()
            }
            Happening::ClientLearns(link) => {
                self.lose(link);
                Ok(())
            }
            Happening::Manage => self.manage(),
            Happening::Heal => self.heal(),
            Happening::Drain => {
                self.send_drainers();
                Ok(())
            }
            Happening::Look => self.look(),
            Happening::Watch => {
                self.watch();
                Ok(())
            }
        }
    }

    fn note(&mut self, client: u32, what: What) {
        let event = Event { at_ms: self.now_ms, client, what };
        if self.plan.looks_inside {
            self.shadow.hear(&event);
        }
        self.history.events.push(event);
    }

    /// Compares the node with the shadow, now and again.
    fn look(&mut self) -> Result<(), Breach> {
        self.agenda.add(self.now_ms + LOOK_MS, Happening::Look);
        self.compare()
    }

    fn compare(&mut self) -> Result<(), Breach> {
        let Some(driver) = self.node.driver().filter(|_| self.plan.looks_inside) else {
            return Ok(());
        };
        self.shadow.compare(self.now_ms, driver.broker())
    }

    /// Has the node look at what has arrived, soon: several arrivals share a turn.
    fn settle_soon(&mut self) {
        let at_ms = self.now_ms + self.network.delay_ms(1);
        self.agenda.settle(at_ms);
    }

    fn settle(&mut self) -> Result<(), Breach> {
        let arriving = self.node.settle(self.now_ms, &mut self.network, &self.promises)?;
        for (due_ms, link, end) in arriving {
            self.agenda.add(due_ms, Happening::Arrive(link, end));
        }
        if let Some(deadline_ms) = self.node.next_deadline_ms(clock::now(self.now_ms)) {
            let late_ms = self.network.delay_ms(3);
            self.agenda.tick(deadline_ms.max(self.now_ms) + late_ms);
        }
        Ok(())
    }
}
