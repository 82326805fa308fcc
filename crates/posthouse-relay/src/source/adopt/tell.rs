//! Telling rows of an adopted table what became of their requests.
//!
//! A transaction of its own, after the outcome is recorded. Rows that others have locked are left
//! for later, and rows that their owner has given another state since stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::feed::ids;
use super::statements::Statements;
use crate::source::base::{Base, Dialect, Door, Record, Value, Work};
use crate::source::error::{SourceError, SourceErrorKind};

/// What a row is to be told.
#[derive(Clone, Debug, PartialEq)]
struct News {
    row_id: i64,
    told: i64,
    state: i64,
    attempts: i64,
    ended_at: Option<i64>,
    error: Option<String>,
}

/// A request whose row cannot be told, and what the database says of it.
pub(super) type Untold = (i64, String);

/// Tells the rows of these requests, as far as they have ended. What the database refuses of one
/// row, by a condition or a trigger, keeps no other from being told.
pub(super) async fn tell(
    base: &Base,
    statements: &Statements,
    requests: &[i64],
) -> Result<Vec<Untold>, SourceError> {
    let (mut parts, mut untold) = (vec![requests], Vec::new());
    while let Some(part) = parts.pop() {
        match (tell_part(base, statements, part).await, part) {
            (Ok(()), _) => {}
            (Err(error), [request]) if error.kind == SourceErrorKind::Refused => {
                untold.push((*request, error.detail));
            }
            (Err(error), part) if error.kind == SourceErrorKind::Refused => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
            (Err(error), _) => return Err(error),
        }
    }
    Ok(untold)
}

async fn tell_part(
    base: &Base,
    statements: &Statements,
    requests: &[i64],
) -> Result<(), SourceError> {
    if requests.is_empty() || statements.adoption.states.is_none() {
        return Ok(());
    }
    let mut peek = base.single(Door::Work).await?;
    let news = news(&mut peek, statements.dialect, requests).await?;
    peek.done();
    if news.is_empty() {
        return Ok(());
    }
    let mut work = base.write(Door::Work).await?;
    match tell_news(&mut work, statements, news).await {
        Ok(()) => work.commit().await,
        Err(error) => {
            // The error is what counts; a connection that does not answer is closed.
            let _ = work.undo().await;
            Err(error)
        }
    }
}

async fn news(
    work: &mut Work,
    dialect: Dialect,
    requests: &[i64],
) -> Result<Vec<News>, SourceError> {
    let text = format!(
        "SELECT f.row_id AS row_id, CAST(f.told AS BIGINT) AS told, \
         CAST(r.state AS BIGINT) AS state, CAST(r.attempts AS BIGINT) AS attempts, \
         r.done_at AS done_at, CAST(r.last_error AS TEXT) AS last_error \
         FROM relay_fed AS f JOIN relay_request AS r ON r.id = f.request \
         WHERE {} AND r.state >= 3 AND r.state <> f.told ORDER BY f.row_id",
        dialect.int_in("f.request", 1)
    );
    let rows = work.rows(text, vec![Value::ints(requests.iter().copied())]).await?;
    rows.iter().map(news_of).collect()
}

fn news_of(row: &Record) -> Result<News, SourceError> {
    let state = row.int("state")?;
    Ok(News {
        row_id: row.int("row_id")?,
        told: row.int("told")?,
        state,
        attempts: row.int("attempts")?,
        ended_at: row.maybe_int("done_at")?,
        // What has been sent at last may carry the error of a try before.
        error: row.maybe_lossy("last_error")?.filter(|_| state != 3),
    })
}

async fn tell_news(
    work: &mut Work,
    statements: &Statements,
    mut news: Vec<News>,
) -> Result<(), SourceError> {
    let rows = Value::ints(news.iter().map(|one| one.row_id));
    let got: BTreeSet<i64> =
        ids(work, statements.lock(), vec![rows.clone()]).await?.into_iter().collect();
    let present: BTreeSet<i64> =
        ids(work, statements.present(), vec![rows]).await?.into_iter().collect();
    // What its owner has removed needs no word any more; what is locked does.
    news.retain(|one| got.contains(&one.row_id) || !present.contains(&one.row_id));
    let states = statements.adoption.states.clone().unwrap_or_default();
    let worded: Vec<&News> = news
        .iter()
        .filter(|one| got.contains(&one.row_id) && states.word(one.state).is_some())
        .collect();
    if let (Some(text), false) = (statements.tell(), worded.is_empty()) {
        let values = columns_of(&worded, statements.error_room());
        work.change(text, statements.dialect.table_values(values)).await?;
    }
    remember(work, statements.dialect, &news).await
}

fn columns_of(news: &[&News], (letters_max, is_narrow): (usize, bool)) -> Vec<Value> {
    let narrow = |letter: char| if is_narrow && !letter.is_ascii() { '?' } else { letter };
    let error = |one: &&News| {
        one.error.as_ref().map(|error| error.chars().take(letters_max).map(narrow).collect())
    };
    vec![
        Value::ints(news.iter().map(|one| one.row_id)),
        Value::ints(news.iter().map(|one| one.told)),
        Value::ints(news.iter().map(|one| one.state)),
        Value::ints(news.iter().map(|one| one.attempts)),
        Value::Ints(news.iter().map(|one| one.ended_at).collect()),
        Value::Texts(news.iter().map(error).collect()),
    ]
}

async fn remember(work: &mut Work, dialect: Dialect, news: &[News]) -> Result<(), SourceError> {
    let mut by_state: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for one in news {
        by_state.entry(one.state).or_default().push(one.row_id);
    }
    for (state, rows) in by_state {
        let text = format!(
            "UPDATE relay_fed SET told = CAST($1 AS SMALLINT) WHERE {}",
            dialect.int_in("row_id", 2)
        );
        work.change(text, vec![state.into(), Value::ints(rows)]).await?;
    }
    Ok(())
}
