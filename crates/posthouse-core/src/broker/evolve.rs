//! The only place where durable state changes. It sees records and nothing else, so recovery,
//! replicas and the living broker cannot disagree.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::backlog::Attempts;
use crate::broker::log::Entry;
use crate::ids::{BacklogKey, DestinationId, MessageId, Seq, SubscriptionId, seq_of_run};
use crate::message::Provenance;
use crate::record::{Attempt, Enqueued, Moved, Record};

impl Broker {
    /// Changes durable state as `record` says.
    ///
    /// # Panics
    /// If the record contradicts the ones before it: the log is then not one that Posthouse wrote.
    pub fn evolve(&mut self, record: &Record) {
        match record {
            Record::Started { run } => self.start_run(*run),
            Record::DestinationDefined { id, kind, path } => {
                self.define_destination(*id, *kind, path);
            }
            Record::DestinationRemoved { id } => self.forget_destination(*id),
            Record::SubscriptionDefined { id, client, name, path, selector } => {
                self.define_subscription(*id, client, name, path, selector);
            }
            Record::SubscriptionRemoved { id } => self.forget_subscription(*id),
            Record::Enqueued(enqueued) => self.enqueue_recorded(enqueued),
            Record::Removed(removed) => {
                for seq in &removed.seqs {
                    self.release(removed.from, *seq);
                }
            }
            Record::Returned { backlog, attempts } => self.return_to(*backlog, attempts),
            Record::Dispatched { backlog, up_to } => self.mark_dispatched(*backlog, *up_to),
            Record::Moved(moved) => self.carry_out_move(moved),
            Record::Transaction(records) => {
                for record in records {
                    self.evolve(record);
                }
            }
        }
    }

    fn start_run(&mut self, run: u32) {
        self.run = run;
        for place in self.places.values_mut() {
            place.log.skip_to(seq_of_run(run));
        }
    }

    fn enqueue_recorded(&mut self, enqueued: &Enqueued) {
        let entry = Entry {
            message: enqueued.message.clone(),
            provenance: None,
            batch: self.open_batch,
            expires_ms: enqueued.message.expires_ms,
            waiting: 0,
            recorded: true,
        };
        self.keep(enqueued.destination, enqueued.seq, entry, &enqueued.subscriptions);
        if let Some(producer) = enqueued.message.producer {
            self.producers.note(producer, self.open_batch);
        }
    }

    /// Keeps a message for the backlogs of `subscriptions`.
    pub(super) fn keep(
        &mut self,
        destination: DestinationId,
        seq: Seq,
        mut entry: Entry,
        subscriptions: &[SubscriptionId],
    ) {
        let place = self.places.get_mut(&destination).expect("messages name what is there");
        entry.waiting += subscriptions.len() as u32;
        for subscription in subscriptions {
            let backlog = place.backlogs.get_mut(subscription).expect("and who waits for them");
            backlog.add(seq, entry.message.priority);
            if !backlog.is_runnable && !backlog.consumers().is_empty() {
                backlog.is_runnable = true;
                self.runnable.push_back(BacklogKey { destination, subscription: *subscription });
            }
        }
        self.messages += 1;
        self.bytes += entry.message.size_bytes() as u64;
        if entry.expires_ms != 0 {
            self.expiring.insert((entry.expires_ms, destination, seq));
        }
        place.log.insert(seq, entry);
    }

    /// Messages are ready again, or still wait, with this many attempts behind them.
    pub(super) fn return_to(&mut self, key: BacklogKey, attempts: &[Attempt]) {
        let Some(place) = self.places.get_mut(&key.destination) else { return };
        for attempt in attempts {
            let Some(entry) = place.log.get(attempt.seq) else { continue };
            let priority = entry.message.priority;
            let Some(backlog) = place.backlogs.get_mut(&key.subscription) else { return };
            let Attempt { deliveries, failures, .. } = *attempt;
            backlog.set_attempts(attempt.seq, Attempts { deliveries, failures });
            backlog.put_back(attempt.seq, priority);
        }
    }

    fn mark_dispatched(&mut self, key: BacklogKey, up_to: Seq) {
        let Some(place) = self.places.get_mut(&key.destination) else { return };
        let Some(backlog) = place.backlogs.get_mut(&key.subscription) else { return };
        backlog.dispatched_up_to = backlog.dispatched_up_to.max(up_to);
        backlog.dispatched_batch = self.open_batch;
    }

    /// Moves a message between backlogs. Records know of the moves of recorded messages; the
    /// others take the same way without one.
    pub(super) fn carry_out_move(&mut self, moved: &Moved) {
        let source = &self.places[&moved.from.destination];
        let entry = source.log.get(moved.seq).expect("what is moved is there");
        let here = MessageId { destination: moved.from.destination, origin: 0, seq: moved.seq };
        let first_id = entry.provenance.as_ref().map_or(here, |before| before.first_id);
        let provenance = Provenance {
            first_id,
            source: moved.from,
            destination: source.name.clone(),
            reason: moved.reason,
            deliveries: moved.deliveries,
            moved_ms: moved.moved_ms,
        };
        let copy = Entry {
            message: entry.message.clone(),
            provenance: Some(Arc::new(provenance)),
            batch: self.open_batch,
            expires_ms: 0,
            waiting: 0,
            recorded: entry.recorded,
        };
        self.release(moved.from, moved.seq);
        self.keep(moved.to.destination, moved.to_seq, copy, &[moved.to.subscription]);
    }
}
