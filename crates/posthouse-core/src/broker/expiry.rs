//! The passing of time: messages expire wherever they are, retries fall due, and producers that
//! have waited too long are refused.

use crate::broker::Broker;
use crate::command::Applied;
use crate::ids::{BacklogKey, DestinationId, Seq};
use crate::limits::EXPIRATIONS_PER_TURN;
use crate::message::DeadLetterReason;
use crate::policy::KeepExpired;
use crate::refusal::Refusal;
use crate::time::Now;

impl Broker {
    pub(super) fn tick(&mut self, now: Now) -> Result<Applied, Refusal> {
        self.refuse_overdue(now);
        self.retry_due(now);
        self.expire_due(now);
        Ok(Applied::Done)
    }

    /// When the next thing falls due, in monotonic milliseconds. Expiry is kept in wall time and
    /// is converted by the present difference of the clocks.
    pub fn next_deadline_ms(&self, now: Now) -> Option<u64> {
        let expiry = self
            .expiring
            .first()
            .map(|(wall_ms, ..)| now.mono_ms.saturating_add(wall_ms.saturating_sub(now.wall_ms)));
        let retry = self.delayed.first().map(|(mono_ms, ..)| *mono_ms);
        let refusal = self.blocked.first().map(|(mono_ms, _)| *mono_ms);
        [expiry, retry, refusal].into_iter().flatten().min()
    }

    fn retry_due(&mut self, now: Now) {
        while let Some((due_ms, key, seq)) = self.delayed.first().copied() {
            if due_ms > now.mono_ms {
                return;
            }
            self.delayed.remove(&(due_ms, key, seq));
            let Some(place) = self.places.get_mut(&key.destination) else { continue };
            let Some(entry) = place.log.get(seq) else { continue };
            let priority = entry.look.priority();
            let Some(backlog) = place.backlogs.get_mut(&key.subscription) else { continue };
            if backlog.is_delayed(seq) {
                backlog.put_back(seq, priority);
                self.make_runnable(key);
            }
        }
    }

    fn expire_due(&mut self, now: Now) {
        for _ in 0..EXPIRATIONS_PER_TURN {
            let Some((expires_ms, destination, seq)) = self.expiring.first().copied() else {
                return;
            };
            if expires_ms > now.wall_ms {
                return;
            }
            self.expiring.remove(&(expires_ms, destination, seq));
            self.expire_idle(now, destination, seq);
        }
    }

    /// Ends the waiting of every backlog in which nobody is working on the message. Where
    /// somebody is, it may still be acknowledged; if it comes back, it expires then.
    fn expire_idle(&mut self, now: Now, destination: DestinationId, seq: Seq) {
        let Some(place) = self.places.get(&destination) else { return };
        let Some(entry) = place.log.get(seq) else { return };
        let priority = entry.look.priority();
        let idle = place
            .backlogs
            .iter()
            .filter(|(_, backlog)| backlog.is_ready(seq, priority) || backlog.is_delayed(seq));
        let idle: Vec<BacklogKey> =
            idle.map(|(s, _)| BacklogKey { destination, subscription: *s }).collect();
        for key in idle {
            self.expire(now, key, seq);
        }
    }

    /// One backlog gives the message up because it has expired.
    pub(super) fn expire(&mut self, now: Now, key: BacklogKey, seq: Seq) {
        let Some(place) = self.places.get(&key.destination) else { return };
        let Some(entry) = place.log.get(seq) else { return };
        let keep = match place.policy.keep_expired {
            KeepExpired::All => true,
            KeepExpired::Persistent => entry.look.persistent(),
            KeepExpired::None => false,
        };
        self.count(key.destination, |counters| counters.expired += 1);
        if keep {
            self.set_aside(now, key, seq, DeadLetterReason::Expired);
        } else {
            self.finish(key, &[seq]);
        }
    }
}
