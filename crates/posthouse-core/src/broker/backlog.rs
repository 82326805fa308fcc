//! What waits for one queue or for one durable subscription to a topic: which positions are
//! unacknowledged, which of them are ready to be handed out, and who takes them.
//!
//! A backlog holds no messages, only positions in its destination's log, so a topic's thousand
//! subscriptions share one copy of each message. A position is *pending* until it is settled, and
//! *ready* when it is neither handed out nor waiting for its next attempt.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::broker::scan::Scan;
use crate::ids::{BatchNo, ConsumerId, Seq};
use crate::message::PRIORITY_MAX;
use crate::record::BitPages;
use crate::seq_set::SeqSet;

const LANES: usize = PRIORITY_MAX as usize + 1;

/// The positions of one priority.
#[derive(Debug, Default)]
pub struct Lane {
    /// Not settled yet.
    pub pending: SeqSet,
    /// To be handed out.
    pub ready: SeqSet,
}

/// How often a message has been handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// In all.
    pub deliveries: u32,
    /// Of these, those that count against the limit.
    pub failures: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Backlog {
    lanes: [Option<Box<Lane>>; LANES],
    attempts: BTreeMap<Seq, Attempts>,
    delayed: BTreeMap<Seq, u64>,
    scans: BTreeMap<ConsumerId, Scan>,
    consumers: BTreeSet<ConsumerId>,
    /// May still name some who take no more.
    eligible: VecDeque<ConsumerId>,
    ready: u64,
    pending: u64,
    /// Whether it is on the broker's list of backlogs to look at.
    pub is_runnable: bool,
    /// Positions up to here may have been handed out, and the records say so.
    pub dispatched_up_to: Seq,
    /// The batch in which the records last said so.
    pub dispatched_batch: BatchNo,
    /// Positions up to here may have been handed out before the last crash.
    pub suspect_up_to: Seq,
}

impl Backlog {
    /// Messages wait, as a checkpoint says.
    pub fn add_pages(&mut self, priority: u8, pages: &BitPages) {
        let lane = self.lanes[priority as usize].get_or_insert_default();
        let (pending, ready) = (lane.pending.len(), lane.ready.len());
        for (number, bits) in pages {
            lane.pending.insert_page(*number, *bits);
            lane.ready.insert_page(*number, *bits);
        }
        self.pending += lane.pending.len() - pending;
        self.ready += lane.ready.len() - ready;
    }

    /// What the records say about attempts, by position.
    pub fn all_attempts(&self) -> &BTreeMap<Seq, Attempts> {
        &self.attempts
    }

    /// A new message waits.
    pub fn add(&mut self, seq: Seq, priority: u8) {
        let lane = self.lanes[priority as usize].get_or_insert_default();
        self.pending += u64::from(lane.pending.insert(seq));
        self.ready += u64::from(lane.ready.insert(seq));
        self.offer_again(seq, priority);
    }

    /// Takes a ready message out to be handed to somebody.
    pub fn take(&mut self, seq: Seq, priority: u8) -> bool {
        let Some(lane) = self.lanes[priority as usize].as_mut() else { return false };
        let taken = lane.ready.remove(seq);
        self.ready -= u64::from(taken);
        taken
    }

    /// A message that was handed out, or delayed, is ready again.
    pub fn put_back(&mut self, seq: Seq, priority: u8) {
        let Some(lane) = self.lanes[priority as usize].as_mut() else { return };
        assert!(lane.pending.contains(seq), "only what is pending goes back");
        self.ready += u64::from(lane.ready.insert(seq));
        self.delayed.remove(&seq);
        self.offer_again(seq, priority);
    }

    /// A message that comes in, or back, behind the place that a selective consumer has read up
    /// to is shown to it all the same.
    fn offer_again(&mut self, seq: Seq, priority: u8) {
        for scan in self.scans.values_mut() {
            scan.show_again(seq, priority);
        }
    }

    /// A message is settled; answers whether it was pending.
    pub fn remove(&mut self, seq: Seq, priority: u8) -> bool {
        let Some(lane) = self.lanes[priority as usize].as_mut() else { return false };
        if !lane.pending.remove(seq) {
            return false;
        }
        self.pending -= 1;
        self.ready -= u64::from(lane.ready.remove(seq));
        if !self.attempts.is_empty() {
            self.attempts.remove(&seq);
        }
        if !self.delayed.is_empty() {
            self.delayed.remove(&seq);
        }
        true
    }

    /// Lets a message that is ready wait until `due_ms` (monotonic).
    pub fn delay(&mut self, seq: Seq, priority: u8, due_ms: u64) {
        if self.take(seq, priority) {
            self.delayed.insert(seq, due_ms);
        }
    }

    /// Whether the message waits for its next attempt.
    pub fn is_delayed(&self, seq: Seq) -> bool {
        self.delayed.contains_key(&seq)
    }

    /// Whether the message is ready.
    pub fn is_ready(&self, seq: Seq, priority: u8) -> bool {
        self.lanes[priority as usize].as_ref().is_some_and(|lane| lane.ready.contains(seq))
    }

    /// How often the message may have been handed out.
    pub fn attempts(&self, seq: Seq) -> Attempts {
        let mut attempts = self.recorded_attempts(seq);
        if seq <= self.suspect_up_to {
            attempts.deliveries = attempts.deliveries.max(1);
        }
        attempts
    }

    /// How often the records say that the message has been handed out.
    pub fn recorded_attempts(&self, seq: Seq) -> Attempts {
        self.attempts.get(&seq).copied().unwrap_or_default()
    }

    /// Remembers how often the message has been handed out.
    pub fn set_attempts(&mut self, seq: Seq, attempts: Attempts) {
        self.attempts.insert(seq, attempts);
    }

    /// The first ready message: highest priority, then lowest position.
    pub fn first_ready(&self) -> Option<(Seq, u8)> {
        if self.ready == 0 {
            return None;
        }
        self.occupied().find_map(|(priority, lane)| Some((lane.ready.first()?, priority)))
    }

    /// The first ready message of this priority at or after `from`.
    pub fn ready_from(&self, from: Seq, priority: u8) -> Option<Seq> {
        self.lanes[priority as usize].as_ref()?.ready.first_from(from)
    }

    /// The oldest message, of whatever priority, that nobody is working on.
    pub fn oldest_idle(&self) -> Option<Seq> {
        let ready = self.occupied().filter_map(|(_, lane)| lane.ready.first());
        ready.chain(self.delayed.keys().next().copied()).min()
    }

    /// The lanes in use, from high priority to low.
    pub fn occupied(&self) -> impl Iterator<Item = (u8, &Lane)> {
        let numbered = self.lanes.iter().enumerate().rev();
        numbered.filter_map(|(priority, lane)| Some((priority as u8, lane.as_deref()?)))
    }

    /// The next ready message that `consumer` has not been shown yet.
    pub fn next_unseen(&mut self, consumer: ConsumerId) -> Option<(Seq, u8)> {
        let scan = self.scans.get_mut(&consumer)?;
        for priority in (0..=PRIORITY_MAX).rev() {
            let Some(lane) = &self.lanes[priority as usize] else { continue };
            while let Some(seq) = scan.first_returned(priority) {
                if lane.ready.contains(seq) {
                    return Some((seq, priority));
                }
                scan.mark_seen(seq, priority);
            }
            if let Some(seq) = lane.ready.first_from(scan.next(priority)) {
                return Some((seq, priority));
            }
        }
        None
    }

    /// `consumer` has been shown the message at `seq`.
    pub fn mark_seen(&mut self, consumer: ConsumerId, seq: Seq, priority: u8) {
        if let Some(scan) = self.scans.get_mut(&consumer) {
            scan.mark_seen(seq, priority);
        }
    }

    /// Lets `consumer` take messages, all or those that it selects.
    pub fn attach(&mut self, consumer: ConsumerId, selects: bool) {
        self.consumers.insert(consumer);
        self.eligible.push_back(consumer);
        if selects {
            self.scans.insert(consumer, Scan::default());
        }
    }

    /// `consumer` takes no more.
    pub fn detach(&mut self, consumer: ConsumerId) {
        self.consumers.remove(&consumer);
        self.scans.remove(&consumer);
        // One by one they would have to be looked for; a crowd that leaves must not take long.
        if self.eligible.len() > 2 * self.consumers.len() {
            self.eligible.retain(|other| self.consumers.contains(other));
        }
    }

    /// The consumers whose turn is to come, in order; among them may be some who are gone.
    pub fn eligible(&mut self) -> &mut VecDeque<ConsumerId> {
        &mut self.eligible
    }

    /// Everybody who takes from it.
    pub fn consumers(&self) -> &BTreeSet<ConsumerId> {
        &self.consumers
    }

    /// Messages not settled yet.
    pub fn pending_len(&self) -> u64 {
        self.pending
    }

    /// Messages that could be handed out.
    pub fn ready_len(&self) -> u64 {
        self.ready
    }

    /// Messages that wait for their next attempt.
    pub fn delayed_len(&self) -> u64 {
        self.delayed.len() as u64
    }
}
