//! One step of the walk: a short transaction over a bounded stretch of ids.

use posthouse_pump::request::RequestId;

use super::archive::{archived, forgotten};
use super::{Retained, Retention};
use crate::source::base::{Base, CommitOrder, Dialect, Door, Options, Value, Work};
use crate::source::error::SourceError;
use crate::source::limits::{
    RETENTION_BYTES_MAX, RETENTION_LEASE_MS, RETENTION_ROWS_MAX, RETENTION_WALK_MAX,
};
use crate::source::schema::KEY_SEQ_INDEX;

/// See [`Source::retain`](crate::source::Source::retain).
pub(in crate::source) async fn retain(
    base: &Base,
    options: &Options,
    node: &str,
) -> Result<Retained, SourceError> {
    let dialect = base.dialect();
    let retention = options.retention;
    let mut work = base.write(Door::Work).await?;
    let Some(walk) = take(&mut work, dialect, node).await? else {
        work.undo().await?;
        return Ok(Retained { is_elsewhere: true, ..Retained::default() });
    };
    let mut retained = Retained { has_ended: true, ..Retained::default() };
    let mut after = walk.after;
    if retention.is_on() {
        let stretch = stretch(&mut work, dialect, &retention, walk.after).await?;
        let removed = remove(&mut work, dialect, options, &stretch.old).await?;
        match retention.is_archived {
            true => retained.archived = removed,
            false => retained.deleted = removed,
        }
        retained.has_ended = stretch.is_last;
        after = stretch.last;
    }
    if let Some(age_ms) = retention.archive_ms {
        let text = forgotten(dialect, RETENTION_ROWS_MAX);
        retained.forgotten = work.change(text, vec![millis(age_ms)]).await?;
        retained.has_ended &= retained.forgotten < RETENTION_ROWS_MAX.unsigned_abs();
    }
    let walked = walk.removed.saturating_add(retained.archived).saturating_add(retained.deleted);
    retained.walk_removed = walked;
    write_down(&mut work, dialect, after, &retained).await?;
    work.commit().await?;
    Ok(retained)
}

/// How far the walk had come, and what it had removed.
struct Walk {
    after: i64,
    removed: u64,
}

/// Takes the walk, unless another node has it. Nobody has it for longer than its lease without a
/// further step.
async fn take(work: &mut Work, dialect: Dialect, node: &str) -> Result<Option<Walk>, SourceError> {
    let text = format!(
        "UPDATE relay_retention SET owner = $1, lease_until = {now} + {RETENTION_LEASE_MS} \
         WHERE one = 1 AND (owner IS NULL OR owner = $1 OR lease_until < {now})",
        now = dialect.now()
    );
    if work.change(text, vec![node.into()]).await? == 0 {
        return Ok(None);
    }
    let text = "SELECT after_id, walk_removed FROM relay_retention WHERE one = 1".to_owned();
    let row = work.row(text, Vec::new()).await?;
    let removed = u64::try_from(row.int("walk_removed")?).unwrap_or(0);
    Ok(Some(Walk { after: row.int("after_id")?, removed }))
}

/// A stretch of ids.
struct Stretch {
    /// Requests that may be old enough.
    old: Vec<i64>,
    /// The last id that was looked at.
    last: i64,
    /// Whether nothing behind it can be old enough.
    is_last: bool,
}

/// What is old enough in one state, as a condition on a row.
fn is_old(dialect: Dialect, retention: &Retention) -> String {
    let now = dialect.now();
    let of_state = |(state, age_ms): (i64, u64)| {
        format!("state = {state} AND coalesce(done_at, created_at) < {now} - {age_ms}")
    };
    let states: Vec<String> = retention.ages.limited().map(of_state).collect();
    format!("({})", states.join(" OR "))
}

/// The statement that looks at a stretch; its value is the id before it.
pub(in crate::source) fn stretch_text(dialect: Dialect, retention: &Retention) -> String {
    let shortest_ms = retention.ages.shortest_ms().unwrap_or(0);
    format!(
        "SELECT CAST(id AS BIGINT) AS id, CAST({} AS BIGINT) AS body_bytes, \
         CAST(CASE WHEN {} THEN 1 ELSE 0 END AS BIGINT) AS is_old, \
         CAST(CASE WHEN created_at < {} - {shortest_ms} THEN 1 ELSE 0 END AS BIGINT) AS was_early \
         FROM relay_request {} WHERE id > $1 ORDER BY id LIMIT {RETENTION_WALK_MAX}",
        dialect.body_bytes(""),
        is_old(dialect, retention),
        dialect.now(),
        dialect.by_id(),
    )
}

/// Looks at ids up to the bounds. What was written later than the shortest age cannot have ended
/// earlier; a whole stretch of such ends the walk.
async fn stretch(
    work: &mut Work,
    dialect: Dialect,
    retention: &Retention,
    after: i64,
) -> Result<Stretch, SourceError> {
    let rows = work.rows(stretch_text(dialect, retention), vec![after.into()]).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= RETENTION_WALK_MAX);
    let mut stretch = Stretch { old: Vec::new(), last: after, is_last: !is_full };
    let (mut bytes, mut has_early) = (0_i64, false);
    for row in &rows {
        if row.is_set("is_old")? {
            bytes = bytes.saturating_add(row.maybe_int("body_bytes")?.unwrap_or(0));
            let is_too_much = bytes > RETENTION_BYTES_MAX && !stretch.old.is_empty();
            let is_full = i64::try_from(stretch.old.len()).unwrap_or(0) >= RETENTION_ROWS_MAX;
            if is_too_much || is_full {
                stretch.is_last = false;
                return Ok(stretch);
            }
            stretch.old.push(row.int("id")?);
        }
        has_early |= row.is_set("was_early")?;
        stretch.last = row.int("id")?;
    }
    stretch.is_last |= !has_early;
    Ok(stretch)
}

/// What may leave must be finished and old enough at this very moment, and must not be what a
/// later request of its business id asks for, nor what its row of an adopted table is to be told.
fn may_leave(dialect: Dialect, options: &Options) -> String {
    let mut condition = is_old(dialect, &options.retention);
    if options.order == CommitOrder::KeySeq {
        condition += &format!(" AND {}", is_not_asked_for(dialect));
    }
    if options.adoption.as_ref().is_some_and(|adoption| adoption.states.is_some()) {
        condition += " AND NOT EXISTS (SELECT 1 FROM relay_fed AS fed \
                      WHERE fed.request = relay_request.id AND fed.told <> relay_request.state)";
    }
    condition
}

/// Where numbers give the order, the next request asks whether the one before is finished. So it
/// stays until that one is finished itself, or until one with a higher number was done: that had
/// its turn only because everything before it was finished.
fn is_not_asked_for(dialect: Dialect) -> String {
    format!(
        "(key_seq IS NULL OR business_id IS NULL OR (SELECT later.key_seq \
         FROM relay_request AS later {} WHERE later.{} = relay_request.business_id \
         AND later.key_seq > relay_request.key_seq AND (later.state = 3 \
         OR (later.state > 3 AND later.key_seq = relay_request.key_seq + 1)) \
         ORDER BY later.key_seq LIMIT 1) IS NOT NULL)",
        dialect.by_index(KEY_SEQ_INDEX),
        dialect.number_key(),
    )
}

/// The statement that locks what may leave; its value is a list of ids.
pub(in crate::source) fn lock_text(dialect: Dialect, options: &Options) -> String {
    let lock = match dialect {
        Dialect::Postgres | Dialect::Mysql => "FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    };
    format!(
        "SELECT CAST(id AS BIGINT) AS id FROM relay_request {} WHERE {} AND {} ORDER BY id {lock}",
        dialect.by_id(),
        dialect.int_in("id", 1),
        may_leave(dialect, options)
    )
}

async fn remove(
    work: &mut Work,
    dialect: Dialect,
    options: &Options,
    ids: &[i64],
) -> Result<u64, SourceError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let ids = Value::ints(ids.iter().copied());
    let rows = work.rows(lock_text(dialect, options), vec![ids]).await?;
    let locked = rows.iter().map(|row| row.int("id")).collect::<Result<Vec<i64>, SourceError>>()?;
    if locked.is_empty() {
        return Ok(0);
    }
    let locked = Value::ints(locked);
    if options.retention.is_archived {
        work.change(archived(dialect), vec![locked.clone()]).await?;
    }
    work.change(deleted(dialect), vec![locked]).await
}

/// The statement that deletes what was locked; its value is a list of ids. MySQL must be told to go
/// by them, in the one form that can be told: over a small table it would walk, and wait for every
/// row that somebody else has locked.
pub(in crate::source) fn deleted(dialect: Dialect) -> String {
    let of_ids = dialect.int_in("id", 1);
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => {
            format!("DELETE FROM relay_request WHERE {of_ids} AND state >= 3")
        }
        Dialect::Mysql => format!(
            "DELETE old FROM relay_request AS old {} WHERE {of_ids} AND state >= 3",
            dialect.by_id()
        ),
    }
}

async fn write_down(
    work: &mut Work,
    dialect: Dialect,
    after: i64,
    retained: &Retained,
) -> Result<(), SourceError> {
    let mut values = [retained.archived, retained.deleted, retained.forgotten].map(millis).to_vec();
    let at_end = match retained.has_ended {
        // The walk is anybody's again.
        true => {
            values.push(RequestId::LOWEST.0.into());
            format!(
                "after_id = $4, ended_at = {}, owner = NULL, lease_until = 0, walk_removed = 0",
                dialect.now()
            )
        }
        false => {
            values.extend([after.into(), millis(retained.walk_removed)]);
            "after_id = $4, walk_removed = $5".to_owned()
        }
    };
    let text = format!(
        "UPDATE relay_retention SET archived = archived + $1, deleted = deleted + $2, \
         forgotten = forgotten + $3, {at_end} WHERE one = 1"
    );
    work.change(text, values).await.map(drop)
}

fn millis(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}
