//! Room: which sends must wait, and who is told when they need not any more.
//!
//! A full destination holds its own producers and nobody else. A transaction's sends reserve
//! their room when they arrive, so that its commit never waits.

use crate::broker::Broker;
use crate::broker::backlog::Backlog;
use crate::broker::holder::Held;
use crate::broker::place::Place;
use crate::effect::{Effect, Stream};
use crate::ids::{BatchNo, DestinationId, HolderId, Seq, SubscriptionId};
use crate::message::Envelope;
use crate::policy::{Policy, WhenFull};
use crate::refusal::{Code, Refusal};
use crate::time::Now;

/// What becomes of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may go on.
    Admitted,
    /// It must wait.
    Held,
}

impl Place {
    /// Whether a record will tell of the message.
    fn records(&self, message: &Envelope) -> bool {
        self.policy.persistence.keeps(message.persistent) && !self.backlogs.is_empty()
    }

    fn has_room(&self, policy: &Policy, bytes: u64) -> bool {
        let messages = self.log.len() + self.reserved_messages + 1;
        let bytes = self.log.bytes() + self.reserved_bytes + bytes;
        (policy.messages_max == 0 || messages <= policy.messages_max)
            && (policy.bytes_max == 0 || bytes <= policy.bytes_max)
    }
}

impl Broker {
    /// Decides whether a message of `bytes` may be taken over at `destination`.
    pub(super) fn admit(
        &mut self,
        now: Now,
        holder: HolderId,
        destination: DestinationId,
        message: &Envelope,
    ) -> Result<Admission, Refusal> {
        let place = self.place(destination)?;
        let policy = place.policy.clone();
        let bytes = message.size_bytes() as u64;
        let is_for_store = place.records(message);
        if policy.bytes_max != 0 && bytes > policy.bytes_max {
            let detail = format!(
                "the message counts {bytes} bytes; {} takes {} in all",
                place.name, policy.bytes_max
            );
            return Err(Refusal::new(Code::MessageTooLarge, detail));
        }
        if is_for_store && self.is_store_full {
            let detail = "the disk is full; messages that must survive are taken again when \
                          there is room, and consumers go on";
            return Err(Refusal::new(Code::StoreFull, detail));
        }
        let must_wait = is_for_store && self.is_store_behind;
        if must_wait || (!self.has_memory(bytes) && !self.shed_laggards(bytes)) {
            return Ok(self.hold(now, holder, None, &policy));
        }
        let place = self.place(destination)?;
        if place.blocking_subscribers > 0 {
            return Ok(self.hold(now, holder, Some(destination), &policy));
        }
        if place.has_room(&policy, bytes) || self.makes_way(destination, &policy, bytes) {
            return Ok(Admission::Admitted);
        }
        match policy.when_full {
            WhenFull::Reject => {
                let name = &self.place(destination)?.name;
                Err(Refusal::new(Code::DestinationFull, format!("{name} is full")))
            }
            WhenFull::Block | WhenFull::DropOldest => {
                Ok(self.hold(now, holder, Some(destination), &policy))
            }
        }
    }

    pub(super) fn has_memory(&self, bytes: u64) -> bool {
        let limit = self.policies.memory_bytes_max;
        limit == 0 || self.resident_bytes + bytes <= limit
    }

    /// Drops the oldest idle messages of a queue until there is room, if that is the policy.
    fn makes_way(&mut self, destination: DestinationId, policy: &Policy, bytes: u64) -> bool {
        if policy.when_full != WhenFull::DropOldest {
            return false;
        }
        loop {
            let Some(place) = self.places.get(&destination) else { return false };
            if place.has_room(policy, bytes) {
                return true;
            }
            let Some(oldest) = oldest_idle(place) else { return false };
            let waiting: Vec<SubscriptionId> = place.backlogs.keys().copied().collect();
            for subscription in waiting {
                self.finish(super::BacklogKey { destination, subscription }, &[oldest]);
            }
            self.count(destination, |counters| counters.dropped += 1);
        }
    }

    fn hold(
        &mut self,
        now: Now,
        id: HolderId,
        destination: Option<DestinationId>,
        policy: &Policy,
    ) -> Admission {
        let Some(holder) = self.holders.get_mut(id.0) else { return Admission::Held };
        if let Some(held) = holder.held
            && held.destination == destination
        {
            return Admission::Held;
        }
        let wait_ms = policy.block_ms_max;
        let deadline_ms = (wait_ms != 0).then(|| now.mono_ms.saturating_add(wait_ms));
        let deadline_ms = holder.held.map_or(deadline_ms, |held| held.deadline_ms);
        holder.held = Some(Held { destination, deadline_ms });
        if let Some(deadline_ms) = deadline_ms {
            self.blocked.insert((deadline_ms, id));
        }
        match destination.and_then(|destination| self.places.get_mut(&destination)) {
            Some(place) => place.waiters.push_back(id),
            None => self.memory_waiters.push_back(id),
        }
        Admission::Held
    }

    /// Something has left `destination`: whoever waits for that may try again.
    pub(super) fn make_room(&mut self, destination: DestinationId) {
        self.wake_memory_waiters();
        let Some(place) = self.places.get_mut(&destination) else { return };
        let policy = &place.policy;
        if place.waiters.is_empty() || place.blocking_subscribers > 0 || !place.has_room(policy, 0)
        {
            return;
        }
        for waiter in std::mem::take(&mut place.waiters) {
            self.resume(waiter);
        }
    }

    pub(super) fn wake_memory_waiters(&mut self) {
        if self.memory_waiters.is_empty() || self.is_store_behind || !self.has_memory(0) {
            return;
        }
        for waiter in std::mem::take(&mut self.memory_waiters) {
            self.resume(waiter);
        }
    }

    /// Whether so much waits for the store that no more is taken for it now.
    pub fn set_store_behind(&mut self, behind: bool) {
        let was_behind = std::mem::replace(&mut self.is_store_behind, behind);
        if was_behind && !behind {
            self.wake_memory_waiters();
        }
    }

    /// Whether the store has no room, so that nothing more is taken for it.
    pub fn set_store_full(&mut self, full: bool) {
        self.is_store_full = full;
    }

    fn resume(&mut self, id: HolderId) {
        let Some(holder) = self.holders.get_mut(id.0) else { return };
        // The deadline stays until the send is admitted: being told to try again is not progress.
        if let Some(held) = holder.held.as_mut() {
            held.destination = Some(DestinationId(0));
            self.emit(id, Stream::Holder(id), BatchNo(0), Effect::Resume);
        }
    }

    /// The holder's send has been admitted, or the holder is gone.
    pub(super) fn stop_waiting(&mut self, id: HolderId) {
        let Some(holder) = self.holders.get_mut(id.0) else { return };
        let Some(held) = holder.held.take() else { return };
        if let Some(deadline_ms) = held.deadline_ms {
            self.blocked.remove(&(deadline_ms, id));
        }
        match held.destination {
            None => self.memory_waiters.retain(|waiter| *waiter != id),
            Some(destination) => {
                if let Some(place) = self.places.get_mut(&destination) {
                    place.waiters.retain(|waiter| *waiter != id);
                }
            }
        }
    }

    /// Refuses the sends that have waited for as long as their destinations allow.
    pub(super) fn refuse_overdue(&mut self, now: Now) {
        while let Some((deadline_ms, id)) = self.blocked.first().copied() {
            if deadline_ms > now.mono_ms {
                return;
            }
            self.stop_waiting(id);
            self.blocked.remove(&(deadline_ms, id));
            let detail = "the destination stayed full for longer than a producer may wait";
            let refusal = Refusal::new(Code::BlockedTooLong, detail);
            self.emit(id, Stream::Holder(id), BatchNo(0), Effect::Evict { refusal });
        }
    }
}

/// The oldest message of the backlogs that no consumer is working on. What only slow subscribers
/// wait for is theirs to drop.
fn oldest_idle(place: &Place) -> Option<Seq> {
    if let Some(queue) = place.backlogs.get(&SubscriptionId::QUEUE) {
        return queue.oldest_idle();
    }
    let is_pending = |backlog: &Backlog, seq: Seq, priority: u8| {
        backlog.occupied().any(|(p, lane)| p == priority && lane.pending.contains(seq))
    };
    let is_idle = |seq: Seq, priority: u8| {
        let mut waiting =
            place.backlogs.values().filter(|b| is_pending(b, seq, priority)).peekable();
        waiting.peek().is_some()
            && waiting.all(|backlog| backlog.is_ready(seq, priority) || backlog.is_delayed(seq))
    };
    let mut messages = place.log.iter();
    messages.find(|(seq, entry)| is_idle(*seq, entry.look.priority())).map(|(seq, _)| seq)
}
