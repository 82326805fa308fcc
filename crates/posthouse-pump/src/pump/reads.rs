//! Reads that are under way, and when the next may be asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lane::LaneNo;
use super::timing::Pace;
use crate::read::{ReadNo, SlotRange};
use crate::request::RequestId;

/// What a read was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    Forward,
    /// The walk with this number, up to an id.
    Walk(u32, RequestId),
    /// Gaps by their first id, and the ids that somebody has changed.
    Probe(Vec<RequestId>, Vec<RequestId>),
    /// A lane again, from an id on.
    Key(LaneNo, RequestId),
}

/// A read that has not been answered.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub aim: Aim,
    pub slots: Arc<[SlotRange]>,
    /// When it was asked for, in the count of events.
    pub since: u64,
    /// Whether its answer is of no use any more.
    pub is_stale: bool,
}

/// See the module. All instants are milliseconds of the steady clock.
#[derive(Clone, Debug)]
pub(super) struct Reads {
    last: u64,
    asked: BTreeMap<ReadNo, Asked>,
    pub forward_at: u64,
    pub walk_at: u64,
    pub probe_at: u64,
    pub key_at: u64,
    pub sweep_at: u64,
    /// Where the next sweep goes on.
    pub sweep_from: RequestId,
    /// The number of the walk with which the sweep began.
    pub sweep_sight: u32,
    pub wait_ms: u64,
    wait_ms_min: u64,
    is_woken: bool,
}

impl Reads {
    pub fn new(pace: &Pace) -> Reads {
        Reads {
            last: 0,
            asked: BTreeMap::new(),
            forward_at: 0,
            walk_at: 0,
            probe_at: 0,
            key_at: 0,
            sweep_at: 0,
            sweep_from: RequestId::LOWEST,
            sweep_sight: 0,
            wait_ms: pace.wait_ms_min,
            wait_ms_min: pace.wait_ms_min,
            is_woken: false,
        }
    }

    /// Numbers reads after those of another.
    pub fn count_on(&mut self, former: &Reads) {
        self.last = former.last;
    }

    /// Takes note of a read; answers with its number.
    pub fn ask(&mut self, asked: Asked) -> ReadNo {
        self.last += 1;
        self.asked.insert(ReadNo(self.last), asked);
        ReadNo(self.last)
    }

    /// Takes a read that has been answered.
    pub fn take(&mut self, number: ReadNo) -> Option<Asked> {
        self.asked.remove(&number)
    }

    /// Whether a read of this kind is under way.
    pub fn has(&self, is_such: impl Fn(&Aim) -> bool) -> bool {
        self.asked.values().any(|asked| is_such(&asked.aim))
    }

    /// When the oldest read that is under way was asked for, in the count of events.
    pub fn oldest(&self) -> Option<u64> {
        self.asked.values().map(|asked| asked.since).min()
    }

    /// There may be something new.
    pub fn wake(&mut self, mono_ms: u64) {
        self.is_woken = self.has(|aim| *aim == Aim::Forward);
        self.wait_ms = self.wait_ms_min;
        self.forward_at = self.forward_at.min(mono_ms);
    }

    /// New ground has been read; the next read is at once if there is more, else after a wait.
    pub fn forward_done(&mut self, mono_ms: u64, has_more: bool, is_empty: bool, wait_ms_max: u64) {
        self.wait_ms =
            if is_empty { (self.wait_ms * 2).min(wait_ms_max) } else { self.wait_ms_min };
        let is_hot = has_more || std::mem::take(&mut self.is_woken);
        self.forward_at = if is_hot { mono_ms } else { mono_ms + self.wait_ms };
    }

    /// The read of new ground that is under way is of no use: it does not know of the slots that
    /// are ours by now.
    pub fn forget_forward(&mut self) {
        self.forget(|aim| *aim == Aim::Forward);
    }

    /// Answers of this kind are of no use any more.
    pub fn forget(&mut self, is_such: impl Fn(&Aim) -> bool) {
        for asked in self.asked.values_mut().filter(|asked| is_such(&asked.aim)) {
            asked.is_stale = true;
        }
    }
}
