//! Cuts the power of a machine that runs the node under load.
//!
//! The machine is emulated, so that its end is that of a real one: whatever the node has not synced
//! is gone with the guest's memory. The clients are those of the kill test, on the host's side of
//! the guest's network; they judge by the same checker. This takes minutes and programs that are
//! not there by default, so it only runs when it is asked for: `cargo xtask power-cut`.

mod image;
mod machine;

use posthouse_sim::checker::Report;
use posthouse_sim::random::{Random, Stream};

use crate::load::{Load, expect_kept, seed};
use image::Image;
use machine::Machine;

/// Cuts between two times at which everything is drained and checked.
const CUTS_PER_CHAPTER: u32 = 10;
/// Events of all clients between a start and a cut.
const EVENTS_MIN: u64 = 20;
const EVENTS_MAX: u64 = 1_500;
/// How many of a hundred cuts are followed by another one while the machine starts.
const AGAIN_PERCENT: u64 = 30;
/// Where on its way up a machine loses its power again.
const MOMENTS: [&str; 3] = ["the disk is mounted", "the store is open", " ready "];

/// A machine and its disk, and how often it has lost its power.
struct Site {
    image: Image,
    environment: &'static str,
    random: Random,
    cuts: u32,
}

impl Site {
    fn new(seed: u64, environment: &'static str) -> Site {
        let random = Random::new(seed, Stream::Faults);
        Site { image: Image::make(), environment, random, cuts: 0 }
    }

    fn start(&self) -> Machine {
        Machine::start(&self.image, self.environment)
    }

    /// Lets clients work for a while, cuts the power, perhaps once more on the way up, and has the
    /// machine come back.
    fn play(&mut self, mut machine: Machine, load: &Load) -> Machine {
        load.started(machine.stomp);
        let events = self.random.between(EVENTS_MIN, EVENTS_MAX);
        load.await_events(usize::try_from(events).expect("it is small"));
        self.cut(machine);
        load.crashed();
        machine = self.start();
        while self.random.chance(AGAIN_PERCENT) {
            let moment = self.random.pick(&MOMENTS).expect("there are some");
            machine.await_line(moment);
            self.cut(machine);
            machine = self.start();
        }
        machine.await_ready();
        machine
    }

    fn cut(&mut self, machine: Machine) {
        machine.cut();
        self.cuts += 1;
    }

    /// How often the node found something unconfirmed behind the end of its log.
    fn tails(&self) -> usize {
        let console = std::fs::read_to_string(self.image.console()).unwrap_or_default();
        console.matches("left alone what a crash had cut off").count()
    }
}

/// How many cuts are asked for, if any.
fn cuts() -> Option<u32> {
    let text = std::env::var("POSTHOUSE_TEST_POWER_CUTS").ok()?;
    Some(text.parse().expect("POSTHOUSE_TEST_POWER_CUTS is a number"))
}

fn play_chapter(site: &mut Site, mut machine: Machine, load: &mut Load) -> (Machine, Report) {
    for _ in 0..CUTS_PER_CHAPTER {
        machine = site.play(machine, load);
    }
    load.started(machine.stomp);
    let report = load.drain(machine.stomp, machine.http);
    (machine, report)
}

#[test]
fn a_machine_without_power_keeps_its_word() {
    let Some(cuts) = cuts() else { return };
    let seed = seed();
    let mut site = Site::new(seed, "");
    let mut load = Load::new("power-cut", seed);
    let mut machine = site.start();
    machine.await_ready();
    let (mut confirmed, mut recovered) = (0, 0);
    while site.cuts < cuts {
        let (still, report) = play_chapter(&mut site, machine, &mut load);
        machine = still;
        let figures = expect_kept(&report);
        confirmed += figures.acknowledged;
        recovered += figures.recovered;
    }
    drop(load);
    machine.stop();
    site.image.check();
    let Site { cuts, .. } = site;
    let tails = site.tails();
    println!(
        "seed {seed}: {cuts} cuts, {confirmed} messages confirmed, 0 lost, 0 duplicated; \
         {recovered} found that were not confirmed; {tails} unconfirmed tails"
    );
}

/// A rig that has never seen a loss proves nothing.
#[cfg(feature = "planted-bugs")]
#[test]
fn a_node_that_does_not_sync_is_found_out() {
    let Some(cuts) = cuts() else { return };
    let seed = seed();
    let mut site = Site::new(seed, "POSTHOUSE_PLANTED_BUG=DurableBeforeSync");
    let mut load = Load::new("power-cut-without-sync", seed);
    let mut machine = site.start();
    machine.await_ready();
    while site.cuts < cuts {
        let (still, report) = play_chapter(&mut site, machine, &mut load);
        machine = still;
        if !report.violations.is_empty() {
            println!("seed {seed}: found out after {} cuts: {report}", site.cuts);
            return;
        }
    }
    panic!("{cuts} cuts have not shown that the node does not sync");
}
