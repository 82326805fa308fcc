//! How questions are answered; the statements behind [`look`](super::look).

use super::adopt;
use super::base::{Base, CommitOrder, Dialect, Door, Options, Record, Value, Work};
use super::columns::{
    CODE, GROUP, KEY, LAST_ERROR, REGION, REQUEST_ID, WINDOW, bounded, columns, comparable,
    content_columns,
};
use super::error::SourceError;
use super::legible::Reader;
use super::limits::{
    BODY_BYTES_MAX, COUNT_ROWS_MAX, DEPTH_MAX, LOOK_BODY_BYTES_MAX, OWNERS_MAX, PAGE_ROWS_MAX,
    PAGE_SCAN_MAX,
};
use super::look::{
    Answer, BlockedKey, BucketRow, Count, Filter, NodeRow, Query, RetentionState, Row,
};
use super::look_table::table;
use super::look_turn::{gaps, turn, without_numbers};
use super::mysql;
use super::round::{bucket_of, look_control};
use super::row::{attempts_of, content_of};
use super::schema::{BLOCKED_INDEX, OPEN_INDEX};
use posthouse_pump::outcome::Fence;
use posthouse_pump::request::RequestId;

/// Where a request is looked for.
#[derive(Clone, Copy)]
enum Place {
    Table,
    Archive,
}

/// What people see beyond what the pump needs.
fn more_columns(dialect: Dialect, order: CommitOrder, place: Place) -> String {
    let archived_at = match place {
        Place::Table => "NULL",
        Place::Archive => "r.archived_at",
    };
    format!(
        "{}, CAST(r.last_status AS BIGINT) AS last_status, {} AS last_error, \
         CAST(r.updated_at AS BIGINT) AS updated_at, \
         CAST(r.done_at AS BIGINT) AS done_at, CAST({archived_at} AS BIGINT) AS archived_at, \
         CAST({} AS BIGINT) AS body_bytes, {}",
        columns(dialect, order),
        bounded(&LAST_ERROR, "r."),
        dialect.body_bytes("r."),
        number_column(order),
    )
}

/// A table need not have the column where nobody goes by it.
fn number_column(order: CommitOrder) -> &'static str {
    match order {
        CommitOrder::KeySeq => "CAST(r.key_seq AS BIGINT) AS key_seq",
        CommitOrder::Id | CommitOrder::Xid => "CAST(NULL AS BIGINT) AS key_seq",
    }
}

/// See [`Source::look`](super::Source::look).
pub(super) async fn look(
    base: &Base,
    options: &Options,
    query: &Query,
) -> Result<Answer, SourceError> {
    let needless =
        without_numbers(options.order, query).or_else(|| without_adoption(options, query));
    if let Some(answer) = needless {
        return Ok(answer);
    }
    let dialect = base.dialect();
    let mut work = base.single(Door::Work).await?;
    let answer = match query {
        Query::Counts => counts(&mut work, dialect).await?,
        Query::Rows(filter) => rows(&mut work, dialect, options.order, filter).await?,
        Query::Row(id) => row(&mut work, dialect, options.order, *id).await?,
        Query::Turn(id) => turn(&mut work, dialect, *id).await?,
        Query::Gaps { after, age_ms_min } => gaps(&mut work, dialect, (after, *age_ms_min)).await?,
        Query::BlockedKeys { after, rows_max } => {
            blocked_keys(&mut work, dialect, *after, *rows_max).await?
        }
        Query::Buckets => buckets(&mut work, dialect).await?,
        Query::Nodes => nodes(&mut work, dialect).await?,
        Query::Control => Answer::Control(look_control(&mut work).await?),
        Query::Table => table(base, &mut work).await?,
        Query::Retention => retention(&mut work).await?,
        Query::Unfed { after, rows_max } => {
            Answer::Unfed(adopt::unfed(&mut work, *after, *rows_max).await?)
        }
        Query::UnfedCount => Answer::UnfedCount(adopt::unfed_count(&mut work).await?),
    };
    work.done();
    Ok(answer)
}

/// A source that adopts nothing need not have the tables of a feed.
fn without_adoption(options: &Options, query: &Query) -> Option<Answer> {
    match (query, &options.adoption) {
        (Query::Unfed { .. }, None) => Some(Answer::Unfed(Vec::new())),
        (Query::UnfedCount, None) => Some(Answer::UnfedCount(0)),
        _ => None,
    }
}

async fn counts(work: &mut Work, dialect: Dialect) -> Result<Answer, SourceError> {
    let which = match dialect {
        Dialect::Postgres | Dialect::Sqlite => "WHERE state < 3 ORDER BY id".to_owned(),
        Dialect::Mysql => {
            format!("{} WHERE is_open = 1 ORDER BY id", dialect.by_index(OPEN_INDEX))
        }
    };
    let open = count(work, &which).await?;
    let newest = count(work, "ORDER BY id DESC").await?;
    let total: u64 = open.iter().map(|count| count.requests).sum();
    let is_partial = i64::try_from(total).is_ok_and(|total| total >= COUNT_ROWS_MAX);
    Ok(Answer::Counts { open, newest, is_partial })
}

async fn count(work: &mut Work, which: &str) -> Result<Vec<Count>, SourceError> {
    let text = format!(
        "SELECT CAST(state AS BIGINT) AS state, CAST(code AS TEXT) AS code, \
         count(*) AS requests FROM (SELECT state, {} AS code FROM relay_request {which} \
         LIMIT {COUNT_ROWS_MAX}) AS counted GROUP BY state, code ORDER BY state, code LIMIT {}",
        comparable(&CODE, ""),
        PAGE_ROWS_MAX * 8
    );
    let rows = work.rows(text, Vec::new()).await?;
    let count = |row: &Record| {
        let requests = u64::try_from(row.int("requests")?).unwrap_or(0);
        let code = row.maybe_lossy("code")?.unwrap_or_else(|| TOO_LONG.to_owned());
        Ok(Count { state: byte(row.int("state")?), code, requests })
    };
    rows.iter().map(count).collect()
}

/// What is shown of a code that is too long to be shown.
const TOO_LONG: &str = "(too long)";

fn byte(number: i64) -> u8 {
    u8::try_from(number.clamp(0, 255)).unwrap_or(u8::MAX)
}

/// Walks down from the newest id, over a bounded number of rows; a request id has an index of its
/// own, in the archive too, so that whoever asks for one never takes it for lost.
async fn rows(
    work: &mut Work,
    dialect: Dialect,
    order: CommitOrder,
    filter: &Filter,
) -> Result<Answer, SourceError> {
    let rows_max = filter.rows_max.clamp(1, PAGE_ROWS_MAX);
    let (text, values) = rows_statement(dialect, order, filter, rows_max, Place::Table);
    let mut found = work.rows(text, values).await?;
    if found.is_empty() && filter.request_id.is_some() {
        let (text, values) = rows_statement(dialect, order, filter, rows_max, Place::Archive);
        found = work.rows(text, values).await?;
    }
    let rows = found.iter().map(row_of).collect::<Result<Vec<Row>, SourceError>>()?;
    let is_full = found.len() >= usize::try_from(rows_max).unwrap_or(usize::MAX);
    let next = match rows.last() {
        Some(row) if is_full => Some(row.id),
        _ if filter.request_id.is_some() => None,
        _ => walk_end(work, up_to(filter)).await?,
    };
    Ok(Answer::Rows { rows, next })
}

/// The highest id of interest.
fn up_to(filter: &Filter) -> i64 {
    filter.before.map_or(i64::MAX, |id| id.0.saturating_sub(1))
}

/// Where the walk was stopped, if it was.
async fn walk_end(work: &mut Work, up_to: i64) -> Result<Option<RequestId>, SourceError> {
    let text = format!(
        "SELECT min(id) AS stopped_at, count(*) AS walked FROM (SELECT id FROM relay_request \
         WHERE id <= $1 ORDER BY id DESC LIMIT {PAGE_SCAN_MAX}) AS walk"
    );
    let row = work.row(text, vec![up_to.into()]).await?;
    if row.int("walked")? < PAGE_SCAN_MAX {
        return Ok(None);
    }
    Ok(row.maybe_int("stopped_at")?.map(RequestId))
}

fn rows_statement(
    dialect: Dialect,
    order: CommitOrder,
    filter: &Filter,
    rows_max: u32,
    place: Place,
) -> (String, Vec<Value>) {
    let (table, key) = match place {
        Place::Table => ("relay_request", "id"),
        Place::Archive => ("relay_archive", "archive_no"),
    };
    let mut values = vec![
        up_to(filter).into(),
        i64::from(filter.states.is_empty()).into(),
        Value::ints(filter.states.iter().map(|state| i64::from(*state))),
        Value::Text(filter.code.clone()),
        Value::Text(filter.key.clone()),
    ];
    let mut start = "id <= $1";
    if let Some(request_id) = &filter.request_id {
        values.push(request_id.as_str().into());
        start = "id <= $1 AND request_id = $6";
    }
    let text = format!(
        "SELECT {} FROM (SELECT page_key FROM (SELECT id, {key} AS page_key, state, {} AS code, \
         {} AS business_id FROM {table} WHERE {start} \
         ORDER BY id DESC LIMIT {PAGE_SCAN_MAX}) AS walk \
         WHERE (CAST($2 AS BIGINT) = 1 OR {}) AND (CAST($4 AS TEXT) IS NULL OR code = $4) \
         AND (CAST($5 AS TEXT) IS NULL OR business_id = $5) \
         ORDER BY id DESC LIMIT {rows_max}) AS page \
         JOIN {table} AS r {} ON r.{key} = page.page_key ORDER BY r.id DESC",
        more_columns(dialect, order, place),
        comparable(&CODE, ""),
        comparable(&KEY, ""),
        dialect.int_in("state", 3),
        dialect.by_id()
    );
    (text, values)
}

/// A request as it can be shown, and what of it cannot be read.
fn row_of(row: &Record) -> Result<Row, SourceError> {
    let mut reader = Reader::of_request(row)?;
    let mut shown = Row {
        id: RequestId(row.int("id")?),
        key: reader.text(&KEY)?,
        request_id: reader.needed_text(&REQUEST_ID)?,
        state: byte(reader.int("state")?),
        code: reader.needed_text(&CODE)?,
        group: reader.text(&GROUP)?,
        region: reader.text(&REGION)?,
        key_seq: row.maybe_int("key_seq")?,
        priority: byte(reader.int("priority")?),
        window: reader.text(&WINDOW)?,
        due_ms: reader.int("due_at")?,
        expires_ms: row.maybe_int("expires_at")?,
        attempts: attempts_of(reader.int("attempts")?),
        status: row.maybe_int("last_status")?,
        error: row.maybe_lossy("last_error")?,
        fence: Fence(reader.int("fence")?),
        created_ms: reader.int("created_at")?,
        updated_ms: row.maybe_int("updated_at")?,
        done_ms: row.maybe_int("done_at")?,
        archived_ms: row.maybe_int("archived_at")?,
        body_bytes: u64::try_from(row.maybe_int("body_bytes")?.unwrap_or(0)).unwrap_or(0),
        unreadable: None,
    };
    shown.unreadable = reader.wrong();
    Ok(shown)
}

/// Of its body, only the beginning.
async fn row(
    work: &mut Work,
    dialect: Dialect,
    order: CommitOrder,
    id: RequestId,
) -> Result<Answer, SourceError> {
    let mut rows = Vec::new();
    for place in [Place::Table, Place::Archive] {
        if rows.is_empty() {
            let text = row_text(dialect, order, place);
            rows = work.rows(text, vec![id.0.into()]).await?;
        }
    }
    let Some(record) = rows.first() else {
        return Ok(Answer::Row(None));
    };
    let mut row = row_of(record)?;
    let (content, wrong) = content_of(record, u64::MAX)?;
    row.unreadable = row.unreadable.or(wrong);
    Ok(Answer::Row(Some(Box::new((row, content)))))
}

/// The statement that looks for one request. Of those that were moved under one id, which only a
/// table that was made anew can have given twice, the last one is meant.
fn row_text(dialect: Dialect, order: CommitOrder, place: Place) -> String {
    let column = |(name, value): (&str, String)| match name {
        "body" => format!(
            "CASE WHEN {} <= {BODY_BYTES_MAX} THEN {} END AS body",
            dialect.body_bytes("r."),
            dialect.first_bytes("r.body", LOOK_BODY_BYTES_MAX)
        ),
        _ => format!("{value} AS {name}"),
    };
    let content: Vec<String> = content_columns(dialect).into_iter().map(column).collect();
    let from = match place {
        Place::Table => "relay_request AS r WHERE r.id = $1",
        Place::Archive => "relay_archive AS r WHERE r.id = $1 ORDER BY r.archive_no DESC LIMIT 1",
    };
    let shown = more_columns(dialect, order, place);
    format!("SELECT {shown}, {} FROM {from}", content.join(", "))
}

async fn retention(work: &mut Work) -> Result<Answer, SourceError> {
    let text = "SELECT CAST(owner AS TEXT) AS owner, ended_at, archived, deleted, forgotten \
                FROM relay_retention WHERE one = 1";
    let row = work.row(text.to_owned(), Vec::new()).await?;
    let count = |name| Ok::<_, SourceError>(u64::try_from(row.int(name)?).unwrap_or(0));
    Ok(Answer::Retention(RetentionState {
        owner: row.maybe_text("owner")?,
        ended_ms: row.maybe_int("ended_at")?,
        archived: count("archived")?,
        deleted: count("deleted")?,
        forgotten: count("forgotten")?,
    }))
}

async fn blocked_keys(
    work: &mut Work,
    dialect: Dialect,
    after: RequestId,
    rows_max: u32,
) -> Result<Answer, SourceError> {
    let now = dialect.now();
    let is_after = if after == RequestId::LOWEST { ">=" } else { ">" };
    let text = format!(
        "SELECT h.id AS id, {} AS business_id, \
         {} AS code, CAST(coalesce(h.updated_at, h.created_at) AS BIGINT) \
         AS since, {} AS last_error, {now} AS now_ms, \
         ({}) AS depth \
         FROM relay_request AS h {} AND h.id {is_after} $1 ORDER BY h.id LIMIT {}",
        bounded(&KEY, "h."),
        bounded(&CODE, "h."),
        bounded(&LAST_ERROR, "h."),
        depth(dialect),
        are_blocked(dialect),
        rows_max.clamp(1, PAGE_ROWS_MAX)
    );
    let rows = work.rows(text, vec![after.0.into()]).await?;
    rows.iter().map(blocked_key_of).collect::<Result<_, _>>().map(Answer::BlockedKeys)
}

/// Which requests are blocked, by the index on them.
fn are_blocked(dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => "WHERE h.state = 2".to_owned(),
        Dialect::Mysql => {
            format!("{} WHERE h.is_blocked = 1", dialect.by_index(BLOCKED_INDEX))
        }
    }
}

/// How many open requests the key of a row `h` has, counted up to a bound.
fn depth(dialect: Dialect) -> String {
    if dialect == Dialect::Mysql {
        return mysql::look::depth();
    }
    format!(
        "SELECT count(*) FROM (SELECT 1 FROM relay_request AS f WHERE f.state < 3 \
         AND f.slot = h.slot AND f.business_id = h.business_id \
         UNION ALL SELECT 1 FROM relay_request AS f WHERE f.state < 3 \
         AND f.slot IS NULL AND f.business_id = h.business_id \
         LIMIT {DEPTH_MAX}) AS counted"
    )
}

fn blocked_key_of(row: &Record) -> Result<BlockedKey, SourceError> {
    let since_ms = row.int("since")?;
    Ok(BlockedKey {
        key: row.maybe_lossy("business_id")?,
        head: RequestId(row.int("id")?),
        code: row.maybe_lossy("code")?.unwrap_or_else(|| TOO_LONG.to_owned()),
        since_ms,
        age_ms: row.int("now_ms")?.saturating_sub(since_ms).max(0),
        depth: u64::try_from(row.int("depth")?).unwrap_or(0).max(1),
        error: row.maybe_lossy("last_error")?,
    })
}

async fn buckets(work: &mut Work, dialect: Dialect) -> Result<Answer, SourceError> {
    let text = format!(
        "SELECT bucket, CAST(slot_first AS BIGINT) AS slot_first, \
         CAST(slot_last AS BIGINT) AS slot_last, CAST(owner AS TEXT) AS owner, fence, \
         lease_until, granted_at, CAST(is_draining AS BIGINT) AS is_draining, \
         CAST(is_silent AS BIGINT) AS is_silent, {} AS now_ms FROM relay_bucket \
         ORDER BY bucket LIMIT {OWNERS_MAX}",
        dialect.now()
    );
    let rows = work.rows(text, Vec::new()).await?;
    rows.iter().map(bucket_row_of).collect::<Result<_, _>>().map(Answer::Buckets)
}

fn bucket_row_of(row: &Record) -> Result<BucketRow, SourceError> {
    let bucket = bucket_of(row)?;
    Ok(BucketRow {
        bucket: bucket.number,
        slots: bucket.slots,
        lease_left_ms: match bucket.owner {
            Some(_) => bucket.lease_until_ms - row.int("now_ms")?,
            None => 0,
        },
        owner: bucket.owner,
        fence: Fence(bucket.fence),
        is_draining: bucket.is_draining,
    })
}

async fn nodes(work: &mut Work, dialect: Dialect) -> Result<Answer, SourceError> {
    let text = format!(
        "SELECT CAST(node AS TEXT) AS node, CAST(seen_at AS BIGINT) AS seen_at, \
         CAST(lives_until AS BIGINT) AS lives_until, CAST(is_wanting AS BIGINT) AS is_wanting, \
         {} AS now_ms FROM relay_node ORDER BY node LIMIT {OWNERS_MAX}",
        dialect.now()
    );
    let rows = work.rows(text, Vec::new()).await?;
    rows.iter().map(node_row_of).collect::<Result<_, _>>().map(Answer::Nodes)
}

fn node_row_of(row: &Record) -> Result<NodeRow, SourceError> {
    let now_ms = row.int("now_ms")?;
    Ok(NodeRow {
        node: row.text("node")?,
        seen_ago_ms: now_ms.saturating_sub(row.int("seen_at")?).max(0),
        is_alive: row.int("lives_until")? >= now_ms,
        is_wanting: row.is_set("is_wanting")?,
    })
}
