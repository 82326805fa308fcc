//! The keeper: makes segments and spares ahead.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::crew::Work;
use super::machine::Machine;
use super::opening::Slots;
use super::segments::is_full;
use crate::journal::fault::Fault;

/// How often it is looked whether time alone asks for something.
const TICK: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Keeper {
    machine: Arc<Machine>,
    #[expect(dead_code, reason = "checkpoints")]
    slots: Slots,
}

impl Keeper {
    pub(super) fn new(machine: Arc<Machine>, slots: Slots) -> Keeper {
        Keeper { machine, slots }
    }

    /// Makes what is to be there ahead, one thing at a time. Without room the broker is told, and
    /// it is tried again when something was freed or time has passed.
    fn upkeep(&mut self) -> Result<(), Fault> {
        self.machine.wants_upkeep.store(false, Ordering::Release);
        match self.make_ahead() {
            Ok(true) => self.machine.set_full(false),
            Ok(false) => self.machine.wants_upkeep.store(true, Ordering::Release),
            Err(fault) if is_full(&fault) => self.machine.set_full(true),
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Answers whether everything is there.
    fn make_ahead(&self) -> Result<bool, Fault> {
        let slots = self.machine.intake.lock().slots();
        for slot in &slots {
            self.machine.segments.make(slot)?;
        }
        self.machine.segments.replenish()
    }
}

impl Work for Keeper {
    fn is_ready(&mut self) -> bool {
        self.machine.wants_upkeep.load(Ordering::Acquire)
    }

    fn step(&mut self) -> Result<(), Fault> {
        self.upkeep()
    }

    fn pause(&self) -> Option<Duration> {
        Some(TICK)
    }

    fn pass(&mut self) {
        if self.machine.is_full() {
            self.machine.retry();
        }
    }
}
