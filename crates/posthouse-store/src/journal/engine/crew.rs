//! Who does the work: three threads, or hands that do a step when they are told to.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::bell::{Bell, lock};
use super::keeper::Keeper;
use super::machine::Machine;
use super::outbox::Wake;
use super::reader::Reader;
use super::writer::Writer;
use crate::journal::fault::Fault;

/// Who does the work of a journal.
pub enum Crew {
    /// Threads of its own.
    Threads {
        /// Called after each completion.
        wake: Wake,
    },
    /// Whoever holds these hands: for tests and simulation.
    ByHand(Hands),
}

/// One of the three workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worker {
    /// Writes and syncs batches.
    Writer,
    /// Reads messages, and has the spool.
    Reader,
    /// Makes checkpoints and segments, frees and compacts.
    Keeper,
}

/// What a worker is to the crew. Each step is one job, or a piece of a long one.
pub(super) trait Work: Send {
    /// Whether there is something to do that need not wait for another worker.
    fn is_ready(&mut self) -> bool;
    /// Does it.
    fn step(&mut self) -> Result<(), Fault>;
    /// How long to wait for something to do before [`Work::pass`]; for ever if `None`.
    fn pause(&self) -> Option<Duration>;
    /// So much time has passed without anything to do.
    fn pass(&mut self);
    /// Before a step: waits a little if that makes the step worth more.
    fn gather(&mut self, bell: &Bell) {
        let _ = bell;
    }
}

/// Does one step, and breaks the store if that fails or panics.
pub(super) fn step(machine: &Machine, work: &mut dyn Work) {
    match catch_unwind(AssertUnwindSafe(|| work.step())) {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => machine.outbox.fail(&fault.to_string()),
        Err(_) => machine.outbox.fail("a thread of the journal has panicked"),
    }
}

/// The threads of a journal.
#[derive(Default)]
pub(super) struct Threads {
    writer: Option<JoinHandle<Writer>>,
    reader: Option<JoinHandle<Reader>>,
    keeper: Option<JoinHandle<Keeper>>,
}

impl Threads {
    /// Starts all three.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn start(machine: &Arc<Machine>, workers: Workers) -> io::Result<Threads> {
        let Workers { writer, reader, keeper } = workers;
        let writer = spawn("journal-writer", machine, writer, |machine| &machine.bells.writer)?;
        let reader = spawn("journal-reader", machine, reader, |machine| &machine.bells.reader)?;
        let keeper = spawn("journal-keeper", machine, keeper, |machine| &machine.bells.keeper)?;
        Ok(Threads { writer: Some(writer), reader: Some(reader), keeper: Some(keeper) })
    }

    /// Waits until all have ended. Answers the writer, who may have something left to do.
    pub(super) fn join(&mut self) -> Option<Writer> {
        // Panics have been answered where they happened.
        let _ = self.reader.take().map(JoinHandle::join);
        let _ = self.keeper.take().map(JoinHandle::join);
        self.writer.take()?.join().ok()
    }
}

fn spawn<W: Work + 'static>(
    name: &str,
    machine: &Arc<Machine>,
    mut work: W,
    bell: fn(&Machine) -> &Bell,
) -> io::Result<JoinHandle<W>> {
    let machine = machine.clone();
    thread::Builder::new().name(name.into()).spawn(move || {
        run(&machine, &mut work, bell(&machine));
        work
    })
}

fn run(machine: &Machine, work: &mut dyn Work, bell: &Bell) {
    while !machine.is_stopping() {
        if !machine.outbox.has_failed() && work.is_ready() {
            work.gather(bell);
            step(machine, work);
        } else if !bell.wait(work.pause()) {
            work.pass();
        }
    }
}

/// The three workers.
pub(super) struct Workers {
    pub(super) writer: Writer,
    pub(super) reader: Reader,
    pub(super) keeper: Keeper,
}

impl Workers {
    fn get(&mut self, worker: Worker) -> &mut dyn Work {
        match worker {
            Worker::Writer => &mut self.writer,
            Worker::Reader => &mut self.reader,
            Worker::Keeper => &mut self.keeper,
        }
    }
}

/// A journal that hands serve.
type Held = (Arc<Machine>, Workers);

/// Hands that do the work of a journal step by step, so that a test or a simulation decides what
/// happens when. Clones are the same hands. They serve the journal that was opened with them last
/// and do nothing for one that is gone.
#[derive(Clone, Default)]
pub struct Hands {
    held: Arc<Mutex<Option<Held>>>,
}

impl Hands {
    /// Hands without work.
    pub fn new() -> Hands {
        Hands::default()
    }

    pub(super) fn take_on(&self, machine: Arc<Machine>, workers: Workers) {
        *lock(&self.held) = Some((machine, workers));
    }

    /// Lets go of a journal, unless the hands serve another one by now. Answers its writer.
    pub(super) fn let_go(&self, of: &Arc<Machine>) -> Option<Writer> {
        let mut held = lock(&self.held);
        let is_ours = held.as_ref().is_some_and(|(machine, _)| Arc::ptr_eq(machine, of));
        if is_ours { held.take().map(|(_, workers)| workers.writer) } else { None }
    }

    /// The workers that have something to do.
    pub fn ready(&self) -> Vec<Worker> {
        let mut held = lock(&self.held);
        let Some((machine, workers)) = &mut *held else { return Vec::new() };
        if machine.outbox.has_failed() {
            return Vec::new();
        }
        let all = [Worker::Writer, Worker::Reader, Worker::Keeper];
        all.into_iter().filter(|worker| workers.get(*worker).is_ready()).collect()
    }

    /// Lets a worker do one step, if it has something to do.
    pub fn step(&self, worker: Worker) {
        let mut held = lock(&self.held);
        let Some((machine, workers)) = &mut *held else { return };
        let work = workers.get(worker);
        if !machine.outbox.has_failed() && work.is_ready() {
            step(machine, work);
        }
    }

    /// Ten milliseconds have passed in which nothing was submitted: the last batch gets its
    /// witness, and what waits for room may try again.
    pub fn idle(&self) {
        let mut held = lock(&self.held);
        let Some((machine, workers)) = &mut *held else { return };
        if !machine.outbox.has_failed() {
            workers.writer.pass();
            workers.keeper.pass();
        }
    }

    /// Steps until nobody has anything to do.
    pub fn settle(&self) {
        while let Some(worker) = self.ready().first() {
            self.step(*worker);
        }
    }
}
