//! The reader: fetches messages, and writes and removes what is in the spool.
//!
//! It does its jobs in order, so that a message can be loaded from the spool however soon it is
//! asked for. Only a load of what is not written yet lets others overtake. A message that cannot
//! be read is answered with the reason; it breaks nothing but itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Completion, Kept, Loaded};

use super::crew::Work;
use super::fetch::fetch;
use super::machine::Machine;
use super::reading::{Job, Load};
use super::spool::remove_file;
use super::spool::write_records;
use crate::journal::fault::Fault;

/// What one completion brings at most, but for a single message that is larger.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// How many messages one completion brings at most.
const ANSWER_MESSAGES_MAX: usize = 1_024;

/// See the module.
pub(super) struct Reader {
    machine: Arc<Machine>,
}

impl Reader {
    pub(super) fn new(machine: Arc<Machine>) -> Reader {
        Reader { machine }
    }

    fn written(&self) -> BatchNo {
        self.machine.intake.lock().written
    }

    fn load(&mut self, mut load: Load) {
        let rest = load.wanted.get(load.answered..).unwrap_or_default();
        let wanted = rest.get(..answer_len(rest)).unwrap_or(rest);
        load.answered += wanted.len();
        let is_over = wanted.len() == rest.len();
        let loaded = self.fetch_all(wanted);
        self.machine.outbox.push(Completion::Loaded(loaded));
        if is_over {
            self.machine.reading.finish();
            self.machine.reader_has_moved();
        } else {
            self.machine.reading.put_back(load);
        }
    }

    /// The messages in the order in which they were asked for.
    fn fetch_all(&self, wanted: &[Kept]) -> Vec<Loaded> {
        let unread = |kept: &Kept| Loaded { kept: *kept, message: Err("it was not read".into()) };
        let mut all: Vec<Loaded> = wanted.iter().map(unread).collect();
        let mut failures = 0;
        let bytes = fetch(&self.machine, wanted, &mut |index, fetched| {
            failures += u64::from(fetched.is_err());
            if let Some(loaded) = all.get_mut(index) {
                loaded.message = fetched.map(|fetched| fetched.enqueued.message);
            }
        });
        let mut figures = self.machine.figures.lock();
        figures.loads += wanted.len() as u64;
        figures.loaded_bytes += bytes;
        figures.load_failures += failures;
        drop(figures);
        all
    }
}

/// How many of those that are left one completion brings.
fn answer_len(rest: &[Kept]) -> usize {
    let mut bytes = 0;
    let fits = |kept: &&Kept| {
        let is_first = bytes == 0;
        bytes += u64::from(kept.bytes);
        is_first || bytes <= ANSWER_BYTES_MAX
    };
    rest.iter().take(ANSWER_MESSAGES_MAX).take_while(fits).count()
}

impl Work for Reader {
    fn is_ready(&mut self) -> bool {
        let reading = &self.machine.reading;
        if reading.is_empty() {
            return false;
        }
        self.machine.awaits_writer(|| reading.has_work(self.written()))
    }

    fn step(&mut self) -> Result<(), Fault> {
        match self.machine.reading.take(self.written()) {
            Some(Job::Load(load)) => self.load(load),
            Some(Job::Spool { segment, block, number, records }) => {
                let written = write_records(&self.machine, segment, block, number, &records);
                // What is in the spool need not survive, so neither need the node end.
                self.machine.spool_is_broken.fetch_or(written.is_err(), Ordering::AcqRel);
                self.machine.reading.finish();
            }
            Some(Job::Unspool { segment }) => {
                let removed = remove_file(&self.machine, segment);
                self.machine.spool_is_broken.store(removed.is_err(), Ordering::Release);
                self.machine.reading.finish();
            }
            None => {}
        }
        Ok(())
    }

    fn pause(&self) -> Option<Duration> {
        None
    }

    fn pass(&mut self) {}
}
