//! A request table in memory, with leases: what a source may be relied on to do, and no more.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_pump::outcome::{Outcome, Settled, Settlement, State};
use posthouse_pump::read::{Found, Read, SlotRange, Span};
use posthouse_pump::request::{Content, Request, RequestId, Slot, Standing};

/// How many buckets there are, and their slots.
pub const BUCKETS: u64 = 4;
pub const BUCKET_SLOTS: u16 = 256;

/// One row.
#[derive(Clone, Debug)]
pub struct TableRow {
    pub request: Request,
    /// 0 ready, 1 marked, 2 blocked, above that finished.
    pub state: u8,
    pub last_outcome: Option<Outcome>,
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
    /// Committed rows by id.
    pub rows: BTreeMap<i64, TableRow>,
    pub last_id: i64,
    pub leases: Vec<Lease>,
    /// Rows that somebody else has a lock on, and until when.
    pub locks: BTreeMap<i64, i64>,
    /// Rows that somebody else than a pump has marked, and until when they may keep them.
    pub foreign: BTreeMap<i64, i64>,
    pub now_ms: i64,
}

/// The slots of a bucket.
pub fn slots_of(bucket: u64) -> SlotRange {
    let first = bucket as u16 * BUCKET_SLOTS;
    SlotRange { first: Slot(first), last: Slot(first + BUCKET_SLOTS - 1) }
}

impl Table {
    /// Answers a read from what is committed now.
    pub fn read(&self, read: &Read) -> Found {
        let (from, to) = bounds(&read.span);
        let open = self.rows.range(from..=to.max(from - 1)).map(|(_, row)| row);
        let mut open = open.filter(|row| row.state < 3 && is_asked_for(read, &row.request));
        let rows_max = read.rows_max as usize;
        let rows: Vec<Request> =
            open.by_ref().take(rows_max).map(|row| self.shown(read, row)).collect();
        let has_more = rows.len() == rows_max;
        let last = rows.last().map_or(from - 1, |row| row.id.0);
        let end = self.rows.last_key_value().map_or(i64::MIN, |(id, _)| *id).min(to).max(from - 1);
        let scanned_to = if has_more { last } else { end };
        let missing = match read.span {
            Span::Forward { .. } => self.missing(from.max(0), scanned_to),
            _ => Vec::new(),
        };
        Found { number: read.number, rows, scanned_to: RequestId(scanned_to), has_more, missing }
    }

    /// Writes outcomes back, each under its fence.
    pub fn settle(&mut self, settlement: &Settlement) -> Vec<Settled> {
        settlement.outcomes.iter().map(|outcome| self.settle_one(outcome)).collect()
    }

    fn settle_one(&mut self, outcome: &Outcome) -> Settled {
        let lease = &self.leases[outcome.bucket.0 as usize];
        if lease.fence != outcome.fence.0 {
            return Settled::Fenced;
        }
        let Some(row) = self.rows.get_mut(&outcome.id.0) else { return Settled::Gone };
        if row.last_outcome.as_ref() == Some(outcome) {
            return Settled::Recorded;
        }
        if row.state >= 3 {
            return Settled::Gone;
        }
        let foreign = self.foreign.get(&outcome.id.0).filter(|_| row.state == 1);
        let is_taken = match foreign {
            Some(until_ms) => *until_ms > self.now_ms,
            None => outcome.state == State::Sending && row.state != 0,
        };
        if is_taken {
            return Settled::Gone;
        }
        if self.locks.contains_key(&outcome.id.0) {
            return Settled::Locked;
        }
        self.foreign.remove(&outcome.id.0);
        row.state = state_number(outcome.state);
        row.request.due_ms = outcome.due_ms;
        row.request.attempts = outcome.attempts;
        row.last_outcome = Some(outcome.clone());
        Settled::Recorded
    }

    fn shown(&self, read: &Read, row: &TableRow) -> Request {
        let is_wanted = read.codes.contains(&row.request.code);
        let content = is_wanted.then(|| Arc::new(Content::default()));
        let mut request = Request { content, ..row.request.clone() };
        request.standing = match row.state {
            1 => Standing::Sending,
            2 => Standing::Blocked,
            _ => Standing::Ready,
        };
        if let (1, Some(until_ms)) = (row.state, self.foreign.get(&request.id.0)) {
            request.standing = Standing::Ready;
            request.due_ms = *until_ms;
            request.expires_ms = request.expires_ms.map(|at| at.max(*until_ms));
        }
        request
    }

    fn missing(&self, from: i64, to: i64) -> Vec<(RequestId, RequestId)> {
        let mut missing: Vec<(RequestId, RequestId)> = Vec::new();
        for id in from..=to {
            if self.rows.contains_key(&id) {
                continue;
            }
            match missing.last_mut() {
                Some(range) if range.1.0 == id - 1 => range.1 = RequestId(id),
                _ => missing.push((RequestId(id), RequestId(id))),
            }
        }
        missing
    }
}

fn bounds(span: &Span) -> (i64, i64) {
    match span {
        Span::Forward { after } => (after.0 + 1, i64::MAX),
        Span::Again { after, up_to } => (after.0 + 1, up_to.0),
        Span::Probe { ranges } => (ranges[0].0.0, ranges[ranges.len() - 1].1.0),
        Span::Key { from, .. } => (from.0, i64::MAX),
    }
}

fn is_asked_for(read: &Read, request: &Request) -> bool {
    let is_in_slots = read.slots.iter().any(|range| range.contains(request.slot));
    is_in_slots
        && match &read.span {
            Span::Probe { ranges } => {
                ranges.iter().any(|range| range.0 <= request.id && request.id <= range.1)
            }
            Span::Key { slot, key, .. } => {
                request.slot == *slot && request.key.as_ref() == Some(key)
            }
            _ => true,
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
