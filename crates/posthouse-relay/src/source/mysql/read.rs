//! Reads, as in [`read_text`](crate::source::read_text).
//!
//! A walk takes ids and slots out of an index alone. Only what remains of a page is looked up, and
//! only the bodies that are sent are looked up again: to name the column of a body is to read it.

use posthouse_pump::read::{Read, Span};
use posthouse_pump::request::RequestId;

use crate::source::base::{CommitOrder, Dialect, Value};
use crate::source::columns::columns;
use crate::source::read_text::{SPAN_FIRST, walk_condition, wanted_columns};
use crate::source::schema::{OPEN_INDEX, SLOT_INDEX};
use crate::source::turn::is_turn;

/// The statement that brings a page, and the values of its span.
pub(in crate::source) fn reading(order: CommitOrder, read: &Read) -> (String, Vec<Value>) {
    let (page, values) = page(order, read);
    let text = format!(
        "SELECT {}, CAST(page.is_wanted AS BIGINT) AS is_wanted, \
         CAST(page.size AS BIGINT) AS body_bytes, \
         CAST(CASE WHEN page.bytes_before >= $3 THEN 1 ELSE 0 END AS BIGINT) AS is_cut, {} \
         FROM ({page}) AS page STRAIGHT_JOIN relay_request AS r {by_id} ON r.id = page.id \
         LEFT JOIN relay_request AS b {by_id} ON b.id = CASE WHEN page.is_wanted = 1 \
         AND page.bytes_before < $3 AND page.size <= $4 THEN page.id END ORDER BY page.id",
        columns(Dialect::Mysql, order),
        wanted_columns(Dialect::Mysql),
        by_id = Dialect::Mysql.by_id(),
    );
    (text, values)
}

/// The ids of a page, with what is wanted of each and how many bytes are sent before it.
fn page(order: CommitOrder, read: &Read) -> (String, Vec<Value>) {
    let (found, values) = candidates(&read.span);
    let is_ours = Dialect::Mysql.slot_in("found.slot", 1);
    let whose_turn = match order {
        CommitOrder::KeySeq => format!(
            "STRAIGHT_JOIN relay_request AS t {} ON t.id = found.id WHERE {is_ours} AND {}",
            Dialect::Mysql.by_id(),
            is_turn(Dialect::Mysql, "t")
        ),
        CommitOrder::Id | CommitOrder::Xid => format!("WHERE {is_ours}"),
    };
    let text = format!(
        "SELECT ours.id AS id, m.body_bytes AS size, \
         CASE WHEN m.code IN ($2) THEN 1 ELSE 0 END AS is_wanted, \
         CAST(coalesce(sum(CASE WHEN m.code IN ($2) AND m.body_bytes <= $4 THEN m.body_bytes \
         ELSE 0 END) OVER (ORDER BY ours.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) \
         AS BIGINT) AS bytes_before \
         FROM (SELECT found.id AS id FROM ({found}) AS found {whose_turn} \
         ORDER BY found.id LIMIT {}) AS ours STRAIGHT_JOIN relay_request AS m {} ON m.id = ours.id",
        u64::from(read.rows_max.max(1)) + 1,
        Dialect::Mysql.by_id()
    );
    (text, values)
}

/// Open requests of a span, of whatever slot.
fn candidates(span: &Span) -> (String, Vec<Value>) {
    let by = |index| Dialect::Mysql.by_index(index);
    match span {
        Span::Probe { ranges } => {
            let (condition, values) = any_of(ranges);
            let text = format!(
                "SELECT id, slot FROM relay_request {} WHERE ({condition}) AND state < 3",
                Dialect::Mysql.by_id()
            );
            (text, values)
        }
        Span::Key { slot, key, from } => {
            let text = format!(
                "SELECT id, slot FROM relay_request {} \
                 WHERE open_slot = $5 AND business_id = $6 AND id >= $7",
                by(SLOT_INDEX)
            );
            (text, vec![i64::from(slot.0).into(), (&**key).into(), from.0.into()])
        }
        walk => {
            let (condition, values) = walk_condition(walk, SPAN_FIRST);
            let text = format!(
                "SELECT id, slot FROM relay_request {} WHERE is_open = 1 AND {condition} \
                 ORDER BY id LIMIT {}",
                by(OPEN_INDEX),
                Dialect::Mysql.scan_max()
            );
            (text, values)
        }
    }
}

/// In any of these ranges. They are looked up by the primary key: by the index on open requests, a
/// planner with stale statistics walks over all of them, and compares each with every range. There
/// are as many as the next power of two says, so that few statements do for all; those that are
/// added are empty.
fn any_of(ranges: &[(RequestId, RequestId)]) -> (String, Vec<Value>) {
    let count = ranges.len().max(1).next_power_of_two();
    let empty = (RequestId(1), RequestId(0));
    let ranges = ranges.iter().copied().chain(std::iter::repeat(empty)).take(count);
    let values = ranges.flat_map(|(first, last)| [first.0.into(), last.0.into()]).collect();
    let range =
        |at| format!("id BETWEEN ${} AND ${}", SPAN_FIRST + 2 * at, SPAN_FIRST + 2 * at + 1);
    let conditions: Vec<String> = (0..count).map(range).collect();
    (conditions.join(" OR "), values)
}
