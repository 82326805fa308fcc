//! Requests that are not kept in memory because they may not go now, and the walk that reads them again.
//!
//! Of a key with such requests only the range of their ids is remembered, and why the first of them may not go; nothing of that
//! key above the first goes either. Of requests without a key only the lowest id for each cause is. When a cause ends, the ground
//! from its lowest id on is walked once more, in the order of ids, and each request is judged anew when the walk meets it. Only
//! that order makes it safe to let a key go on: what the walk meets first is the first that there is.
//!
//! A walk for causes may stop early, when all of them hold again (an endpoint is full again, say): what lies beyond is still
//! remembered.

use std::collections::BTreeMap;

use super::lane::LaneNo;
use crate::input::Hold;
use crate::limits::EXPIRY_MINUTES_MAX;
use crate::request::RequestId;
use std::sync::Arc;

/// Why requests are withheld.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The plan does not know the code.
    UnknownCode(Arc<str>),
    /// The row names another group than this code's.
    OtherGroup(Arc<str>),
    /// This group is switched off.
    GroupOff(Arc<str>),
    /// An operator holds it.
    Held(Hold),
    /// The plan does not know this window.
    UnknownWindow(Arc<str>),
    /// This window is shut.
    WindowShut(Arc<str>),
    /// It is due in this minute since 1970, which is far.
    DueLater(i64),
    /// What waits for this endpoint takes as much memory as it may.
    EndpointFull(Arc<str>),
    /// It was read without its content, which is wanted by now.
    ContentWanted,
    /// So many keys are blocked that the others are not known by name.
    BlockedFull,
}

/// How a request came into sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// In order, by the walk with this number.
    Walk(u32),
    /// In order, by a read of its key from this id on, of which nothing is withheld so far.
    Key(RequestId),
    /// On new ground.
    Forward,
    /// Out of order: a probe, or it was in memory.
    Single,
}

/// Where a request stands against what is withheld of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// Nothing below it is withheld.
    Free,
    /// It is the first that is withheld, as far as there still is one.
    First,
    /// Something below it is withheld.
    Behind,
}

#[derive(Clone, Debug)]
struct Entry {
    low: RequestId,
    high: RequestId,
    cause: u32,
    /// The last walk that has found the first of them still to be withheld.
    sight: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Holding,
    /// The walk under way deals with it.
    EndedNow,
    /// The next walk will.
    EndedNext,
}

#[derive(Clone, Debug)]
struct Record {
    cause: Cause,
    lowest: RequestId,
    keys: usize,
    phase: Phase,
}

/// A walk over old ground.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub sight: u32,
    /// It began above this id.
    pub start: RequestId,
    /// It has met everything up to this id.
    pub after: RequestId,
    /// It must come to the end of the ground.
    pub is_whole: bool,
    /// It is the sweep: slow, over everything, only to be sure.
    pub is_sweep: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Withheld {
    keys: BTreeMap<LaneNo, Entry>,
    records: BTreeMap<u32, Record>,
    numbers: BTreeMap<Cause, u32>,
    last_number: u32,
    last_sight: u32,
    live: usize,
    expiries: BTreeMap<i64, RequestId>,
    pub walk: Option<Walk>,
    wanted_from: Option<RequestId>,
    /// The walk that is wanted must come to the end of the ground.
    is_wanted_whole: bool,
}

impl Withheld {
    /// How many keys have something withheld.
    pub fn keys(&self) -> usize {
        self.live
    }

    /// All causes that hold, with the number of keys and the lowest id.
    pub fn causes(&self) -> impl Iterator<Item = (&Cause, usize, RequestId)> {
        self.records.values().map(|record| (&record.cause, record.keys, record.lowest))
    }

    /// Forgets a key of which nothing below an id is withheld.
    pub fn forget_above(&mut self, lane: LaneNo, id: RequestId) {
        if self.keys.get(&lane).is_some_and(|entry| entry.low >= id) {
            self.remove(lane);
        }
    }

    /// Whether this request of a key is withheld.
    pub fn has(&self, lane: LaneNo, id: RequestId) -> bool {
        self.keys.get(&lane).is_some_and(|entry| entry.low <= id && self.is_live(entry))
    }

    fn next_sight(&mut self) -> u32 {
        self.last_sight = self.last_sight.wrapping_add(1).max(1);
        self.last_sight
    }

    /// Where a request stands, now that it is in sight.
    pub fn stand(&mut self, lane: LaneNo, id: RequestId, view: View) -> Stand {
        let Some(entry) = self.keys.get(&lane) else { return Stand::Free };
        let Some(record) = self.records.get(&entry.cause) else {
            self.keys.remove(&lane);
            return Stand::Free;
        };
        if id < entry.low {
            return Stand::Free;
        }
        let is_met_in_order = match view {
            View::Walk(sight) => {
                let start = self.walk.as_ref().map_or(RequestId(i64::MAX), |walk| walk.start);
                entry.sight != sight && (start < entry.low || record.phase == Phase::EndedNow)
            }
            View::Key(from) => from <= entry.low,
            View::Forward | View::Single => false,
        };
        if is_met_in_order || id == entry.low { Stand::First } else { Stand::Behind }
    }

    /// The first of a key goes on: only what lies above it is withheld still, if there is anything.
    pub fn lift(&mut self, lane: LaneNo, id: RequestId) {
        let Some(entry) = self.keys.get_mut(&lane) else { return };
        if id < entry.low {
            return;
        }
        entry.low = RequestId(id.0.saturating_add(1));
        if entry.low > entry.high {
            self.remove(lane);
        }
    }

    /// One more of a key is withheld behind the first.
    pub fn extend(&mut self, lane: LaneNo, id: RequestId, view: View) {
        let Some(entry) = self.keys.get_mut(&lane) else { return };
        entry.high = entry.high.max(id);
        let number = entry.cause;
        let is_ended =
            self.records.get(&number).is_some_and(|record| record.phase == Phase::EndedNow);
        if is_ended && view != View::Forward {
            // The walk may have been here already.
            self.postpone(number, id);
        }
    }

    /// Withholds what a key has from `low` to `high` and beyond; or a single request without a key.
    pub fn add(
        &mut self,
        lane: Option<LaneNo>,
        ids: (RequestId, RequestId),
        cause: Cause,
        view: View,
    ) {
        let is_wanted = cause == Cause::ContentWanted;
        let number = self.number(cause, ids.0, view);
        if is_wanted {
            self.postpone(number, ids.0);
        }
        let Some(lane) = lane else { return };
        let is_single = matches!(view, View::Single | View::Forward);
        if is_single
            && self.keys.get(&lane).is_some_and(|entry| entry.low < ids.0 && self.is_live(entry))
        {
            return self.extend(lane, ids.1, view);
        }
        let sight = match view {
            View::Walk(sight) => sight,
            // The walk may have been here already.
            View::Key(_) | View::Single => self.walk.as_ref().map_or(0, |walk| walk.sight),
            View::Forward => 0,
        };
        let high = self.keys.get(&lane).map_or(ids.1, |entry| entry.high.max(ids.1));
        self.remove(lane);
        self.keys.insert(lane, Entry { low: ids.0, high, cause: number, sight });
        self.live += 1;
        if let Some(record) = self.records.get_mut(&number) {
            record.keys += 1;
        }
        self.compact();
    }

    /// A request that is in sight is not to be believed; if it is the first of its key, another walk must look.
    pub fn distrust(&mut self, lane: LaneNo, id: RequestId, view: View) {
        let Some(entry) = self.keys.get_mut(&lane) else { return };
        if id < entry.low {
            return;
        }
        if let View::Walk(sight) = view {
            entry.sight = sight;
        }
        let number = entry.cause;
        if self.records.get(&number).is_some_and(|record| record.phase == Phase::EndedNow) {
            self.postpone(number, id);
        }
    }

    /// A cause has ended: what it withheld is to be read again. Whether there was such a cause.
    pub fn end(&mut self, cause: &Cause) -> bool {
        let Some(number) = self.numbers.get(cause).copied() else { return false };
        let Some(record) = self.records.get(&number) else { return false };
        if record.phase != Phase::Holding {
            return true;
        }
        let is_ahead =
            self.walk.as_ref().is_some_and(|walk| !walk.is_sweep && walk.after < record.lowest);
        let lowest = record.lowest;
        if is_ahead {
            self.set_phase(number, Phase::EndedNow);
        } else {
            self.postpone(number, lowest);
        }
        true
    }

    /// Whether something is withheld for this cause, and it holds.
    pub fn holds(&self, cause: &Cause) -> bool {
        let number = self.numbers.get(cause);
        let record = number.and_then(|number| self.records.get(number));
        record.is_some_and(|record| record.phase == Phase::Holding)
    }

    /// Old ground above this id is to be walked, to its end.
    pub fn want(&mut self, after: RequestId) {
        self.is_wanted_whole = true;
        self.want_from(after);
    }

    fn want_from(&mut self, after: RequestId) {
        self.wanted_from = Some(self.wanted_from.map_or(after, |wanted| wanted.min(after)));
    }

    /// Whether a walk is wanted that is not under way.
    pub fn is_walk_wanted(&self) -> bool {
        self.wanted_from.is_some()
    }

    /// Begins the walk that is wanted.
    pub fn begin_walk(&mut self) {
        let start = self.wanted_from.take().unwrap_or_default();
        let is_whole = std::mem::take(&mut self.is_wanted_whole);
        for record in self.records.values_mut() {
            if record.phase == Phase::EndedNext {
                record.phase = Phase::EndedNow;
            }
        }
        let sight = self.next_sight();
        self.walk = Some(Walk { sight, start, after: start, is_whole, is_sweep: false });
    }

    /// Begins a sweep above an id.
    pub fn begin_sweep(&mut self, start: RequestId) {
        let sight = self.next_sight();
        self.walk = Some(Walk { sight, start, after: start, is_whole: true, is_sweep: true });
    }

    /// The walk meets a request.
    pub fn pass(&mut self, id: RequestId) {
        if let Some(walk) = &mut self.walk {
            walk.after = walk.after.max(id);
        }
    }

    /// Whether the walk under way has nothing more to do here.
    pub fn may_stop_early(&self) -> bool {
        self.walk.as_ref().is_some_and(|walk| !walk.is_whole)
            && !self.records.values().any(|record| record.phase == Phase::EndedNow)
    }

    /// Ends the walk. If it came to the end of the ground, what its causes withheld is forgotten.
    pub fn finish_walk(&mut self, is_complete: bool) {
        self.walk = None;
        let ended = self.records.iter().filter(|(_, record)| record.phase == Phase::EndedNow);
        let ended: Vec<(u32, RequestId)> = ended.map(|(no, record)| (*no, record.lowest)).collect();
        for (number, lowest) in ended {
            if is_complete { self.forget(number) } else { self.postpone(number, lowest) }
        }
    }

    /// Forgets everything: all ground is to be read again.
    pub fn clear(&mut self) {
        let (last_number, last_sight) = (self.last_number, self.last_sight);
        *self = Withheld { last_number, last_sight, ..Withheld::default() };
    }

    /// Remembers that something that is not in memory expires then, Unix milliseconds.
    pub fn note_expiry(&mut self, expires_ms: i64, id: RequestId) {
        let mut minute = expires_ms.div_euclid(60_000);
        if self.expiries.len() >= EXPIRY_MINUTES_MAX && !self.expiries.contains_key(&minute) {
            // Later is early enough for what cannot be remembered exactly: it is not sent in any case.
            let next = self.expiries.range(minute..).next().or(self.expiries.last_key_value());
            minute = next.map_or(minute, |(minute, _)| *minute);
        }
        let lowest = self.expiries.entry(minute).or_insert(id);
        *lowest = id.min(*lowest);
    }

    /// When the next of them will all have expired, Unix milliseconds.
    pub fn next_expiry_ms(&self) -> Option<i64> {
        self.expiries.first_key_value().map(|(minute, _)| (minute + 1) * 60_000)
    }

    /// Wants a walk for what has expired by now.
    pub fn expire(&mut self, earliest_ms: i64) {
        while self.next_expiry_ms().is_some_and(|at| at <= earliest_ms) {
            if let Some((_, lowest)) = self.expiries.pop_first() {
                self.want(before(lowest));
            }
        }
    }

    fn number(&mut self, cause: Cause, id: RequestId, view: View) -> u32 {
        if let Some(number) = self.numbers.get(&cause).copied() {
            self.renew(number, id, view);
            return number;
        }
        self.last_number = self.last_number.wrapping_add(1);
        let number = self.last_number;
        self.numbers.insert(cause.clone(), number);
        self.records.insert(number, Record { cause, lowest: id, keys: 0, phase: Phase::Holding });
        number
    }

    /// One more is withheld for a cause that is known.
    fn renew(&mut self, number: u32, id: RequestId, view: View) {
        let walk = self.walk.as_ref().map(|walk| walk.sight);
        let Some(record) = self.records.get_mut(&number) else { return };
        match (record.phase, view) {
            (Phase::Holding, _) => record.lowest = record.lowest.min(id),
            (Phase::EndedNow, View::Walk(sight)) if walk == Some(sight) => {
                record.phase = Phase::Holding;
                record.lowest = id;
            }
            // The walk will come by.
            (Phase::EndedNow, View::Forward) => {}
            (Phase::EndedNow | Phase::EndedNext, _) => self.postpone(number, id),
        }
    }

    fn is_live(&self, entry: &Entry) -> bool {
        self.records.contains_key(&entry.cause)
    }

    fn postpone(&mut self, number: u32, id: RequestId) {
        let Some(record) = self.records.get_mut(&number) else { return };
        record.phase = Phase::EndedNext;
        record.lowest = record.lowest.min(id);
        let after = before(record.lowest);
        self.want_from(after);
    }

    fn set_phase(&mut self, number: u32, phase: Phase) {
        if let Some(record) = self.records.get_mut(&number) {
            record.phase = phase;
        }
    }

    fn forget(&mut self, number: u32) {
        if let Some(record) = self.records.remove(&number) {
            self.numbers.remove(&record.cause);
            self.live -= record.keys;
        }
        self.compact();
    }

    fn remove(&mut self, lane: LaneNo) {
        let Some(entry) = self.keys.remove(&lane) else { return };
        let Some(record) = self.records.get_mut(&entry.cause) else { return };
        record.keys -= 1;
        self.live -= 1;
    }

    /// Throws away what belongs to forgotten causes, before it takes more room than what counts.
    fn compact(&mut self) {
        if self.keys.len() > 2 * self.live + 1_024 {
            let records = &self.records;
            self.keys.retain(|_, entry| records.contains_key(&entry.cause));
        }
    }
}

/// The id before one.
pub(super) fn before(id: RequestId) -> RequestId {
    RequestId(id.0.saturating_sub(1))
}
