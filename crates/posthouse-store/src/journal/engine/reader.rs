//! The reader: fetches messages, and has the spool.

use std::sync::Arc;
use std::time::Duration;

use super::crew::Work;
use super::machine::Machine;
use crate::journal::fault::Fault;

/// See the module.
pub(super) struct Reader {
    #[expect(dead_code, reason = "loads")]
    machine: Arc<Machine>,
}

impl Reader {
    pub(super) fn new(machine: Arc<Machine>) -> Reader {
        Reader { machine }
    }
}

impl Work for Reader {
    fn is_ready(&mut self) -> bool {
        false
    }

    fn step(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn pause(&self) -> Option<Duration> {
        None
    }

    fn pass(&mut self) {}
}
