//! Write-backs: one statement for all outcomes, each under its fence, and a second look at those
//! that changed nothing.
//!
//! The fence of the bucket is what counts, not that of the row, which somebody may have copied from
//! elsewhere. The rows of the buckets are locked until the end, in the order of their numbers:
//! nobody can take a bucket over between the check of its fence and the write under it. Requests
//! are locked after them, in the order of their ids; one that somebody else has locked is left out
//! and told, so that it holds up no other outcome, and no two writers wait for each other in a
//! circle.

use std::borrow::Borrow;
use std::collections::HashMap;

use posthouse_pump::limits::ERROR_CHARS_MAX;
use posthouse_pump::outcome::{Outcome, Settled, Settlement, State};

use posthouse_pump::request::RequestId;

use super::Concluded;
use super::base::{Base, Dialect, Door, Kind, Options, Record, Value, Work};
use super::error::{SourceError, SourceErrorKind};
use super::limits::CONFLICT_TRIES_MAX;
use super::mysql;
use super::turn::released;

/// See [`Source::settle`](super::Source::settle).
pub(super) async fn settle(
    base: &Base,
    options: &Options,
    settlement: &Settlement,
) -> Result<Concluded, SourceError> {
    let results = write_back(base, settlement).await?;
    let outcomes = settlement.outcomes.iter().zip(&results);
    let finished = outcomes.filter(|(outcome, word)| {
        !matches!(word, Settled::Fenced | Settled::Locked)
            && !matches!(outcome.state, State::Ready | State::Sending | State::Blocked)
    });
    let finished: Vec<RequestId> = finished.map(|(outcome, _)| outcome.id).collect();
    let released = released(base, options.order, &finished).await?;
    Ok(Concluded { results, released })
}

async fn write_back(base: &Base, settlement: &Settlement) -> Result<Vec<Settled>, SourceError> {
    let mut tries = 1;
    loop {
        match once(base, &settlement.outcomes).await {
            Err(error) if error.kind == SourceErrorKind::Conflict && tries < CONFLICT_TRIES_MAX => {
                tries += 1;
            }
            answer => return answer,
        }
    }
}

async fn once(base: &Base, outcomes: &[Outcome]) -> Result<Vec<Settled>, SourceError> {
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let mut work = base.write(Door::Work).await?;
    let mut answers = match base.dialect() {
        Dialect::Mysql => mysql::settle::write(&mut work, outcomes).await?,
        dialect => write(&mut work, dialect, outcomes).await?,
    };
    let unchanged: Vec<&Outcome> =
        outcomes.iter().filter(|outcome| !answers.contains_key(&outcome.id.0)).collect();
    if !unchanged.is_empty() {
        look_again(&mut work, base.dialect(), &unchanged, &mut answers).await?;
    }
    work.commit().await?;
    let answer = |outcome: &Outcome| *answers.get(&outcome.id.0).unwrap_or(&Settled::Gone);
    Ok(outcomes.iter().map(answer).collect())
}

/// The columns of a table of outcomes.
pub(super) const COLUMNS: [(&str, Kind); 8] = [
    ("id", Kind::Int),
    ("bucket", Kind::Int),
    ("fence", Kind::Int),
    ("state", Kind::Int),
    ("due_at", Kind::Int),
    ("attempts", Kind::Int),
    ("status", Kind::Int),
    ("error", Kind::Text),
];

/// What ends without another try keeps what was wrong with the last one.
pub(super) const IS_TOLD: &str = "v.state = 3 OR v.status IS NOT NULL OR v.error IS NOT NULL";

/// Whether an outcome of the state `new` may be written into a row: not while somebody else who
/// takes requests from the table has it, and a mark only where there is none in force.
pub(super) fn is_free(dialect: Dialect, row: &str, new: &str) -> String {
    format!(
        "(CASE WHEN {row}.state = 1 AND {row}.fence = {FOREIGN_FENCE} THEN {row}.due_at <= {} \
         ELSE {new} <> 1 OR {row}.state = 0 END)",
        dialect.now()
    )
}

/// The fence of a row that is marked by somebody else than a relay.
pub(super) const FOREIGN_FENCE: i64 = -1;

/// Writes what may be written, and says which that was.
async fn write(
    work: &mut Work,
    dialect: Dialect,
    outcomes: &[Outcome],
) -> Result<HashMap<i64, Settled>, SourceError> {
    let (text, values) = statement(dialect, outcomes);
    let rows = work.rows(text, values).await?;
    rows.iter().map(|row| Ok((row.int("id")?, Settled::Recorded))).collect()
}

/// The statement that writes outcomes back, and its values.
pub(super) fn statement(dialect: Dialect, outcomes: &[Outcome]) -> (String, Vec<Value>) {
    let mut values = vec![buckets_of(outcomes)];
    values.extend(dialect.table_values(columns_of(outcomes)));
    (text(dialect), values)
}

/// The numbers of the buckets that outcomes belong to, each once.
pub(super) fn buckets_of(outcomes: &[Outcome]) -> Value {
    let mut buckets: Vec<i64> = outcomes.iter().map(bucket_number).collect();
    buckets.sort_unstable();
    buckets.dedup();
    Value::ints(buckets)
}

fn text(dialect: Dialect) -> String {
    let outcomes = dialect.table("v", 2, &COLUMNS);
    let owned = "JOIN owned ON owned.bucket = v.bucket AND owned.fence = v.fence";
    // What is locked depends on what is owned, so that the buckets are locked first.
    let free = format!(
        "SELECT id FROM relay_request \
         WHERE id = ANY(ARRAY(SELECT v.id FROM {outcomes} {owned})) AND state < 3 \
         ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
    );
    // `IS TRUE` has the planner look each id up in a hash. It would take a join for one of few rows
    // with few, and compare each with each.
    let (free, and_free) = match dialect {
        Dialect::Postgres => (
            format!(", free AS MATERIALIZED ({free})"),
            "AND (relay_request.id IN (SELECT id FROM free)) IS TRUE",
        ),
        Dialect::Sqlite | Dialect::Mysql => (String::new(), ""),
    };
    format!(
        "WITH owned AS MATERIALIZED (\
         SELECT bucket, fence, slot_first, slot_last FROM relay_bucket WHERE {} \
         ORDER BY bucket {}){free} \
         UPDATE relay_request SET state = v.state, due_at = v.due_at, attempts = v.attempts, \
         last_status = CASE WHEN {IS_TOLD} THEN v.status ELSE relay_request.last_status END, \
         last_error = CASE WHEN {IS_TOLD} THEN v.error ELSE relay_request.last_error END, \
         fence = v.fence, updated_at = {now}, \
         done_at = CASE WHEN v.state >= 3 THEN {now} END \
         FROM {outcomes} {owned} \
         WHERE relay_request.id = v.id AND relay_request.state < 3 {and_free} AND {is_free} \
         AND (relay_request.slot IS NULL \
         OR relay_request.slot BETWEEN owned.slot_first AND owned.slot_last) \
         RETURNING relay_request.id",
        dialect.int_in("bucket", 1),
        dialect.for_share(),
        now = dialect.now(),
        is_free = is_free(dialect, "relay_request", "v.state"),
    )
}

/// The columns of outcomes, of which there may be references only.
pub(super) fn columns_of<O: Borrow<Outcome>>(outcomes: &[O]) -> Vec<Value> {
    let outcomes: Vec<&Outcome> = outcomes.iter().map(Borrow::borrow).collect();
    let ints = |column: fn(&Outcome) -> i64| Value::ints(outcomes.iter().map(|one| column(one)));
    vec![
        ints(|outcome| outcome.id.0),
        ints(bucket_number),
        ints(|outcome| outcome.fence.0),
        ints(|outcome| number_of(outcome.state)),
        ints(|outcome| outcome.due_ms),
        ints(attempts_number),
        Value::Ints(outcomes.iter().map(|outcome| outcome.status.map(i64::from)).collect()),
        Value::Texts(outcomes.iter().map(|outcome| error_of(outcome)).collect()),
    ]
}

/// The number of the bucket that an outcome belongs to.
pub(super) fn bucket_number(outcome: &Outcome) -> i64 {
    i64::try_from(outcome.bucket.0).unwrap_or(i64::MAX)
}

/// The column of PostgreSQL ends there, and one request beyond must not stop the others.
fn attempts_number(outcome: &Outcome) -> i64 {
    i64::from(outcome.attempts.min(i32::MAX.unsigned_abs()))
}

/// No database takes a zero character, and the column has an end.
fn error_of(outcome: &Outcome) -> Option<String> {
    let error = outcome.error.as_ref()?;
    Some(error.chars().filter(|letter| *letter != '\0').take(ERROR_CHARS_MAX).collect())
}

/// The number of a state in the table.
pub(super) fn number_of(state: State) -> i64 {
    match state {
        State::Ready => 0,
        State::Sending => 1,
        State::Blocked => 2,
        State::Done => 3,
        State::Failed => 4,
        State::Expired => 5,
        State::Rejected => 6,
    }
}

/// The columns of a table of outcomes that are looked at again.
const LOOKED_AT: [(&str, Kind); 4] =
    [("id", Kind::Int), ("bucket", Kind::Int), ("at", Kind::Int), ("state", Kind::Int)];

/// What changed nothing was written before, and the answer was lost; or the bucket has another
/// owner; or the request is gone; or somebody else has locked it.
async fn look_again(
    work: &mut Work,
    dialect: Dialect,
    outcomes: &[&Outcome],
    answers: &mut HashMap<i64, Settled>,
) -> Result<(), SourceError> {
    let text = format!(
        "SELECT v.id AS id, v.at AS at, CAST(r.state AS BIGINT) AS state, r.fence AS fence, \
         CAST(r.attempts AS BIGINT) AS attempts, b.fence AS bucket_fence, \
         CAST(CASE WHEN r.state < 3 AND r.fence <= b.fence AND {} AND (r.slot IS NULL \
         OR r.slot BETWEEN b.slot_first AND b.slot_last) THEN 1 END AS BIGINT) \
         AS is_ours_to_write FROM {} \
         LEFT JOIN relay_request AS r {} ON r.id = v.id \
         LEFT JOIN relay_bucket AS b ON b.bucket = v.bucket",
        is_free(dialect, "r", "v.state"),
        dialect.table("v", 1, &LOOKED_AT),
        dialect.by_id(),
    );
    let positions = (0..outcomes.len()).filter_map(|at| i64::try_from(at).ok());
    let values = dialect.table_values(vec![
        Value::ints(outcomes.iter().map(|outcome| outcome.id.0)),
        Value::ints(outcomes.iter().map(|outcome| bucket_number(outcome))),
        Value::ints(positions),
        Value::ints(outcomes.iter().map(|outcome| number_of(outcome.state))),
    ]);
    for row in &work.rows(text, values).await? {
        let at = usize::try_from(row.int("at")?).unwrap_or(usize::MAX);
        if let Some(outcome) = outcomes.get(at) {
            answers.insert(outcome.id.0, judge(outcome, row)?);
        }
    }
    Ok(())
}

fn judge(outcome: &Outcome, row: &Record) -> Result<Settled, SourceError> {
    let is_ours = row.maybe_int("fence")? == Some(outcome.fence.0)
        && row.maybe_int("state")? == Some(number_of(outcome.state))
        && row.maybe_int("attempts")? == Some(attempts_number(outcome));
    if is_ours {
        return Ok(Settled::Recorded);
    }
    Ok(match row.maybe_int("bucket_fence")? == Some(outcome.fence.0) {
        false => Settled::Fenced,
        // It could have been written, so it was left out.
        true if row.is_set("is_ours_to_write")? => Settled::Locked,
        true => Settled::Gone,
    })
}
