//! What was committed is in the table and ends as its group says; what was not committed is
//! nowhere; and no call begins when it must not.

use std::collections::{BTreeMap, BTreeSet};

use super::Index;
use crate::relay::config::kind_of;
use crate::relay::database::Row;
use crate::relay::receiver::Call;
use crate::relay::writer::Fate;

/// How much later than it should a call may be refused as late, in microseconds: what was on its
/// way when its sender was stopped is the receiver's to refuse.
const READ_LATE_US: i64 = 5_000_000;

/// See the module.
pub(super) fn check(index: &Index<'_>) -> Vec<String> {
    let mut violations = existence(index);
    let by_id: BTreeMap<i64, &Row> = index.history.rows.iter().map(|row| (row.id, row)).collect();
    let blocked: BTreeSet<&str> = index
        .history
        .rows
        .iter()
        .filter(|row| row.state == 2)
        .filter_map(|row| row.key.as_deref())
        .collect();
    for row in &index.history.rows {
        let is_held = row.key.as_deref().is_some_and(|key| blocked.contains(key));
        let wrong = end_of(index, row, is_held);
        violations.extend(wrong.map(|what| format!("{what}: {row:?}")));
    }
    for call in &index.history.calls {
        let row = by_id.get(&call.sender.sequence);
        let wrong = call_of(index, call, row.copied());
        violations.extend(wrong.map(|what| format!("{what}: {call:?}, {row:?}")));
    }
    violations
}

/// Rows against what writers know.
fn existence(index: &Index<'_>) -> Vec<String> {
    let rows = &index.history.rows;
    let there: BTreeSet<&str> = rows.iter().map(|row| row.request_id.as_str()).collect();
    let written = index.history.written.iter();
    let wrong = written.filter_map(|written| {
        let is_there = there.contains(written.wish.request_id.as_str());
        match (written.fate, is_there) {
            (Fate::Committed, false) => Some(format!("committed and gone: {written:?}")),
            (Fate::Undone, true) => Some(format!("never committed and there: {written:?}")),
            _ => None,
        }
    });
    wrong.collect()
}

/// What is wrong with the end of a request.
fn end_of(index: &Index<'_>, row: &Row, is_held: bool) -> Option<&'static str> {
    let kind = kind_of(&row.code)?;
    let answered = |status| index.begun(row.id).any(|call| call.status == Some(status));
    let is_fine = match row.state {
        0 => is_held && kind.has_poison,
        2 => row.is_poison && answered(400),
        3 => index.begun(row.id).any(|call| call.took && call.status == Some(200)),
        4 => kind.gives_up && row.attempts >= 3,
        5 => row.expires_ms.is_some() && row.expires_ms <= row.done_ms,
        6 => kind.gives_up && answered(400),
        _ => false,
    };
    if !is_fine {
        return Some("a wrong end");
    }
    let is_outdone =
        row.state >= 3 && index.of(row.id).iter().any(|call| call.sender.fence > row.fence);
    is_outdone.then_some("finished under a lower fence than it was called")
}

/// What is wrong with a call.
fn call_of(index: &Index<'_>, call: &Call, row: Option<&Row>) -> Option<&'static str> {
    let Some(row) = row else { return Some("called and never committed") };
    let sender = &call.sender;
    if (&sender.request_id, &sender.code, &sender.key) != (&row.request_id, &row.code, &row.key) {
        return Some("called by another name");
    }
    let late_us = call.began_us - sender.not_after_ms.saturating_mul(1_000);
    if late_us > READ_LATE_US {
        return Some("called long after it should have been");
    }
    if call.refusal.is_some() {
        return None;
    }
    if row.expires_ms.is_some_and(|at_ms| call.began_us >= at_ms * 1_000) {
        return Some("begun after its expiry");
    }
    let mut closed = index.history.closed.iter().filter(|closed| closed.code == row.code);
    let is_closed =
        closed.any(|closed| closed.from_us <= call.began_us && call.began_us < closed.until_us);
    is_closed.then_some("begun while it was switched off or its window was shut")
}
