//! The statements of reads.
//!
//! A page is first found by ids, codes and lengths, and only then are bodies fetched, up to the
//! bound on their bytes: so neither database copies a body that is not sent. Limits stand in the
//! text, for planners to see. The values: 1 the mask of slots, 2 the codes whose content is wanted,
//! 3 the bytes that are, 4 the bytes of the longest body that is brought, from 5 on the span.

use posthouse_pump::read::{Read, Span};

use super::base::{CommitOrder, Dialect, Kind, Value};
use super::columns::{CODE, KEY, columns, comparable, content_columns};
use super::mysql;
use super::schema::{OPEN_INDEX, UNSLOTTED_INDEX};
use super::turn::{and_turn, is_turn};

/// The number of the first value of a span.
pub(super) const SPAN_FIRST: usize = 5;

/// What is looked at to find a page. The length of a body is had without reading the body.
fn candidate() -> String {
    format!("id, {} AS code, octet_length(body) AS size, slot", comparable(&CODE, ""))
}

/// The same, with what says whose turn it is.
fn turn_candidate() -> String {
    format!("{}, {} AS business_id, key_seq", candidate(), comparable(&KEY, ""))
}

/// The statement that brings a page, and the values of its span.
pub(super) fn reading(dialect: Dialect, order: CommitOrder, read: &Read) -> (String, Vec<Value>) {
    if dialect == Dialect::Mysql {
        return mysql::read::reading(order, read);
    }
    let (found, values) = candidates(dialect, order, read);
    let wanted = dialect.text_in("code", 2);
    let text = format!(
        "SELECT {}, CAST(page.is_wanted AS BIGINT) AS is_wanted, \
         CAST(page.size AS BIGINT) AS body_bytes, \
         CAST(CASE WHEN page.bytes_before >= $3 THEN 1 ELSE 0 END AS BIGINT) AS is_cut, {} \
         FROM (SELECT id, is_wanted, size, CAST(coalesce(sum(bytes) OVER (ORDER BY id \
         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS BIGINT) AS bytes_before \
         FROM (SELECT id, size, CASE WHEN {wanted} THEN 1 ELSE 0 END AS is_wanted, \
         CASE WHEN {wanted} AND size <= CAST($4 AS BIGINT) THEN size ELSE 0 END AS bytes \
         FROM ({found}) AS found WHERE {} ORDER BY id LIMIT {}) AS sized) AS page \
         JOIN relay_request AS r ON r.id = page.id ORDER BY page.id",
        columns(dialect, order),
        wanted_columns(dialect),
        dialect.slot_in("slot", 1),
        u64::from(read.rows_max.max(1)) + 1,
    );
    (text, values)
}

/// Content only where it is wanted and still fits, and never a body that is too long.
pub(super) fn wanted_columns(dialect: Dialect) -> String {
    let column = |(column, expression): (&str, String)| {
        let is_fit = match column {
            "body" => "AND page.size <= CAST($4 AS BIGINT)",
            _ => "",
        };
        format!(
            "CASE WHEN page.is_wanted = 1 AND page.bytes_before < $3 {is_fit} \
             THEN {expression} END AS {column}"
        )
    };
    let columns: Vec<String> = content_columns(dialect).into_iter().map(column).collect();
    columns.join(", ")
}

/// Open and visible requests of a span, of whatever slot.
fn candidates(dialect: Dialect, order: CommitOrder, read: &Read) -> (String, Vec<Value>) {
    let visible = order.visible();
    let rows_max = u64::from(read.rows_max.max(1)) + 1;
    match &read.span {
        Span::Probe { ranges } => {
            let text = match dialect {
                Dialect::Postgres => postgres_probe(dialect, order, rows_max),
                Dialect::Sqlite | Dialect::Mysql => sqlite_probe(dialect, order),
            };
            let values = dialect.table_values(vec![
                Value::ints(ranges.iter().map(|(first, _)| first.0)),
                Value::ints(ranges.iter().map(|(_, last)| last.0)),
            ]);
            (text, values)
        }
        Span::Key { slot, key, from } => {
            let (turn, candidate) = (and_turn(dialect, order, "r"), candidate());
            let of_key = format!("business_id = $6 AND id >= $7 AND state < 3 {visible} {turn}");
            let text = format!(
                "SELECT {candidate} FROM relay_request AS r \
                 WHERE slot = CAST($5 AS SMALLINT) AND {of_key} \
                 UNION ALL SELECT {candidate} FROM relay_request AS r {} \
                 WHERE slot IS NULL AND {of_key}",
                dialect.by_index(UNSLOTTED_INDEX)
            );
            let slot = i64::from(slot.0);
            (text, vec![slot.into(), (&**key).into(), from.0.into()])
        }
        walk => {
            let (condition, values) = walk_condition(walk, SPAN_FIRST);
            let walk = |columns: &str| {
                format!(
                    "SELECT {columns} FROM relay_request {} WHERE {condition} AND state < 3 \
                     {visible} ORDER BY id LIMIT {}",
                    dialect.by_index(OPEN_INDEX),
                    dialect.scan_max()
                )
            };
            let text = match order {
                CommitOrder::KeySeq => of_turn(dialect, &walk(&turn_candidate())),
                CommitOrder::Id | CommitOrder::Xid => walk(&candidate()),
            };
            (text, values)
        }
    }
}

/// Keeps those of a walk whose turn it is. Those who wait count in how far it goes: a walk must end
/// soon, however many they are.
fn of_turn(dialect: Dialect, walk: &str) -> String {
    format!(
        "SELECT id, code, size, slot FROM ({walk}) AS walked WHERE {}",
        is_turn(dialect, "walked")
    )
}

const SPAN_COLUMNS: [(&str, Kind); 2] = [("first_id", Kind::Int), ("last_id", Kind::Int)];

/// The limit within keeps the planner from walking over all open requests in their order, and
/// looking for the range of each.
fn postgres_probe(dialect: Dialect, order: CommitOrder, rows_max: u64) -> String {
    format!(
        "SELECT r.id, r.code, r.size, r.slot FROM {} CROSS JOIN LATERAL (\
         SELECT {} FROM relay_request AS o \
         WHERE id BETWEEN span.first_id AND span.last_id AND state < 3 {} {} \
         ORDER BY id LIMIT {rows_max}) AS r",
        dialect.table("span", SPAN_FIRST, &SPAN_COLUMNS),
        candidate(),
        order.visible(),
        and_turn(dialect, order, "o")
    )
}

/// SQLite knows no `LATERAL`, but does take a cross join from left to right.
fn sqlite_probe(dialect: Dialect, order: CommitOrder) -> String {
    format!(
        "SELECT r.id, {} AS code, octet_length(r.body) AS size, r.slot \
         FROM {} CROSS JOIN relay_request AS r \
         WHERE r.id BETWEEN span.first_id AND span.last_id AND r.state < 3 {} {}",
        comparable(&CODE, "r."),
        dialect.table("span", SPAN_FIRST, &SPAN_COLUMNS),
        order.visible(),
        and_turn(dialect, order, "r")
    )
}

/// The statement that tells how far a walk came.
pub(super) fn walking(dialect: Dialect, order: CommitOrder, read: &Read) -> (String, Vec<Value>) {
    let (condition, values) = walk_condition(&read.span, 1);
    let text = format!(
        "SELECT count(*) AS walked, max(id) AS edge, \
         (SELECT id FROM relay_request ORDER BY id DESC LIMIT 1) AS last FROM (\
         SELECT id FROM relay_request {} WHERE {condition} AND {} {} \
         ORDER BY id LIMIT {}) AS walk",
        dialect.by_index(OPEN_INDEX),
        dialect.is_open(),
        order.visible(),
        dialect.scan_max()
    );
    (text, values)
}

/// The part of a walk that is still to be walked, and its values from a number on.
pub(super) fn walk_condition(span: &Span, first: usize) -> (String, Vec<Value>) {
    match span {
        Span::Again { after, up_to } => {
            let text = format!("id > ${first} AND id <= ${}", first + 1);
            (text, vec![after.0.into(), up_to.0.into()])
        }
        Span::Forward { after } => (format!("id > ${first}"), vec![after.0.into()]),
        Span::Probe { .. } | Span::Key { .. } => ("id IS NULL".to_owned(), Vec::new()),
    }
}
