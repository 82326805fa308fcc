//! Disturbs nodes and their database while writers write and the receiver misbehaves, and has the
//! checker look whether every promise was kept.
//!
//! Which fault comes when follows from the seed; what writers write and what the receiver does as
//! well. The order of events differs from run to run, because these are real processes; the checker
//! reads what really happened.

use std::time::Duration;

use posthouse_relay::source::operate::Action;
use posthouse_sim::random::{Random, Stream};
use rustix::process::Signal;

use super::clock::{await_until, linger};
use super::config::LEASE_MS;
use super::database::{rows, run, try_run};
use super::scene::{Database, PATIENCE, Scene};
use crate::load::seed;

/// After a fault the relay moves again within a lease and ten seconds. The rest is for a busy
/// machine.
const PROGRESS: Duration = Duration::from_secs(20);

/// Longer than a lease.
const STANDSTILL: Duration = Duration::from_millis(LEASE_MS.unsigned_abs() + 300);

/// Calls between two faults.
const CALLS: (u64, u64) = (5, 60);

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// SIGKILL to a node, which is started again.
    Kill,
    /// SIGTERM to a node, which has to end in order and is started again.
    Terminate,
    /// SIGSTOP to a node until others have taken over what it had, then SIGCONT.
    Freeze,
    /// The database crashes and is started again.
    Crash,
    /// The database stands still for longer than a lease.
    Pause,
    /// Every connection to the database is ended from within.
    Disconnect,
    /// The slots are divided into another number of buckets.
    Divide,
    /// The group that is there for that is switched off, or on.
    Switch(bool),
    /// The window that is there for that is shut, or opened.
    Window(bool),
}

const SEVERAL_NODES: [Fault; 11] = [
    Fault::Switch(false),
    Fault::Kill,
    Fault::Freeze,
    Fault::Window(false),
    Fault::Crash,
    Fault::Divide,
    Fault::Switch(true),
    Fault::Pause,
    Fault::Disconnect,
    Fault::Window(true),
    Fault::Terminate,
];

const ONE_FILE: [Fault; 6] = [
    Fault::Kill,
    Fault::Switch(false),
    Fault::Window(false),
    Fault::Terminate,
    Fault::Switch(true),
    Fault::Window(true),
];

#[test]
fn two_nodes_keep_every_promise() {
    prove("two_nodes", 1, |seed| Scene::on_postgres(seed, 2), &SEVERAL_NODES, (15, 250));
}

#[test]
fn three_nodes_keep_every_promise() {
    prove("three_nodes", 2, |seed| Scene::on_postgres(seed, 3), &SEVERAL_NODES, (12, 200));
}

#[test]
fn two_nodes_on_mariadb_keep_every_promise() {
    prove("two_nodes_on_mariadb", 4, |seed| Scene::on_mariadb(seed, 2), &SEVERAL_NODES, (12, 250));
}

#[test]
fn a_node_on_a_file_keeps_every_promise() {
    prove("a_node_on_a_file", 3, Scene::on_sqlite, &ONE_FILE, (8, 50));
}

/// Plays so many faults, or with `POSTHOUSE_TEST_LONG` the second figure.
fn prove(name: &str, salt: u64, open: impl Fn(u64) -> Scene, kinds: &[Fault], counts: (u32, u32)) {
    let seed = seed().wrapping_mul(1_000).wrapping_add(salt);
    let is_long = std::env::var_os("POSTHOUSE_TEST_LONG").is_some();
    let count = if is_long { counts.1 } else { counts.0 };
    println!("{name}: {count} faults; POSTHOUSE_TEST_SEED={} repeats them", seed / 1_000);
    let mut random = Random::new(seed, Stream::Faults);
    let mut scene = open(seed);
    for fault in draw(&mut random, kinds, count) {
        scene.await_calls(&mut random);
        println!("{name}: {fault:?} after {} calls", scene.receiver.count());
        scene.play(fault, &mut random);
    }
    scene.await_calls(&mut random);
    let verdict = scene.end();
    println!("{name}: {verdict}");
    assert!(verdict.violations.is_empty(), "{name}: promises were broken: {verdict}");
    assert!(verdict.figures.done > 0, "{name}: nothing happened: {verdict}");
}

/// Every kind as often as every other, but for the rest, in an order that is drawn.
fn draw(random: &mut Random, kinds: &[Fault], count: u32) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut bag = Vec::new();
    for _ in 0..count {
        if bag.is_empty() {
            bag = kinds.to_vec();
        }
        let at = usize::try_from(random.below(bag.len() as u64)).unwrap_or_default();
        faults.push(bag.swap_remove(at));
    }
    faults
}

impl Scene {
    fn await_calls(&self, random: &mut Random) {
        let count = random.between(CALLS.0, CALLS.1);
        self.receiver.await_calls(usize::try_from(count).unwrap_or_default(), PROGRESS);
    }

    fn play(&mut self, fault: Fault, random: &mut Random) {
        let node = usize::try_from(random.below(self.nodes.len() as u64)).unwrap_or_default();
        match fault {
            Fault::Kill => self.restart(node, |scene, node| scene.nodes[node].kill()),
            Fault::Terminate => self.restart(node, |scene, node| scene.nodes[node].stop()),
            Fault::Freeze => self.freeze(node),
            Fault::Crash => self.crash(),
            Fault::Pause => self.pause(),
            Fault::Disconnect => self.disconnect(),
            Fault::Divide => {
                let buckets = u32::try_from(random.between(1, 40)).unwrap_or(1);
                self.operate(&Action::Buckets(buckets));
            }
            Fault::Switch(is_active) => self.switch(is_active),
            Fault::Window(is_open) => self.open_window(is_open),
        }
    }

    /// While a node is away the others go on; alone, it starts again at once.
    fn restart(&mut self, node: usize, end: impl Fn(&mut Scene, usize)) {
        end(self, node);
        if self.nodes.len() > 1 {
            self.receiver.await_calls(10, PROGRESS);
        }
        self.nodes[node].start_elsewhere();
    }

    fn freeze(&mut self, node: usize) {
        self.nodes[node].signal(Signal::STOP);
        await_until("others take over", PATIENCE, || self.is_taken_over(node));
        self.receiver.await_calls(5, PROGRESS);
        self.nodes[node].signal(Signal::CONT);
    }

    fn crash(&mut self) {
        if let Some(database) = &mut self.database {
            database.crash().expect("the database starts again");
        }
    }

    fn pause(&mut self) {
        if let Some(database) = &mut self.database {
            database.pause().expect("the database can be paused");
            linger(STANDSTILL);
            database.resume().expect("the database goes on");
        }
    }

    fn disconnect(&self) {
        if let Some(Database::Mariadb(_)) = &self.database {
            return self.disconnect_one_by_one();
        }
        const OTHERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
        run(&self.url, OTHERS);
        try_run(&self.url, OTHERS).expect("it can be done twice");
    }

    /// MariaDB ends connections by their numbers only. One that is gone already needs no end.
    fn disconnect_one_by_one(&self) {
        const OTHERS: &str = "SELECT CAST(id AS TEXT) FROM information_schema.processlist \
            WHERE id <> connection_id() AND user = 'root'";
        let others = rows(&self.url, OTHERS).into_iter().flatten().flatten();
        let ended = others.filter(|id| try_run(&self.url, &format!("KILL {id}")).is_ok()).count();
        assert!(ended > 0, "nobody was connected");
    }
}
