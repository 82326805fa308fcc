//! What every store must do. A store is not finished until it runs this.

mod bodies;
mod toy;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Batch, Completion, Store};

/// One store under test, with power over what lies beneath it.
pub trait Bench {
    /// Opens the store on what is there. Nothing has been read back yet.
    fn open(&mut self) -> Box<dyn Store>;
    /// Whether a second owner may open the store, and the former one is told. Otherwise something
    /// outside of the store sees to it that there is one at a time.
    fn has_fence(&self) -> bool;
    /// Whether the store gives places, so that it can load, keep checkpoints, move and spool.
    fn has_places(&self) -> bool;
    /// How many random runs are made if it has places, each with a seed of its own.
    fn random_runs(&self) -> u64 {
        12
    }
    /// Lets the store do a little of its work, if it does nothing by itself.
    fn step(&mut self, chance: u64) {
        let _ = chance;
    }
    /// Waits until everything that was submitted is durable, and everything else that was asked
    /// for is done.
    fn settle(&mut self);
    /// Loses what is not durable, as a power cut does. Open stores are void.
    fn crash(&mut self);
    /// Breaks the medium: the next write or sync fails.
    fn fail(&mut self);
}

/// Runs every check, each on a fresh bench.
///
/// # Panics
/// If the store does not conform; the message names the check.
pub fn run(fresh: &mut dyn FnMut() -> Box<dyn Bench>) {
    what_is_durable_survives(&mut *fresh());
    what_survives_has_no_gaps(&mut *fresh());
    recovery_goes_on_from_where_it_is_asked(&mut *fresh());
    writing_goes_on_after_recovery(&mut *fresh());
    nothing_is_durable_after_a_failure(&mut *fresh());
    if fresh().has_fence() {
        the_former_owner_is_fenced(&mut *fresh());
    }
    if fresh().has_places() {
        run_with_places(fresh);
    }
}

fn run_with_places(fresh: &mut dyn FnMut() -> Box<dyn Bench>) {
    bodies::what_was_written_can_be_loaded(&mut *fresh());
    bodies::a_checkpoint_is_where_the_start_begins(&mut *fresh());
    bodies::what_is_moved_stays_loadable(&mut *fresh());
    bodies::what_is_spooled_can_be_loaded_until_it_is_forgotten(&mut *fresh());
    for seed in 0..fresh().random_runs() {
        bodies::nothing_is_lost_whatever_happens_when(&mut *fresh(), seed);
    }
}

fn batch(number: u64) -> Batch {
    let records = vec![number as u8; number as usize % 50];
    Batch { number: BatchNo(number), wall_ms: number * 10, records }
}

fn submit(store: &mut dyn Store, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        store.submit(batch(number));
    }
}

/// Everything that the store has to tell, reduced to the last durable batch.
fn durable(store: &mut dyn Store) -> BatchNo {
    let mut last = BatchNo(0);
    while let Some(completion) = store.poll() {
        match completion {
            Completion::Durable(batch) => {
                assert!(batch > last, "durable batches only grow");
                last = batch;
            }
            other => panic!("unexpected completion: {other:?}"),
        }
    }
    last
}

/// A store on which nothing was ever written, ready to be written to.
fn open_new(bench: &mut dyn Bench) -> Box<dyn Store> {
    let mut store = bench.open();
    assert_eq!(recover_all(&mut *store), [], "nothing is there yet");
    store
}

fn recover_all(store: &mut dyn Store) -> Vec<Batch> {
    let restored = store.restore(&mut |_| panic!("there is no checkpoint"));
    assert_eq!(restored, Ok(BatchNo(0)));
    let mut batches = Vec::new();
    while let Some(found) = store.recover(BatchNo(batches.len() as u64 + 1)).expect("no damage") {
        batches.push(found.batch);
    }
    batches
}

fn what_is_durable_survives(bench: &mut dyn Bench) {
    let mut store = open_new(bench);
    submit(&mut *store, 1..=20);
    bench.settle();
    assert_eq!(durable(&mut *store), BatchNo(20), "everything is reported after settling");
    drop(store);
    bench.crash();
    let expected: Vec<Batch> = (1..=20).map(batch).collect();
    assert_eq!(recover_all(&mut *bench.open()), expected, "what is durable survives unchanged");
}

fn what_survives_has_no_gaps(bench: &mut dyn Bench) {
    let mut store = open_new(bench);
    submit(&mut *store, 1..=5);
    bench.settle();
    let confirmed = durable(&mut *store);
    submit(&mut *store, 6..=9);
    drop(store);
    bench.crash();
    let survived = recover_all(&mut *bench.open());
    assert!(survived.len() as u64 >= confirmed.0, "nothing confirmed is lost");
    let numbers = survived.iter().map(|batch| batch.number.0);
    assert!(numbers.eq(1..=survived.len() as u64), "no batch without all before it");
}

fn recovery_goes_on_from_where_it_is_asked(bench: &mut dyn Bench) {
    let mut store = open_new(bench);
    submit(&mut *store, 1..=4);
    bench.settle();
    durable(&mut *store);
    drop(store);
    let mut store = bench.open();
    let found = store.recover(BatchNo(3)).expect("no damage").map(|found| found.batch);
    assert_eq!(found, Some(batch(3)));
    assert_eq!(store.recover(BatchNo(5)), Ok(None));
}

fn writing_goes_on_after_recovery(bench: &mut dyn Bench) {
    let mut store = open_new(bench);
    submit(&mut *store, 1..=3);
    bench.settle();
    durable(&mut *store);
    drop(store);
    bench.crash();
    let mut store = bench.open();
    let recovered = recover_all(&mut *store).len() as u64;
    submit(&mut *store, recovered + 1..=recovered + 2);
    bench.settle();
    assert_eq!(durable(&mut *store), BatchNo(recovered + 2));
    drop(store);
    bench.crash();
    assert_eq!(recover_all(&mut *bench.open()).len() as u64, recovered + 2);
}

fn nothing_is_durable_after_a_failure(bench: &mut dyn Bench) {
    let mut store = open_new(bench);
    submit(&mut *store, 1..=1);
    bench.fail();
    let mut has_failed = false;
    while let Some(completion) = store.poll() {
        match completion {
            Completion::Failed(_) => has_failed = true,
            other => assert!(!has_failed, "{other:?} after a failure"),
        }
    }
    assert!(has_failed, "a failure is reported");
    submit(&mut *store, 2..=2);
    bench.settle();
    assert!(store.poll().is_none(), "nothing is reported after a failure");
}

fn the_former_owner_is_fenced(bench: &mut dyn Bench) {
    let mut former = open_new(bench);
    submit(&mut *former, 1..=1);
    bench.settle();
    durable(&mut *former);
    let mut owner = bench.open();
    former.submit(batch(2));
    bench.settle();
    assert!(matches!(former.poll(), Some(Completion::Fenced)), "the former owner is told");
    assert!(former.poll().is_none(), "and nothing after that");
    assert_eq!(recover_all(&mut *owner).len(), 1, "what it wrote meanwhile does not count");
}
