//! The simulated node: the real driver on a disk that can lose power, and a front for each link.

use std::collections::BTreeMap;

use posthouse_core::broker::Broker;
use posthouse_core::command::Command;
use posthouse_core::driver::Driver;
use posthouse_core::effect::Effect;
use posthouse_core::ids::HolderId;
use posthouse_core::policy::Policies;
use posthouse_core::time::Now;

use crate::carrier::{Front, Parcel};
use crate::clock;
use crate::invariants::{self, Breach};
use crate::journal::Journal;
use crate::network::{End, LinkId, Network};
use crate::plan::{Carrier, Plan};

/// Rounds of one settling; a node that still moves then is spinning.
const ROUNDS_MAX: usize = 10_000;

/// Rounds in which nothing moves although the driver says that it has work.
const IDLE_ROUNDS_MAX: usize = 5_000;

/// What the node promises with which receipt: the persistent messages that are then safe.
pub type Promises = BTreeMap<u64, Vec<(u64, crate::history::Target)>>;

/// Something on its way that arrives at this time at this end of this link.
pub type Arriving = (u64, LinkId, End);

/// See the module.
pub struct Node {
    plan: Plan,
    policies: Policies,
    journal: Journal,
    driver: Option<Driver>,
    fronts: BTreeMap<LinkId, Front>,
    holders: BTreeMap<HolderId, LinkId>,
}

impl Node {
    /// A node that has not been started, on an empty disk.
    pub fn new(plan: &Plan) -> Node {
        Node {
            plan: plan.clone(),
            policies: plan.policies(),
            journal: Journal::new(),
            driver: None,
            fronts: BTreeMap::new(),
            holders: BTreeMap::new(),
        }
    }

    /// Starts it on what the disk has.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(&mut self, now: Now) -> Result<(), Breach> {
        let mut broker = Broker::new(self.policies.clone());
        if let Some(bug) = self.plan.bug {
            broker.plant(bug);
        }
        let started = Driver::with_broker(broker, self.journal.open(), now);
        let failed = |detail| Breach { invariant: "starts-after-crash", detail };
        self.driver = Some(started.map_err(failed)?);
        Ok(())
    }

    /// Cuts its power. Of the batches that the disk has not confirmed `survivors` are kept.
    ///
    /// # Errors
    /// If what the records say differs from the state that it had.
    pub fn crash(&mut self, survivors: u64) -> Result<(), Breach> {
        let driver = self.driver.take().filter(|_| self.plan.looks_inside);
        if let Some(driver) = driver {
            invariants::replay_agrees(&self.policies, &self.journal, driver.broker())?;
        }
        self.fronts.clear();
        self.holders.clear();
        self.journal.crash(usize::try_from(survivors).unwrap_or(usize::MAX));
        Ok(())
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.driver.is_some()
    }

    /// What is submitted and what of it is durable.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The driver, while the node runs.
    pub fn driver(&mut self) -> Option<&mut Driver> {
        self.driver.as_mut()
    }

    /// Takes a new link, if it runs.
    pub fn accept(&mut self, now: Now, link: LinkId) {
        if self.is_up() {
            self.fronts.insert(link, Front::new(&self.plan, now));
        }
    }

    /// The link is gone, as the node sees it.
    pub fn hang_up(&mut self, now: Now, link: LinkId) {
        let Some(mut front) = self.fronts.remove(&link) else { return };
        self.holders.retain(|_, holder_link| *holder_link != link);
        if let Some(driver) = &mut self.driver {
            front.on_closed(now, driver);
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Now) {
        if let Some(driver) = &mut self.driver {
            let _ = driver.apply(now, Command::Tick);
        }
        self.fronts.values_mut().for_each(|front| front.on_timeout(now));
    }

    /// When [`Node::tick`] is due, in milliseconds.
    pub fn next_deadline_ms(&self, now: Now) -> Option<u64> {
        let driver = self.driver.as_ref()?.next_deadline_ms(now);
        let fronts = self.fronts.values().filter_map(Front::next_deadline_ms);
        driver.into_iter().chain(fronts).min()
    }

    /// Takes what has arrived, turns the driver, hands out its effects and writes what there is to
    /// write, until nothing moves any more. Answers what is on its way then.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn settle(
        &mut self,
        at_ms: u64,
        network: &mut Network,
        promises: &Promises,
    ) -> Result<Vec<Arriving>, Breach> {
        let now = clock::now(at_ms);
        let mut arriving = Vec::new();
        let mut idle_rounds = 0;
        for _ in 0..ROUNDS_MAX {
            let read = self.read(now, network);
            let Some(driver) = &mut self.driver else { return Ok(arriving) };
            driver.turn(now);
            let handed = self.hand_out(now, promises)?;
            let written = self.write(now, network, &mut arriving);
            let closed = self.close(now, network, &mut arriving);
            let Some(driver) = &self.driver else { return Ok(arriving) };
            if read || handed || written || closed {
                continue;
            }
            idle_rounds += 1;
            let is_due = driver.next_deadline_ms(now).is_some_and(|due_ms| due_ms <= at_ms);
            if is_due || !driver.has_work(now) {
                return invariants::after_turn(driver).map(|()| arriving);
            }
            if idle_rounds > IDLE_ROUNDS_MAX {
                break;
            }
        }
        Err(Breach { invariant: "turns-end", detail: "the node spins".to_owned() })
    }

    fn read(&mut self, now: Now, network: &mut Network) -> bool {
        let Some(driver) = &mut self.driver else { return false };
        let mut has_read = false;
        let mut gone = Vec::new();
        for (link, front) in &mut self.fronts {
            while front.wants_input()
                && let Some(parcel) = network.receive(now.mono_ms, *link, End::Node)
            {
                has_read = true;
                if matches!(parcel, Parcel::End) {
                    gone.push(*link);
                    break;
                }
                front.on_parcel(now, parcel, driver);
                if let Some(holder) = front.holder() {
                    self.holders.insert(holder, *link);
                }
            }
        }
        gone.into_iter().for_each(|link| self.hang_up(now, link));
        has_read
    }

    fn hand_out(&mut self, now: Now, promises: &Promises) -> Result<bool, Breach> {
        let Some(driver) = &mut self.driver else { return Ok(false) };
        let mut has_handed = false;
        while let Some((holder, effect)) = driver.next_effect() {
            has_handed = true;
            if self.plan.looks_inside {
                invariants::gate_is_kept(&self.policies, &self.journal, &effect)?;
                look_at_receipt(&self.plan, &self.journal, promises, &effect)?;
            }
            // What is for somebody who has left is for nobody.
            let Some(link) = self.holders.get(&holder) else { continue };
            if let Some(front) = self.fronts.get_mut(link) {
                front.on_effect(now, effect, driver);
            }
        }
        Ok(has_handed)
    }

    fn write(&mut self, now: Now, network: &mut Network, arriving: &mut Vec<Arriving>) -> bool {
        let Some(driver) = &mut self.driver else { return false };
        let mut has_written = false;
        for (link, front) in &mut self.fronts {
            while network.has_room(*link, End::Client) {
                let Some(parcel) = front.write(now, network.write_bytes_max(), driver) else {
                    break;
                };
                has_written = true;
                let due = network.send(now.mono_ms, *link, End::Client, parcel);
                arriving.extend(due.into_iter().map(|due_ms| (due_ms, *link, End::Client)));
            }
        }
        has_written
    }

    /// Closes the links whose fronts have said everything.
    fn close(&mut self, now: Now, network: &mut Network, arriving: &mut Vec<Arriving>) -> bool {
        let closing = self.fronts.iter().filter(|(_, front)| front.is_closing());
        let closing: Vec<LinkId> = closing.map(|(link, _)| *link).collect();
        let mut has_closed = false;
        for link in closing {
            // There is room only once everything before has been written.
            if !network.has_room(link, End::Client) {
                continue;
            }
            has_closed = true;
            let due = network.send(now.mono_ms, link, End::Client, Parcel::End);
            arriving.extend(due.into_iter().map(|due_ms| (due_ms, link, End::Client)));
            self.hang_up(now, link);
        }
        has_closed
    }
}

/// The tokens of sessions are their own, so with them receipts are looked at when clients hear.
fn look_at_receipt(
    plan: &Plan,
    journal: &Journal,
    promises: &Promises,
    effect: &Effect,
) -> Result<(), Breach> {
    let Effect::Receipt { token } = effect else { return Ok(()) };
    let keys = promises.get(token).filter(|_| plan.carrier == Carrier::Values);
    keys.map_or(Ok(()), |keys| invariants::receipt_is_due(journal, keys))
}
