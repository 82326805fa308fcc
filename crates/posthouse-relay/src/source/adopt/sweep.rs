//! What was left over: ends that were not told because a row was locked, a node has crashed, or an
//! operator has acted; rows that could not be fed and may have been repaired; ids that were
//! missing.
//!
//! Each sweep looks at one page of each, and goes on where the last one stopped.

use super::Adopted;
use super::feed::{From, ids};
use super::gaps;
use super::statements::Statements;
use crate::source::base::{Base, Dialect, Door, Value};
use crate::source::error::SourceError;
use crate::source::limits::{TELL_ROWS_MAX, UNFED_AT_ONCE};

/// Where sweeps stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    untold: i64,
    linked: i64,
    unfed: i64,
    gap: i64,
}

impl Default for Places {
    fn default() -> Places {
        Places { untold: i64::MIN, linked: i64::MIN, unfed: i64::MIN, gap: i64::MAX }
    }
}

/// One sweep. Gives where the next one begins.
pub(super) async fn sweep(
    adopted: &Adopted,
    base: &Base,
    statements: &Statements,
    mut places: Places,
) -> Result<Places, SourceError> {
    places.unfed = unfed(adopted, base, statements, places.unfed).await?;
    match statements.adoption.states {
        Some(_) => {
            places.untold = untold(adopted, base, statements, places.untold).await?;
            places.linked = linked(adopted, base, statements, places.linked).await?;
        }
        None => places.gap = late(adopted, base, statements, places.gap).await?,
    }
    Ok(places)
}

async fn unfed(
    adopted: &Adopted,
    base: &Base,
    statements: &Statements,
    after: i64,
) -> Result<i64, SourceError> {
    let mut work = base.single(Door::Work).await?;
    let text = "SELECT row_id FROM relay_unfed WHERE row_id > $1 ORDER BY row_id LIMIT 1";
    let next = ids(&mut work, text.to_owned(), vec![after.into()]).await?;
    work.done();
    if next.is_empty() {
        return Ok(i64::MIN);
    }
    let turn = adopted.drive(base, statements, From::Unfed { after }, UNFED_AT_ONCE).await?;
    Ok(turn.decision.seen.last().copied().unwrap_or(i64::MIN))
}

/// Requests that were not told to have ended.
async fn untold(
    adopted: &Adopted,
    base: &Base,
    statements: &Statements,
    after: i64,
) -> Result<i64, SourceError> {
    let text = "SELECT row_id, request FROM relay_fed WHERE told = 0 AND row_id > $1 \
                ORDER BY row_id LIMIT $2";
    let (last, requests) = page(base, text, after).await?;
    adopted.tell_part(base, statements, &requests).await?;
    Ok(last)
}

/// All requests, those that were told, too: they may have been sent once more. Links to requests
/// that nobody keeps any more go.
async fn linked(
    adopted: &Adopted,
    base: &Base,
    statements: &Statements,
    after: i64,
) -> Result<i64, SourceError> {
    let text = "SELECT row_id, request FROM relay_fed WHERE row_id > $1 ORDER BY row_id LIMIT $2";
    let (last, requests) = page(base, text, after).await?;
    adopted.tell_part(base, statements, &requests).await?;
    forget_gone(base, statements.dialect, &requests).await?;
    Ok(last)
}

async fn page(base: &Base, text: &str, after: i64) -> Result<(i64, Vec<i64>), SourceError> {
    let rows_max = i64::try_from(TELL_ROWS_MAX).unwrap_or(i64::MAX);
    let mut work = base.single(Door::Work).await?;
    let rows = work.rows(text.to_owned(), vec![after.into(), rows_max.into()]).await?;
    work.done();
    let requests = rows.iter().map(|row| row.int("request")).collect::<Result<Vec<_>, _>>()?;
    let last = rows.last().map_or(Ok(i64::MIN), |row| row.int("row_id"))?;
    Ok((if rows.len() < TELL_ROWS_MAX { i64::MIN } else { last }, requests))
}

async fn forget_gone(base: &Base, dialect: Dialect, requests: &[i64]) -> Result<(), SourceError> {
    let text = format!(
        "SELECT f.row_id AS row_id, CAST(f.told AS BIGINT) AS told FROM relay_fed AS f WHERE {} \
         AND NOT EXISTS (SELECT 1 FROM relay_request AS r WHERE r.id = f.request)",
        dialect.int_in("f.request", 1)
    );
    let mut work = base.single(Door::Work).await?;
    let rows = work.rows(text, vec![Value::ints(requests.iter().copied())]).await?;
    let mut gone = Vec::new();
    for row in &rows {
        let row_id = row.int("row_id")?;
        if row.int("told")? == 0 {
            tracing::warn!(
                row = row_id,
                "a request is gone from relay_request before its end was told to its row, which \
                 stays as it is"
            );
        }
        gone.push(row_id);
    }
    if !gone.is_empty() {
        let text = format!("DELETE FROM relay_fed WHERE {}", dialect.int_in("row_id", 1));
        work.change(text, vec![Value::ints(gone)]).await?;
    }
    work.done();
    Ok(())
}

/// Ids that were missing for a while are looked at again from time to time, and given up at last.
async fn late(
    adopted: &Adopted,
    base: &Base,
    statements: &Statements,
    below: i64,
) -> Result<i64, SourceError> {
    let mut work = base.single(Door::Work).await?;
    let page = gaps::below(&mut work, below).await?;
    let late_ms = statements.adoption.late_ms;
    let (ranges, ids) = gaps::give_up(&mut work, statements.dialect, late_ms).await?;
    work.done();
    if ranges > 0 {
        let table = statements.adoption.table.shown();
        tracing::warn!(
            table,
            ranges,
            ids,
            "ids of the adopted table that were missing are not waited for any longer; a row that \
             is committed there now is not sent"
        );
    }
    let Some((first, _)) = page.first() else { return Ok(i64::MAX) };
    adopted.feed_late(base, statements, below).await?;
    Ok(*first)
}
