//! What the reader is asked to do, in order.

use std::collections::VecDeque;
use std::sync::Mutex;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Kept;

use super::bell::lock;

/// Counts loads from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// Something for the reader to do.
#[derive(Debug)]
pub(super) enum Job {
    /// Fetch messages.
    Load(Load),
    /// Write records to the spool.
    Spool {
        /// The file.
        segment: u64,
        /// The first block.
        block: u64,
        /// Counts the batches of that file from 1.
        number: u64,
        /// What to write.
        records: Vec<u8>,
    },
    /// Remove a file of the spool.
    Unspool {
        /// The file.
        segment: u64,
    },
}

/// Messages to fetch.
#[derive(Debug)]
pub(super) struct Load {
    ticket: Ticket,
    /// The batch that must have been written before.
    pub(super) after: BatchNo,
    pub(super) wanted: Vec<Kept>,
    /// How many have been answered.
    pub(super) answered: usize,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Reading {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    last: Ticket,
    /// The load that the reader is at.
    at: Option<Ticket>,
    is_busy: bool,
}

impl Reading {
    pub(super) fn push(&self, job: Job) {
        lock(&self.queue).jobs.push_back(job);
    }

    pub(super) fn push_load(&self, wanted: Vec<Kept>, after: BatchNo) {
        let mut queue = lock(&self.queue);
        queue.last.0 += 1;
        let load = Load { ticket: queue.last, after, wanted, answered: 0 };
        queue.jobs.push_back(Job::Load(load));
    }

    /// The last load that was asked for.
    pub(super) fn last(&self) -> Ticket {
        lock(&self.queue).last
    }

    /// Whether every load up to this one is done.
    pub(super) fn is_done(&self, ticket: Ticket) -> bool {
        let queue = lock(&self.queue);
        let waits = |job: &Job| matches!(job, Job::Load(load) if load.ticket <= ticket);
        queue.at.is_none_or(|at| at > ticket) && !queue.jobs.iter().any(waits)
    }

    /// Whether there is something to do when batches up to `written` are written.
    pub(super) fn has_work(&self, written: BatchNo) -> bool {
        lock(&self.queue).jobs.iter().any(|job| can_be_done(job, written))
    }

    /// Whether nothing is being done, nor to be done.
    pub(super) fn is_idle(&self) -> bool {
        let queue = lock(&self.queue);
        queue.jobs.is_empty() && !queue.is_busy
    }

    /// Whether there is anything to do at all.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.queue).jobs.is_empty()
    }

    /// The first thing that can be done. The others keep their order.
    pub(super) fn take(&self, written: BatchNo) -> Option<Job> {
        let mut queue = lock(&self.queue);
        let index = queue.jobs.iter().position(|job| can_be_done(job, written))?;
        let job = queue.jobs.remove(index)?;
        queue.is_busy = true;
        queue.at = if let Job::Load(load) = &job { Some(load.ticket) } else { None };
        Some(job)
    }

    /// Puts back what is left of a load.
    pub(super) fn put_back(&self, load: Load) {
        let mut queue = lock(&self.queue);
        (queue.at, queue.is_busy) = (None, false);
        queue.jobs.push_front(Job::Load(load));
    }

    /// The job that was taken is done.
    pub(super) fn finish(&self) {
        let mut queue = lock(&self.queue);
        (queue.at, queue.is_busy) = (None, false);
    }
}

fn can_be_done(job: &Job, written: BatchNo) -> bool {
    match job {
        Job::Load(load) => load.after <= written,
        Job::Spool { .. } | Job::Unspool { .. } => true,
    }
}
