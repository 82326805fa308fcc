//! The conformance suite of the store port, over the journal.

use std::sync::Arc;
use std::thread;

use posthouse_core::store::Store;

use super::bench::{HandBench, Medium, options};
use crate::conformance::{self, Bench};
use crate::files::real::RealFiles;
use crate::journal::engine::front::Watch;
use crate::journal::{Crew, Journal};

impl Bench for HandBench {
    fn open(&mut self) -> Box<dyn Store> {
        Box::new(self.journal())
    }

    fn has_fence(&self) -> bool {
        false
    }

    fn has_places(&self) -> bool {
        true
    }

    fn random_runs(&self) -> u64 {
        40
    }

    fn step(&mut self, chance: u64) {
        let ready = self.hands.ready();
        let Some(count) = (ready.len() as u64).checked_sub(1) else { return self.hands.idle() };
        if let Some(worker) = ready.get((chance % (count + 1)) as usize) {
            self.hands.step(*worker);
        }
    }

    fn settle(&mut self) {
        self.hands.settle();
    }

    fn crash(&mut self) {}

    fn fail(&mut self) {
        self.files.break_down();
        self.hands.settle();
    }
}

#[test]
fn by_hand_it_conforms() {
    conformance::run(&mut || Box::new(HandBench::new()));
}

/// A journal on real files with its threads.
struct ThreadBench {
    directory: tempfile::TempDir,
    files: Medium,
    watch: Option<Watch>,
}

impl ThreadBench {
    fn new() -> ThreadBench {
        let directory = tempfile::tempdir().expect("a directory for tests can be made");
        let files = RealFiles::open(directory.path().join("journal")).expect("it can be made");
        ThreadBench { directory, files: Medium::new(Arc::new(files)), watch: None }
    }

    fn wait_until(&self, is_so: impl Fn(&Watch) -> bool) {
        let Some(watch) = &self.watch else { return };
        while !is_so(watch) {
            thread::yield_now();
        }
    }
}

impl Bench for ThreadBench {
    fn open(&mut self) -> Box<dyn Store> {
        let spool = RealFiles::open(self.directory.path().join("spool")).expect("it can be made");
        let crew = Crew::Threads { wake: Arc::new(|| {}) };
        let files = Arc::new(self.files.clone());
        let journal = Journal::open(files, Arc::new(spool), options(), crew);
        let journal = journal.expect("what is there is sound");
        self.watch = Some(journal.watch());
        Box::new(journal)
    }

    fn has_fence(&self) -> bool {
        false
    }

    fn has_places(&self) -> bool {
        true
    }

    /// Each syncs a few hundred times.
    fn random_runs(&self) -> u64 {
        2
    }

    fn settle(&mut self) {
        self.wait_until(|watch| watch.is_settled());
    }

    fn crash(&mut self) {}

    fn fail(&mut self) {
        self.files.break_down();
        self.wait_until(|watch| watch.failure().is_some());
    }
}

#[test]
fn with_threads_on_real_files_it_conforms() {
    conformance::run(&mut || Box::new(ThreadBench::new()));
}
