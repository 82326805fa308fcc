//! Plain subscribers that lag behind: what waits for them, and what becomes of it in the end.
//!
//! Only positions wait, at a bit or two each; the topic's log keeps the one copy of each message
//! that all laggards share. Beyond its policy's limit a laggard loses its oldest messages and is
//! told, or holds up its topics' producers, or is ended. When the node's memory is full the
//! laggards with the most waiting lose first, before any producer has to wait.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::broker::Broker;
use crate::broker::consumer::Source;
use crate::broker::log::Body;
use crate::broker::paging::Waiter;
use crate::effect::{Effect, Stream};
use crate::ids::{BatchNo, ConsumerId, DestinationId, HolderId, MessageId, Seq};
use crate::limits::BURST_BYTES_MAX;
use crate::policy::WhenSlow;
use crate::refusal::{Code, Refusal};
use crate::seq_set::SeqSet;

/// A plain subscriber of topics.
#[derive(Debug)]
pub struct Plain {
    /// Leave out what its own holder sends.
    pub no_local: bool,
    waiting: BTreeMap<DestinationId, SeqSet>,
    waiting_messages: u64,
    waiting_bytes: u64,
    last_served: DestinationId,
    missed: u64,
    /// Whether its topics' producers wait for it.
    pub is_blocking: bool,
}

impl Plain {
    /// A subscriber for whom nothing waits.
    pub fn new(no_local: bool) -> Plain {
        Plain {
            no_local,
            waiting: BTreeMap::new(),
            waiting_messages: 0,
            waiting_bytes: 0,
            last_served: DestinationId(0),
            missed: 0,
            is_blocking: false,
        }
    }

    /// Whether nothing waits for it.
    pub fn is_up_to_date(&self) -> bool {
        self.waiting_messages == 0
    }

    /// Whether it has something to be handed or told.
    pub fn has_news(&self) -> bool {
        self.waiting_messages > 0 || self.missed > 0
    }

    fn exceeds(&self, messages_max: u64, bytes_max: u64) -> bool {
        self.waiting_messages > messages_max || self.waiting_bytes > bytes_max
    }

    fn push(&mut self, topic: DestinationId, seq: Seq, bytes: u64) {
        self.waiting.entry(topic).or_default().insert(seq);
        self.waiting_messages += 1;
        self.waiting_bytes += bytes;
    }

    /// The oldest message of the topic whose turn it is: topics are served in turn.
    fn next(&self) -> Option<(DestinationId, Seq)> {
        let after = (Bound::Excluded(self.last_served), Bound::Unbounded);
        let mut in_turn = self.waiting.range(after).chain(self.waiting.iter());
        in_turn.find_map(|(topic, seqs)| Some((*topic, seqs.first()?)))
    }

    fn remove(&mut self, topic: DestinationId, seq: Seq, bytes: u64) {
        let Some(seqs) = self.waiting.get_mut(&topic) else { return };
        if !seqs.remove(seq) {
            return;
        }
        if seqs.is_empty() {
            self.waiting.remove(&topic);
        }
        self.last_served = topic;
        self.waiting_messages -= 1;
        self.waiting_bytes -= bytes;
    }
}

impl Broker {
    fn plain(&self, id: ConsumerId) -> Option<&Plain> {
        match &self.consumers.get(id.0)?.source {
            Source::Plain(plain) => Some(plain),
            _ => None,
        }
    }

    fn plain_mut(&mut self, id: ConsumerId) -> Option<&mut Plain> {
        match &mut self.consumers.get_mut(id.0)?.source {
            Source::Plain(plain) => Some(plain),
            _ => None,
        }
    }

    /// A message that the subscriber cannot take now waits for it, as far as its policy goes.
    pub(super) fn queue_for_plain(&mut self, id: ConsumerId, topic: DestinationId, seq: Seq) {
        let place = &self.places[&topic];
        let Some(entry) = place.log.get(seq) else { return };
        let (bytes, policy) = (u64::from(entry.look.bytes()), place.policy.clone());
        let Some(plain) = self.plain_mut(id) else { return };
        plain.push(topic, seq, bytes);
        let exceeds = plain.exceeds(policy.slow_messages_max, policy.slow_bytes_max);
        self.laggards.insert(id);
        self.list(id);
        match policy.when_slow {
            _ if !exceeds => {}
            WhenSlow::Block => self.block_for(id, true),
            WhenSlow::Disconnect => self.evict_slow(id),
            WhenSlow::DropOldest => {
                let (messages_max, bytes_max) = (policy.slow_messages_max, policy.slow_bytes_max);
                while self.plain(id).is_some_and(|plain| plain.exceeds(messages_max, bytes_max)) {
                    self.drop_oldest_waiting(id);
                }
            }
        }
    }

    /// Takes the next message that waits for a subscriber; answers the position.
    fn take_waiting(&mut self, id: ConsumerId) -> Option<(DestinationId, Seq)> {
        let (topic, seq) = self.plain(id)?.next()?;
        let entry = self.places.get(&topic).and_then(|place| place.log.get(seq));
        let bytes = entry.map_or(0, |entry| u64::from(entry.look.bytes()));
        self.plain_mut(id)?.remove(topic, seq, bytes);
        Some((topic, seq))
    }

    fn drop_oldest_waiting(&mut self, id: ConsumerId) {
        let Some((topic, seq)) = self.take_waiting(id) else { return };
        if let Some(plain) = self.plain_mut(id) {
            plain.missed += 1;
        }
        self.release_entry(topic, seq);
        self.count(topic, |counters| counters.dropped += 1);
        self.make_room(topic);
    }

    /// Makes room in the node's memory for `bytes` at the cost of those that lag the most. Answers
    /// whether that was enough.
    pub(super) fn shed_laggards(&mut self, bytes: u64) -> bool {
        while !self.has_memory(bytes) {
            let waiting = |id: &ConsumerId| self.plain(*id).map_or(0, |plain| plain.waiting_bytes);
            let worst = self.laggards.iter().copied().filter(|id| !self.is_protected(*id));
            let Some(worst) = worst.max_by_key(waiting) else { return false };
            // Half of what waits at once, so that the next search is far away.
            let target = waiting(&worst) / 2;
            while waiting_bytes(self, worst).is_some_and(|waiting| waiting > target) {
                self.drop_oldest_waiting(worst);
            }
            self.retire_laggard(worst);
        }
        true
    }

    /// Whether the policy of one of its topics says that a laggard loses nothing.
    fn is_protected(&self, id: ConsumerId) -> bool {
        let topics = self.plain(id).into_iter().flat_map(|plain| plain.waiting.keys());
        let mut places = topics.filter_map(|topic| self.places.get(topic));
        places.any(|place| place.policy.when_slow != WhenSlow::DropOldest)
    }

    fn evict_slow(&mut self, id: ConsumerId) {
        let Some(consumer) = self.consumers.get(id.0) else { return };
        let (holder, target) = (consumer.holder, consumer.target.clone());
        let detail = format!("the subscriber of {target} does not keep up with what is published");
        let refusal = Refusal::new(Code::SubscriberTooSlow, detail);
        self.emit(holder, Stream::Holder(holder), BatchNo(0), Effect::Evict { refusal });
    }

    /// Makes the producers of a subscriber's topics wait for it, or no longer.
    fn block_for(&mut self, id: ConsumerId, block: bool) {
        let Some(plain) = self.plain_mut(id) else { return };
        if plain.is_blocking == block {
            return;
        }
        plain.is_blocking = block;
        let topics = self.consumers.get(id.0).map(|c| c.places.clone()).unwrap_or_default();
        for topic in topics {
            let Some(place) = self.places.get_mut(&topic) else { continue };
            if block {
                place.blocking_subscribers += 1;
            } else {
                place.blocking_subscribers -= 1;
                self.make_room(topic);
            }
        }
    }

    /// Hands a plain subscriber what waits for it, as far as its credit goes, and answers how many
    /// messages that was.
    pub(super) fn drain_plain(&mut self, wall_ms: u64, id: ConsumerId, most: usize) -> usize {
        let mut handed = 0;
        while handed < most && self.can_take(id) && !self.is_bursting(id) {
            self.tell_missed(id);
            let Some((topic, seq)) = self.plain(id).and_then(Plain::next) else { break };
            let place = self.places.get(&topic);
            let body = place.and_then(|place| place.log.get(seq)).and_then(|entry| entry.body);
            let Some(Body { message, batch }) = body.cloned() else {
                if place.is_some_and(|place| place.unreadable.contains(&seq)) {
                    self.drop_oldest_waiting(id);
                    continue;
                }
                self.fetch_one(topic, seq, Waiter::Consumer(id));
                break;
            };
            self.take_waiting(id);
            self.release_entry(topic, seq);
            if message.is_expired(wall_ms) {
                self.count(topic, |counters| counters.expired += 1);
            } else {
                let message_id = MessageId { destination: topic, origin: 0, seq };
                self.deliver_plain(id, message_id, message, batch);
                handed += 1;
            }
            self.make_room(topic);
        }
        self.retire_laggard(id);
        handed
    }

    /// A subscriber for whom nothing waits any more holds nobody up.
    fn retire_laggard(&mut self, id: ConsumerId) {
        if self.plain(id).is_none_or(Plain::is_up_to_date) {
            self.laggards.remove(&id);
            self.block_for(id, false);
        }
    }

    /// Lets go of everything that waits for a subscriber that is about to end.
    pub(super) fn forget_laggard(&mut self, id: ConsumerId) {
        while let Some((topic, seq)) = self.take_waiting(id) {
            self.release_entry(topic, seq);
            self.make_room(topic);
        }
        self.retire_laggard(id);
    }

    fn tell_missed(&mut self, id: ConsumerId) {
        let Some(plain) = self.plain_mut(id) else { return };
        let count = std::mem::take(&mut plain.missed);
        if count > 0 {
            let holder = self.consumers.get(id.0).expect("just looked at").holder;
            let missed = Effect::Missed { consumer: id, count };
            self.emit(holder, Stream::Consumer(id), BatchNo(0), missed);
        }
    }

    /// Remembers what a holder has been handed outside of backlogs in this turn. Its outbound
    /// buffer is filled only after the turn, and until then nothing else tells how full it is.
    pub(super) fn note_burst(&mut self, holder: HolderId, bytes: usize) {
        let turn = self.turn;
        if let Some(holder) = self.holders.get_mut(holder.0) {
            let so_far = if holder.burst_turn == turn { holder.burst_bytes } else { 0 };
            holder.burst_turn = turn;
            holder.burst_bytes = so_far + bytes;
        }
    }

    /// Whether the consumer's holder has been handed enough in this turn.
    pub(super) fn is_bursting(&self, id: ConsumerId) -> bool {
        let holder = self.consumers.get(id.0).and_then(|c| self.holders.get(c.holder.0));
        holder.is_some_and(|holder| {
            holder.burst_turn == self.turn && holder.burst_bytes >= BURST_BYTES_MAX
        })
    }
}

fn waiting_bytes(broker: &Broker, id: ConsumerId) -> Option<u64> {
    broker.plain(id).filter(|plain| !plain.is_up_to_date()).map(|plain| plain.waiting_bytes)
}
