//! Requests with one business id go out one after the other: the next begins after the end of the
//! one before stands in the table.

use std::collections::BTreeMap;

use super::Index;
use crate::relay::database::Row;
use crate::relay::receiver::Call;

/// The database rounds to milliseconds, up as well.
const ROUNDING_US: i64 = 1_000;

/// What all requests before one have in common.
#[derive(Default)]
struct Past {
    /// One of them that has not ended.
    open: Option<i64>,
    /// When the last of them was recorded.
    recorded_us: i64,
    /// When the last call of one of them began, and of which.
    called: (i64, i64),
    /// When the first answer came by which the latest that was done may be called done.
    answered_us: i64,
}

/// See the module.
pub(super) fn check(index: &Index<'_>) -> Vec<String> {
    let mut pasts: BTreeMap<&str, Past> = BTreeMap::new();
    let mut violations = Vec::new();
    for row in &index.history.rows {
        let Some(key) = row.key.as_deref() else { continue };
        let past = pasts.entry(key).or_default();
        let first = index.begun(row.id).next();
        let wrong = first.and_then(|first| past.forbids(first));
        let before = past.called.1;
        violations.extend(wrong.map(|what| {
            format!("{what}: {row:?}, {first:?}, calls of {before}: {:?}", index.of(before))
        }));
        past.add(index, row);
    }
    violations
}

impl Past {
    /// Why the first call of the next request should not have begun when it did.
    fn forbids(&self, first: &Call) -> Option<String> {
        if let Some(open) = self.open {
            return Some(format!("called while request {open} was open"));
        }
        let early_us = self.recorded_us - first.began_us;
        if early_us > ROUNDING_US {
            return Some(format!("called {early_us} us before the one before was recorded"));
        }
        if first.began_us < self.answered_us {
            return Some("called before the one before was answered".to_owned());
        }
        let (called_us, before) = self.called;
        let late_us = called_us - first.began_us;
        (late_us >= 0).then(|| format!("request {before} was called again {late_us} us afterwards"))
    }

    fn add(&mut self, index: &Index<'_>, row: &Row) {
        match row.done_ms.filter(|_| row.state >= 3) {
            Some(done_ms) => self.recorded_us = self.recorded_us.max(done_ms * 1_000),
            None => self.open = Some(row.id),
        }
        let last = index.begun(row.id).map(|call| call.began_us).max();
        self.called = self.called.max((last.unwrap_or_default(), row.id));
        let taken = index.begun(row.id).filter(|call| call.took && call.status == Some(200));
        let answered = taken.filter_map(|call| call.ended_us).min();
        self.answered_us = self.answered_us.max(answered.unwrap_or_default());
    }
}
