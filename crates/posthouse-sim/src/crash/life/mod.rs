//! One life of a node, from its start on some disk to wherever one stops: the real driver over the
//! real journal, whose workers work when they are told to, and clients without a network.
//!
//! Everything that clients do and see is noted with the place in the disk's trace at which it
//! happened, so that for any later crash at any place it is known what had been promised by then.

mod clients;
mod drain;
mod excuse;
mod hearing;
mod manage;

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use posthouse_core::broker::Broker;
use posthouse_core::command::Command;
use posthouse_core::driver::Driver;
use posthouse_core::ids::BatchNo;
use posthouse_store::journal::{Hands, Worker};

use crate::carrier::ValueFront;
use crate::client::Client;
use crate::clock;
use crate::crash::disks::Disks;
use crate::crash::past::Past;
use crate::crash::setup::Setup;
use crate::crash::witness::{Notes, Witness};
use crate::history::{Event, Op, Target, What};
use crate::invariants::Breach;
use crate::random::{Random, Stream};
use crate::workload::Numbers;

/// Rounds in which a node comes to rest; one that still moves then is spinning.
const ROUNDS_MAX: usize = 10_000;

/// How many of the idle moments are long ones, how many moments those have, and what the journal
/// may do meanwhile.
const LONG_IDLES_PERCENT: u64 = 30;
const IDLES: usize = 5;
const WORK_WHILE_IDLE: u64 = 20;

/// A client with what speaks for it at the node, if it is connected.
struct Seat {
    client: Client,
    front: Option<ValueFront>,
    is_leaving: bool,
}

/// See the module.
pub struct Life {
    setup: Setup,
    /// What it lives on.
    pub disks: Disks,
    driver: Driver,
    hands: Hands,
    notes: Rc<RefCell<Notes>>,
    seats: BTreeMap<u32, Seat>,
    past: Past,
    /// How long the trace was when the node had started.
    started: usize,
    events: Vec<Event>,
    places: Vec<usize>,
    /// How long the trace was at the end of each step, and what the time was.
    steps: Vec<(usize, u64)>,
    /// Whether producers may be told that the disk is full.
    pub may_be_full: bool,
    /// Whether messages may be found that cannot be read.
    pub may_be_damaged: bool,
    /// What a person was told about such messages.
    pub alarms: Vec<String>,
    /// Destinations that were removed, each with the number of the call that did so last.
    removed: BTreeMap<Target, Op>,
    numbers: Numbers,
    workload: Random,
    labour: Random,
    now_ms: u64,
}

impl Life {
    /// Starts a node on what the disks have.
    ///
    /// # Errors
    /// If it does not start, in words for a person.
    pub fn begin(setup: &Setup, disks: &Disks, past: Past) -> Result<Life, String> {
        let hands = Hands::new();
        let store = setup.open_journal(disks, &hands)?;
        let (witness, notes) = Witness::before(store, &disks.journal);
        let now_ms = past.now_ms + 1;
        let seed = setup.seed ^ past.last_number << 20;
        let broker = Broker::new(setup.policies());
        let driver = Driver::with_broker(broker, Box::new(witness), clock::now(now_ms))?;
        Ok(Life {
            setup: setup.clone(),
            started: disks.journal.operations(),
            disks: disks.clone(),
            driver,
            hands,
            notes,
            seats: BTreeMap::new(),
            numbers: Numbers::after(past.last_number),
            past,
            events: Vec::new(),
            places: Vec::new(),
            steps: Vec::new(),
            may_be_full: false,
            may_be_damaged: false,
            alarms: Vec::new(),
            removed: BTreeMap::new(),
            workload: Random::new(seed, Stream::Workload),
            labour: Random::new(seed, Stream::Disk),
            now_ms,
        })
    }

    /// The broker, to look at.
    pub fn broker(&self) -> &Broker {
        self.driver.broker()
    }

    /// What went through the store.
    pub fn notes(&self) -> Ref<'_, Notes> {
        self.notes.borrow()
    }

    /// How long the disk's trace was when the node had started.
    pub fn started(&self) -> usize {
        self.started
    }

    /// What happened before.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// What happened in all lives up to this one's end.
    pub fn events(&self) -> Vec<Event> {
        self.past.events.iter().chain(&self.events).cloned().collect()
    }

    /// What is known if it crashes after `place` operations on the disk.
    pub fn past_at(&self, place: usize) -> Past {
        let notes = self.notes.borrow();
        let seen = self.places.partition_point(|noted| *noted <= place);
        let seen = self.events.get(..seen).unwrap_or_default();
        let found = self.past.batches.iter().filter(|batch| batch.number <= notes.recovered);
        let submitted = notes.submitted_at(place).iter().map(|(_, batch)| batch);
        let is_started = place >= self.started;
        let past = Past {
            events: self.past.events.iter().chain(seen).cloned().collect(),
            batches: found.chain(submitted).cloned().collect(),
            floor: match is_started {
                true => notes.recovered.max(notes.durable_at(place)),
                false => self.past.floor,
            },
            now_ms: self.time_of(place),
            last_number: self.numbers.last(),
        };
        past.end()
    }

    fn time_of(&self, place: usize) -> u64 {
        let step = self.steps.partition_point(|(operations, _)| *operations < place);
        self.steps.get(step).map_or(self.now_ms, |(_, now_ms)| *now_ms)
    }

    /// Lets clients in, if none are there, and as many things happen.
    ///
    /// # Errors
    /// What should not be; among that, that the node stops.
    pub fn live_on(&mut self, steps: u64) -> Result<(), Breach> {
        if self.seats.is_empty() {
            self.populate();
        }
        for _ in 0..steps {
            self.step()?;
            self.works()?;
        }
        Ok(())
    }

    /// Does one thing: a client acts, the journal works a little, or somebody manages the node.
    ///
    /// # Errors
    /// What should not be.
    pub fn step(&mut self) -> Result<(), Breach> {
        self.now_ms += self.labour.below(self.setup.plan.think_ms_max / 8 + 2);
        self.tick();
        match self.labour.weighted(&[60, 34, 3, 3]) {
            0 => self.wake_somebody()?,
            1 => self.work(),
            2 => self.idle(),
            _ => self.manage(),
        }
        let turned = self.turn();
        self.steps.push((self.disks.journal.operations(), self.now_ms));
        turned
    }

    /// Why the store no longer works, if it does not.
    pub fn failure(&self) -> Option<&str> {
        self.driver.failure()
    }

    /// # Errors
    /// Why the store no longer works, if it does not.
    fn works(&self) -> Result<(), Breach> {
        let broken = |why: &str| Breach { invariant: "store-works", detail: why.to_owned() };
        self.failure().map_or(Ok(()), |why| Err(broken(why)))
    }

    fn note(&mut self, client: u32, what: What) {
        self.events.push(Event { at_ms: self.now_ms, client, what });
        self.places.push(self.disks.journal.operations());
    }

    fn tick(&mut self) {
        let now = clock::now(self.now_ms);
        if self.driver.next_deadline_ms(now).is_some_and(|due_ms| due_ms <= self.now_ms) {
            let _ = self.driver.apply(now, Command::Tick);
        }
    }

    /// Nothing is submitted for a moment, or for so long that spares are filled.
    fn idle(&mut self) {
        self.hands.idle();
        if self.labour.chance(LONG_IDLES_PERCENT) {
            (0..IDLES).for_each(|_| self.hands.idle());
            (0..self.labour.below(WORK_WHILE_IDLE)).for_each(|_| self.work());
        }
    }

    /// One of the journal's workers does one thing, if any has something to do.
    fn work(&mut self) {
        let ready: Vec<Worker> = self.hands.ready();
        if let Some(worker) = self.labour.pick(&ready) {
            self.hands.step(*worker);
        }
    }

    /// The node takes what the journal says, hands out, and clients read what there is for them.
    fn turn(&mut self) -> Result<(), Breach> {
        self.driver.turn(clock::now(self.now_ms));
        self.alarms.extend(self.driver.take_alarms());
        match self.alarms.first().filter(|_| !self.may_be_damaged) {
            Some(alarm) => Err(Breach { invariant: "nothing-is-damaged", detail: alarm.clone() }),
            None => self.hear(),
        }
    }

    /// Lets the journal work until there is nothing left to do.
    ///
    /// # Errors
    /// What should not be.
    pub fn rest(&mut self) -> Result<(), Breach> {
        for _ in 0..ROUNDS_MAX {
            self.tick();
            self.turn()?;
            let ready = self.hands.ready();
            ready.iter().for_each(|worker| self.hands.step(*worker));
            let is_idle = ready.is_empty() && !self.driver.has_work(clock::now(self.now_ms));
            if is_idle || self.failure().is_some() {
                return self.turn();
            }
        }
        Err(Breach { invariant: "turns-end", detail: "the node or its journal spins".into() })
    }

    /// Comes to rest, and has nothing to do for so long that the last batch gets its witness.
    ///
    /// # Errors
    /// What should not be.
    pub fn rest_for_long(&mut self) -> Result<(), Breach> {
        self.rest()?;
        self.hands.idle();
        self.rest()
    }

    /// The last batch that was there at the start.
    pub fn recovered(&self) -> BatchNo {
        self.notes.borrow().recovered
    }
}
