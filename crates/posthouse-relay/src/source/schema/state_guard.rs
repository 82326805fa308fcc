//! A word in the place of a state would count as finished, and no index would find it. The tables
//! that `init` makes refuse it; SQLite tables that somebody has made in another way get triggers
//! that do.

use super::sqlite::{STATE_CHECK, STATE_TRIGGERS};
use crate::source::base::{Dialect, Work};
use crate::source::error::SourceError;

/// Whether words are refused.
async fn is_guarded(work: &mut Work) -> Result<bool, SourceError> {
    let text = format!(
        "SELECT count(*) AS found FROM sqlite_schema WHERE tbl_name = 'relay_request' AND (\
         (type = 'table' AND sql LIKE '%{STATE_CHECK}%') OR \
         (type = 'trigger' AND name = 'relay_request_state_insert'))"
    );
    Ok(work.row(text, Vec::new()).await?.int("found")? > 0)
}

/// A source is fit only if they are.
pub(in crate::source) async fn check(work: &mut Work, dialect: Dialect) -> Result<(), SourceError> {
    if dialect != Dialect::Sqlite || is_guarded(work).await? {
        return Ok(());
    }
    Err(SourceError::unfit(
        "the table `relay_request` takes words in the column `state`, and a request with one is \
         never sent: run `posthouse relay init` on this database, which has them refused",
    ))
}

/// Has them refused from now on, if there is none yet.
pub(super) async fn add(work: &mut Work, dialect: Dialect) -> Result<(), SourceError> {
    if dialect != Dialect::Sqlite || is_guarded(work).await? {
        return Ok(());
    }
    let text = "SELECT id FROM relay_request WHERE NOT (state BETWEEN 0 AND 7) LIMIT 1";
    if let Some(row) = work.rows(text.to_owned(), Vec::new()).await?.first() {
        return Err(SourceError::unfit(format!(
            "the column `state` of request {} holds no number from 0 to 7: set it to 0 if it is to \
             be sent and to 7 if not, in all such rows, and run `posthouse relay init` again",
            row.int("id")?
        )));
    }
    work.script(STATE_TRIGGERS).await
}
