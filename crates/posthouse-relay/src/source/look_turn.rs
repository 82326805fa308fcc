//! How questions about the order by numbers are answered: what a request waits for, and which
//! business ids wait for a number that is not there.

use posthouse_pump::request::RequestId;

use super::base::{CommitOrder, Dialect, Record, Value, Work};
use super::error::SourceError;
use super::limits::{GAP_KEYS_MAX, GAP_WALK_MAX};
use super::look::{Answer, Gap, Query, Turn};
use super::mysql;
use super::schema::KEY_OPEN_INDEX;
use super::turn::{lowest_open, missing_before};

/// The answer to questions about numbers where nobody goes by them; its database need not be asked.
pub(super) fn without_numbers(order: CommitOrder, query: &Query) -> Option<Answer> {
    match query {
        _ if order == CommitOrder::KeySeq => None,
        Query::Turn(_) => Some(Answer::Turn(None)),
        Query::Gaps { .. } => Some(Answer::Gaps { gaps: Vec::new(), next: None }),
        _ => None,
    }
}

/// See [`Query::Turn`](super::look::Query::Turn).
pub(super) async fn turn(
    work: &mut Work,
    dialect: Dialect,
    id: RequestId,
) -> Result<Answer, SourceError> {
    let text = format!(
        "SELECT first, CAST(number AS BIGINT) AS number, {} AS missing FROM (\
         SELECT asked.business_id AS k, ({}) AS first, ({}) AS number FROM relay_request AS asked \
         WHERE asked.id = $1 AND asked.key_seq IS NOT NULL) AS head WHERE first IS NOT NULL",
        missing_before(dialect, "head.k", "head.number"),
        lowest_open(dialect, "id", "asked.business_id", "0"),
        lowest_open(dialect, "key_seq", "asked.business_id", "0"),
    );
    let rows = work.rows(text, vec![id.0.into()]).await?;
    let turn = rows.first().map(turn_of).transpose()?;
    Ok(Answer::Turn(turn))
}

fn turn_of(row: &Record) -> Result<Turn, SourceError> {
    let (number, missing) = (row.int("number")?, row.int("missing")?);
    Ok(Turn { first: RequestId(row.int("first")?), missing: (missing < number).then_some(missing) })
}

/// See [`Query::Gaps`](super::look::Query::Gaps).
pub(super) async fn gaps(
    work: &mut Work,
    dialect: Dialect,
    (after, age_ms_min): (&[u8], i64),
) -> Result<Answer, SourceError> {
    let text = gaps_text(dialect);
    let rows = work.rows(text, vec![key_value(dialect, after), age_ms_min.into()]).await?;
    let gaps = rows.iter().map(gap_of).collect::<Result<Vec<Gap>, SourceError>>()?;
    let next = match rows.last() {
        Some(last) if gaps.len() >= GAP_KEYS_MAX => last.maybe_raw_text("business_id")?,
        _ => walk_end(work, dialect, after).await?,
    };
    Ok(Answer::Gaps { gaps, next })
}

/// A key to go on from. SQLite makes a text again of whatever bytes a key has.
fn key_value(dialect: Dialect, key: &[u8]) -> Value {
    match dialect {
        Dialect::Postgres | Dialect::Mysql => Value::from(&*String::from_utf8_lossy(key)),
        Dialect::Sqlite => Value::Bytes(key.to_vec()),
    }
}

/// Steps from key to key, one step in the index for each, however many requests a key has.
fn walk(dialect: Dialect) -> String {
    let first_above = |key: &str| {
        format!(
            "SELECT CAST(o.business_id AS TEXT) FROM relay_request AS o {} \
             WHERE o.business_id > {key} AND o.key_seq IS NOT NULL AND o.state < 3 \
             ORDER BY o.business_id LIMIT 1",
            dialect.by_index(KEY_OPEN_INDEX)
        )
    };
    format!(
        "WITH RECURSIVE step(k, n) AS (SELECT ({}), 1 UNION ALL SELECT ({}), step.n + 1 FROM step \
         WHERE step.k IS NOT NULL AND step.n < {GAP_WALK_MAX})",
        first_above("CAST($1 AS TEXT)"),
        first_above("step.k"),
    )
}

/// The statement that finds gaps: its values are the key to begin after, and the least age.
pub(super) fn gaps_text(dialect: Dialect) -> String {
    if dialect == Dialect::Mysql {
        return mysql::look::gaps_text();
    }
    format!(
        "{}, head(k, number) AS MATERIALIZED (SELECT k, ({}) FROM step WHERE k IS NOT NULL), \
         gap AS MATERIALIZED (SELECT k, number, {} AS missing FROM head) \
         SELECT * FROM (SELECT CAST(k AS TEXT) AS business_id, \
         CAST(number AS BIGINT) AS number, missing, ({}) AS id, \
         {now} AS now_ms, ({}) AS created FROM gap WHERE missing < number) AS found \
         WHERE created <= {now} - $2 ORDER BY business_id LIMIT {GAP_KEYS_MAX}",
        walk(dialect),
        lowest_open(dialect, "key_seq", "step.k", "0"),
        missing_before(dialect, "head.k", "head.number"),
        lowest_open(dialect, "id", "gap.k", "0"),
        lowest_open(dialect, "created_at", "gap.k", "0"),
        now = dialect.now(),
    )
}

fn gap_of(row: &Record) -> Result<Gap, SourceError> {
    Ok(Gap {
        key: row.maybe_lossy("business_id")?.unwrap_or_default(),
        missing: row.int("missing")?,
        waiting: RequestId(row.int("id")?),
        number: row.int("number")?,
        age_ms: row.int("now_ms")?.saturating_sub(row.int("created")?),
    })
}

/// The last key of a walk that did not come to the end.
async fn walk_end(
    work: &mut Work,
    dialect: Dialect,
    after: &[u8],
) -> Result<Option<Vec<u8>>, SourceError> {
    if dialect == Dialect::Mysql {
        return mysql::look::walk_end(work, key_value(dialect, after)).await;
    }
    let text = format!(
        "{} SELECT CAST(step.k AS TEXT) AS k FROM step WHERE step.n = {GAP_WALK_MAX}",
        walk(dialect)
    );
    let rows = work.rows(text, vec![key_value(dialect, after)]).await?;
    rows.first().map_or(Ok(None), |row| row.maybe_raw_text("k"))
}
