//! The request table of one platform, in memory, with leases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use posthouse_pump::outcome::{Outcome, Settled, Settlement, State};
use posthouse_pump::read::{Found, Read, SlotRange, Span};
use posthouse_pump::request::{Content, Request, RequestId, Slot, Standing};

/// How many buckets a table has, and their slots.
pub const BUCKETS: u64 = 8;
const BUCKET_SLOTS: u16 = 128;

/// The first state of those that are finished.
const STATE_DONE: u8 = 3;

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    pub request: Request,
    /// 0 ready, 2 blocked, above that finished.
    pub state: u8,
    last_outcome: Option<Outcome>,
}

/// The lease of a bucket.
#[derive(Clone, Debug, Default)]
pub struct Lease {
    pub owner: Option<u64>,
    pub fence: i64,
    pub until_ms: i64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<i64, Row>,
    open: BTreeSet<i64>,
    open_by_key: BTreeMap<Arc<str>, BTreeSet<i64>>,
    last_id: i64,
    pub leases: Vec<Lease>,
    /// A row that somebody has a lock on.
    pub locked: Option<i64>,
}

/// The slots of a bucket.
pub fn slots_of(bucket: u64) -> SlotRange {
    let first = u16::try_from(bucket).unwrap() * BUCKET_SLOTS;
    SlotRange { first: Slot(first), last: Slot(first + BUCKET_SLOTS - 1) }
}

impl Table {
    pub fn new() -> Table {
        let leases = (0..BUCKETS).map(|_| Lease::default()).collect();
        Table { leases, ..Table::default() }
    }

    /// An id for a row that is seen when it is inserted, or never.
    pub fn draw_id(&mut self) -> RequestId {
        self.last_id += 1;
        RequestId(self.last_id)
    }

    pub fn insert(&mut self, request: Request) {
        let id = request.id.0;
        self.rows.insert(id, Row { request, state: 0, last_outcome: None });
        self.reindex(id);
    }

    pub fn open(&self) -> impl Iterator<Item = &Row> {
        self.open.iter().map(|id| &self.rows[id])
    }

    /// How many rows have ended in this state.
    pub fn count(&self, state: u8) -> usize {
        self.rows.values().filter(|row| row.state == state).count()
    }

    /// The state of a row as an operator or somebody's lost answer leaves it.
    pub fn set_state(&mut self, id: i64, state: u8) {
        let row = self.rows.get_mut(&id).unwrap();
        row.state = state;
        row.last_outcome = None;
        if state == 0 {
            row.request.attempts = 0;
            row.request.due_ms = 0;
        }
        self.reindex(id);
    }

    fn reindex(&mut self, id: i64) {
        let row = &self.rows[&id];
        let is_open = row.state < STATE_DONE;
        if is_open {
            self.open.insert(id);
        } else {
            self.open.remove(&id);
        }
        let Some(key) = row.request.key.clone() else { return };
        let of_key = self.open_by_key.entry(key.clone()).or_default();
        if is_open {
            of_key.insert(id);
        } else {
            of_key.remove(&id);
        }
        if of_key.is_empty() {
            self.open_by_key.remove(&key);
        }
    }

    /// Answers a read from what is committed now.
    pub fn read(&self, read: &Read) -> Found {
        let rows_max = read.rows_max as usize;
        let (from, to) = match &read.span {
            Span::Forward { after } => (after.first_after().0, i64::MAX),
            Span::Again { after, up_to } => (after.first_after().0, up_to.0),
            Span::Probe { ranges } => (ranges[0].0.0, ranges[ranges.len() - 1].1.0),
            Span::Key { from, .. } => (from.0, i64::MAX),
        };
        let rows: Vec<Request> = self.found(read, from, to).take(rows_max).collect();
        let has_more = rows.len() == rows_max;
        let before = from.saturating_sub(1);
        let end = self.rows.last_key_value().map_or(i64::MIN, |(id, _)| *id).min(to).max(before);
        let last = rows.last().map_or(before, |row| row.id.0);
        let scanned_to = if has_more { last } else { end };
        let missing = match read.span {
            Span::Forward { .. } => self.missing(from.max(1), scanned_to),
            _ => Vec::new(),
        };
        Found { number: read.number, rows, scanned_to: RequestId(scanned_to), has_more, missing }
    }

    fn found<'a>(
        &'a self,
        read: &'a Read,
        from: i64,
        to: i64,
    ) -> Box<dyn Iterator<Item = Request> + 'a> {
        let ids: Box<dyn Iterator<Item = &i64>> = match &read.span {
            Span::Probe { ranges } => {
                Box::new(ranges.iter().flat_map(|range| self.open.range(range.0.0..=range.1.0)))
            }
            Span::Key { key, .. } => {
                Box::new(self.open_by_key.get(key).into_iter().flat_map(move |of| of.range(from..)))
            }
            _ if to < from => Box::new(std::iter::empty()),
            _ => Box::new(self.open.range(from..=to)),
        };
        let rows = ids.map(|id| &self.rows[id]);
        let in_slots = |row: &&Row| read.slots.iter().any(|range| range.contains(row.request.slot));
        Box::new(rows.filter(in_slots).map(|row| shown(read, row)))
    }

    fn missing(&self, from: i64, to: i64) -> Vec<(RequestId, RequestId)> {
        let mut missing: Vec<(RequestId, RequestId)> = Vec::new();
        for id in (from..=to).filter(|id| !self.rows.contains_key(id)) {
            match missing.last_mut() {
                Some(range) if range.1.0 == id - 1 => range.1 = RequestId(id),
                _ => missing.push((RequestId(id), RequestId(id))),
            }
        }
        missing
    }

    /// Writes outcomes back, each under its fence.
    pub fn settle(&mut self, settlement: &Settlement) -> Vec<Settled> {
        settlement.outcomes.iter().map(|outcome| self.settle_one(outcome)).collect()
    }

    fn settle_one(&mut self, outcome: &Outcome) -> Settled {
        let bucket = usize::try_from(outcome.bucket.0).unwrap();
        if self.leases[bucket].fence != outcome.fence.0 {
            return Settled::Fenced;
        }
        let Some(row) = self.rows.get_mut(&outcome.id.0) else { return Settled::Gone };
        if row.last_outcome.as_ref() == Some(outcome) {
            return Settled::Recorded;
        }
        if row.state >= STATE_DONE {
            return Settled::Gone;
        }
        if self.locked == Some(outcome.id.0) {
            return Settled::Locked;
        }
        row.state = state_number(outcome.state);
        row.request.due_ms = outcome.due_ms;
        row.request.attempts = outcome.attempts;
        row.last_outcome = Some(outcome.clone());
        self.reindex(outcome.id.0);
        Settled::Recorded
    }
}

fn shown(read: &Read, row: &Row) -> Request {
    let is_wanted = read.codes.contains(&row.request.code);
    Request {
        standing: if row.state == 2 { Standing::Blocked } else { Standing::Ready },
        content: is_wanted.then(|| Arc::new(Content::default())),
        ..row.request.clone()
    }
}

fn state_number(state: State) -> u8 {
    match state {
        State::Ready => 0,
        State::Sending => 1,
        State::Blocked => 2,
        State::Done => 3,
        State::Failed => 4,
        State::Expired => 5,
        State::Rejected => 6,
    }
}
