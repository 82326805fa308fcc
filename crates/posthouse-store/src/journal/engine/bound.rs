//! The bound on what the segments take, and how it is kept.
//!
//! Promised are three times what was wanted at the last checkpoint, the interval between
//! checkpoints, the current segment, the next one and the spares. Twice what is wanted may lie in
//! segments that are not worth to be compacted; the third part is for the copies that compaction
//! makes. What it has moved lies there twice until the next checkpoint, and meanwhile the log goes
//! on, so the bound is looked at before each file that the log gets:
//!
//! 1. A spare that would exceed it is not made as long as a checkpoint would free something. That
//!    checkpoint is asked for, and the log takes the spares that are there.
//! 2. When those are used up, too, and a checkpoint is under way, the log waits for its end. What
//!    it waits for is on the disk by then, so neither waits for the other.
//!
//! If nothing can be freed, say while a backup holds the journal still, the log goes on beyond the
//! bound: disk is dear, but to refuse messages while there is room would be worse. What a full
//! disk has to say comes first, too.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Completion;

use super::machine::Machine;
use super::slot::Slot;
use crate::files::File;
use crate::journal::fault::Fault;

/// The segments may take so many times what is wanted in them.
const LIVE_TIMES_MAX: u64 = 3;

/// Of that, so much is left to the copies that compaction makes.
const LIVE_TIMES_COPIES: u64 = 1;

/// A checkpoint is asked for when so many more segments would exceed the bound.
const LEAD_SEGMENTS: u64 = 2;

/// See the module.
#[derive(Debug)]
pub(super) struct Bound {
    /// What was wanted at the last checkpoint.
    live_bytes: AtomicU64,
    /// The batch that the checkpoint under way needs to be durable; 0 if there is none.
    round_needs: AtomicU64,
}

impl Bound {
    /// Before the first checkpoint all may be wanted that was there at the start, so many bytes.
    pub(super) fn new(bytes: u64) -> Bound {
        Bound { live_bytes: AtomicU64::new(bytes), round_needs: AtomicU64::new(0) }
    }

    /// So many bytes of records are wanted.
    pub(super) fn note_live(&self, bytes: u64) {
        self.live_bytes.store(bytes, Ordering::Release);
    }

    /// A checkpoint has begun, and all that it may wait for is durable once `last` is.
    pub(super) fn begin_round(&self, last: BatchNo) {
        self.round_needs.store(last.0, Ordering::Release);
    }

    /// The checkpoint and what follows it are over.
    pub(super) fn end_round(&self) {
        self.round_needs.store(0, Ordering::Release);
    }
}

/// Whether the segments, without those that go with the next checkpoint, take more than was
/// promised, if `live_bytes` are wanted.
pub(super) fn takes_too_much(machine: &Machine, live_bytes: u64, going: &BTreeSet<u64>) -> bool {
    let heads = machine.segments.heads();
    let goes: u64 =
        heads.iter().filter(|head| going.contains(&head.id)).map(|head| head.bytes).sum();
    machine.segments.bytes().saturating_sub(goes) > allowed(machine, live_bytes, LIVE_TIMES_MAX)
}

fn allowed(machine: &Machine, live_bytes: u64, live_times: u64) -> u64 {
    let options = &machine.options;
    let ahead = options.segment_bytes * (2 + options.spares as u64);
    let interval = machine.intake.lock().appetite.interval_bytes();
    live_bytes.saturating_mul(live_times).saturating_add(interval + ahead)
}

/// Whether another file of so many bytes would exceed the bound.
fn exceeds(machine: &Machine, bytes: u64) -> bool {
    let live_bytes = machine.bound.live_bytes.load(Ordering::Acquire);
    let live_times = LIVE_TIMES_MAX - LIVE_TIMES_COPIES;
    machine.segments.bytes() + bytes > allowed(machine, live_bytes, live_times)
}

/// Asks for a checkpoint if another segment would exceed the bound and one would free something,
/// so early that it is mostly over before that segment is needed. Answers whether a spare is
/// better not made now.
pub(super) fn puts_off_spare(machine: &Machine) -> bool {
    let segment_bytes = machine.options.segment_bytes;
    let is_bound = !machine.is_full() && !machine.holding.is_still();
    if !is_bound || !exceeds(machine, LEAD_SEGMENTS * segment_bytes) {
        return false;
    }
    let (helps, is_due, reserve_bytes) = {
        let mut intake = machine.intake.lock();
        let helps = intake.appetite.would_free();
        (helps, intake.appetite.is_due_for_room(), intake.under_way_bytes_most)
    };
    if is_due {
        machine.outbox.push(Completion::CheckpointWanted);
    }
    // Whatever the bound says, what producers have under way when the disk becomes full must not
    // take the room that acknowledgements need then.
    let spares_bytes = machine.segments.spares.len() as u64 * segment_bytes;
    helps && spares_bytes > reserve_bytes && exceeds(machine, segment_bytes)
}

/// The file of a chosen segment, which is made if it is not there yet; none while it has to wait
/// for the checkpoint that is under way.
///
/// # Errors
/// The system's, among them that there is no room.
pub(super) fn make_within(machine: &Machine, slot: &Slot) -> Result<Option<Arc<dyn File>>, Fault> {
    if !slot.is_made() && waits(machine, slot) {
        return Ok(None);
    }
    machine.segments.make(slot).map(Some)
}

/// The last spare is for what has to be written before the checkpoint that comes after this one.
fn waits(machine: &Machine, slot: &Slot) -> bool {
    let needs = BatchNo(machine.bound.round_needs.load(Ordering::Acquire));
    let is_under_way = needs > BatchNo(0) && machine.intake.lock().durable >= needs;
    // Nobody goes on with a checkpoint when the node stops.
    let may_wait = is_under_way && !machine.is_full() && !machine.is_stopping();
    may_wait && machine.segments.spares.len() <= 1 && exceeds(machine, slot.bytes())
}
