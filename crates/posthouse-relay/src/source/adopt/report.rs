//! What is to be said about an adopted table before it is used.

use crate::source::base::{Record, Work};
use crate::source::error::SourceError;
use crate::source::limits::{COUNT_ROWS_MAX, UNFED_SHOWN_MAX};

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

/// The rows behind an id that could not be fed, in the order of their ids.
pub(in crate::source) async fn unfed(
    work: &mut Work,
    after: Option<i64>,
    rows_max: u32,
) -> Result<Vec<Unfed>, SourceError> {
    let is_behind = if after.is_some() { ">" } else { ">=" };
    let text = format!(
        "SELECT row_id, CAST(business_id AS TEXT) AS business_id, \
         CAST(reason AS TEXT) AS reason, since FROM relay_unfed WHERE row_id {is_behind} $1 \
         ORDER BY row_id LIMIT {}",
        rows_max.min(UNFED_SHOWN_MAX)
    );
    let rows = work.rows(text, vec![after.unwrap_or(i64::MIN).into()]).await?;
    let unfed = |row: &Record| {
        Ok(Unfed {
            row_id: row.int("row_id")?,
            business_id: row.maybe_text("business_id")?,
            reason: row.text("reason")?,
            since_ms: row.int("since")?,
        })
    };
    rows.iter().map(unfed).collect()
}

/// How many rows could not be fed, counted up to a bound.
pub(in crate::source) async fn unfed_count(work: &mut Work) -> Result<u64, SourceError> {
    let text = format!(
        "SELECT count(*) AS unfed FROM (SELECT row_id FROM relay_unfed LIMIT {COUNT_ROWS_MAX}) \
         AS counted"
    );
    let count = work.row(text, Vec::new()).await?.int("unfed")?;
    Ok(u64::try_from(count).unwrap_or(0))
}
