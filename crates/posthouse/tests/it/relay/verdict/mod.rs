//! The checker: what was committed, what was called and what stands in the table at the end, held
//! against the promises.
//!
//! It believes nobody but the database and the receiver. The database says when a result was
//! recorded, the receiver when a call began and whether it did what was asked; both count on the
//! clock of the same machine.

mod ends;
mod order;
mod progress;
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use super::database::Row;
use super::receiver::{Call, Refusal};
use super::writer::{Fate, Written};

/// Everything that is known at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) written: Vec<Written>,
    pub(super) calls: Vec<Call>,
    /// By id.
    pub(super) rows: Vec<Row>,
    /// When codes were not to be called.
    pub(super) closed: Vec<Closed>,
    /// Write-backs under another fence than their bucket's, as the database has seen them.
    pub(super) trespasses: Vec<String>,
    /// When the last fault was over, in microseconds of the test's clock.
    pub(super) healed_us: i64,
}

/// From when to when a code was not to be called, in microseconds of the test's clock. What a node
/// needs in order to hear of it is not part of it.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    pub(super) code: &'static str,
    pub(super) from_us: i64,
    pub(super) until_us: i64,
}

/// What the checker says.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) violations: Vec<String>,
    pub(super) figures: Figures,
}

/// How much there was of what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) committed: usize,
    pub(super) unknown: usize,
    pub(super) undone: usize,
    pub(super) done: usize,
    pub(super) expired: usize,
    pub(super) calls: usize,
    pub(super) taken_again: usize,
    pub(super) refused_by_fence: usize,
    pub(super) refused_as_late: usize,
}

/// What the checks look things up in.
struct Index<'a> {
    history: &'a History,
    /// Calls by the id of the row that they name.
    calls: BTreeMap<i64, Vec<&'a Call>>,
}

/// Holds a history against the promises.
pub(super) fn judge(history: &History) -> Verdict {
    let mut calls: BTreeMap<i64, Vec<&Call>> = BTreeMap::new();
    for call in &history.calls {
        calls.entry(call.sender.sequence).or_default().push(call);
    }
    let index = Index { history, calls };
    let mut violations = history.trespasses.clone();
    violations.extend(ends::check(&index));
    violations.extend(order::check(&index));
    violations.extend(progress::check(&index));
    Verdict { violations, figures: index.figures() }
}

impl Index<'_> {
    /// The calls of a row.
    fn of(&self, id: i64) -> &[&Call] {
        self.calls.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The calls of a row with which the receiver has begun.
    fn begun(&self, id: i64) -> impl Iterator<Item = &Call> {
        self.of(id).iter().copied().filter(|call| call.refusal.is_none())
    }

    fn figures(&self) -> Figures {
        let History { written, calls, rows, .. } = self.history;
        let fates = |fate| written.iter().filter(|written| written.fate == fate).count();
        let states = |state| rows.iter().filter(|row| row.state == state).count();
        let refused = |why| calls.iter().filter(|call| call.refusal == Some(why)).count();
        let takes = |row: &Row| self.of(row.id).iter().filter(|call| call.took).count();
        Figures {
            committed: fates(Fate::Committed),
            unknown: fates(Fate::Unknown),
            undone: fates(Fate::Undone),
            done: states(3),
            expired: states(5),
            calls: calls.len(),
            taken_again: rows.iter().map(|row| takes(row).saturating_sub(1)).sum(),
            refused_by_fence: refused(Refusal::Fence),
            refused_as_late: refused(Refusal::Late),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { committed, unknown, undone, done, expired, calls, taken_again, .. } = self;
        write!(f, "committed {committed}, unknown {unknown}, undone {undone}, done {done}, ")?;
        write!(f, "expired {expired}, calls {calls}, taken again {taken_again}, ")?;
        let Figures { refused_by_fence, refused_as_late, .. } = self;
        write!(f, "refused by fence {refused_by_fence}, refused as late {refused_as_late}")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 20;
        write!(f, "{}; violations {}", self.figures, self.violations.len())?;
        for violation in self.violations.iter().take(SHOWN_MAX) {
            write!(f, "\n  {violation}")?;
        }
        Ok(())
    }
}
