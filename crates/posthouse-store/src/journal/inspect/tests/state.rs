//! What waits, and what is live, in a store that the journal itself has written.

use std::sync::Arc;

use posthouse_core::destination::Kind;
use posthouse_core::ids::{BacklogKey, BatchNo, DestinationId, SubscriptionId};
use posthouse_core::message::{Envelope, EnvelopeHead, OVERHEAD_BYTES, SIZE_UNIT_BYTES};
use posthouse_core::property::PropertyWriter;
use posthouse_core::record::codec::encode;
use posthouse_core::record::{Enqueued, KeptMessage, KeptPage, Record, WaitingPages};
use posthouse_core::store::{Batch, Kept, Locator, Snapshot, Store};

use super::shared;
use crate::files::held::HeldFiles;
use crate::journal::inspect::{Amount, check, stats, waiting};
use crate::journal::layout::place::Place;
use crate::journal::{Crew, Hands, Journal, Options};

const QUEUE: DestinationId = DestinationId(1);
const BODY_BYTES: usize = 16;
const UNITS: u32 = ((OVERHEAD_BYTES + BODY_BYTES) / SIZE_UNIT_BYTES) as u32;

/// A journal with the queue "orders" and two messages in it, a batch for each record.
struct World {
    files: Arc<HeldFiles>,
    hands: Hands,
    journal: Journal,
    places: Vec<Locator>,
}

impl World {
    fn new() -> World {
        let (files, hands) = (Arc::new(HeldFiles::default()), Hands::new());
        let options = Options { segment_bytes: 64 << 10, spares: 0, ..Options::default() };
        let crew = Crew::ByHand(hands.clone());
        let mut journal =
            Journal::open(files.clone(), Arc::new(HeldFiles::default()), options, crew)
                .expect("nothing is there");
        assert!(journal.recover(BatchNo(1)).expect("nothing is there").is_none());
        let mut world = World { files, hands, journal, places: Vec::new() };
        world.submit(1, &defined());
        world.submit(2, &enqueued(1));
        world.submit(3, &enqueued(2));
        world.hands.settle();
        world
    }

    fn submit(&mut self, number: u64, record: &Record) {
        let mut records = Vec::new();
        encode(record, &mut records);
        let batch = Batch { number: BatchNo(number), wall_ms: 0, records };
        self.places.push(self.journal.submit(batch));
    }

    /// Checkpoints what there is: the second message only.
    fn checkpoint(&mut self) {
        let image = Image { locator: self.places[2] };
        self.journal.checkpoint(Box::new(image));
        self.hands.settle();
    }

    fn check_waiting(&self, expected: &[(&str, u64)]) {
        let found = waiting(&shared(&self.files)).expect("it is sound");
        let found: Vec<(String, u64)> =
            found.iter().map(|all| (all.name.to_string(), all.messages.count)).collect();
        let expected: Vec<(String, u64)> =
            expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        assert_eq!(found, expected);
    }
}

fn defined() -> Record {
    Record::DestinationDefined { id: QUEUE, kind: Kind::Queue, path: "orders".into() }
}

fn enqueued(seq: u64) -> Record {
    let head = EnvelopeHead { persistent: true, ..EnvelopeHead::default() };
    let message = Arc::new(Envelope::new(head, PropertyWriter::default(), &[7; BODY_BYTES]));
    let subscriptions = vec![SubscriptionId::QUEUE];
    Record::Enqueued(Enqueued { destination: QUEUE, seq, subscriptions, message })
}

struct Image {
    locator: Locator,
}

impl Snapshot for Image {
    fn batch(&self) -> BatchNo {
        BatchNo(3)
    }

    fn pieces(&self, piece: &mut dyn FnMut(&[u8]) -> bool) {
        let message = KeptMessage {
            index: 2,
            units: UNITS,
            priority: 4,
            persistent: true,
            locator: self.locator,
            expires_ms: 0,
            waiting: 1,
            provenance: None,
        };
        let page = KeptPage { destination: QUEUE, number: 0, messages: vec![message] };
        let backlog = BacklogKey { destination: QUEUE, subscription: SubscriptionId::QUEUE };
        let pages = vec![(0, [1 << 2, 0, 0, 0])];
        let waiting = WaitingPages { backlog, priority: 4, pages };
        let mut records = Vec::new();
        for record in [defined(), Record::Kept(page), Record::Waiting(waiting)] {
            encode(&record, &mut records);
        }
        piece(&records);
    }

    fn messages(&self, message: &mut dyn FnMut(Kept)) {
        let bytes = UNITS * SIZE_UNIT_BYTES as u32;
        message(Kept { destination: QUEUE, seq: 2, locator: self.locator, bytes });
    }
}

#[test]
fn messages_are_counted_by_the_name_of_their_destination() {
    let mut world = World::new();
    world.check_waiting(&[("/queue/orders", 2)]);
    world.checkpoint();
    world.check_waiting(&[("/queue/orders", 1)]);
    world.submit(4, &enqueued(3));
    world.hands.settle();
    world.check_waiting(&[("/queue/orders", 2)]);
    let report = check(&shared(&world.files), &mut |_, _| {}).expect("it can be read");
    assert!(report.is_sound(), "{report:?}");
}

#[test]
fn a_segment_that_is_referred_to_has_to_be_there() {
    let mut world = World::new();
    world.places[2] = Place { segment: 7, position: 5_000 }.locator();
    world.checkpoint();
    let report = check(&shared(&world.files), &mut |_, _| {}).expect("it can be read");
    let expected = "damage: 0000000000000007.segment at byte 0: the checkpoint needs 1 messages \
                    in it, and it is not there";
    let found: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert_eq!(found, [expected]);
    assert!(!report.is_sound());
}

#[test]
fn live_is_what_the_checkpoint_refers_to() {
    let mut world = World::new();
    let live = |world: &World| -> Vec<(u64, Amount)> {
        let stats = stats(&shared(&world.files), &mut |_, _| {}).expect("it is sound");
        stats.segments.iter().map(|segment| (segment.id, segment.live)).collect()
    };
    let nothing = Amount::default();
    assert_eq!(live(&world), [(1, nothing), (2, nothing)]);
    world.checkpoint();
    let one = Amount { count: 1, bytes: 64 };
    assert_eq!(live(&world), [(1, one), (2, nothing)]);
}
