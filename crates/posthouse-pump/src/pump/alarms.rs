//! Instants at which something is to be looked at again.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::lane::LaneNo;
use super::withheld::Cause;
use crate::outcome::{BucketNo, SettlementNo};
use crate::request::RequestId;

/// What is to be looked at. Each is judged anew when its time comes, so one too many does no harm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// The head of a lane.
    Lane(LaneNo),
    /// A request that may have expired.
    Expiry(RequestId),
    /// A blocked request that holds its key only for some time.
    Blocked(RequestId),
    /// A cause that may have ended.
    Cause(Cause),
    /// An endpoint that may take another attempt.
    Endpoint(Arc<str>),
    /// A bucket whose lease may have ended.
    Lease(BucketNo),
    /// A settlement to be written again.
    Settlement(SettlementNo),
    /// An outcome that was kept from its row by a lock.
    Locked(RequestId),
    /// Withheld requests that may have expired.
    Expiries,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarms {
    set: BTreeSet<(u64, Alarm)>,
}

impl Alarms {
    /// Looks at something at an instant, milliseconds of the steady clock.
    pub fn set(&mut self, at_mono_ms: u64, alarm: Alarm) {
        self.set.insert((at_mono_ms, alarm));
    }

    /// Does not look after all.
    pub fn clear(&mut self, at_mono_ms: u64, alarm: Alarm) {
        self.set.remove(&(at_mono_ms, alarm));
    }

    /// The next instant, milliseconds of the steady clock.
    pub fn next_mono_ms(&self) -> Option<u64> {
        self.set.first().map(|(at, _)| *at)
    }

    /// Takes what is to be looked at by now.
    pub fn take(&mut self, mono_ms: u64) -> Option<Alarm> {
        if self.next_mono_ms()? > mono_ms {
            return None;
        }
        self.set.pop_first().map(|(_, alarm)| alarm)
    }

    /// Takes everything, whatever its time: the clocks have moved against each other.
    pub fn take_all(&mut self) -> Vec<Alarm> {
        std::mem::take(&mut self.set).into_iter().map(|(_, alarm)| alarm).collect()
    }
}
