//! A destination: its log, its backlogs, its subscribers, and how full it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::backlog::Backlog;
use crate::broker::log::Log;
use crate::broker::view::Counters;
use crate::command::Applied;
use crate::destination::{DestinationName, Kind, Pattern};
use crate::ids::{
    BacklogKey, ConsumerId, DestinationId, HolderId, Seq, SubscriptionId, seq_of_run,
};
use crate::limits::{BATCH_MAX, DESTINATIONS_MAX};
use crate::policy::Policy;
use crate::record::{Record, Removed};
use crate::refusal::{Code, Refusal};

/// See the module.
#[derive(Debug)]
pub struct Place {
    /// Its id.
    pub id: DestinationId,
    /// Its name.
    pub name: Arc<DestinationName>,
    /// What holds for it.
    pub policy: Arc<Policy>,
    /// Its messages.
    pub log: Log,
    /// Who waits for them: the queue itself, or each durable subscription.
    pub backlogs: BTreeMap<SubscriptionId, Backlog>,
    /// Plain subscribers, if it is a topic.
    pub plain: Vec<ConsumerId>,
    /// Messages and bytes that open transactions will bring.
    pub reserved_messages: u64,
    /// See `reserved_messages`.
    pub reserved_bytes: u64,
    /// Producers that wait for room.
    pub waiters: VecDeque<HolderId>,
    /// Plain subscribers that producers have to wait for.
    pub blocking_subscribers: u32,
    /// Messages whose bodies the store cannot give back. They stay, and nobody is handed them.
    pub unreadable: BTreeSet<Seq>,
    /// What has happened here.
    pub counters: Counters,
}

impl Broker {
    pub(super) fn resolve_path(&mut self, kind: Kind, path: &str) -> Result<Applied, Refusal> {
        let name = DestinationName::new(kind, path)?;
        self.resolve(&name).map(Applied::Destination)
    }

    /// The destination of this name, made if need be.
    pub(super) fn resolve(&mut self, name: &DestinationName) -> Result<DestinationId, Refusal> {
        if let Some(id) = self.names.get(name) {
            return Ok(*id);
        }
        if !self.policies.of(name).auto_create {
            let detail = format!("{name} does not exist and is not made on demand");
            return Err(Refusal::new(Code::DestinationUnknown, detail));
        }
        if self.places.len() >= DESTINATIONS_MAX {
            let detail = format!("{DESTINATIONS_MAX} destinations exist; {name} is one too many");
            return Err(Refusal::new(Code::LimitReached, detail));
        }
        let takers = self.subscriptions.values().filter(|s| s.pattern.matches(name)).count();
        self.check_backlogs(takers)?;
        Ok(self.make_destination(name))
    }

    /// Makes a destination, whatever the limits say.
    pub(super) fn make_destination(&mut self, name: &DestinationName) -> DestinationId {
        let id = DestinationId(self.last_destination + 1);
        self.record(Record::DestinationDefined { id, kind: name.kind, path: name.path().into() });
        self.attach_wildcards(id, name);
        id
    }

    pub(super) fn define_destination(&mut self, id: DestinationId, kind: Kind, path: &str) {
        let name = DestinationName::new(kind, path).expect("names are checked before recording");
        let name = Arc::new(name);
        let mut backlogs = BTreeMap::new();
        match kind {
            Kind::Queue => {
                backlogs.insert(SubscriptionId::QUEUE, Backlog::default());
            }
            Kind::Topic => {
                let all = self.subscriptions.iter_mut();
                for (subscription, found) in all.filter(|(_, s)| s.pattern.matches(&name)) {
                    found.topics.insert(id);
                    self.durable_backlogs += 1;
                    backlogs.insert(*subscription, Backlog::default());
                }
            }
        }
        let place = Place {
            id,
            name: name.clone(),
            policy: self.policies.of(&name),
            log: Log::starting_at(seq_of_run(self.run)),
            backlogs,
            plain: Vec::new(),
            reserved_messages: 0,
            reserved_bytes: 0,
            waiters: VecDeque::new(),
            blocking_subscribers: 0,
            unreadable: BTreeSet::new(),
            counters: Counters::default(),
        };
        self.places.insert(id, place);
        self.names.insert(name, id);
        self.last_destination = self.last_destination.max(id.0);
    }

    /// The destinations that a pattern takes in. A plain name is looked up, for there may be very
    /// many destinations and very many who ask.
    pub(super) fn taken_in(&self, pattern: &Pattern) -> Vec<DestinationId> {
        if let Some(name) = pattern.as_name() {
            return self.names.get(&name).copied().into_iter().collect();
        }
        let all = self.places.values().filter(|place| pattern.matches(&place.name));
        all.map(|place| place.id).collect()
    }

    /// Consumers that asked for a pattern take from a new destination that it takes in.
    fn attach_wildcards(&mut self, id: DestinationId, name: &DestinationName) {
        for index in 0..self.wildcard_consumers.len() {
            let consumer = self.wildcard_consumers[index];
            let matches = |c: &super::Consumer| c.target.matches(name);
            if self.consumers.get(consumer.0).is_some_and(matches) {
                self.attach_to(consumer, id);
            }
        }
    }

    pub(super) fn remove_destination(
        &mut self,
        destination: DestinationId,
    ) -> Result<Applied, Refusal> {
        let place = self.place(destination)?;
        let consumed = place.backlogs.values().any(|backlog| !backlog.consumers().is_empty());
        let used = place.reserved_messages > 0 || !place.waiters.is_empty();
        if consumed || used || !place.plain.is_empty() {
            let detail = format!("{} has consumers or producers at work", place.name);
            return Err(Refusal::new(Code::DestinationInUse, detail));
        }
        let dropped = place.log.len();
        // Its own counters go with it, but the node's stay.
        self.count(destination, |counters| counters.dropped += dropped);
        self.record(Record::DestinationRemoved { id: destination });
        self.make_room(destination);
        Ok(Applied::Count(dropped))
    }

    pub(super) fn forget_destination(&mut self, destination: DestinationId) {
        let Some(place) = self.places.remove(&destination) else { return };
        self.names.remove(&place.name);
        for subscription in place.backlogs.keys() {
            if let Some(found) = self.subscriptions.get_mut(subscription) {
                self.durable_backlogs -= usize::from(found.topics.remove(&destination));
            }
        }
        self.messages -= place.log.len();
        self.bytes -= place.log.bytes();
        self.resident_bytes -= place.log.resident_bytes();
        for (seq, entry) in place.log.iter() {
            self.paging.forget_spooled(&entry.look.facts());
            if entry.look.expires_ms() != 0 {
                self.expiring.remove(&(entry.look.expires_ms(), destination, seq));
            }
        }
        self.delayed.retain(|(_, key, _)| key.destination != destination);
    }

    /// Drops the messages of a queue that nobody is working on.
    pub(super) fn purge(
        &mut self,
        destination: DestinationId,
        limit: u64,
    ) -> Result<Applied, Refusal> {
        let place = self.place(destination)?;
        let Some(backlog) = place.backlogs.get(&SubscriptionId::QUEUE) else {
            let detail = format!("{} is a topic; only queues are purged", place.name);
            return Err(Refusal::new(Code::NotOffered, detail));
        };
        let idle = backlog.occupied().flat_map(|(priority, lane)| {
            let pending = lane.pending.iter();
            pending.filter(move |s| {
                let is_idle = backlog.is_ready(*s, priority) || backlog.is_delayed(*s);
                is_idle || place.unreadable.contains(s)
            })
        });
        let idle: Vec<Seq> = idle.take(limit.min(BATCH_MAX) as usize).collect();
        let key = BacklogKey { destination, subscription: SubscriptionId::QUEUE };
        self.finish(key, &idle);
        self.count(destination, |counters| counters.dropped += idle.len() as u64);
        Ok(Applied::Count(idle.len() as u64))
    }

    /// Ends the waiting of one backlog for `seqs`, with a record of those that records know.
    pub(super) fn finish(&mut self, key: BacklogKey, seqs: &[Seq]) {
        let Some(place) = self.places.get(&key.destination) else { return };
        let is_recorded = |seq: &Seq| place.log.get(*seq).is_some_and(|e| e.look.recorded());
        let (recorded, volatile): (Vec<Seq>, Vec<Seq>) = seqs.iter().partition(|s| is_recorded(s));
        for seq in volatile {
            self.release(key, seq);
        }
        if !recorded.is_empty() {
            self.record(Record::Removed(Removed { from: key, seqs: recorded }));
        }
        self.make_room(key.destination);
    }

    /// One backlog no longer waits for the message at `seq`.
    pub(super) fn release(&mut self, key: BacklogKey, seq: Seq) {
        let Some(place) = self.places.get_mut(&key.destination) else { return };
        let Some(entry) = place.log.get(seq) else { return };
        let priority = entry.look.priority();
        let Some(backlog) = place.backlogs.get_mut(&key.subscription) else { return };
        if backlog.remove(seq, priority) {
            self.release_entry(key.destination, seq);
        }
    }

    /// One waiter less for the message at `seq`; without any it goes.
    pub(super) fn release_entry(&mut self, destination: DestinationId, seq: Seq) {
        let Some(place) = self.places.get_mut(&destination) else { return };
        let Some(gone) = place.log.release(seq) else { return };
        if !place.unreadable.is_empty() {
            place.unreadable.remove(&seq);
        }
        let bytes = u64::from(gone.facts.bytes);
        self.messages -= 1;
        self.bytes -= bytes;
        self.resident_bytes -= if gone.was_resident { bytes } else { 0 };
        self.paging.forget_spooled(&gone.facts);
        if gone.facts.expires_ms != 0 {
            self.expiring.remove(&(gone.facts.expires_ms, destination, seq));
        }
    }

    /// Counts something at the destination and at the node.
    pub(super) fn count(&mut self, destination: DestinationId, add: impl Fn(&mut Counters)) {
        if let Some(place) = self.places.get_mut(&destination) {
            add(&mut place.counters);
        }
        add(&mut self.counters);
    }
}
