//! Requests that are not kept in memory because they may not go now, and the walk that reads them
//! again.
//!
//! Of a key with such requests only the range of their ids is remembered, and why the first of
//! them may not go; nothing of that key above the first goes either. Of requests without a key
//! only the lowest id for each cause is. When a cause ends, the ground from its lowest id on is
//! walked once more, in the order of ids, and each request is judged anew when the walk meets it.
//! Only that order makes it safe to let a key go on: what the walk meets first is the first that
//! there is.
//!
//! Of each cause the highest id is remembered too, so that a walk ends where nothing more is
//! withheld for what has ended. It also ends where there is no room for what it brings; the next
//! one goes on from there.

use std::collections::BTreeMap;

pub use super::cause::Cause;
pub(super) use super::cause::{Stand, View};
use super::lane::LaneNo;
use crate::limits::EXPIRY_MINUTES_MAX;
use crate::request::RequestId;

#[derive(Clone, Debug)]
struct Entry {
    low: RequestId,
    high: RequestId,
    cause: u32,
    /// The last walk that has found the first of them still to be withheld, or that was under way
    /// or over when they came into sight.
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
    highest: RequestId,
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
    /// It must come up to this id at least.
    pub until: RequestId,
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
    /// By minute, the lowest and the highest id.
    expiries: BTreeMap<i64, (RequestId, RequestId)>,
    pub walk: Option<Walk>,
    wanted_from: Option<RequestId>,
    /// The walk that is wanted must come up to this id at least, room or not.
    wanted_until: Option<RequestId>,
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

    /// The first of a key that is withheld, as far as is known.
    pub fn first(&self, lane: LaneNo) -> Option<RequestId> {
        self.keys.get(&lane).filter(|entry| self.is_live(entry)).map(|entry| entry.low)
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

    /// The first of a key goes on: only what lies above it is withheld still, if there is
    /// anything. It was withheld for the sake of the first, so a walk looks at it too.
    pub fn lift(&mut self, lane: LaneNo, id: RequestId) {
        let Some(entry) = self.keys.get_mut(&lane) else { return };
        if id < entry.low {
            return;
        }
        entry.low = RequestId(id.0.saturating_add(1));
        let (low, high, number) = (entry.low, entry.high, entry.cause);
        if low > high {
            return self.remove(lane);
        }
        let is_holding =
            self.records.get(&number).is_some_and(|record| record.phase == Phase::Holding);
        match &mut self.walk {
            _ if !is_holding => {}
            Some(walk) if !walk.is_sweep && walk.after <= id => walk.until = walk.until.max(high),
            _ => self.want_part(id, high),
        }
    }

    /// One more of a key is withheld behind the first.
    pub fn extend(&mut self, lane: LaneNo, id: RequestId, view: View) {
        self.extend_part(lane, (id, id), view);
    }

    fn extend_part(&mut self, lane: LaneNo, part: (RequestId, RequestId), view: View) {
        let Some(entry) = self.keys.get_mut(&lane) else { return };
        entry.high = entry.high.max(part.1);
        if let View::Walk(sight) = view {
            entry.sight = sight;
        }
        let number = entry.cause;
        let Some(record) = self.records.get_mut(&number) else { return };
        record.highest = record.highest.max(part.1);
        match record.phase {
            // All that the key had withheld before may have been walked over in vain.
            Phase::Holding => record.lowest = record.lowest.min(part.0),
            // The walk may have been here already.
            _ if view != View::Forward => self.postpone(number, part.0),
            _ => {}
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
            return self.extend_part(lane, ids, view);
        }
        let sight = match view {
            View::Walk(sight) => sight,
            // The walk may have been here already.
            View::Key(_) | View::Single => self.last_sight,
            // It has not, and will meet it in its order.
            View::Forward if self.walk.is_some() => self.last_sight.wrapping_sub(1),
            View::Forward => self.last_sight,
        };
        let high = self.keys.get(&lane).map_or(ids.1, |entry| entry.high.max(ids.1));
        self.remove(lane);
        self.keys.insert(lane, Entry { low: ids.0, high, cause: number, sight });
        self.live += 1;
        if let Some(record) = self.records.get_mut(&number) {
            record.keys += 1;
            record.highest = record.highest.max(high);
        }
        self.compact();
    }

    /// A request that is in sight is not to be believed; if it is the first of its key, another
    /// walk must look.
    pub fn distrust(&mut self, lane: LaneNo, id: RequestId, view: View) {
        let Some(entry) = self.keys.get_mut(&lane) else { return };
        if id < entry.low {
            return;
        }
        if let View::Walk(sight) = view {
            entry.sight = sight;
        }
        let number = entry.cause;
        if self.records.get(&number).is_some_and(|record| record.phase != Phase::Holding) {
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
        // The read of the walk that is under way may be older than what is withheld.
        let lowest = record.lowest;
        self.postpone(number, lowest);
        true
    }

    /// Whether something is withheld for this cause, and it holds.
    pub fn holds(&self, cause: &Cause) -> bool {
        let number = self.numbers.get(cause);
        let record = number.and_then(|number| self.records.get(number));
        record.is_some_and(|record| record.phase == Phase::Holding)
    }

    /// Whether something is withheld for this cause, or may be still.
    pub fn knows(&self, cause: &Cause) -> bool {
        !self.numbers.is_empty() && self.numbers.contains_key(cause)
    }

    /// Old ground above this id is to be walked, to its end.
    pub fn want(&mut self, after: RequestId) {
        self.want_part(after, RequestId(i64::MAX));
    }

    /// Old ground above an id is to be walked, up to another id at least.
    pub fn want_part(&mut self, after: RequestId, until: RequestId) {
        self.wanted_until = self.wanted_until.max(Some(until));
        self.want_from(after);
    }

    fn want_from(&mut self, after: RequestId) {
        self.wanted_from = Some(self.wanted_from.map_or(after, |wanted| wanted.min(after)));
    }

    /// Whether a walk is wanted that is not under way.
    pub fn is_walk_wanted(&self) -> bool {
        self.wanted_from.is_some()
    }

    /// Whether the walk that is wanted must be begun although there is no room for what it brings.
    pub fn is_walk_needed(&self) -> bool {
        self.wanted_until.is_some()
    }

    /// Begins the walk that is wanted.
    pub fn begin_walk(&mut self) {
        let start = self.wanted_from.take().unwrap_or(RequestId::LOWEST);
        let until = self.wanted_until.take().unwrap_or(RequestId::LOWEST);
        for record in self.records.values_mut() {
            if record.phase == Phase::EndedNext {
                record.phase = Phase::EndedNow;
            }
        }
        let sight = self.next_sight();
        self.walk = Some(Walk { sight, start, after: start, until, is_sweep: false });
    }

    /// Begins a sweep above an id; its number.
    pub fn begin_sweep(&mut self, start: RequestId) -> u32 {
        let sight = self.next_sight();
        let until = RequestId(i64::MAX);
        self.walk = Some(Walk { sight, start, after: start, until, is_sweep: true });
        sight
    }

    /// Everything above an id was met, up to where the walk is, by this walk or others since the
    /// one of this number. Keys of which nothing was met any more have nothing withheld: somebody
    /// else has finished it.
    pub fn drop_unseen(&mut self, since: u32, start: RequestId) {
        let Some(end) = self.walk.as_ref().map(|walk| walk.after) else { return };
        let is_unseen = |entry: &Entry| {
            entry.sight < since && start.first_after() <= entry.low && entry.low <= end
        };
        let unseen = self.keys.iter().filter(|(_, entry)| is_unseen(entry));
        let unseen: Vec<LaneNo> = unseen.map(|(lane, _)| *lane).collect();
        for lane in unseen {
            self.remove(lane);
        }
    }

    /// The walk meets a request.
    pub fn pass(&mut self, id: RequestId) {
        if let Some(walk) = &mut self.walk {
            walk.after = walk.after.max(id);
        }
    }

    /// Whether the walk under way may end where it is, because it has met all that it must, room
    /// or not.
    pub fn may_stop(&self) -> bool {
        self.walk.as_ref().is_some_and(|walk| walk.after >= walk.until)
    }

    /// Whether the walk under way has nothing more to do.
    pub fn is_walk_done(&self) -> bool {
        let Some(walk) = self.walk.as_ref().filter(|walk| walk.after >= walk.until) else {
            return false;
        };
        let is_left =
            |record: &Record| record.phase == Phase::EndedNow && record.highest > walk.after;
        !self.records.values().any(is_left)
    }

    /// Ends the walk where it is. What its causes withheld beyond is left to the next one.
    pub fn finish_walk(&mut self) {
        let Some(walk) = self.walk.take() else { return };
        let ended = self.records.iter().filter(|(_, record)| record.phase == Phase::EndedNow);
        let ended: Vec<(u32, RequestId)> =
            ended.map(|(no, record)| (*no, record.highest)).collect();
        for (number, highest) in ended {
            if highest <= walk.after {
                self.forget(number);
                continue;
            }
            if let Some(record) = self.records.get_mut(&number) {
                record.lowest = record.lowest.max(walk.after.first_after());
                let lowest = record.lowest;
                self.postpone(number, lowest);
            }
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
            // Later is early enough for what cannot be remembered exactly: it is not sent in any
            // case.
            let next = self.expiries.range(minute..).next().or(self.expiries.last_key_value());
            minute = next.map_or(minute, |(minute, _)| *minute);
        }
        let part = self.expiries.entry(minute).or_insert((id, id));
        *part = (part.0.min(id), part.1.max(id));
    }

    /// When the next of them will all have expired, Unix milliseconds.
    pub fn next_expiry_ms(&self) -> Option<i64> {
        self.expiries
            .first_key_value()
            .map(|(minute, _)| minute.saturating_add(1).saturating_mul(60_000))
    }

    /// Wants a walk for what has expired by now.
    pub fn expire(&mut self, earliest_ms: i64) {
        while self.next_expiry_ms().is_some_and(|at| at <= earliest_ms) {
            if let Some((_, (lowest, highest))) = self.expiries.pop_first() {
                self.want_part(before(lowest), highest);
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
        let (lowest, highest, phase) = (id, id, Phase::Holding);
        self.records.insert(number, Record { cause, lowest, highest, keys: 0, phase });
        number
    }

    /// One more is withheld for a cause that is known.
    fn renew(&mut self, number: u32, id: RequestId, view: View) {
        let walk = self.walk.as_ref().map(|walk| walk.sight);
        let Some(record) = self.records.get_mut(&number) else { return };
        record.highest = record.highest.max(id);
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
