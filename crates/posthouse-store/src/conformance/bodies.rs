//! What a store must do that has places: load messages, keep checkpoints, move what is left of
//! dead neighbours, and spool.

use posthouse_core::ids::{BatchNo, DestinationId};
use posthouse_core::record::codec;
use posthouse_core::store::{Completion, Kept, Locator};

use super::Bench;
use super::toy::{Step, Toy, enqueued, message};

/// Rounds of a random run.
const ROUNDS: usize = 400;

/// Messages that a random run keeps about.
const KEPT_ABOUT: usize = 60;

fn open_toy(bench: &mut dyn Bench) -> Toy {
    Toy::open(bench.open(), &[], BatchNo(0))
}

/// Opens again what was durable.
fn reopen(bench: &mut dyn Bench, toy: Toy) -> Toy {
    let (steps, durable) = toy.close();
    bench.crash();
    Toy::open(bench.open(), &steps, durable)
}

fn settle(bench: &mut dyn Bench, toy: &mut Toy) {
    bench.settle();
    toy.hear();
}

/// Publishes one message per batch.
fn publish(toy: &mut Toy, count: usize, body_bytes: usize) {
    for _ in 0..count {
        let published = vec![(toy.next_seq(), body_bytes)];
        toy.submit(Step { published, removed: Vec::new() });
    }
}

/// Makes a checkpoint now and sees it through.
fn checkpoint(bench: &mut dyn Bench, toy: &mut Toy) {
    settle(bench, toy);
    toy.checkpoint();
    settle(bench, toy);
}

fn load_all(bench: &mut dyn Bench, toy: &mut Toy) {
    settle(bench, toy);
    let seqs = toy.seqs();
    toy.load(seqs.into_iter().rev());
    settle(bench, toy);
    assert!(toy.awaited.is_empty(), "every load is answered: {:?}", toy.awaited);
}

pub(super) fn what_was_written_can_be_loaded(bench: &mut dyn Bench) {
    let mut toy = open_toy(bench);
    publish(&mut toy, 20, 100);
    publish(&mut toy, 5, 5_000);
    publish(&mut toy, 2, 300_000);
    let published = (100..160).map(|seq| (seq, 1_000)).collect();
    toy.submit(Step { published, removed: vec![3, 22] });
    load_all(bench, &mut toy);
    let mut toy = reopen(bench, toy);
    load_all(bench, &mut toy);
}

pub(super) fn a_checkpoint_is_where_the_start_begins(bench: &mut dyn Bench) {
    let mut toy = open_toy(bench);
    publish(&mut toy, 30, 3_000);
    toy.submit(Step { published: Vec::new(), removed: (5..20).collect() });
    checkpoint(bench, &mut toy);
    let mut toy = reopen(bench, toy);
    publish(&mut toy, 3, 50);
    load_all(bench, &mut toy);
    checkpoint(bench, &mut toy);
    publish(&mut toy, 3, 50);
    settle(bench, &mut toy);
    let mut toy = reopen(bench, toy);
    load_all(bench, &mut toy);
}

pub(super) fn what_is_moved_stays_loadable(bench: &mut dyn Bench) {
    let mut toy = open_toy(bench);
    let mut moved = 0;
    for round in 0..6 {
        publish(&mut toy, 60, 4_000);
        let removed = toy.seqs().into_iter().filter(|seq| seq % 9 != round % 9).collect();
        toy.submit(Step { published: Vec::new(), removed });
        checkpoint(bench, &mut toy);
        load_all(bench, &mut toy);
        moved += std::mem::take(&mut toy.moved);
        if round % 2 == 1 {
            toy = reopen(bench, toy);
            load_all(bench, &mut toy);
        }
    }
    assert!(moved > 0, "what is left of dead neighbours is moved");
}

pub(super) fn what_is_spooled_can_be_loaded_until_it_is_forgotten(bench: &mut dyn Bench) {
    let mut toy = open_toy(bench);
    let mut spooled = Vec::new();
    for seq in 1..=40 {
        let message = message(seq, 3_000);
        let mut records = Vec::new();
        codec::encode(&enqueued(seq, &message), &mut records);
        let record_bytes = records.len();
        let locator = toy.store.spool(records);
        assert_ne!(locator, Locator::NONE, "there is room for {seq} messages");
        let bytes = message.size_bytes() as u32;
        let kept = Kept { destination: DestinationId(1), seq, locator, bytes };
        toy.store.load(vec![kept]);
        spooled.push((kept, message, record_bytes));
        if seq > 10
            && let Some((kept, _, bytes)) = spooled.get(seq as usize - 11)
        {
            bench.settle();
            toy.store.forget(kept.locator, *bytes);
        }
    }
    bench.settle();
    let mut answered = 0;
    while let Some(completion) = toy.store.poll() {
        let Completion::Loaded(all) = completion else { panic!("unexpected: {completion:?}") };
        for loaded in all {
            let expected = spooled.iter().find(|(kept, ..)| *kept == loaded.kept);
            let found = loaded.message.unwrap_or_else(|why| panic!("{why}"));
            let content = expected.map(|(_, message, _)| message.content());
            assert_eq!(Some(found.content()), content, "what is spooled comes back unchanged");
            answered += 1;
        }
    }
    assert_eq!(answered, spooled.len(), "every load is answered once");
}

pub(super) fn nothing_is_lost_whatever_happens_when(bench: &mut dyn Bench, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut toy = open_toy(bench);
    for _ in 0..ROUNDS {
        match random.u8(..100) {
            0..40 => toy.submit(random_step(&toy, &mut random)),
            40..50 => {
                let seqs = toy.seqs();
                let wanted = seqs.into_iter().filter(|seq| !toy.awaited.contains(seq));
                let wanted = wanted.filter(|_| random.u8(..10) == 0).collect::<Vec<_>>();
                toy.load(wanted.into_iter());
            }
            50..90 => bench.step(random.u64(..)),
            90..93 => toy.checkpoint(),
            93..99 => settle(bench, &mut toy),
            _ => toy = reopen(bench, toy),
        }
        toy.hear();
        if toy.wants_checkpoint && random.bool() {
            toy.checkpoint();
        }
    }
    load_all(bench, &mut toy);
    let mut toy = reopen(bench, toy);
    load_all(bench, &mut toy);
}

fn random_step(toy: &Toy, random: &mut fastrand::Rng) -> Step {
    let first = toy.next_seq();
    let count = random.u64(0..6);
    let body_bytes = |random: &mut fastrand::Rng| match random.u8(..40) {
        0 => random.usize(60_000..150_000),
        1..20 => random.usize(..300),
        _ => random.usize(..12_000),
    };
    let published = (first..first + count).map(|seq| (seq, body_bytes(random))).collect();
    let seqs = toy.seqs();
    let too_many = seqs.len().saturating_sub(KEPT_ABOUT);
    let count = random.usize(..4) + too_many;
    let removed = random.choose_multiple(seqs, count);
    Step { published, removed }
}
