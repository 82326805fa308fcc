//! Write-backs: the buckets are locked, then the requests that are free, and those are written.

use std::collections::HashMap;

use posthouse_pump::outcome::{Outcome, Settled, State};

use crate::source::base::{Dialect, Record, Value, Work};
use crate::source::error::SourceError;
use crate::source::limits::MYSQL_OUTCOMES_BYTES_MAX;
use crate::source::settle::{COLUMNS, IS_TOLD, bucket_number, buckets_of, columns_of, is_free};

/// A bucket that is owned: its fence, and its slots.
struct Owned {
    fence: i64,
    slots: std::ops::RangeInclusive<i64>,
}

/// A request that is locked.
struct Free {
    slot: i64,
    takes_mark: bool,
    takes_other: bool,
}

impl Free {
    fn takes(&self, state: State) -> bool {
        match state {
            State::Sending => self.takes_mark,
            _ => self.takes_other,
        }
    }
}

/// Writes what may be written, and says which that was.
pub(in crate::source) async fn write(
    work: &mut Work,
    outcomes: &[Outcome],
) -> Result<HashMap<i64, Settled>, SourceError> {
    let owned = lock_buckets(work, outcomes).await?;
    let owner = |outcome: &Outcome| {
        owned.get(&bucket_number(outcome)).filter(|bucket| bucket.fence == outcome.fence.0)
    };
    // What is locked depends on what is owned: a former owner is in nobody's way.
    let ids = outcomes.iter().filter(|outcome| owner(outcome).is_some());
    let free = lock_free(work, Value::ints(ids.map(|outcome| outcome.id.0))).await?;
    let may_write = |outcome: &&Outcome| {
        let row = free.get(&outcome.id.0).filter(|row| row.takes(outcome.state));
        row.zip(owner(outcome)).is_some_and(|(row, bucket)| bucket.slots.contains(&row.slot))
    };
    let written: Vec<&Outcome> = outcomes.iter().filter(may_write).collect();
    for part in parts(&written) {
        let values = Dialect::Mysql.table_values(columns_of(part));
        work.change(update_text(), values).await?;
    }
    Ok(written.iter().map(|outcome| (outcome.id.0, Settled::Recorded)).collect())
}

async fn lock_buckets(
    work: &mut Work,
    outcomes: &[Outcome],
) -> Result<HashMap<i64, Owned>, SourceError> {
    let text = format!(
        "SELECT bucket, fence, CAST(slot_first AS BIGINT) AS slot_first, \
         CAST(slot_last AS BIGINT) AS slot_last FROM relay_bucket WHERE {} ORDER BY bucket {}",
        Dialect::Mysql.int_in("bucket", 1),
        Dialect::Mysql.for_share()
    );
    let mut owned = HashMap::new();
    for row in work.rows(text, vec![buckets_of(outcomes)]).await? {
        let slots = row.int("slot_first")?..=row.int("slot_last")?;
        owned.insert(row.int("bucket")?, Owned { fence: row.int("fence")?, slots });
    }
    Ok(owned)
}

/// The open requests that nobody else has locked, with their slots.
async fn lock_free(work: &mut Work, ids: Value) -> Result<HashMap<i64, Free>, SourceError> {
    let rows = work.rows(lock_text(), vec![ids]).await?;
    let free = |row: &Record| {
        let (takes_mark, takes_other) = (row.is_set("takes_mark")?, row.is_set("takes_other")?);
        Ok((row.int("id")?, Free { slot: row.int("slot")?, takes_mark, takes_other }))
    };
    rows.iter().map(free).collect()
}

/// The statement that locks requests; its value is a list of ids.
pub(in crate::source) fn lock_text() -> String {
    format!(
        "SELECT id, CAST(slot AS BIGINT) AS slot, CAST({} AS BIGINT) AS takes_mark, \
         CAST({} AS BIGINT) AS takes_other FROM relay_request {} WHERE {} AND state < 3 \
         ORDER BY id FOR UPDATE SKIP LOCKED",
        is_free(Dialect::Mysql, "relay_request", "1"),
        is_free(Dialect::Mysql, "relay_request", "0"),
        Dialect::Mysql.by_id(),
        Dialect::Mysql.int_in("id", 1)
    )
}

/// The statement that writes outcomes, of requests that are locked; its values are their table.
pub(in crate::source) fn update_text() -> String {
    format!(
        "UPDATE {} STRAIGHT_JOIN relay_request AS r {} ON r.id = v.id \
         SET r.state = v.state, r.due_at = v.due_at, r.attempts = v.attempts, \
         r.last_status = CASE WHEN {IS_TOLD} THEN v.status ELSE r.last_status END, \
         r.last_error = CASE WHEN {IS_TOLD} THEN v.error ELSE r.last_error END, \
         r.fence = v.fence, r.updated_at = {now}, \
         r.done_at = CASE WHEN v.state >= 3 THEN {now} END",
        Dialect::Mysql.table("v", 1, &COLUMNS),
        Dialect::Mysql.by_id(),
        now = Dialect::Mysql.now()
    )
}

/// Bytes of an outcome in a statement, without its error. No letter of an error takes more than six
/// bytes there.
const OUTCOME_BYTES: usize = 160;

/// Outcomes in parts, none of which is more than a server takes at once.
fn parts<'a, 'b>(outcomes: &'a [&'b Outcome]) -> Vec<&'a [&'b Outcome]> {
    let bytes =
        |outcome: &Outcome| OUTCOME_BYTES + 6 * outcome.error.as_ref().map_or(0, |e| e.len());
    let (mut parts, mut first, mut sum) = (Vec::new(), 0, 0);
    for (at, outcome) in outcomes.iter().enumerate() {
        let size = bytes(outcome);
        if at > first && sum + size > MYSQL_OUTCOMES_BYTES_MAX {
            parts.extend(outcomes.get(first..at));
            (first, sum) = (at, 0);
        }
        sum += size;
    }
    parts.extend(outcomes.get(first..).filter(|rest| !rest.is_empty()));
    parts
}
