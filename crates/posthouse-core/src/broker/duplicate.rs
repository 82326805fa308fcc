//! Recognises messages that arrive twice, by the numbers that their producers give them.
//!
//! A producer that has lost its connection sends again what was not confirmed. It numbers its
//! messages upwards and resends with the old numbers, so it is enough to remember a window below
//! the highest: what is older was confirmed long ago.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::BatchNo;
use crate::limits::{PRODUCER_WINDOW, PRODUCERS_REMEMBERED_MAX};
use crate::message::ProducerSeq;
use crate::record::ProducedNumbers;
use crate::seq_set::SeqSet;

/// The numbers that each producer has used.
#[derive(Debug, Default)]
pub struct Producers {
    known: BTreeMap<u128, Arc<Producer>>,
    by_use: BTreeMap<u64, u128>,
    uses: u64,
}

/// The numbers of one producer. A snapshot shares them with the living broker.
#[derive(Clone, Debug, Default)]
pub struct Producer {
    /// By records.
    seen: SeqSet,
    /// Of messages that no record tells of.
    volatile: SeqSet,
    floor: u64,
    last_use: u64,
    batch: BatchNo,
}

impl Producer {
    fn raise_floor(&mut self, floor: u64) {
        if floor > self.floor {
            self.floor = floor;
            self.seen.remove_below(floor);
            self.volatile.remove_below(floor);
        }
    }

    /// What records tell of it, for a checkpoint.
    pub fn recorded(&self, producer: u128) -> ProducedNumbers {
        ProducedNumbers { producer, floor: self.floor, seen: self.seen.pages().collect() }
    }
}

impl Producers {
    /// If the message has come before: the batch that must be durable before that is confirmed.
    pub fn seen(&self, message: ProducerSeq) -> Option<BatchNo> {
        let producer = self.known.get(&message.producer)?;
        let is_seen = message.seq < producer.floor
            || producer.seen.contains(message.seq)
            || producer.volatile.contains(message.seq);
        is_seen.then_some(producer.batch)
    }

    /// Remembers that the message has come, by a record in `batch`.
    pub fn note(&mut self, message: ProducerSeq, batch: BatchNo) {
        let producer = self.use_of(message.producer);
        producer.batch = producer.batch.max(batch);
        producer.seen.insert(message.seq);
        producer.raise_floor(message.seq.saturating_sub(PRODUCER_WINDOW));
        self.forget_the_idlest();
    }

    /// Remembers that a message has come of which no record tells.
    pub fn note_volatile(&mut self, message: ProducerSeq) {
        let producer = self.use_of(message.producer);
        producer.volatile.insert(message.seq);
        producer.raise_floor(message.seq.saturating_sub(PRODUCER_WINDOW));
        self.forget_the_idlest();
    }

    /// Remembers what a checkpoint tells of a producer.
    pub fn restore(&mut self, produced: &ProducedNumbers) {
        let producer = self.use_of(produced.producer);
        for (number, bits) in &produced.seen {
            producer.seen.insert_page(*number, *bits);
        }
        producer.raise_floor(produced.floor);
        self.forget_the_idlest();
    }

    /// All producers, the idlest first.
    pub fn share(&self) -> Vec<(u128, Arc<Producer>)> {
        let by_use = self.by_use.values();
        by_use.filter_map(|id| Some((*id, self.known.get(id)?.clone()))).collect()
    }

    fn use_of(&mut self, id: u128) -> &mut Producer {
        self.uses += 1;
        let producer = Arc::make_mut(self.known.entry(id).or_default());
        self.by_use.remove(&producer.last_use);
        self.by_use.insert(self.uses, id);
        producer.last_use = self.uses;
        producer
    }

    fn forget_the_idlest(&mut self) {
        if self.known.len() > PRODUCERS_REMEMBERED_MAX
            && let Some((_, idlest)) = self.by_use.pop_first()
        {
            self.known.remove(&idlest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Producers;
    use crate::ids::BatchNo;
    use crate::limits::{PRODUCER_WINDOW, PRODUCERS_REMEMBERED_MAX};
    use crate::message::ProducerSeq;

    fn number(producer: u128, seq: u64) -> ProducerSeq {
        ProducerSeq { producer, seq }
    }

    #[test]
    fn second_arrivals_are_recognised_and_late_first_ones_are_not() {
        let mut producers = Producers::default();
        producers.note(number(1, 7), BatchNo(3));
        assert_eq!(producers.seen(number(1, 7)), Some(BatchNo(3)));
        assert_eq!(producers.seen(number(1, 6)), None, "it may still come, from a transaction");
        assert_eq!(producers.seen(number(2, 7)), None);
        producers.note(number(1, 7 + PRODUCER_WINDOW + 1), BatchNo(0));
        assert_eq!(producers.seen(number(1, 7)), Some(BatchNo(3)), "older than the window");
        assert_eq!(producers.seen(number(1, 8)), None);
    }

    #[test]
    fn the_idlest_producer_is_forgotten() {
        let mut producers = Producers::default();
        for producer in 0..PRODUCERS_REMEMBERED_MAX as u128 {
            producers.note(number(producer, 1), BatchNo(0));
        }
        producers.note(number(0, 2), BatchNo(0));
        producers.note(number(u128::MAX, 1), BatchNo(0));
        assert!(producers.seen(number(0, 1)).is_some());
        assert!(producers.seen(number(1, 1)).is_none());
    }
}
