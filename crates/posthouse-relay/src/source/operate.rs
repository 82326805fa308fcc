//! What operators do: changes to requests and settings, by any node or by the command line.
//!
//! Each raises the control version, by which every node learns of it at its next round. The control
//! row is locked first, as rounds do it.

use posthouse_pump::input::Hold;
use posthouse_pump::request::RequestId;

use super::base::{Base, Dialect, Door, Kind, NOTIFY, Value, Work};
use super::error::{SourceError, SourceErrorKind};
use super::limits::{
    ACTION_IDS_MAX, ACTION_ROWS_MAX, BUCKETS_MAX, CHANGES_MAX, CONFLICT_TRIES_MAX,
    LOCKED_NAMED_MAX, LOCKED_PAUSE, LOCKED_TRIES_MAX, NAME_CHARS_MAX,
};
use super::mysql;
use super::round::{ControlRow, lock_control};
use super::schema::{SLOT_INDEX, UNSLOTTED_INDEX, replace_layout};
use super::slot::slot_of;

/// What an operator wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Try these open requests again at once, with all their tries before them. One that is later
    /// because its writer said so, and has never been tried, keeps its time. One that has expired
    /// would not be sent, and is left as it is; so is one that is marked as being sent.
    Retry(Vec<RequestId>),
    /// The same, and whatever is due later is due now, what is marked as being sent too.
    RetryNow(Vec<RequestId>),
    /// Give these open requests up as failed; their keys go on.
    Skip(Vec<RequestId>),
    /// Cancel these open requests; their keys go on.
    Cancel(Vec<RequestId>),
    /// Open these finished requests again, under the same request ids; not those that have expired.
    Replay(Vec<RequestId>),
    /// Try every blocked request of a key again that has not expired.
    RetryKey(String),
    /// Give every blocked request of a key up as failed.
    SkipBlocked(String),
    /// Give every open request of a key up as failed.
    SkipKey(String),
    /// Hold a key, a code or an endpoint: nothing of it starts.
    Hold(Hold),
    /// Let go what is held.
    Unhold(Hold),
    /// Switch a group on or off; `None`: as it is configured.
    Switch {
        /// The group.
        group: String,
        /// On, off, or as configured.
        is_active: Option<bool>,
    },
    /// Divide the slots into so many buckets, 1 to [`BUCKETS_MAX`].
    Buckets(u32),
}

/// What came of an action.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operated {
    /// The control version from which on nodes know of it.
    pub version: i64,
    /// Requests that were changed. Those that were named and are not here did not stand as the
    /// action needs it.
    pub changed: Vec<RequestId>,
    /// Whether the key has more requests than one action changes: do it again.
    pub has_more: bool,
}

/// See [`Source::operate`](super::Source::operate).
pub(super) async fn operate(base: &Base, action: &Action) -> Result<Operated, SourceError> {
    check(action)?;
    let (mut tries, mut locked_tries) = (1, 1);
    loop {
        match once(base, action).await {
            Err(Fault::Locked(_)) if locked_tries < LOCKED_TRIES_MAX => {
                locked_tries += 1;
                tokio::time::sleep(LOCKED_PAUSE).await;
            }
            Err(Fault::Source(error))
                if error.kind == SourceErrorKind::Conflict && tries < CONFLICT_TRIES_MAX =>
            {
                tries += 1;
            }
            Ok(done) => return Ok(done),
            Err(Fault::Locked(error) | Fault::Source(error)) => return Err(error),
        }
    }
}

/// Why an action was not carried out.
enum Fault {
    /// Somebody else has locked requests that it is to change.
    Locked(SourceError),
    /// Anything else.
    Source(SourceError),
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Fault {
        Fault::Source(error)
    }
}

fn check(action: &Action) -> Result<(), SourceError> {
    match action {
        Action::Retry(ids) | Action::RetryNow(ids) | Action::Replay(ids) => check_count(ids.len()),
        Action::Skip(ids) | Action::Cancel(ids) => check_count(ids.len()),
        Action::RetryKey(key) | Action::SkipBlocked(key) | Action::SkipKey(key) => check_name(key),
        Action::Switch { group, .. } => check_name(group),
        Action::Hold(hold) | Action::Unhold(hold) => check_name(name_of(hold).1),
        Action::Buckets(buckets) if !(1..=BUCKETS_MAX).contains(buckets) => Err(
            SourceError::refused(format!("the number of buckets must be from 1 to {BUCKETS_MAX}")),
        ),
        Action::Buckets(_) => Ok(()),
    }
}

fn check_count(count: usize) -> Result<(), SourceError> {
    match count {
        0 => Err(SourceError::refused("no request was named")),
        _ if count > ACTION_IDS_MAX => Err(SourceError::refused(format!(
            "at most {ACTION_IDS_MAX} requests can be named at a time: do it in parts"
        ))),
        _ => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), SourceError> {
    let is_fine = !name.is_empty() && !name.contains('\0');
    match is_fine && name.chars().count() <= NAME_CHARS_MAX {
        true => Ok(()),
        false => {
            Err(SourceError::refused(format!("a name has from 1 to {NAME_CHARS_MAX} letters")))
        }
    }
}

fn name_of(hold: &Hold) -> (&'static str, &str) {
    match hold {
        Hold::Key { key, .. } => ("key", key),
        Hold::Code(code) => ("code", code),
        Hold::Endpoint(endpoint) => ("endpoint", endpoint),
    }
}

async fn once(base: &Base, action: &Action) -> Result<Operated, Fault> {
    let dialect = base.dialect();
    let mut work = base.write(Door::Work).await?;
    let control = lock_control(&mut work, dialect).await?;
    let version = control.version + 1;
    let changed = carry_out(&mut work, dialect, &control, action).await?;
    remember(&mut work, dialect, &control, &changed).await?;
    let text = "UPDATE relay_control SET version = $1".to_owned();
    work.change(text, vec![version.into()]).await?;
    if dialect == Dialect::Postgres {
        work.script(NOTIFY).await?;
    }
    work.commit().await?;
    let has_more = i64::try_from(changed.len()).is_ok_and(|count| count >= ACTION_ROWS_MAX);
    Ok(Operated { version, changed, has_more })
}

/// Tells every node of requests that are being changed by somebody else than an operator, within
/// the same transaction and before them.
pub(super) async fn announce(
    work: &mut Work,
    dialect: Dialect,
    changed: &[RequestId],
) -> Result<(), SourceError> {
    let control = lock_control(work, dialect).await?;
    remember(work, dialect, &control, changed).await?;
    let text = "UPDATE relay_control SET version = $1".to_owned();
    work.change(text, vec![(control.version + 1).into()]).await.map(drop)
}

/// What the relay has never written has the time that its writer gave it.
/// MySQL and MariaDB change one column after the other, so that the state, which the time depends
/// on, comes last.
const RETRY: &str = "due_at = CASE WHEN fence = 0 AND state = 0 THEN due_at ELSE 0 END, \
                     attempts = 0, done_at = NULL, state = 0";

const REOPEN: &str = "state = 0, due_at = 0, attempts = 0, done_at = NULL";

async fn carry_out(
    work: &mut Work,
    dialect: Dialect,
    control: &ControlRow,
    action: &Action,
) -> Result<Vec<RequestId>, Fault> {
    let in_time =
        |condition| format!("{condition} AND coalesce(expires_at > {}, 1 = 1)", dialect.now());
    match action {
        // What is being sent would be sent twice: whoever marked it knows nothing of this.
        Action::Retry(ids) => {
            by_ids(work, dialect, RETRY, &in_time("state < 3 AND state <> 1"), ids).await
        }
        Action::RetryNow(ids) => by_ids(work, dialect, REOPEN, &in_time("state < 3"), ids).await,
        Action::Skip(ids) => by_ids(work, dialect, &finish(dialect, 4), "state < 3", ids).await,
        Action::Cancel(ids) => by_ids(work, dialect, &finish(dialect, 7), "state < 3", ids).await,
        Action::Replay(ids) => by_ids(work, dialect, REOPEN, &in_time("state >= 3"), ids).await,
        Action::RetryKey(key) => by_key(work, dialect, REOPEN, &in_time("state = 2"), key).await,
        Action::SkipBlocked(key) => {
            by_key(work, dialect, &finish(dialect, 4), "state = 2", key).await
        }
        Action::SkipKey(key) => by_key(work, dialect, &finish(dialect, 4), "state < 3", key).await,
        _ => Ok(set(work, dialect, control, action).await.map(|()| Vec::new())?),
    }
}

fn finish(dialect: Dialect, state: i64) -> String {
    format!("state = {state}, due_at = 0, done_at = {}", dialect.now())
}

async fn by_ids(
    work: &mut Work,
    dialect: Dialect,
    change: &str,
    condition: &str,
    ids: &[RequestId],
) -> Result<Vec<RequestId>, Fault> {
    let locked = take_locks(work, dialect, condition, ids).await?;
    if dialect == Dialect::Mysql {
        return Ok(mysql::operate::change(work, change, locked).await?);
    }
    let text = format!(
        "UPDATE relay_request SET {change}, updated_at = {} WHERE {} AND {condition} RETURNING id",
        dialect.now(),
        dialect.int_in("id", 1)
    );
    Ok(ids_of(work, text, vec![ints(ids)]).await?)
}

async fn by_key(
    work: &mut Work,
    dialect: Dialect,
    change: &str,
    condition: &str,
    key: &str,
) -> Result<Vec<RequestId>, Fault> {
    let (columns, open) = ("id, state, expires_at", "business_id = $2 AND state < 3");
    let of_key = match dialect {
        Dialect::Mysql => format!(
            "SELECT {columns} FROM relay_request {} WHERE open_slot = $1 AND {open}",
            dialect.by_index(SLOT_INDEX)
        ),
        Dialect::Postgres | Dialect::Sqlite => format!(
            "SELECT {columns} FROM relay_request WHERE slot = CAST($1 AS SMALLINT) AND {open} \
             UNION ALL SELECT {columns} FROM relay_request {} WHERE slot IS NULL AND {open}",
            dialect.by_index(UNSLOTTED_INDEX)
        ),
    };
    let text = format!(
        "SELECT id FROM ({of_key}) AS of_key WHERE {condition} ORDER BY id LIMIT {ACTION_ROWS_MAX}"
    );
    let chosen = ids_of(work, text, vec![i64::from(slot_of(key).0).into(), key.into()]).await?;
    by_ids(work, dialect, change, condition, &chosen).await
}

/// Locks the requests that are to be changed, in the order of their ids, without waiting: whoever
/// waits here has the lock of the control row, for which the rounds of every node would wait too.
async fn take_locks(
    work: &mut Work,
    dialect: Dialect,
    condition: &str,
    ids: &[RequestId],
) -> Result<Vec<RequestId>, Fault> {
    if dialect == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let (by_id, are_named) = (dialect.by_id(), dialect.int_in("id", 1));
    let wanted = format!("SELECT id FROM relay_request {by_id} WHERE {are_named}");
    let text = format!("{wanted} AND {condition} ORDER BY id {} SKIP LOCKED", dialect.for_update());
    let got = ids_of(work, text, vec![ints(ids)]).await?;
    let text = format!("{wanted} AND {condition} AND NOT {}", dialect.int_in("id", 2));
    let locked = ids_of(work, text, vec![ints(ids), ints(&got)]).await?;
    match locked.is_empty() {
        true => Ok(got),
        false => Err(Fault::Locked(are_locked(dialect, &locked))),
    }
}

fn are_locked(dialect: Dialect, ids: &[RequestId]) -> SourceError {
    let shown_by = match dialect {
        Dialect::Postgres | Dialect::Sqlite => "`pg_stat_activity`",
        Dialect::Mysql => "`information_schema.innodb_trx`",
    };
    let named: Vec<String> = ids.iter().take(LOCKED_NAMED_MAX).map(|id| id.0.to_string()).collect();
    let more = match ids.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let which = match ids.len() {
        1 => format!("request {} is", named.join("")),
        _ => format!("requests {}{more} are", named.join(", ")),
    };
    SourceError {
        kind: SourceErrorKind::Conflict,
        detail: format!(
            "{which} locked by another transaction of the database, and nothing was changed: end \
             that transaction ({shown_by} shows it), and do it again"
        ),
    }
}

fn ints(ids: &[RequestId]) -> Value {
    Value::ints(ids.iter().map(|id| id.0))
}

async fn ids_of(
    work: &mut Work,
    text: String,
    values: Vec<Value>,
) -> Result<Vec<RequestId>, SourceError> {
    let rows = work.rows(text, values).await?;
    let mut ids = rows
        .iter()
        .map(|row| Ok(RequestId(row.int("id")?)))
        .collect::<Result<Vec<RequestId>, SourceError>>()?;
    ids.sort_unstable();
    Ok(ids)
}

/// Changes a setting.
async fn set(
    work: &mut Work,
    dialect: Dialect,
    control: &ControlRow,
    action: &Action,
) -> Result<(), SourceError> {
    match action {
        Action::Hold(hold) => {
            let is_there = match dialect {
                Dialect::Postgres | Dialect::Sqlite => "ON CONFLICT DO NOTHING",
                Dialect::Mysql => "ON DUPLICATE KEY UPDATE name = VALUES(name)",
            };
            let text = "INSERT INTO relay_hold (kind, name) VALUES ($1, $2)";
            change_hold(work, &format!("{text} {is_there}"), hold).await
        }
        Action::Unhold(hold) => {
            change_hold(work, "DELETE FROM relay_hold WHERE kind = $1 AND name = $2", hold).await
        }
        Action::Switch { group, is_active } => switch(work, dialect, group, *is_active).await,
        Action::Buckets(buckets) if *buckets != control.buckets => {
            let layout = control.layout.checked_add(1).unwrap_or(1);
            replace_layout(work, dialect, layout, *buckets).await
        }
        _ => Ok(()),
    }
}

async fn change_hold(work: &mut Work, text: &str, hold: &Hold) -> Result<(), SourceError> {
    let (kind, name) = name_of(hold);
    work.change(text.to_owned(), vec![kind.into(), name.into()]).await.map(|_| ())
}

async fn switch(
    work: &mut Work,
    dialect: Dialect,
    group: &str,
    is_active: Option<bool>,
) -> Result<(), SourceError> {
    let changed = match is_active {
        Some(is_active) => {
            let is_there = match dialect {
                Dialect::Postgres | Dialect::Sqlite => {
                    "ON CONFLICT (grp) DO UPDATE SET is_active = excluded.is_active"
                }
                Dialect::Mysql => "ON DUPLICATE KEY UPDATE is_active = VALUES(is_active)",
            };
            let text = format!(
                "INSERT INTO relay_switch (grp, is_active) VALUES ($1, CAST($2 AS SMALLINT)) \
                 {is_there}"
            );
            work.change(text, vec![group.into(), i64::from(is_active).into()]).await
        }
        None => {
            let text = "DELETE FROM relay_switch WHERE grp = $1".to_owned();
            work.change(text, vec![group.into()]).await
        }
    };
    changed.map(|_| ())
}

/// Keeps the ids for nodes to ask for, and forgets the oldest. Too many at once are not kept: nodes
/// read everything again.
async fn remember(
    work: &mut Work,
    dialect: Dialect,
    control: &ControlRow,
    changed: &[RequestId],
) -> Result<(), SourceError> {
    if changed.is_empty() {
        return Ok(());
    }
    let version = control.version + 1;
    let count = i64::try_from(changed.len()).unwrap_or(i64::MAX);
    let kept = "SELECT count(*) AS kept FROM relay_change".to_owned();
    if changed.len() > ACTION_IDS_MAX
        || work.row(kept, Vec::new()).await?.int("kept")? + count > CHANGES_MAX
    {
        return forget(work, version).await;
    }
    let text = format!(
        "INSERT INTO relay_change (version, request) SELECT CAST($1 AS BIGINT), id FROM {}",
        dialect.table("v", 2, &[("id", Kind::Int)])
    );
    let mut values = vec![version.into()];
    values.extend(dialect.table_values(vec![Value::ints(changed.iter().map(|id| id.0))]));
    work.change(text, values).await?;
    Ok(())
}

async fn forget(work: &mut Work, version: i64) -> Result<(), SourceError> {
    work.change("DELETE FROM relay_change".to_owned(), Vec::new()).await?;
    let text = "UPDATE relay_control SET trimmed_version = $1".to_owned();
    work.change(text, vec![version.into()]).await?;
    Ok(())
}
