//! What may be freed, and what is worth to be compacted.

use std::collections::BTreeSet;

use super::census::Census;
use super::checkpoint::remove_others;
use super::figures::Space;
use super::machine::Machine;
use super::opening::Slots;
use crate::journal::fault::Fault;
use crate::journal::layout::manifest::Manifest;
use crate::journal::layout::segment::{SegmentHead, SegmentKind};
use crate::journal::layout::{BLOCK_BYTES, batch::blocks_of};

/// How much may survive of the segments that are compacted together, in bytes.
const SURVIVORS_BYTES_MAX: u64 = 128 << 20;

/// Without room little is compacted at a time: the survivors of the most dead segments are few,
/// and each segment that goes makes room for more. A part of an ordinary segment.
const SURVIVORS_PARTS_FULL: u64 = 8;

/// How many messages may survive of the segments that are compacted together.
const SURVIVORS_MAX: u64 = 1 << 20;

/// What the keeper remembers from one checkpoint to the next.
pub(super) struct Memory {
    pub(super) slots: Slots,
    /// Segments of moved messages that the broker may not know of yet.
    pub(super) untold: BTreeSet<u64>,
    /// Segments with something wanted in them that cannot be read.
    pub(super) unreadable: BTreeSet<u64>,
}

impl Memory {
    pub(super) fn new(slots: Slots) -> Memory {
        Memory { slots, untold: BTreeSet::new(), unreadable: BTreeSet::new() }
    }

    /// Whether the log needs nothing of a segment, and the broker knows all that is in it.
    fn has_settled(&self, head: &SegmentHead, manifest: &Manifest) -> bool {
        match head.kind {
            SegmentKind::Journal => head.id < manifest.replay_segment,
            SegmentKind::Compacted => !self.untold.contains(&head.id),
            SegmentKind::Spool => false,
        }
    }
}

/// Frees what neither this manifest nor the state that it stands for needs.
///
/// # Errors
/// The system's.
pub(super) fn free_dead(
    machine: &Machine,
    census: &Census,
    manifest: &Manifest,
    memory: &Memory,
) -> Result<(), Fault> {
    let is_free =
        |head: &SegmentHead| memory.has_settled(head, manifest) && census.is_dead(head.id);
    let free: Vec<SegmentHead> = machine.segments.heads().into_iter().filter(is_free).collect();
    free.iter().for_each(|head| machine.open_files.close(head.id));
    remove_others(&machine.segments, manifest.checkpoint)?;
    machine.segments.free(&free)?;
    machine.figures.lock().freed_segments += free.len() as u64;
    machine.retry();
    Ok(())
}

/// Chooses what is compacted together, the most dead first. Nothing, if that would save less than
/// half of it.
pub(super) fn choose_victims(
    machine: &Machine,
    census: &Census,
    memory: &Memory,
    tried: &BTreeSet<u64>,
) -> BTreeSet<u64> {
    let is_mostly_dead = |head: &SegmentHead| {
        memory.has_settled(head, &memory.slots.manifest)
            && 2 * census.live(head.id).bytes < head.bytes
            && !census.is_dead(head.id)
            && !memory.unreadable.contains(&head.id)
            && !tried.contains(&head.id)
    };
    let heads = machine.segments.heads().into_iter().filter(is_mostly_dead);
    let mut victims: Vec<(u64, SegmentHead)> =
        heads.map(|head| (census.live(head.id).bytes * 1_000 / head.bytes, head)).collect();
    victims.sort_by_key(|(share, head)| (*share, head.id));
    let live_bytes_max = match machine.is_full() {
        true => machine.options.segment_bytes / SURVIVORS_PARTS_FULL,
        false => SURVIVORS_BYTES_MAX,
    };
    let mut chosen = Chosen { live_bytes_max, ..Chosen::default() };
    for (_, head) in victims {
        if !chosen.add(&head, census) {
            break;
        }
    }
    if chosen.is_worth_it() { chosen.segments } else { BTreeSet::new() }
}

#[derive(Default)]
struct Chosen {
    live_bytes_max: u64,
    segments: BTreeSet<u64>,
    bytes: u64,
    live_bytes: u64,
    messages: u64,
}

impl Chosen {
    /// Answers false if it would become too much.
    fn add(&mut self, head: &SegmentHead, census: &Census) -> bool {
        let live = census.live(head.id);
        let is_too_much = self.live_bytes + live.bytes > self.live_bytes_max
            || self.messages + live.messages > SURVIVORS_MAX;
        if is_too_much && !self.segments.is_empty() {
            return false;
        }
        self.segments.insert(head.id);
        self.bytes += head.bytes;
        self.live_bytes += live.bytes;
        self.messages += live.messages;
        true
    }

    fn is_worth_it(&self) -> bool {
        let blocks = 1 + blocks_of(self.live_bytes as usize);
        2 * blocks * BLOCK_BYTES as u64 <= self.bytes
    }
}

/// Takes note of what the files hold.
pub(super) fn note_space(machine: &Machine, census: &Census, manifest: &Manifest) {
    let is_ahead = |head: &SegmentHead| {
        head.kind == SegmentKind::Journal && head.id >= manifest.replay_segment
    };
    let (ahead, settled): (Vec<_>, Vec<_>) =
        machine.segments.heads().into_iter().partition(is_ahead);
    let bytes = |heads: &[SegmentHead]| heads.iter().map(|head| head.bytes).sum();
    machine.bound.note_live(census.live_bytes());
    machine.figures.lock().space = Space {
        live_bytes: census.live_bytes(),
        settled_bytes: bytes(&settled),
        current_bytes: bytes(&ahead),
        spare_bytes: machine.options.segment_bytes * machine.segments.spares.len() as u64,
    };
}
