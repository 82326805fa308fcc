//! Who owns which bucket: the rules, without a database.
//!
//! A round loads the ledger under the lock of the control row, lets it serve one node, and writes
//! back what has changed, all in one transaction; so rounds come one after the other. What follows
//! from that: a slot has one owner at most who can write, because a bucket is granted only when
//! every bucket of another layout that shares a slot with it is free, and each grant, release and
//! seizure gives the bucket a fence that no bucket has had before.

use std::collections::BTreeSet;
use std::sync::Arc;

use posthouse_pump::outcome::{BucketNo, Fence};
use posthouse_pump::read::SlotRange;
use posthouse_pump::request::{SLOTS, Slot};

use super::{Granted, Greeting};

/// One bucket, as it stands in the database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bucket {
    /// Its number; the layout is the upper half.
    pub(crate) number: BucketNo,
    /// Its slots.
    pub(crate) slots: SlotRange,
    /// Its owner, if it has one.
    pub(crate) owner: Option<Arc<str>>,
    /// What writers must know to write; 0 until it is granted for the first time.
    pub(crate) fence: i64,
    /// When its lease ends, Unix milliseconds of the database.
    pub(crate) lease_until_ms: i64,
    /// When it was granted, Unix milliseconds of the database.
    pub(crate) granted_ms: i64,
    /// Whether its owner is to give it back.
    pub(crate) is_draining: bool,
    /// Whether its last owner fell silent, and nobody has had it since.
    pub(crate) is_silent: bool,
}

/// A node whose last sign of life is recent enough.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Whether it wants buckets.
    pub(crate) is_wanting: bool,
}

/// Everything that a round decides by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// The database's time, Unix milliseconds.
    pub(crate) now_ms: i64,
    /// The present layout.
    pub(crate) layout: u32,
    /// The last fence that was given.
    pub(crate) fence: i64,
    /// Live nodes, the one that is served among them.
    pub(crate) nodes: Vec<Node>,
    /// Buckets of the present layout and of former ones, by number.
    pub(crate) buckets: Vec<Bucket>,
    /// Numbers of buckets that differ from the database.
    pub(crate) changed: BTreeSet<BucketNo>,
    /// Numbers of buckets that are to be deleted.
    pub(crate) removed: Vec<BucketNo>,
}

/// What a node is told of its buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    /// Still held.
    pub(crate) renewed: Vec<(BucketNo, Fence)>,
    /// Held no longer.
    pub(crate) lost: Vec<BucketNo>,
    /// New.
    pub(crate) granted: Vec<Granted>,
    /// To be given back.
    pub(crate) drain: Vec<BucketNo>,
}

/// The layout that a bucket belongs to.
pub(crate) fn layout_of(bucket: BucketNo) -> u32 {
    u32::try_from(bucket.0 >> 32).unwrap_or(u32::MAX)
}

/// The buckets of a layout: contiguous ranges of slots, whose sizes differ by one at most.
pub(crate) fn lay_out(layout: u32, buckets: u32) -> Vec<(BucketNo, SlotRange)> {
    let slots = u32::from(SLOTS);
    let first = |number: u32| Slot(u16::try_from(number * slots / buckets).unwrap_or(SLOTS));
    (0..buckets.min(slots))
        .map(|number| {
            let last = Slot(first(number + 1).0 - 1);
            let range = SlotRange { first: first(number), last };
            (BucketNo(u64::from(layout) << 32 | u64::from(number)), range)
        })
        .collect()
}

fn overlap(one: SlotRange, other: SlotRange) -> bool {
    one.first <= other.last && other.first <= one.last
}

impl Ledger {
    /// Serves one node.
    pub(crate) fn serve(&mut self, greeting: &Greeting) -> Answer {
        let mut answer = Answer::default();
        self.renew(greeting, &mut answer);
        self.release(greeting, &mut answer);
        self.forget(greeting);
        self.acquire(greeting, &mut answer);
        self.tidy();
        self.ask_back(greeting);
        answer.drain = self.draining(&answer.renewed);
        answer
    }

    /// A lease that has ended, but that nobody else has taken since, goes on.
    fn renew(&mut self, greeting: &Greeting, answer: &mut Answer) {
        let until_ms = self.now_ms.saturating_add_unsigned(greeting.lease_ms);
        for &(number, fence) in &greeting.renew {
            match self.held(greeting, number, fence) {
                Some(bucket) => {
                    bucket.lease_until_ms = until_ms;
                    self.changed.insert(number);
                    answer.renewed.push((number, fence));
                }
                None => answer.lost.push(number),
            }
        }
    }

    fn release(&mut self, greeting: &Greeting, answer: &mut Answer) {
        for &(number, fence) in &greeting.release {
            if self.held(greeting, number, fence).is_some() {
                self.free(number, false);
            } else {
                answer.lost.push(number);
            }
        }
    }

    /// What stands under this node's name without its knowing of it was granted by an answer that
    /// it never got, or given up by it without a word. Nobody can tell which, so it counts as
    /// fallen silent.
    fn forget(&mut self, greeting: &Greeting) {
        let known = |number| greeting.renew.iter().any(|&(known, _)| known == number);
        let unknown: Vec<BucketNo> = self
            .buckets
            .iter()
            .filter(|bucket| bucket.owner.as_ref() == Some(&greeting.node) && !known(bucket.number))
            .map(|bucket| bucket.number)
            .collect();
        for number in unknown {
            self.free(number, true);
        }
    }

    /// Takes what is free or whose lease has ended: up to the lower share always, up to the upper
    /// one only as far as others do not need it; else a bucket that was just given back for
    /// somebody else would return to where it was.
    fn acquire(&mut self, greeting: &Greeting, answer: &mut Answer) {
        if !greeting.wants_more {
            return;
        }
        let mut held = self.count_of(&greeting.node);
        let lacking = self.lacking_besides(&greeting.node);
        let candidates: Vec<BucketNo> = self
            .present()
            .filter(|bucket| self.is_free(bucket))
            .map(|bucket| bucket.number)
            .collect();
        let mut free = candidates.len();
        for number in candidates {
            let is_spare = held < self.share_max() && free > lacking;
            if held >= self.share_min() && !is_spare {
                return;
            }
            if let Some(granted) = self.grant(greeting, number) {
                answer.granted.push(granted);
                held += 1;
                free -= 1;
            }
        }
    }

    fn grant(&mut self, greeting: &Greeting, number: BucketNo) -> Option<Granted> {
        let slots = self.buckets.iter().find(|bucket| bucket.number == number)?.slots;
        let sharing: Vec<BucketNo> = self.sharing(slots).map(|bucket| bucket.number).collect();
        if self.sharing(slots).any(|bucket| !self.is_free(bucket)) {
            return None;
        }
        for &other in &sharing {
            self.seize(other);
        }
        let was_silent = self.sharing(slots).any(|bucket| bucket.is_silent);
        let fence = self.next_fence();
        let now_ms = self.now_ms;
        let until_ms = now_ms.saturating_add_unsigned(greeting.lease_ms);
        self.changed.insert(number);
        let bucket = self.buckets.iter_mut().find(|bucket| bucket.number == number)?;
        bucket.owner = Some(greeting.node.clone());
        bucket.fence = fence;
        bucket.lease_until_ms = until_ms;
        bucket.granted_ms = now_ms;
        bucket.is_draining = false;
        bucket.is_silent = false;
        Some(Granted { bucket: number, slots, fence: Fence(fence), was_silent })
    }

    /// Takes a bucket from an owner whose lease has ended.
    fn seize(&mut self, number: BucketNo) {
        if self.buckets.iter().any(|bucket| bucket.number == number && bucket.owner.is_some()) {
            self.free(number, true);
        }
    }

    /// The new fence shuts out whoever wrote under the old one.
    fn free(&mut self, number: BucketNo, is_silent: bool) {
        let fence = self.next_fence();
        if let Some(bucket) = self.buckets.iter_mut().find(|bucket| bucket.number == number) {
            bucket.owner = None;
            bucket.fence = fence;
            bucket.lease_until_ms = 0;
            bucket.is_draining = false;
            bucket.is_silent |= is_silent;
            self.changed.insert(number);
        }
    }

    /// Buckets of former layouts go when nothing depends on them any more.
    fn tidy(&mut self) {
        let gone: Vec<BucketNo> = self
            .buckets
            .iter()
            .filter(|bucket| layout_of(bucket.number) != self.layout && bucket.owner.is_none())
            .filter(|old| bucket_is_covered(old, self.present()))
            .map(|bucket| bucket.number)
            .collect();
        self.buckets.retain(|bucket| !gone.contains(&bucket.number));
        self.changed.retain(|number| !gone.contains(number));
        self.removed.extend(gone);
    }

    /// Asks this node to give back what others lack. Those held longest go first, and none before
    /// its time, so that no bucket wanders back and forth.
    fn ask_back(&mut self, greeting: &Greeting) {
        for number in self.outdated(&greeting.node) {
            self.mark_draining(number);
        }
        let mut excess = self.excess_of(&greeting.node);
        while let Some(number) = self.oldest_of(greeting) {
            if excess == 0 {
                return;
            }
            self.mark_draining(number);
            excess -= 1;
        }
    }

    fn mark_draining(&mut self, number: BucketNo) {
        if let Some(bucket) = self.buckets.iter_mut().find(|bucket| bucket.number == number) {
            bucket.is_draining = true;
            self.changed.insert(number);
        }
    }

    /// Buckets of former layouts that this node still has and has not been asked for.
    fn outdated(&self, node: &Arc<str>) -> Vec<BucketNo> {
        let is_outdated = |bucket: &&Bucket| {
            layout_of(bucket.number) != self.layout
                && bucket.owner.as_ref() == Some(node)
                && !bucket.is_draining
        };
        self.buckets.iter().filter(is_outdated).map(|bucket| bucket.number).collect()
    }

    /// How many buckets this node has too many: above the upper share always; above the lower one
    /// only as far as others are below it, beyond what is free already or about to be.
    fn excess_of(&self, node: &Arc<str>) -> usize {
        let kept = self.kept_by(node);
        let lacking = self.lacking_besides(node);
        let coming =
            self.present().filter(|bucket| bucket.owner.is_none() || bucket.is_draining).count();
        let spare = kept.saturating_sub(self.share_min());
        let above = kept.saturating_sub(self.share_max());
        above.max(spare.min(lacking.saturating_sub(coming)))
    }

    /// How many buckets the others are below the lower share.
    fn lacking_besides(&self, node: &Arc<str>) -> usize {
        self.wanting()
            .filter(|other| *other != node)
            .map(|other| self.share_min().saturating_sub(self.kept_by(other)))
            .sum()
    }

    fn oldest_of(&self, greeting: &Greeting) -> Option<BucketNo> {
        let held_since = self.now_ms.saturating_sub_unsigned(greeting.lease_ms);
        self.present()
            .filter(|bucket| bucket.owner.as_ref() == Some(&greeting.node) && !bucket.is_draining)
            .filter(|bucket| bucket.granted_ms <= held_since)
            .min_by_key(|bucket| (bucket.granted_ms, bucket.number))
            .map(|bucket| bucket.number)
    }

    fn draining(&self, renewed: &[(BucketNo, Fence)]) -> Vec<BucketNo> {
        let is_held = |number| renewed.iter().any(|&(held, _)| held == number);
        self.buckets
            .iter()
            .filter(|bucket| bucket.is_draining && is_held(bucket.number))
            .map(|bucket| bucket.number)
            .collect()
    }

    fn held(&mut self, greeting: &Greeting, number: BucketNo, fence: Fence) -> Option<&mut Bucket> {
        self.buckets.iter_mut().find(|bucket| {
            bucket.number == number
                && bucket.fence == fence.0
                && bucket.owner.as_ref() == Some(&greeting.node)
        })
    }

    fn next_fence(&mut self) -> i64 {
        self.fence += 1;
        self.fence
    }

    fn is_free(&self, bucket: &Bucket) -> bool {
        bucket.owner.is_none() || bucket.lease_until_ms < self.now_ms
    }

    /// Every bucket, of whatever layout, that has a slot of this range; a bucket shares with
    /// itself.
    fn sharing(&self, slots: SlotRange) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().filter(move |bucket| overlap(bucket.slots, slots))
    }

    fn present(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().filter(|bucket| layout_of(bucket.number) == self.layout)
    }

    fn count_of(&self, node: &Arc<str>) -> usize {
        self.present().filter(|bucket| bucket.owner.as_ref() == Some(node)).count()
    }

    fn kept_by(&self, node: &Arc<str>) -> usize {
        let is_kept = |bucket: &&Bucket| bucket.owner.as_ref() == Some(node) && !bucket.is_draining;
        self.present().filter(is_kept).count()
    }

    fn wanting(&self) -> impl Iterator<Item = &Arc<str>> {
        self.nodes.iter().filter(|node| node.is_wanting).map(|node| &node.name)
    }

    fn share_max(&self) -> usize {
        self.present().count().div_ceil(self.wanting().count().max(1))
    }

    fn share_min(&self) -> usize {
        self.present().count() / self.wanting().count().max(1)
    }
}

/// Whether every present bucket that shares a slot with an old one has been granted since.
fn bucket_is_covered<'a>(old: &Bucket, mut present: impl Iterator<Item = &'a Bucket>) -> bool {
    present.all(|bucket| !overlap(bucket.slots, old.slots) || bucket.fence > old.fence)
}
