//! The dead-letter queue: messages that cannot be delivered are kept with where they came from
//! and why, and can be returned there.

use crate::broker::Broker;
use crate::command::Applied;
use crate::destination::{DestinationName, Kind};
use crate::ids::{BacklogKey, DestinationId, Seq, SubscriptionId};
use crate::limits::BATCH_MAX;
use crate::message::DeadLetterReason;
use crate::record::{Moved, Record};
use crate::refusal::{Code, Refusal};
use crate::time::Now;

/// Where dead letters go whose own queue cannot have a name.
const DEAD_LETTER_COMMON: &str = "DLQ";

impl Broker {
    /// Moves a message to its dead-letter queue. Where the policy has none, the message is dropped
    /// and counted.
    pub(super) fn set_aside(
        &mut self,
        now: Now,
        from: BacklogKey,
        seq: Seq,
        reason: DeadLetterReason,
    ) {
        let Some(queue) = self.dead_letter_queue(from.destination) else {
            self.count(from.destination, |counters| counters.dropped += 1);
            self.finish(from, &[seq]);
            return;
        };
        #[cfg(feature = "planted-bugs")]
        if self.has_bug(super::planted::PlantedBug::DeadLetterLost) {
            self.finish(from, &[seq]);
            return;
        }
        let to = BacklogKey { destination: queue, subscription: SubscriptionId::QUEUE };
        self.move_message(now, from, seq, to, Some(reason));
        self.count(from.destination, |counters| counters.dead_lettered += 1);
        self.make_room(from.destination);
    }

    /// The queue is made even where clients may make none: there is at most one for each
    /// destination, and what it is for must not be lost.
    fn dead_letter_queue(&mut self, destination: DestinationId) -> Option<DestinationId> {
        let name = self.dead_letter_name(destination)?;
        let known = self.names.get(&name).copied();
        let queue = known.unwrap_or_else(|| self.make_destination(&name));
        (queue != destination).then_some(queue)
    }

    /// A name that has become too long with what the policy adds shares [`DEAD_LETTER_COMMON`].
    fn dead_letter_name(&self, destination: DestinationId) -> Option<DestinationName> {
        let place = self.places.get(&destination)?;
        let path = place.policy.dead_letter_path(place.name.path())?;
        let common = || DestinationName::new(Kind::Queue, DEAD_LETTER_COMMON).ok();
        DestinationName::new(Kind::Queue, &path).ok().or_else(common)
    }

    /// Whether the destination is its own dead-letter queue: nothing is set aside there.
    pub(super) fn is_dead_letter_queue(&self, destination: DestinationId) -> bool {
        let name = self.dead_letter_name(destination);
        let place = self.places.get(&destination);
        name.zip(place).is_some_and(|(name, place)| *place.name == name)
    }

    fn move_message(
        &mut self,
        now: Now,
        from: BacklogKey,
        seq: Seq,
        to: BacklogKey,
        reason: Option<DeadLetterReason>,
    ) {
        let source = &self.places[&from.destination];
        let Some(entry) = source.log.get(seq) else { return };
        let Some(backlog) = source.backlogs.get(&from.subscription) else { return };
        let (recorded, deliveries) = (entry.look.recorded(), backlog.attempts(seq).deliveries);
        let Some(target) = self.places.get_mut(&to.destination) else { return };
        let to_seq = target.log.allocate();
        let moved = Moved { from, seq, to, to_seq, reason, moved_ms: now.wall_ms, deliveries };
        if recorded {
            self.record(Record::Moved(moved));
        } else {
            self.carry_out_move(&moved);
        }
    }

    /// Returns messages that were set aside to where each came from.
    pub(super) fn redrive(
        &mut self,
        now: Now,
        destination: DestinationId,
        limit: u64,
    ) -> Result<Applied, Refusal> {
        let place = self.place(destination)?;
        let Some(backlog) = place.backlogs.get(&SubscriptionId::QUEUE) else {
            let detail = format!("{} is a topic; only queues hold dead letters", place.name);
            return Err(Refusal::new(Code::NotOffered, detail));
        };
        let idle = place.log.iter().filter_map(|(seq, entry)| {
            let provenance = entry.look.provenance()?;
            let is_idle = backlog.is_ready(seq, entry.look.priority()) || backlog.is_delayed(seq);
            // What has nowhere to go back to stays, and stands in nobody's way.
            let can_return = provenance.reason.is_some() && self.backlog_exists(provenance.source);
            (is_idle && can_return).then_some((seq, provenance.source))
        });
        let idle: Vec<(Seq, BacklogKey)> = idle.take(limit.min(BATCH_MAX) as usize).collect();
        let from = BacklogKey { destination, subscription: SubscriptionId::QUEUE };
        for (seq, origin) in &idle {
            self.move_message(now, from, *seq, *origin, None);
        }
        self.make_room(destination);
        Ok(Applied::Count(idle.len() as u64))
    }

    fn backlog_exists(&self, key: BacklogKey) -> bool {
        let place = self.places.get(&key.destination);
        place.is_some_and(|place| place.backlogs.contains_key(&key.subscription))
    }
}
