//! What stands in our own tables about rows of the adopted one.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{Decision, Fact, Known, Unfed};
use super::statements::{PAIR, Statements};
use crate::source::base::{Base, Dialect, Door, Kind, Record, Value, Work};
use crate::source::columns::KEY;
use crate::source::error::{SourceError, SourceErrorKind};

/// Letters of a reason that are kept.
const REASON_CHARS_MAX: usize = 500;

/// What was found out about a row. A business id that is too long is none.
pub(super) fn fact_of(row: &Record) -> Result<Fact, SourceError> {
    let key = row.maybe_text("business_id")?;
    let name = row.maybe_text("name")?.unwrap_or_default();
    Ok(Fact {
        row_id: row.int("row_id")?,
        name,
        key: key.filter(|key| key.chars().count() <= KEY.chars_max),
        body_bytes: row.int("body_bytes")?,
        flaw: row.maybe_text("flaw")?,
        is_wanted: row.is_set("is_wanted")?,
    })
}

/// The business id of a row that the database has refused, so that others wait behind it. It may be
/// that very thing which cannot be had.
pub(super) async fn key_of(
    base: &Base,
    statements: &Statements,
    row_id: i64,
) -> Result<Option<String>, SourceError> {
    let mut work = base.single(Door::Work).await?;
    let rows = work.rows(statements.key(), vec![row_id.into()]).await;
    work.done();
    let key = match rows {
        Ok(rows) => rows.first().map_or(Ok(None), |row| row.maybe_text("business_id"))?,
        Err(error) if error.kind == SourceErrorKind::Refused => None,
        Err(error) => return Err(error),
    };
    Ok(key.filter(|key| key.chars().count() <= KEY.chars_max))
}

/// What is known on our side of rows.
pub(super) async fn of(
    work: &mut Work,
    statements: &Statements,
    facts: &[Fact],
    locked: &BTreeSet<i64>,
) -> Result<Known, SourceError> {
    let dialect = statements.dialect;
    let mut known = Known { locked: locked.clone(), ..Known::default() };
    let rows = Value::ints(facts.iter().map(|fact| fact.row_id));
    if statements.adoption.states.is_some() {
        known.links = links(work, dialect, rows.clone()).await?;
    }
    let names = Value::texts(facts.iter().map(|fact| fact.name.as_str()));
    let text = format!(
        "SELECT id, CAST(request_id AS TEXT) AS name, CAST(state AS BIGINT) AS state \
         FROM relay_request WHERE {}",
        dialect.text_in("request_id", 1)
    );
    for row in &work.rows(text, vec![names]).await? {
        known.named.insert(row.text("name")?, (row.int("id")?, row.int("state")?));
    }
    let keys: BTreeSet<&str> = facts.iter().filter_map(|fact| fact.key.as_deref()).collect();
    let text = format!(
        "SELECT CAST(business_id AS TEXT) AS business_id, CAST(min(row_id) AS BIGINT) AS row_id \
         FROM relay_unfed WHERE {} AND NOT {} GROUP BY business_id",
        dialect.text_in("business_id", 1),
        dialect.int_in("row_id", 2),
    );
    for row in &work.rows(text, vec![Value::texts(keys), rows]).await? {
        known.held.insert(row.text("business_id")?, row.int("row_id")?);
    }
    Ok(known)
}

async fn links(
    work: &mut Work,
    dialect: Dialect,
    rows: Value,
) -> Result<BTreeMap<i64, i64>, SourceError> {
    let text =
        format!("SELECT row_id, request FROM relay_fed WHERE {}", dialect.int_in("row_id", 1));
    let rows = work.rows(text, vec![rows]).await?;
    rows.iter().map(|row| Ok((row.int("row_id")?, row.int("request")?))).collect()
}

/// A table of rows and their requests.
pub(super) fn columns_of(pairs: &[(i64, i64)]) -> Vec<Value> {
    vec![
        Value::ints(pairs.iter().map(|(row_id, _)| *row_id)),
        Value::ints(pairs.iter().map(|(_, request)| *request)),
    ]
}

/// Remembers which requests were made of rows. Of a row that was fed before, and whose request is
/// gone, the new one counts.
pub(super) async fn link(
    work: &mut Work,
    dialect: Dialect,
    rows: &[i64],
    facts: &[Fact],
) -> Result<(), SourceError> {
    let fed = facts.iter().filter(|fact| rows.binary_search(&fact.row_id).is_ok());
    let names: BTreeMap<&str, i64> = fed.map(|fact| (&*fact.name, fact.row_id)).collect();
    let text = format!(
        "SELECT id, CAST(request_id AS TEXT) AS name FROM relay_request WHERE {}",
        dialect.text_in("request_id", 1)
    );
    let mut pairs = Vec::new();
    for row in &work.rows(text, vec![Value::texts(names.keys().copied())]).await? {
        if let Some(row_id) = names.get(&*row.text("name")?) {
            pairs.push((*row_id, row.int("id")?));
        }
    }
    let text = format!("DELETE FROM relay_fed WHERE {}", dialect.int_in("row_id", 1));
    work.change(text, vec![Value::ints(rows.iter().copied())]).await?;
    let text = format!(
        "INSERT INTO relay_fed (row_id, request) SELECT v.row_id, v.request FROM {}",
        dialect.table("v", 1, &PAIR)
    );
    work.change(text, dialect.table_values(columns_of(&pairs))).await?;
    Ok(())
}

/// Remembers rows that could not be fed.
pub(super) async fn remember_unfed(
    work: &mut Work,
    dialect: Dialect,
    unfed: &[Unfed],
) -> Result<(), SourceError> {
    if unfed.is_empty() {
        return Ok(());
    }
    let columns = [("row_id", Kind::Int), ("business_id", Kind::Text), ("reason", Kind::Text)];
    let text = format!(
        "INSERT INTO relay_unfed (row_id, business_id, reason, since) \
         SELECT v.row_id, v.business_id, v.reason, {} FROM {}",
        dialect.now(),
        dialect.table("v", 1, &columns)
    );
    let reason = |one: &Unfed| Some(kept(&one.reason));
    let values = dialect.table_values(vec![
        Value::ints(unfed.iter().map(|one| one.row_id)),
        Value::Texts(unfed.iter().map(|one| one.key.clone()).collect()),
        Value::Texts(unfed.iter().map(reason).collect()),
    ]);
    work.change(text, values).await.map(drop)
}

/// Forgets rows that could not be fed before. Those that cannot be fed for the same reason as ever
/// are left as they are, and taken out of what is to be remembered.
pub(super) async fn forget_unfed(
    work: &mut Work,
    dialect: Dialect,
    decision: &mut Decision,
) -> Result<(), SourceError> {
    let text = format!(
        "SELECT row_id, CAST(reason AS TEXT) AS reason FROM relay_unfed WHERE {}",
        dialect.int_in("row_id", 1)
    );
    let mut reasons = BTreeMap::new();
    let seen = Value::ints(decision.seen.iter().copied());
    for row in &work.rows(text, vec![seen]).await? {
        reasons.insert(row.int("row_id")?, row.text("reason")?);
    }
    let is_as_ever =
        |one: &Unfed| reasons.get(&one.row_id).is_some_and(|reason| *reason == kept(&one.reason));
    let as_ever: BTreeSet<i64> =
        decision.unfed.iter().filter(|one| is_as_ever(one)).map(|one| one.row_id).collect();
    decision.unfed.retain(|one| !as_ever.contains(&one.row_id));
    let forgotten: Vec<i64> =
        decision.seen.iter().copied().filter(|row| !as_ever.contains(row)).collect();
    if forgotten.is_empty() {
        return Ok(());
    }
    let text = format!("DELETE FROM relay_unfed WHERE {}", dialect.int_in("row_id", 1));
    work.change(text, vec![Value::ints(forgotten)]).await.map(drop)
}

fn kept(reason: &str) -> String {
    reason.chars().take(REASON_CHARS_MAX).collect()
}
