//! What the segments take while one message in so many stays for good: within the bound after
//! every step, in whatever order the workers and the broker come to act.

use posthouse_core::ids::BatchNo;
use posthouse_core::store::{Batch, Completion, Kept, Store};

use super::bench::{HandBench, SEGMENT_BYTES, Standing, kept, record};
use crate::journal::{Journal, Worker};

/// Messages in a batch, and bytes of their bodies: four batches fill a segment.
const BATCH_MESSAGES: u64 = 12;
const BODY_BYTES: usize = 800;

/// The last message of every so many batches is never acknowledged.
const KEPT_BATCHES: u64 = 4;

/// How many batches may be under way, so that the broker holds producers.
const UNDER_WAY_MAX: u64 = 2;

const BATCHES: u64 = 300;

/// A broker that keeps a few messages, and takes checkpoints when it is asked for them.
struct Load {
    journal: Journal,
    submitted: u64,
    durable: u64,
    kept: Vec<Kept>,
    wants_checkpoint: bool,
    /// What was kept at the last snapshots, in bytes of records; the last two may matter.
    live_bytes: [u64; 2],
}

impl Load {
    fn submit(&mut self) {
        self.submitted += 1;
        let first = self.submitted * BATCH_MESSAGES;
        let mut records = Vec::new();
        let mut last = 0;
        for seq in first..first + BATCH_MESSAGES {
            last = records.len();
            records.extend(record(seq, BODY_BYTES));
        }
        let batch = Batch { number: BatchNo(self.submitted), wall_ms: 0, records };
        let place = self.journal.submit(batch);
        if self.submitted.is_multiple_of(KEPT_BATCHES) {
            self.kept.push(kept(first + BATCH_MESSAGES - 1, place.after(last), BODY_BYTES));
        }
    }

    fn hear(&mut self) {
        while let Some(completion) = self.journal.poll() {
            match completion {
                Completion::Durable(batch) => self.durable = batch.0,
                Completion::CheckpointWanted => self.wants_checkpoint = true,
                Completion::Relocated(all) => {
                    for relocated in all {
                        let same = self.kept.iter_mut().find(|kept| **kept == relocated.kept);
                        same.into_iter().for_each(|kept| kept.locator = relocated.to);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// As the driver does it: a state that was kept already is followed by an empty batch.
    fn take_checkpoint(&mut self) {
        self.wants_checkpoint = false;
        self.submitted += 1;
        let number = BatchNo(self.submitted);
        self.journal.submit(Batch { number, wall_ms: 0, records: Vec::new() });
        let live = self.kept.iter().map(|kept| u64::from(kept.bytes)).sum();
        self.live_bytes = [self.live_bytes[1], live];
        let standing = Standing::new(self.submitted, &self.kept);
        self.journal.checkpoint(Box::new(standing));
    }

    /// One thing that may come next: the broker acts, or a worker.
    fn act(&mut self, bench: &HandBench, random: &mut fastrand::Rng, lazy: Option<Worker>) {
        let is_held = self.submitted - self.durable >= UNDER_WAY_MAX;
        let mut ready = bench.hands.ready();
        ready.retain(|worker| Some(*worker) != lazy || random.u8(..4) == 0);
        match random.u8(..4) {
            0 => self.hear(),
            1 if self.wants_checkpoint => self.take_checkpoint(),
            1 if !is_held => self.submit(),
            _ => {
                let worker = random.choice(&ready);
                worker.into_iter().for_each(|worker| bench.hands.step(*worker));
            }
        }
    }
}

/// What is set aside for checkpoints that are shorter than a block.
const BALLAST_BYTES: u64 = (64 << 10) + 2 * 4_096;

/// Manifests, two short checkpoints, and the padding of a segment that compaction has begun.
const SHORT_FILES_BYTES: u64 = 6 * 4_096;

/// What is promised.
fn allowed(bench: &HandBench, live_bytes: [u64; 2]) -> u64 {
    let ahead = SEGMENT_BYTES * (2 + bench.options.spares as u64);
    let live = 3 * live_bytes[0].max(live_bytes[1]);
    live + bench.options.checkpoint_bytes + ahead + BALLAST_BYTES + SHORT_FILES_BYTES
}

/// Lives with this seed, and with one worker that mostly has no time.
fn check(seed: u64, lazy: Option<Worker>) {
    let bench = HandBench::new();
    let (journal, _) = bench.started();
    let mut load = Load {
        journal,
        submitted: 0,
        durable: 0,
        kept: Vec::new(),
        wants_checkpoint: false,
        live_bytes: [0; 2],
    };
    let mut random = fastrand::Rng::with_seed(seed);
    let mut steps = 0;
    while load.durable < BATCHES {
        steps += 1;
        assert!(steps < 1_000 * BATCHES, "seed {seed}: it stands still at {}", load.durable);
        load.act(&bench, &mut random, lazy);
        let (bytes, allowed) = (bench.files.bytes(), allowed(&bench, load.live_bytes));
        let names = bench.names("");
        assert!(bytes <= allowed, "seed {seed}, {lazy:?}: {bytes} of {allowed}, {names:?}");
    }
    bench.hands.settle();
    load.hear();
    load.journal.load(load.kept.clone());
    bench.hands.settle();
    assert_eq!(load.journal.figures().load_failures, 0);
    assert!(load.journal.figures().moved_messages > 0);
}

#[test]
fn the_bound_holds_at_every_step() {
    for seed in 0..40 {
        let lazy = [None, Some(Worker::Writer), Some(Worker::Reader)];
        check(seed, lazy[seed as usize % 3]);
    }
}
