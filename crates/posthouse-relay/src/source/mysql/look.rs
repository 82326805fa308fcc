//! Questions whose answers need another statement.

use crate::source::base::{Dialect, Value, Work};
use crate::source::error::SourceError;
use crate::source::limits::{DEPTH_MAX, GAP_KEYS_MAX, GAP_WALK_MAX};
use crate::source::schema::{KEY_OPEN_INDEX, SLOT_INDEX};
use crate::source::turn::{lowest_open, missing_before};

/// How many open requests the key of a row `h` has, counted up to a bound: those up to the last one
/// that counts.
pub(in crate::source) fn depth() -> String {
    let of_key = |name: &str| {
        format!(
            "FROM relay_request AS {name} {} WHERE {name}.open_slot = h.slot \
             AND {name}.business_id = h.business_id",
            Dialect::Mysql.by_index(SLOT_INDEX)
        )
    };
    format!(
        "SELECT count(*) {} AND f.id <= coalesce((SELECT g.id {} ORDER BY g.id LIMIT 1 OFFSET {}), \
         {})",
        of_key("f"),
        of_key("g"),
        DEPTH_MAX - 1,
        i64::MAX
    )
}

/// Steps from key to key, one step in the index for each, however many requests a key has. Its
/// value is the key to begin after.
fn heads() -> String {
    format!(
        "SELECT open_key AS k, min(key_seq) AS number FROM relay_request {} WHERE open_key > $1 \
         GROUP BY open_key ORDER BY open_key LIMIT {GAP_WALK_MAX}",
        Dialect::Mysql.by_index(KEY_OPEN_INDEX)
    )
}

/// The statement that finds gaps: its values are the key to begin after, and the least age. The
/// limits within keep the servers from making one `SELECT` of all, in which they would ask the same
/// several times.
pub(in crate::source) fn gaps_text() -> String {
    format!(
        "SELECT * FROM (SELECT gap.k AS business_id, gap.number AS number, \
         gap.missing AS missing, ({}) AS id, {now} AS now_ms, ({}) AS created FROM (\
         SELECT head.k AS k, head.number AS number, {} AS missing FROM ({}) AS head \
         LIMIT {GAP_WALK_MAX}) AS gap WHERE gap.missing < gap.number \
         LIMIT {GAP_WALK_MAX}) AS found \
         WHERE created <= {now} - $2 ORDER BY business_id LIMIT {GAP_KEYS_MAX}",
        lowest_open(Dialect::Mysql, "id", "gap.k", "0"),
        lowest_open(Dialect::Mysql, "created_at", "gap.k", "0"),
        missing_before(Dialect::Mysql, "head.k", "head.number"),
        heads(),
        now = Dialect::Mysql.now(),
    )
}

/// The last key of a walk that did not come to the end.
pub(in crate::source) async fn walk_end(
    work: &mut Work,
    after: Value,
) -> Result<Option<Vec<u8>>, SourceError> {
    let text = format!("SELECT count(*) AS walked, max(k) AS k FROM ({}) AS head", heads());
    let row = work.row(text, vec![after]).await?;
    match row.int("walked")? < GAP_WALK_MAX {
        true => Ok(None),
        false => row.maybe_raw_text("k"),
    }
}
