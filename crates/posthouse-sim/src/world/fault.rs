//! What goes wrong: power cuts, broken connections, slow syncs; and somebody who purges and
//! redrives.

use posthouse_core::command::Command;

use super::World;
use super::agenda::Happening;
use crate::carrier::resolve;
use crate::clock;
use crate::history::{Call, What};
use crate::invariants::Breach;
use crate::network::LinkId;

/// Longest time until a client notices that its connection is broken, in milliseconds.
const CLIENT_NOTICES_MS_MAX: u64 = 1_500;

/// Longest time between cut and start, in milliseconds.
const DOWN_MS_MAX: u64 = 1_500;

/// Longest time between two doings of whoever manages the node, in milliseconds.
const MANAGE_MS_MAX: u64 = 3_000;

/// How long a sync of a disk that hangs for a while takes, in milliseconds.
const SLOW_SYNC_MS: u64 = 1_000;

/// Longest time between two syncs once nothing is disturbed any more, in milliseconds.
const QUICK_SYNC_MS: u64 = 10;

impl World {
    /// Plans the next fault of a kind, if the plan has any and disturbances are not over.
    pub(super) fn plan_next_fault(&mut self, fault: Happening) {
        let most_ms = match fault {
            Happening::Crash => self.plan.crash_ms_max,
            Happening::Break => self.plan.break_ms_max,
            _ if self.plan.management => MANAGE_MS_MAX,
            _ => 0,
        };
        if most_ms > 0 && self.healed_ms.is_none() {
            let at_ms = self.now_ms + self.faults.between(most_ms / 10, most_ms);
            self.agenda.add(at_ms, fault);
        }
    }

    pub(super) fn sync(&mut self) -> Result<(), Breach> {
        let unsynced = self.node.journal().disk().unsynced() as u64;
        let some = if self.disk.chance(70) { unsynced } else { self.disk.below(unsynced + 1) };
        self.node.journal().disk().sync_some(usize::try_from(some).unwrap_or(usize::MAX));
        let pause_ms = match self.healed_ms {
            Some(_) => self.disk.between(1, self.plan.sync_ms_max.min(QUICK_SYNC_MS)),
            None if self.disk.chance(2) => SLOW_SYNC_MS,
            None => self.disk.between(1, self.plan.sync_ms_max),
        };
        self.agenda.add(self.now_ms + pause_ms, Happening::Sync);
        self.settle()
    }

    pub(super) fn crash(&mut self) -> Result<(), Breach> {
        if self.healed_ms.is_some() || !self.node.is_up() {
            return Ok(());
        }
        let unsynced = self.node.journal().disk().unsynced() as u64;
        let survivors = self.disk.below(unsynced + 1);
        self.node.crash(survivors)?;
        self.note(0, What::Crash);
        for link in self.links.keys().copied().collect::<Vec<LinkId>>() {
            self.network.break_link(link);
            let at_ms = self.now_ms + self.faults.below(300);
            self.agenda.add(at_ms, Happening::ClientLearns(link));
        }
        let up_ms = self.now_ms + self.faults.between(1, DOWN_MS_MAX);
        self.agenda.add(up_ms, Happening::Restart);
        self.plan_next_fault(Happening::Crash);
        Ok(())
    }

    pub(super) fn restart(&mut self) -> Result<(), Breach> {
        if self.node.is_up() {
            return Ok(());
        }
        self.node.start(clock::now(self.now_ms))?;
        self.note(0, What::Start);
        self.compare()?;
        self.settle()
    }

    /// Breaks a random connection. Each end notices in its own time.
    pub(super) fn break_something(&mut self) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        if self.healed_ms.is_none()
            && let Some(link) = self.faults.pick(&links).copied()
        {
            self.network.break_link(link);
            self.node_notices(link);
            let at_ms = self.now_ms + self.faults.below(CLIENT_NOTICES_MS_MAX);
            self.agenda.add(at_ms, Happening::ClientLearns(link));
        }
        self.plan_next_fault(Happening::Break);
    }

    /// Plans that the node notices the end of a link: soon, unless it is half open.
    pub(super) fn node_notices(&mut self, link: LinkId) {
        let is_slow = self.plan.half_open && self.healed_ms.is_none() && self.faults.chance(30);
        let most_ms = if is_slow { self.plan.notice_ms_max() } else { 500 };
        let at_ms = self.now_ms + self.faults.below(most_ms);
        self.agenda.add(at_ms, Happening::NodeLearns(link));
    }

    /// The client at the other end of a broken link notices.
    pub(super) fn lose(&mut self, link: LinkId) {
        let Some(id) = self.links.get(&link).copied() else { return };
        let Some(mut client) = self.clients.remove(&id) else { return };
        self.hang_up(&mut client);
        self.clients.insert(id, client);
    }

    /// Purges a queue or redrives its dead letters.
    pub(super) fn manage(&mut self) -> Result<(), Breach> {
        self.plan_next_fault(Happening::Manage);
        let queues = self.plan.queues();
        let Some(queue) = self.faults.pick(&queues).cloned() else { return Ok(()) };
        let purges = self.faults.chance(30);
        let target = if purges { queue } else { queue.dead_letters() };
        let now = clock::now(self.now_ms);
        let Some(driver) = self.node.driver().filter(|_| self.healed_ms.is_none()) else {
            return Ok(());
        };
        let Ok(destination) = resolve(now, &target, driver) else { return Ok(()) };
        let command = if purges {
            Command::Purge { destination, limit: 100 }
        } else {
            Command::Redrive { destination, limit: 100 }
        };
        let applied = driver.apply(now, command);
        let op = self.numbers.take();
        let call = if purges { Call::Purge(target) } else { Call::Redrive(target) };
        self.note(0, What::Invoke(op, call));
        if applied.is_ok() {
            self.note(0, What::Ok(op));
        }
        self.settle()
    }
}
