//! A toy broker for the conformance suite: it keeps messages whose content follows from their
//! position, publishes and removes them in batches, and knows what the state was after each batch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use posthouse_core::ids::{BacklogKey, BatchNo, DestinationId, Seq, SubscriptionId};
use posthouse_core::message::{Envelope, EnvelopeHead};
use posthouse_core::property::PropertyWriter;
use posthouse_core::record::{Enqueued, Record, Removed, codec};
use posthouse_core::store::{Batch, Completion, Kept, Loaded, Locator, Snapshot, Store};

const DESTINATION: DestinationId = DestinationId(1);
const FIELD_BYTES: usize = 8;
const ROW_BYTES: usize = 3 * FIELD_BYTES;
const PIECE_ROWS: usize = 100;

/// What one batch does.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// Messages to publish, by position, each with the length of its body.
    pub(super) published: Vec<(Seq, usize)>,
    /// Messages to remove.
    pub(super) removed: Vec<Seq>,
}

/// The message at a position. Its content is as good as random.
pub(super) fn message(seq: Seq, body_bytes: usize) -> Arc<Envelope> {
    let mut body = vec![0; body_bytes];
    fastrand::Rng::with_seed(seq).fill(&mut body);
    Arc::new(Envelope::new(EnvelopeHead::default(), PropertyWriter::default(), &body))
}

/// The message at a position as a record.
pub(super) fn enqueued(seq: Seq, message: &Arc<Envelope>) -> Record {
    let message = message.clone();
    let subscriptions = vec![SubscriptionId::QUEUE];
    Record::Enqueued(Enqueued { destination: DESTINATION, seq, subscriptions, message })
}

/// Where in its batch a message begins, and what it counts, in bytes.
struct Begin {
    seq: Seq,
    offset: usize,
    bytes: u32,
}

/// The records of a step, and where in them each message begins.
fn encode(step: &Step) -> (Vec<u8>, Vec<Begin>) {
    let mut records = Vec::new();
    let mut begins = Vec::new();
    for (seq, body_bytes) in &step.published {
        let message = message(*seq, *body_bytes);
        let bytes = message.size_bytes() as u32;
        begins.push(Begin { seq: *seq, offset: records.len(), bytes });
        codec::encode(&enqueued(*seq, &message), &mut records);
    }
    if !step.removed.is_empty() {
        let from = BacklogKey { destination: DESTINATION, subscription: SubscriptionId::QUEUE };
        codec::encode(&Record::Removed(Removed { from, seqs: step.removed.clone() }), &mut records);
    }
    (records, begins)
}

/// See the module.
pub(super) struct Toy {
    pub(super) store: Box<dyn Store>,
    /// What every batch did, from the first on.
    steps: Vec<Step>,
    kept: BTreeMap<Seq, (Locator, u32)>,
    /// The last batch that is known to be durable.
    pub(super) durable: BatchNo,
    /// Whether a checkpoint is wanted.
    pub(super) wants_checkpoint: bool,
    /// Messages that were asked for and have not come yet.
    pub(super) awaited: BTreeSet<Seq>,
    /// How many messages were moved.
    pub(super) moved: usize,
}

impl Toy {
    /// Reads back what is in `store`, which the given steps were submitted to, of which those up
    /// to `durable` must be there.
    ///
    /// # Panics
    /// If it is not what it should be.
    pub(super) fn open(store: Box<dyn Store>, steps: &[Step], durable: BatchNo) -> Toy {
        let mut toy = Toy {
            store,
            steps: Vec::new(),
            kept: BTreeMap::new(),
            durable,
            wants_checkpoint: false,
            awaited: BTreeSet::new(),
            moved: 0,
        };
        let mut kept = BTreeMap::new();
        let restored = toy.store.restore(&mut |piece| {
            kept.extend(piece.chunks(ROW_BYTES).map(decode_row));
            Ok(())
        });
        toy.kept = kept;
        let restored = restored.expect("no damage").0;
        toy.steps.extend(steps.iter().take(restored as usize).cloned());
        toy.replay(steps);
        assert!(
            toy.last() >= durable,
            "nothing confirmed is lost: {:?} of {durable:?}",
            toy.last()
        );
        assert_eq!(toy.seqs(), expected(&toy.steps), "the state is that of batch {:?}", toy.last());
        toy.durable = toy.last();
        toy
    }

    fn replay(&mut self, steps: &[Step]) {
        loop {
            let next = BatchNo(self.last().0 + 1);
            let Some(found) = self.store.recover(next).expect("no damage") else { return };
            assert_eq!(found.batch.number, next, "no batch is left out");
            let step = steps.get(self.steps.len()).cloned().expect("it was submitted");
            let (records, begins) = encode(&step);
            assert_eq!(found.batch.records, records, "a batch survives unchanged");
            self.evolve(step, &begins, found.place);
        }
    }

    fn evolve(&mut self, step: Step, begins: &[Begin], place: Locator) {
        for Begin { seq, offset, bytes } in begins {
            self.kept.insert(*seq, (place.after(*offset), *bytes));
        }
        for seq in &step.removed {
            self.kept.remove(seq);
        }
        self.steps.push(step);
    }

    /// What was done, and up to where it is durable: for opening again.
    pub(super) fn close(self) -> (Vec<Step>, BatchNo) {
        (self.steps, self.durable)
    }

    /// The last batch.
    pub(super) fn last(&self) -> BatchNo {
        BatchNo(self.steps.len() as u64)
    }

    /// The positions of all messages that are kept.
    pub(super) fn seqs(&self) -> Vec<Seq> {
        self.kept.keys().copied().collect()
    }

    /// A position that was never used.
    pub(super) fn next_seq(&self) -> Seq {
        let published = self.steps.iter().flat_map(|step| &step.published);
        published.map(|(seq, _)| *seq).max().unwrap_or(0) + 1
    }

    /// Submits a batch.
    pub(super) fn submit(&mut self, step: Step) {
        let (records, begins) = encode(&step);
        let number = BatchNo(self.last().0 + 1);
        let place = self.store.submit(Batch { number, wall_ms: number.0, records });
        self.evolve(step, &begins, place);
    }

    /// Asks for messages that are kept.
    pub(super) fn load(&mut self, seqs: impl Iterator<Item = Seq>) {
        let wanted: Vec<Kept> = seqs.filter_map(|seq| self.kept_at(seq)).collect();
        self.awaited.extend(wanted.iter().map(|kept| kept.seq));
        self.store.load(wanted);
    }

    fn kept_at(&self, seq: Seq) -> Option<Kept> {
        let (locator, bytes) = *self.kept.get(&seq)?;
        Some(Kept { destination: DESTINATION, seq, locator, bytes })
    }

    /// Hands over the state as it is now.
    pub(super) fn checkpoint(&mut self) {
        self.wants_checkpoint = false;
        let kept = self.kept.keys().filter_map(|seq| self.kept_at(*seq)).collect();
        self.store.checkpoint(Box::new(ToySnapshot { batch: self.last(), kept }));
    }

    /// Hears everything that the store has to tell.
    ///
    /// # Panics
    /// If something is not as it should be.
    pub(super) fn hear(&mut self) {
        while let Some(completion) = self.store.poll() {
            match completion {
                Completion::Durable(batch) => {
                    assert!(batch > self.durable && batch <= self.last(), "durable: {batch:?}");
                    self.durable = batch;
                }
                Completion::Loaded(all) => all.into_iter().for_each(|one| self.take(one)),
                Completion::Relocated(all) => {
                    self.moved += all.len();
                    for relocated in all {
                        let place = self.kept.get_mut(&relocated.kept.seq);
                        if let Some((locator, _)) =
                            place.filter(|(at, _)| *at == relocated.kept.locator)
                        {
                            *locator = relocated.to;
                        }
                    }
                }
                Completion::CheckpointWanted => self.wants_checkpoint = true,
                other => panic!("unexpected completion: {other:?}"),
            }
        }
    }

    fn take(&mut self, loaded: Loaded) {
        let seq = loaded.kept.seq;
        assert!(self.awaited.remove(&seq), "message {seq} was not asked for");
        let found = loaded.message.unwrap_or_else(|why| panic!("message {seq}: {why}"));
        let body_bytes = self.body_bytes(seq);
        assert_eq!(found.content(), message(seq, body_bytes).content(), "message {seq} is altered");
    }

    fn body_bytes(&self, seq: Seq) -> usize {
        let mut published = self.steps.iter().flat_map(|step| &step.published);
        published.find(|(other, _)| *other == seq).map_or(0, |(_, bytes)| *bytes)
    }
}

/// What is left after all these steps.
fn expected(steps: &[Step]) -> Vec<Seq> {
    let mut seqs = BTreeSet::new();
    for step in steps {
        seqs.extend(step.published.iter().map(|(seq, _)| *seq));
        step.removed.iter().for_each(|seq| {
            seqs.remove(seq);
        });
    }
    seqs.into_iter().collect()
}

fn decode_row(row: &[u8]) -> (Seq, (Locator, u32)) {
    let mut fields = row
        .chunks_exact(FIELD_BYTES)
        .map(|field| field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)));
    let mut next = || fields.next().unwrap_or_default();
    (next(), (Locator(next()), next() as u32))
}

/// The state of a toy after a batch.
struct ToySnapshot {
    batch: BatchNo,
    kept: Vec<Kept>,
}

impl Snapshot for ToySnapshot {
    fn batch(&self) -> BatchNo {
        self.batch
    }

    fn pieces(&self, piece: &mut dyn FnMut(&[u8]) -> bool) {
        for rows in self.kept.chunks(PIECE_ROWS) {
            let fields =
                rows.iter().flat_map(|kept| [kept.seq, kept.locator.0, u64::from(kept.bytes)]);
            let bytes: Vec<u8> = fields.flat_map(u64::to_le_bytes).collect();
            if !piece(&bytes) {
                return;
            }
        }
    }

    fn messages(&self, message: &mut dyn FnMut(Kept)) {
        self.kept.iter().for_each(|kept| message(*kept));
    }
}
