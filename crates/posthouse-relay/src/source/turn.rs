//! Whose turn it is where writers number the requests of a business id
//! ([`CommitOrder::KeySeq`]).
//!
//! It is the turn of a request when no open one of its key has a lower number, and the one with the
//! number just before is there and finished; the first has the number 1. So at most one numbered
//! request of a key is shown at a time, and whoever sees requests need not know of numbers. Those
//! without a number, or without a key, are shown as ever.
//!
//! Both questions are scalar sub-selects that take one step in an index. `EXISTS` would ask the
//! same, but PostgreSQL may answer it from a hash of the whole table.

use posthouse_pump::request::RequestId;

use super::base::{Base, CommitOrder, Dialect, Door, Kind, Value, Work};
use super::error::SourceError;
use super::schema::{KEY_OPEN_INDEX, KEY_SEQ_INDEX};

/// The condition that it is the turn of a row, with `AND` in front; nothing in other orders. The
/// row must have the columns `business_id` and `key_seq`.
pub(super) fn and_turn(dialect: Dialect, order: CommitOrder, row: &str) -> String {
    match order {
        CommitOrder::KeySeq => format!("AND {}", is_turn(dialect, row)),
        CommitOrder::Id | CommitOrder::Xid => String::new(),
    }
}

/// The condition that it is the turn of a row.
pub(super) fn is_turn(dialect: Dialect, row: &str) -> String {
    format!(
        "({row}.key_seq IS NULL OR {row}.business_id IS NULL {odd} OR ({row}.key_seq = ({lowest}) \
         AND ({row}.key_seq = 1 OR (SELECT former.state FROM relay_request AS former {former} \
         WHERE former.{number_key} = {row}.business_id \
         AND former.key_seq = {row}.key_seq - 1) >= 3)))",
        number_key = dialect.number_key(),
        lowest = lowest_open(dialect, "key_seq", &format!("{row}.business_id"), "0"),
        former = dialect.by_index(KEY_SEQ_INDEX),
        // What is no number is never anybody's turn, and must be told.
        odd = match dialect {
            Dialect::Postgres | Dialect::Mysql => String::new(),
            Dialect::Sqlite => format!("OR typeof({row}.key_seq) <> 'integer'"),
        },
    )
}

/// A column of the open request of a key with the lowest number above another.
pub(super) fn lowest_open(dialect: Dialect, column: &str, key: &str, above: &str) -> String {
    format!(
        "SELECT lowest.{column} FROM relay_request AS lowest {} \
         WHERE lowest.{} = {key} AND lowest.key_seq > {above} AND lowest.state < 3 \
         ORDER BY lowest.key_seq LIMIT 1",
        dialect.by_index(KEY_OPEN_INDEX),
        dialect.open_key()
    )
}

/// The number that is missing before the lowest one of a key that is open; that number itself if
/// none is.
pub(super) fn missing_before(dialect: Dialect, key: &str, number: &str) -> String {
    format!(
        "CAST(coalesce((SELECT former.key_seq FROM relay_request AS former {} \
         WHERE former.{} = {key} AND former.key_seq < {number} \
         ORDER BY former.key_seq DESC LIMIT 1), 0) + 1 AS BIGINT)",
        dialect.by_index(KEY_SEQ_INDEX),
        dialect.number_key()
    )
}

/// Requests whose turn has come because these are finished.
///
/// It must be asked after the end of these is committed. A read that came just before did not show
/// a request that has to wait; asked any earlier, this might not know of it either, and nobody
/// would look at it again.
pub(super) async fn released(
    base: &Base,
    order: CommitOrder,
    finished: &[RequestId],
) -> Result<Vec<RequestId>, SourceError> {
    if order != CommitOrder::KeySeq || finished.is_empty() {
        return Ok(Vec::new());
    }
    let mut work = base.single(Door::Work).await?;
    let dialect = base.dialect();
    let released = successors(&mut work, released_text(dialect), dialect, finished).await?;
    work.done();
    Ok(released)
}

/// Requests whose turn may have come, or have ended, because somebody has changed these: of each
/// key the next one that is open.
pub(super) async fn shaken(
    work: &mut Work,
    dialect: Dialect,
    order: CommitOrder,
    changed: &[RequestId],
) -> Result<Vec<RequestId>, SourceError> {
    match order {
        CommitOrder::KeySeq if !changed.is_empty() => {
            let text = successors_text(dialect, "next.id IS NOT NULL");
            successors(work, text, dialect, changed).await
        }
        _ => Ok(Vec::new()),
    }
}

async fn successors(
    work: &mut Work,
    text: String,
    dialect: Dialect,
    of: &[RequestId],
) -> Result<Vec<RequestId>, SourceError> {
    let values = dialect.table_values(vec![Value::ints(of.iter().map(|id| id.0))]);
    let rows = work.rows(text, values).await?;
    rows.iter().map(|row| row.int("id").map(RequestId)).collect()
}

/// The statement that finds those whose turn has come; its values are a table of ids.
pub(super) fn released_text(dialect: Dialect) -> String {
    let turn = is_turn(dialect, "r");
    let condition = format!(
        "SELECT r.id FROM relay_request AS r {} WHERE r.id = next.id AND {turn}",
        dialect.by_id()
    );
    successors_text(dialect, &format!("({condition}) IS NOT NULL"))
}

/// The next open requests of the keys of those that are named, ascending, as far as they fulfil a
/// condition. No joins: with stale statistics a planner might walk over the whole table for one.
fn successors_text(dialect: Dialect, condition: &str) -> String {
    format!(
        "WITH next(id) AS MATERIALIZED (SELECT (SELECT ({}) FROM relay_request AS ended {} \
         WHERE ended.id = v.id) FROM {}) \
         SELECT DISTINCT next.id AS id FROM next WHERE {condition} ORDER BY next.id",
        lowest_open(dialect, "id", "ended.business_id", "ended.key_seq"),
        dialect.by_id(),
        dialect.table("v", 1, &[("id", Kind::Int)]),
    )
}
