//! Somebody who purges, redrives, and removes destinations.

use posthouse_core::command::Command;

use crate::carrier::resolve;
use crate::clock;
use crate::history::{Call, What};

use super::Life;

impl Life {
    pub(super) fn manage(&mut self) {
        let queues = self.setup.plan.queues();
        let Some(queue) = self.labour.pick(&queues).cloned() else { return };
        let choice = self.labour.weighted(&[1, 4, 2]);
        let target = if choice == 1 { queue.dead_letters() } else { queue };
        let now = clock::now(self.now_ms);
        let Ok(destination) = resolve(now, &target, &mut self.driver) else { return };
        // Whoever waited in a queue that is removed is lost as if it were purged.
        let (command, call) = match choice {
            0 => (Command::Purge { destination, limit: 100 }, Call::Purge(target.clone())),
            1 => (Command::Redrive { destination, limit: 100 }, Call::Redrive(target.clone())),
            _ => (Command::RemoveDestination { destination }, Call::Purge(target.clone())),
        };
        let is_removal = matches!(command, Command::RemoveDestination { .. });
        let op = self.numbers.take();
        self.note(0, What::Invoke(op, call));
        if self.driver.apply(now, command).is_ok() {
            self.note(0, What::Ok(op));
            if is_removal {
                self.removed.insert(target, op);
            }
        }
    }
}
