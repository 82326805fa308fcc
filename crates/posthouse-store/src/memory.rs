//! Batches in memory.
//!
//! A [`MemoryStore`] on a [`Disk`] behaves like a store on a real one: batches become durable
//! when the disk says so, and a crash loses those that were not. Without a disk it keeps nothing
//! and reports everything as durable at once, which is what a node without persistence wants.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Batch, Completion, Locator, Recovered, Store};

/// What survives a crash, and how it behaves. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    state: Rc<RefCell<DiskState>>,
}

#[derive(Debug, Default)]
struct DiskState {
    batches: Vec<Batch>,
    durable: usize,
    syncs_by_hand: bool,
    next_completion: Option<Completion>,
    owner: u64,
}

impl Disk {
    /// A disk on which batches become durable only by [`Disk::sync`].
    pub fn synced_by_hand() -> Disk {
        let disk = Disk::default();
        disk.state.borrow_mut().syncs_by_hand = true;
        disk
    }

    /// Makes everything that was submitted durable.
    pub fn sync(&self) {
        self.sync_some(usize::MAX);
    }

    /// Makes at most `most` further batches durable.
    pub fn sync_some(&self, most: usize) {
        let mut state = self.state.borrow_mut();
        state.durable = state.durable.saturating_add(most).min(state.batches.len());
    }

    /// Loses what is not durable, but for the first `survivors` such batches: a disk may have
    /// written more than it has confirmed. Stores that are open on it report nothing any more.
    pub fn crash(&self, survivors: usize) {
        let mut state = self.state.borrow_mut();
        let kept = state.durable.saturating_add(survivors).min(state.batches.len());
        state.batches.truncate(kept);
        state.durable = kept;
        state.owner += 1;
    }

    /// Lets the store report `completion` next.
    pub fn report(&self, completion: Completion) {
        self.state.borrow_mut().next_completion = Some(completion);
    }

    /// How many batches were submitted and are not durable.
    pub fn unsynced(&self) -> usize {
        let state = self.state.borrow();
        state.batches.len() - state.durable
    }

    /// Every batch that was submitted, durable or not.
    pub fn batches(&self) -> Vec<Batch> {
        self.state.borrow().batches.clone()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct MemoryStore {
    disk: Option<Disk>,
    owner: u64,
    submitted: BatchNo,
    reported: BatchNo,
    is_dead: bool,
    outbox: VecDeque<Completion>,
}

impl MemoryStore {
    /// A store on `disk`. Stores that were open on it before are fenced.
    pub fn on(disk: &Disk) -> MemoryStore {
        let mut state = disk.state.borrow_mut();
        state.owner += 1;
        let durable = BatchNo(state.durable as u64);
        MemoryStore {
            disk: Some(disk.clone()),
            owner: state.owner,
            submitted: durable,
            reported: durable,
            ..MemoryStore::default()
        }
    }

    fn poll_disk(&mut self) -> Option<Completion> {
        let disk = self.disk.as_ref()?;
        let mut state = disk.state.borrow_mut();
        if state.owner != self.owner {
            self.is_dead = true;
            return Some(Completion::Fenced);
        }
        if let Some(completion) = state.next_completion.take() {
            self.is_dead = !matches!(completion, Completion::Durable(_) | Completion::Full);
            return Some(completion);
        }
        if !state.syncs_by_hand {
            state.durable = state.batches.len();
        }
        let durable = BatchNo(state.durable as u64);
        (durable > self.reported).then(|| {
            self.reported = durable;
            Completion::Durable(durable)
        })
    }
}

impl Store for MemoryStore {
    fn submit(&mut self, batch: Batch) -> Locator {
        assert_eq!(batch.number.0, self.submitted.0 + 1, "batches come in order");
        self.submitted = batch.number;
        let Some(disk) = &self.disk else {
            self.outbox.push_back(Completion::Durable(batch.number));
            return Locator::NONE;
        };
        let mut state = disk.state.borrow_mut();
        if state.owner == self.owner && !self.is_dead {
            state.batches.push(batch);
        }
        Locator::NONE
    }

    fn poll(&mut self) -> Option<Completion> {
        if self.is_dead {
            return None;
        }
        self.outbox.pop_front().or_else(|| self.poll_disk())
    }

    fn recover(&mut self, from: BatchNo) -> Result<Option<Recovered>, String> {
        let Some(disk) = &self.disk else { return Ok(None) };
        let state = disk.state.borrow();
        let durable = state.batches.iter().take(state.durable);
        let found = durable.into_iter().find(|batch| batch.number >= from).cloned();
        Ok(found.map(|batch| Recovered { batch, place: Locator::NONE }))
    }
}

#[cfg(test)]
mod tests {
    use posthouse_core::ids::BatchNo;
    use posthouse_core::store::{Batch, Completion, Store};

    use super::{Disk, MemoryStore};
    use crate::conformance::{self, Bench};

    struct MemoryBench(Disk);

    impl Bench for MemoryBench {
        fn open(&mut self) -> Box<dyn Store> {
            Box::new(MemoryStore::on(&self.0))
        }

        fn has_fence(&self) -> bool {
            true
        }

        fn has_places(&self) -> bool {
            false
        }

        fn settle(&mut self) {
            self.0.sync();
        }

        fn crash(&mut self) {
            self.0.crash(0);
        }

        fn fail(&mut self) {
            self.0.report(Completion::Failed("no more".into()));
        }
    }

    #[test]
    fn it_conforms() {
        conformance::run(&mut || Box::new(MemoryBench(Disk::synced_by_hand())));
        conformance::run(&mut || Box::new(MemoryBench(Disk::default())));
    }

    #[test]
    fn without_a_disk_it_keeps_nothing() {
        let mut store = MemoryStore::default();
        store.submit(Batch { number: BatchNo(1), ..Batch::default() });
        assert!(matches!(store.poll(), Some(Completion::Durable(BatchNo(1)))));
        assert_eq!(store.recover(BatchNo(1)), Ok(None));
    }
}
