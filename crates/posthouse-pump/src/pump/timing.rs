//! The pump and its alarms: what it looks at again, and when.

use super::Pump;
use super::alarms::Alarm;
use super::withheld::Cause;
use crate::limits;
use crate::time::Now;

/// How often a pump reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The wait between reads of new ground that find nothing, at first, in milliseconds. It
    /// doubles.
    pub wait_ms_min: u64,
    /// The same, at most.
    pub wait_ms_max: u64,
    /// The wait after a read that has failed, in milliseconds.
    pub failure_wait_ms: u64,
    /// How many requests a second the sweep reads.
    pub sweep_rows_per_s: u64,
    /// The pause between two sweeps, in milliseconds.
    pub sweep_rest_ms: u64,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            wait_ms_min: 5,
            wait_ms_max: 1_000,
            failure_wait_ms: 200,
            sweep_rows_per_s: 2_000,
            sweep_rest_ms: 5_000,
        }
    }
}

/// How much a pump keeps and asks for. The bounds of [`limits`] unless somebody has reason to take
/// less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// See [`limits::RESIDENT_MAX`].
    pub resident_max: usize,
    /// See [`limits::RESIDENT_BYTES_MAX`].
    pub resident_bytes_max: usize,
    /// See [`limits::LANE_MAX`].
    pub lane_max: usize,
    /// See [`limits::BLOCKED_MAX`].
    pub blocked_max: usize,
    /// See [`limits::CHANGED_MAX`].
    pub changed_max: usize,
    /// See [`limits::READ_ROWS_MAX`].
    pub read_rows_max: u32,
    /// See [`limits::WITHHELD_KEYS_MAX`].
    pub withheld_keys_max: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            resident_max: limits::RESIDENT_MAX,
            resident_bytes_max: limits::RESIDENT_BYTES_MAX,
            lane_max: limits::LANE_MAX,
            blocked_max: limits::BLOCKED_MAX,
            changed_max: limits::CHANGED_MAX,
            read_rows_max: limits::READ_ROWS_MAX,
            withheld_keys_max: limits::WITHHELD_KEYS_MAX,
        }
    }
}

/// A request that is due within this time waits in memory, in milliseconds; in the first figure
/// while memory is scarce.
const HORIZON_MS: (i64, i64) = (60_000, 24 * 3_600_000);

/// When the source's clock moves ahead by more than this, all alarms are set anew, in milliseconds.
const JUMP_MS: i64 = 100;

impl Pump {
    /// When [`Input::Tick`](crate::input::Input::Tick) is wanted at the latest, milliseconds of
    /// the steady clock; `None` if only other inputs can change anything.
    pub fn due_mono_ms(&self) -> Option<u64> {
        self.alarms.next_mono_ms().into_iter().chain(self.next_read_mono_ms()).min()
    }

    /// Takes note of the time.
    pub(super) fn observe(&mut self, now: Now) {
        self.now = now;
        let offset_ms = now.earliest_ms() - i64::try_from(now.mono_ms).unwrap_or(i64::MAX);
        if offset_ms <= self.offset_ms {
            self.offset_ms = offset_ms;
        } else if offset_ms - self.offset_ms > JUMP_MS {
            self.offset_ms = offset_ms;
            for alarm in self.alarms.take_all() {
                self.look(now, alarm);
            }
        }
    }

    /// Looks at everything whose time has come.
    pub(super) fn ring(&mut self, now: Now) {
        while let Some(alarm) = self.alarms.take(now.mono_ms) {
            self.look(now, alarm);
        }
    }

    /// The instant of the steady clock at which the source's clock surely shows `at_ms`; in the
    /// future in any case.
    pub(super) fn mono_at(now: Now, at_ms: i64) -> u64 {
        let wait_ms = at_ms.saturating_sub(now.earliest_ms()).max(1);
        now.mono_ms.saturating_add(wait_ms.unsigned_abs())
    }

    /// How far off a due time may be for the request to wait in memory, in milliseconds.
    pub(super) fn horizon_ms(&self) -> i64 {
        if self.rows.len() < self.room.resident_max / 4 { HORIZON_MS.1 } else { HORIZON_MS.0 }
    }

    /// Sets the alarm for a cause that ends by itself.
    pub(super) fn watch_cause(&mut self, now: Now, cause: Cause) {
        if let Some(ends_ms) = self.rules.cause_ends_ms(&cause, now) {
            self.alarms.set(Self::mono_at(now, ends_ms), Alarm::Cause(cause));
        }
    }

    /// Sets the alarm for what expires without being in memory.
    pub(super) fn note_expiry(
        &mut self,
        now: Now,
        expires_ms: Option<i64>,
        id: crate::request::RequestId,
    ) {
        let Some(expires_ms) = expires_ms else { return };
        let before = self.withheld.next_expiry_ms();
        self.withheld.note_expiry(expires_ms, id);
        let after = self.withheld.next_expiry_ms();
        if let (true, Some(at_ms)) = (before != after, after) {
            self.alarms.set(Self::mono_at(now, at_ms), Alarm::Expiries);
        }
    }

    fn look(&mut self, now: Now, alarm: Alarm) {
        match alarm {
            Alarm::Lane(lane) => self.refresh(now, lane),
            Alarm::Expiry(id) => self.expire_if_due(now, id),
            Alarm::Blocked(id) => self.unblock_if_due(now, id),
            Alarm::Endpoint(name) => _ = self.ready.insert(name),
            Alarm::Lease(bucket) => self.lapse_if_due(now, bucket),
            Alarm::Settlement(number) => self.settle_again(number),
            Alarm::Locked(id) => self.settle_locked(id),
            Alarm::Cause(cause) => self.end_if_due(now, cause),
            Alarm::Expiries => {
                self.withheld.expire(now.earliest_ms());
                if let Some(at_ms) = self.withheld.next_expiry_ms() {
                    self.alarms.set(Self::mono_at(now, at_ms), Alarm::Expiries);
                }
            }
        }
    }

    fn end_if_due(&mut self, now: Now, cause: Cause) {
        if !self.withheld.holds(&cause) {
            return;
        }
        match self.rules.cause_ends_ms(&cause, now) {
            Some(ends_ms) if ends_ms <= now.earliest_ms() => _ = self.withheld.end(&cause),
            _ => self.watch_cause(now, cause),
        }
    }
}
