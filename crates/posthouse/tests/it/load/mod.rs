//! A load on a real node: the clients of the simulation over real sockets, and the history of what
//! they did and saw.
//!
//! Whoever tests decides what happens to the node and tells the [`Load`]; the clients go on by
//! themselves, each in a thread of its own, with what the simulation's workload draws for them. At
//! the end everything is drained and the checker reads the history, as it does after a simulation.
//!
//! Clients are told to meet a node by the [`Gate`] and write what they do to the [`Chronicle`].
//! A load ends when it is dropped or drained; its threads end with it.

mod chronicle;
mod client;
mod drain;
mod gate;
mod link;
mod settings;
mod verdict;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use posthouse_sim::checker::Report;
use posthouse_sim::client::{Client, Role};
use posthouse_sim::history::{Durable, What};
use posthouse_sim::plan::Plan;
use posthouse_sim::random::{Random, Stream};
use posthouse_sim::workload;

use chronicle::Chronicle;
use client::Actor;
use gate::Gate;
pub(crate) use settings::{CONFIG, SETTINGS, seed};
pub(crate) use verdict::{check_store, expect_kept};

/// Clients that send and consume while the node is disturbed.
const WORKERS: u32 = 6;

/// Clients get ids of their own in each chapter, for the node remembers what their producers have
/// numbered before.
const IDS_PER_CHAPTER: u32 = 100;

/// What happens to one node between two times at which everything is drained and checked.
pub(crate) struct Load {
    name: &'static str,
    seed: u64,
    chapter: u32,
    plan: Arc<Plan>,
    chronicle: Arc<Chronicle>,
    gate: Arc<Gate>,
    workers: Vec<JoinHandle<()>>,
    /// Every durable subscription that there may be, from earlier chapters too.
    durables: BTreeSet<Durable>,
}

impl Load {
    /// Clients that wait for a node. The test's `name` and the seed name the history if something
    /// is wrong.
    pub(crate) fn new(name: &'static str, seed: u64) -> Load {
        let plan = Arc::new(settings::plan(seed));
        let chronicle = Arc::new(Chronicle::new(settings::terms(&plan)));
        let gate = Arc::new(Gate::default());
        let durables = BTreeSet::new();
        let workers = Vec::new();
        let mut load = Load { name, seed, chapter: 0, plan, chronicle, gate, workers, durables };
        load.start_workers();
        load
    }

    fn start_workers(&mut self) {
        let ids = (1..=WORKERS).map(|number| self.chapter * IDS_PER_CHAPTER + number);
        self.workers = ids.map(|id| self.start(self.worker(id))).collect();
    }

    fn start(&self, client: Client) -> JoinHandle<()> {
        let random = Random::new(self.seed ^ u64::from(client.id) << 32, Stream::Workload);
        let (plan, chronicle, gate) =
            (self.plan.clone(), self.chronicle.clone(), self.gate.clone());
        thread::spawn(move || Actor::new(client, random, plan, chronicle, gate).live())
    }

    /// Half of the workers have a name, the same in each chapter, and with it durable
    /// subscriptions. Nobody sends only: what is never consumed would only make the end longer.
    fn worker(&self, id: u32) -> Client {
        let mut random = Random::new(self.seed ^ u64::from(id), Stream::Plan);
        let mut client = Client::new(id, Role::Worker);
        client.weights = workload::leanings(&mut random);
        settings::balance(&mut client.weights);
        let number = id % IDS_PER_CHAPTER;
        client.name = (number % 2 == 1).then(|| format!("client-{number}"));
        client
    }

    /// A node has started and listens there.
    pub(crate) fn started(&self, stomp: SocketAddr) {
        self.chronicle.note(0, What::Start);
        self.gate.open(stomp);
    }

    /// Waits until the clients have done and seen so much more.
    pub(crate) fn await_events(&self, count: usize) {
        self.chronicle.await_events(count);
    }

    /// The node is gone, and what need not survive with it. Waits until every client has read what
    /// was on its way and has noticed, so that nothing from before is taken for something after.
    pub(crate) fn crashed(&self) {
        self.gate.close();
        self.chronicle.note(0, What::Crash);
    }

    /// Ends the chapter: the workers leave, fresh consumers empty everything, and the checker
    /// reads the history. Then a new chapter begins.
    pub(crate) fn drain(&mut self, stomp: SocketAddr, http: SocketAddr) -> Report {
        self.chronicle.note(0, What::Heal);
        self.gate.dismiss();
        self.join();
        self.durables.extend(self.chronicle.durables());
        self.gate.open(stomp);
        self.run_drainers(http);
        let report = self.judge();
        self.chapter += 1;
        self.chronicle.turn_page(settings::terms(&self.plan));
        self.gate.recall();
        self.start_workers();
        report
    }

    fn join(&mut self) {
        for worker in self.workers.drain(..) {
            worker.join().expect("a client does not panic");
        }
    }
}

impl Drop for Load {
    /// Clients end whatever became of the test; a panic of theirs has been told by then.
    fn drop(&mut self) {
        self.gate.dismiss();
        for worker in self.workers.drain(..) {
            drop(worker.join());
        }
        if thread::panicking() {
            self.keep(&self.chronicle.copy());
        }
    }
}
