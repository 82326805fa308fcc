//! Buckets: which slots are ours, under which lease, and from when on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Pump;
use super::alarms::Alarm;
use super::row::Phase;
use crate::effect::{Effect, Notice};
use crate::input::Grant;
use crate::outcome::{BucketNo, Fence};
use crate::read::SlotRange;
use crate::request::{RequestId, SLOTS, Slot};
use crate::time::Now;

/// Nothing is started when the lease ends within this time, in milliseconds.
pub(super) const LEASE_REST_MS: u64 = 50;

/// What may be done in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    /// Everything.
    Held,
    /// Nothing new.
    Draining,
    /// Nothing: its lease has ended. It may yet turn out that it was renewed in time.
    Lapsed,
}

/// One bucket.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub slots: SlotRange,
    pub fence: Fence,
    pub until_mono_ms: u64,
    pub quiet_until_mono_ms: u64,
    pub hand: Hand,
    /// When it was granted, in the count of events.
    pub since: u64,
    /// Whether all ground that others have read has been read for this bucket too.
    pub is_caught_up: bool,
    /// The walk that does so.
    pub walk: Option<u32>,
    /// Requests of it that run or are being settled under this lease.
    pub busy: usize,
}

/// All buckets.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    pub by_number: BTreeMap<BucketNo, Bucket>,
    by_slot: BTreeMap<Slot, BucketNo>,
    pub slots: Arc<[SlotRange]>,
}

impl Buckets {
    /// The bucket of a slot, if it is held.
    pub fn held(&self, slot: Slot) -> Option<(BucketNo, &Bucket)> {
        let number = self.by_slot.get(&slot)?;
        let bucket = self.by_number.get(number)?;
        (bucket.hand == Hand::Held).then_some((*number, bucket))
    }

    /// A bucket under this very lease, whatever may be done in it.
    pub fn leased(&mut self, number: BucketNo, fence: Fence) -> Option<&mut Bucket> {
        self.by_number.get_mut(&number).filter(|bucket| bucket.fence == fence)
    }

    fn index(&mut self) {
        self.by_slot.clear();
        let mut slots = Vec::new();
        let held = self.by_number.iter().filter(|(_, bucket)| bucket.hand == Hand::Held);
        for (number, bucket) in held {
            slots.push(bucket.slots);
            let last = bucket.slots.last.0.min(SLOTS - 1);
            self.by_slot.extend((bucket.slots.first.0..=last).map(|slot| (Slot(slot), *number)));
        }
        slots.sort_unstable();
        self.slots = slots.into();
    }
}

impl Pump {
    /// A bucket is ours: what has been read for others must be read for it too, before anything of
    /// it goes.
    pub(super) fn grant(&mut self, now: Now, grant: &Grant) {
        if self.is_stopping {
            self.effects.push(Effect::Release(grant.bucket));
            return;
        }
        self.leave(grant.bucket);
        let is_first = self.high_water == RequestId::LOWEST;
        let lease = (grant.bucket, grant.fence);
        let busy =
            self.rows.values().filter(|row| !row.is_idle() && (row.bucket, row.fence) == lease);
        let busy = busy.count();
        let bucket = Bucket {
            slots: grant.slots,
            fence: grant.fence,
            until_mono_ms: grant.until_mono_ms,
            quiet_until_mono_ms: grant.quiet_until_mono_ms,
            hand: Hand::Held,
            since: self.event(),
            is_caught_up: is_first,
            walk: None,
            busy,
        };
        self.buckets.by_number.insert(grant.bucket, bucket);
        self.buckets.index();
        self.alarms.set(grant.until_mono_ms.max(now.mono_ms + 1), Alarm::Lease(grant.bucket));
        self.reads.forget_forward();
        if !is_first {
            self.withheld.want(RequestId::LOWEST);
        }
    }

    pub(super) fn renew(&mut self, now: Now, number: BucketNo, fence: Fence, until_mono_ms: u64) {
        let Some(bucket) = self.buckets.leased(number, fence) else { return };
        if bucket.hand != Hand::Lapsed {
            bucket.until_mono_ms = bucket.until_mono_ms.max(until_mono_ms);
        } else if until_mono_ms > now.mono_ms {
            // Nobody else has had it meanwhile, but its lanes are gone.
            let (bucket, slots) = (number, bucket.slots);
            let quiet_until_mono_ms = now.mono_ms;
            self.grant(now, &Grant { bucket, slots, fence, until_mono_ms, quiet_until_mono_ms });
        }
    }

    /// The bucket is wanted elsewhere.
    pub(super) fn drain(&mut self, number: BucketNo) {
        let Some(bucket) = self.buckets.by_number.get_mut(&number) else { return };
        if bucket.hand == Hand::Held {
            bucket.hand = Hand::Draining;
            self.leave(number);
        }
    }

    /// The bucket belongs to somebody else.
    pub(super) fn lose(&mut self, number: BucketNo) {
        if self.buckets.by_number.remove(&number).is_some() {
            self.leave(number);
            self.abort(number);
        }
    }

    pub(super) fn stop(&mut self) {
        self.is_stopping = true;
        let numbers: Vec<BucketNo> = self.buckets.by_number.keys().copied().collect();
        for number in numbers {
            self.drain(number);
        }
    }

    /// A write-back was refused.
    pub(super) fn fenced(&mut self, number: BucketNo, fence: Fence, outcomes: u32) {
        self.tell(Notice::Fenced { bucket: number, outcomes });
        if self.buckets.leased(number, fence).is_some() {
            self.lose(number);
        }
    }

    pub(super) fn lapse_if_due(&mut self, now: Now, number: BucketNo) {
        let Some(bucket) = self.buckets.by_number.get_mut(&number) else { return };
        if bucket.hand == Hand::Lapsed {
            return;
        }
        if bucket.until_mono_ms > now.mono_ms {
            self.alarms.set(bucket.until_mono_ms, Alarm::Lease(number));
            return;
        }
        bucket.hand = Hand::Lapsed;
        self.leave(number);
        self.abort(number);
    }

    /// Gives back what has nothing in hand any more.
    pub(super) fn release_drained(&mut self) {
        let is_drained = |bucket: &Bucket| bucket.hand == Hand::Draining && bucket.busy == 0;
        let drained = self.buckets.by_number.iter().filter(|(_, bucket)| is_drained(bucket));
        let drained: Vec<BucketNo> = drained.map(|(number, _)| *number).collect();
        for number in drained {
            self.buckets.by_number.remove(&number);
            self.effects.push(Effect::Release(number));
        }
    }

    /// Drops everything of a bucket that is not in flight.
    fn leave(&mut self, number: BucketNo) {
        self.buckets.index();
        let lanes = self.lanes.iter().filter(|(_, lane)| lane.bucket == number);
        let lanes: Vec<_> = lanes.map(|(no, _)| *no).collect();
        for lane in lanes {
            self.empty(lane);
        }
        self.keep_own_singles();
        if self.buckets.slots.is_empty() {
            // Whatever is granted next is read from the beginning.
            self.withheld.clear();
            self.reads.forget(|_| true);
        }
    }

    fn abort(&mut self, number: BucketNo) {
        for row in self.rows.values().filter(|row| row.bucket == number) {
            if let Phase::Running(attempt) = row.phase {
                self.effects.push(Effect::Abort(attempt));
            }
        }
    }
}
