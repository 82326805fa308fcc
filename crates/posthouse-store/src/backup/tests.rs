//! Copies of journals that go on, and what becomes of damage.

use std::sync::Arc;

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Batch, Completion, Kept, Snapshot, Store};

use super::{Copied, copy, copy_held};
use crate::files::Files;
use crate::files::held::HeldFiles;
use crate::journal::fault::Fault;
use crate::journal::inspect::check;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::name::{checkpoint_batch, segment_name};
use crate::journal::{Crew, Hands, HeldStore, Hold, Journal, Options};

const SEGMENT_BYTES: u64 = 16 * BLOCK_BYTES as u64;

/// A journal in memory whose work is done by hand, and the number of its last batch.
struct World {
    files: Arc<HeldFiles>,
    hands: Hands,
    journal: Journal,
    last: u64,
}

impl World {
    fn on(files: Arc<HeldFiles>) -> World {
        let hands = Hands::new();
        let options = Options { segment_bytes: SEGMENT_BYTES, spares: 1, ..Options::default() };
        let spool = Arc::new(HeldFiles::default());
        let crew = Crew::ByHand(hands.clone());
        let mut journal =
            Journal::open(files.clone(), spool, options, crew).expect("what is there is sound");
        let mut last = journal.restore(&mut |_| Ok(())).expect("no damage");
        while let Some(found) = journal.recover(BatchNo(last.0 + 1)).expect("no damage") {
            last = found.batch.number;
        }
        hands.settle();
        World { files, hands, journal, last: last.0 }
    }

    fn new() -> World {
        World::on(Arc::new(HeldFiles::default()))
    }

    /// Submits batches of one block without syncing them.
    fn submit(&mut self, batches: u64) {
        for _ in 0..batches {
            self.last += 1;
            let number = BatchNo(self.last);
            // Records of an unknown run are the shortest there are.
            let records = vec![1, 1, 0, 0, 0];
            self.journal.submit(Batch { number, wall_ms: 0, records });
        }
    }

    /// Holds the journal, with the checkpoint that is asked for.
    fn hold(&mut self) -> Hold {
        let hold = self.journal.watch().hold().expect("nobody else holds it");
        let mut told = std::iter::from_fn(|| self.journal.poll());
        assert!(told.any(|news| matches!(news, Completion::CheckpointWanted)));
        self.checkpoint();
        hold
    }

    fn checkpoint(&mut self) {
        self.journal.checkpoint(Box::new(Empty(BatchNo(self.last))));
        self.hands.settle();
    }

    fn checkpoints(&self) -> Vec<u64> {
        let names = self.files.names().expect("they can be listed");
        names.iter().filter_map(|name| checkpoint_batch(name)).map(|batch| batch.0).collect()
    }
}

/// A state without messages.
struct Empty(BatchNo);

impl Snapshot for Empty {
    fn batch(&self) -> BatchNo {
        self.0
    }

    fn pieces(&self, piece: &mut dyn FnMut(&[u8]) -> bool) {
        piece(&[1, 1, 0, 0, 0]);
    }

    fn messages(&self, _: &mut dyn FnMut(Kept)) {}
}

fn copied(from: &HeldFiles, store: &HeldStore) -> Result<(Arc<HeldFiles>, Vec<Copied>), Fault> {
    let to = Arc::new(HeldFiles::default());
    let copied = copy_held(from, store, &*to, &mut |_, _| true)?;
    Ok((to, copied))
}

fn check_sound(files: &Arc<HeldFiles>, last: u64) {
    let shared: Arc<dyn Files> = files.clone();
    let report = check(&shared, &mut |_, _| {}).expect("it can be read");
    assert_eq!((report.findings, report.last), (Vec::new(), Some(BatchNo(last))));
}

#[test]
fn a_copy_has_what_was_durable_when_the_hold_began_and_nothing_else() {
    let mut world = World::new();
    world.submit(40);
    world.hands.settle();
    let hold = world.hold();
    let store = hold.store().expect("the checkpoint is over");
    assert_eq!(store.batch, BatchNo(40));
    world.submit(40);
    world.hands.settle();
    let (copy, _) = copied(&world.files, &store).expect("it is sound");
    check_sound(&copy, 40);
    assert_eq!(World::on(copy).last, 40);
}

#[test]
fn what_was_not_synced_when_the_hold_began_is_not_copied() {
    let mut world = World::new();
    world.submit(3);
    world.hands.settle();
    let hold = world.hold();
    drop(hold);
    world.checkpoint();
    let hold = world.journal.watch().hold().expect("it was let go");
    world.submit(20);
    world.hands.step(crate::journal::Worker::Writer);
    world.journal.checkpoint(Box::new(Empty(BatchNo(3))));
    while world.hands.ready().contains(&crate::journal::Worker::Keeper) {
        world.hands.step(crate::journal::Worker::Keeper);
    }
    let store = hold.store().expect("there was nothing new to checkpoint");
    assert_eq!(store.batch, BatchNo(3));
    let (copy, _) = copied(&world.files, &store).expect("it is sound");
    check_sound(&copy, 3);
}

#[test]
fn while_it_is_held_no_checkpoint_begins_and_nothing_is_freed() {
    let mut world = World::new();
    world.submit(30);
    world.hands.settle();
    let hold = world.hold();
    assert!(world.journal.watch().hold().is_none(), "one at a time");
    let store = hold.store().expect("the checkpoint is over");
    world.submit(60);
    world.checkpoint();
    assert_eq!(world.checkpoints(), [30]);
    let names = world.files.names().expect("they can be listed");
    assert!(store.files.iter().all(|file| names.contains(&file.name)));
    drop(hold);
    world.hands.settle();
    assert_eq!(world.checkpoints(), [90]);
    assert!(world.journal.watch().hold().is_some());
}

#[test]
fn a_copy_of_a_copy_is_the_same() {
    let mut world = World::new();
    world.submit(20);
    world.hands.settle();
    let hold = world.hold();
    let store = hold.store().expect("the checkpoint is over");
    let (first, files) = copied(&world.files, &store).expect("it is sound");
    let second = HeldFiles::default();
    copy(&*first, &files, &second, &mut |_, _| true).expect("nothing has changed");
    assert_eq!(second.names().expect("names"), first.names().expect("names"));
    let mut altered = files.clone();
    altered[0].crc32c ^= 1;
    let refused = copy(&*first, &altered, &HeldFiles::default(), &mut |_, _| true);
    assert!(refused.expect_err("it was altered").to_string().contains("CRC-32C"));
}

#[test]
fn damage_ends_a_copy_with_its_place() {
    let mut world = World::new();
    world.submit(5);
    world.hands.settle();
    let hold = world.hold();
    let store = hold.store().expect("the checkpoint is over");
    world.files.change(&segment_name(1), |bytes| bytes[3 * BLOCK_BYTES + 100] ^= 1);
    let fault = copied(&world.files, &store).expect_err("a block is damaged").to_string();
    assert!(fault.starts_with("0000000000000001.segment is damaged at byte 12288"), "{fault}");
}

#[test]
fn whoever_is_told_may_end_a_copy() {
    let mut world = World::new();
    world.submit(1);
    world.hands.settle();
    let hold = world.hold();
    let store = hold.store().expect("the checkpoint is over");
    let mut last = (0, 0);
    let to = HeldFiles::default();
    let mut stop = |done, total| {
        last = (done, total);
        false
    };
    copy_held(&*world.files, &store, &to, &mut stop).expect_err("it was ended");
    assert_eq!(last.0, last.1, "less than a mebibyte is told once");
}
