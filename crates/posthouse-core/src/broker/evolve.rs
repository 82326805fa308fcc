//! The only place where durable state changes. It sees records and nothing else, so recovery,
//! replicas and the living broker cannot disagree.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::backlog::Attempts;
use crate::broker::log::{Body, Facts};
use crate::ids::{BacklogKey, DestinationId, MessageId, Seq, SubscriptionId, seq_of_run};
use crate::message::Provenance;
use crate::record::{Attempt, Enqueued, Moved, Record};

impl Broker {
    /// Changes durable state as `record` says.
    ///
    /// # Panics
    /// If the record contradicts the ones before it: the log is then not one that Posthouse wrote.
    pub fn evolve(&mut self, record: &Record) {
        if self.capture.is_some() {
            self.capture_before(record);
        }
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
            Record::Numbered { last_destination, last_subscription } => {
                self.last_destination = self.last_destination.max(*last_destination);
                self.last_subscription = self.last_subscription.max(*last_subscription);
            }
            Record::Kept(page) => self.restore_page(page),
            Record::Waiting(waiting) => self.restore_waiting(waiting),
            Record::Produced(produced) => self.producers.restore(produced),
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
        let locator = self.paging.next_in_batch();
        let facts = Facts { recorded: true, locator, ..Facts::of(&enqueued.message) };
        let body = Body { message: enqueued.message.clone(), batch: self.open_batch };
        let Enqueued { destination, seq, subscriptions, .. } = enqueued;
        self.keep(*destination, *seq, facts, Some(body), subscriptions);
        if let Some(producer) = enqueued.message.producer {
            self.producers.note(producer, self.open_batch);
        }
    }

    /// Keeps a message for the backlogs of `subscriptions`.
    pub(super) fn keep(
        &mut self,
        destination: DestinationId,
        seq: Seq,
        mut facts: Facts,
        body: Option<Body>,
        subscriptions: &[SubscriptionId],
    ) {
        let place = self.places.get_mut(&destination).expect("messages name what is there");
        facts.waiting += subscriptions.len() as u32;
        for subscription in subscriptions {
            let backlog = place.backlogs.get_mut(subscription).expect("and who waits for them");
            backlog.add(seq, facts.priority);
            if !backlog.is_runnable && !backlog.consumers().is_empty() {
                backlog.is_runnable = true;
                self.runnable.push_back(BacklogKey { destination, subscription: *subscription });
            }
        }
        self.messages += 1;
        self.bytes += u64::from(facts.bytes);
        if facts.expires_ms != 0 {
            self.expiring.insert((facts.expires_ms, destination, seq));
        }
        if body.is_some() {
            self.resident_bytes += u64::from(facts.bytes);
        }
        self.paging.note_unplaced(destination, seq, facts.locator);
        if place.log.insert(seq, facts, body) {
            self.paging.list_last(destination, seq);
        }
    }

    /// Messages are ready again, or still wait, with this many attempts behind them.
    pub(super) fn return_to(&mut self, key: BacklogKey, attempts: &[Attempt]) {
        let Some(place) = self.places.get_mut(&key.destination) else { return };
        for attempt in attempts {
            let Some(entry) = place.log.get(attempt.seq) else { continue };
            let priority = entry.look.priority();
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
        let first_id = entry.look.provenance().map_or(here, |before| before.first_id);
        let provenance = Provenance {
            first_id,
            source: moved.from,
            destination: source.name.clone(),
            reason: moved.reason,
            deliveries: moved.deliveries,
            moved_ms: moved.moved_ms,
        };
        let copy = Facts {
            provenance: Some(Arc::new(provenance)),
            expires_ms: 0,
            waiting: 0,
            ..entry.look.facts()
        };
        let message = entry.body.map(|body| body.message.clone());
        let body = message.map(|message| Body { message, batch: self.open_batch });
        self.paging.share_spooled(&copy);
        self.release(moved.from, moved.seq);
        let to = moved.to;
        self.keep(to.destination, moved.to_seq, copy, body, &[to.subscription]);
    }
}
