//! What is to be said about an adopted table before it is used.

use crate::source::base::{Base, Door, Value};
use crate::source::error::SourceError;
use crate::source::limits::UNFED_SHOWN_MAX;

/// Everything that was found, and what follows from it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What the table is, line by line.
    pub found: Vec<String>,
    /// What is done with it, in a sentence.
    pub level: String,
    /// Why it cannot be used; all of it.
    pub refusals: Vec<Refusal>,
    /// What its owner should know.
    pub warnings: Vec<String>,
    /// Statements that make what is missing on our side.
    pub ours: Vec<String>,
    /// Statements for whoever owns the table: indexes and rights. They are never run here.
    pub theirs: Vec<String>,
    /// The statements of the feed, each with what it is for.
    pub statements: Vec<(String, String)>,
    /// How the database carries out those that look for rows.
    pub plans: Vec<(String, Vec<String>)>,
}

/// One reason why a table cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub problem: String,
    /// What helps.
    pub help: String,
}

/// A row that could not be fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfed {
    /// Its id.
    pub row_id: i64,
    /// Its business id, if that could be read.
    pub business_id: Option<String>,
    /// Why.
    pub reason: String,
    /// Since when, in Unix milliseconds.
    pub since_ms: i64,
}

impl Report {
    pub(super) fn refuse(&mut self, problem: impl Into<String>, help: impl Into<String>) {
        self.refusals.push(Refusal { problem: problem.into(), help: help.into() });
    }

    /// All refusals in one sentence; `None` if there are none.
    pub fn refusal(&self) -> Option<String> {
        let one = |refusal: &Refusal| format!("{}: {}", refusal.problem, refusal.help);
        let all: Vec<String> = self.refusals.iter().map(one).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// The rows that could not be fed, in the order of their ids.
pub(in crate::source) async fn unfed(base: &Base) -> Result<Vec<Unfed>, SourceError> {
    let text = "SELECT row_id, CAST(business_id AS TEXT) AS business_id, \
                CAST(reason AS TEXT) AS reason, since FROM relay_unfed ORDER BY row_id LIMIT $1";
    let mut work = base.single(Door::Work).await?;
    let rows = work.rows(text.to_owned(), vec![Value::from(UNFED_SHOWN_MAX)]).await?;
    work.done();
    let unfed = |row: &crate::source::base::Record| {
        Ok(Unfed {
            row_id: row.int("row_id")?,
            business_id: row.maybe_text("business_id")?,
            reason: row.text("reason")?,
            since_ms: row.int("since")?,
        })
    };
    rows.iter().map(unfed).collect()
}
