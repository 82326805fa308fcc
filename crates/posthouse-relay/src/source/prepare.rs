//! Checks before a source is used: everything that would go wrong later, said at once and in one
//! sentence.

use std::collections::BTreeMap;

use posthouse_pump::read::{Read, ReadNo, SlotRange, Span};
use posthouse_pump::request::{RequestId, SLOTS, Slot};

use super::base::{Base, CommitOrder, Dialect, Door, Options, Value, Work};
use super::error::SourceError;
use super::layout;
use super::mysql;
use super::read_text::reading;
use super::schema::{ADD_KEY_SEQ, KEY_SEQ_INDEXES, VERSION, indexes, state_guard};

/// What a column must be able to hold.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Holds {
    /// Whole numbers.
    Numbers,
    /// Texts.
    Texts,
    /// Bytes.
    Bytes,
}

/// A table, its columns by what they hold, and what the relay does to it.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    numbers: &'static [&'static str],
    texts: &'static [&'static str],
    bytes: &'static [&'static str],
    rights: &'static [&'static str],
}

impl Table {
    /// All of them.
    pub(super) fn columns(&self) -> String {
        [self.numbers, self.texts, self.bytes].concat().join(", ")
    }

    /// One of its columns.
    pub(super) fn any_column(&self) -> &'static str {
        self.numbers.first().or(self.texts.first()).copied().unwrap_or("1")
    }
}

const ALL_RIGHTS: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE"];

const TABLES: [Table; 10] = [
    Table {
        name: "relay_schema",
        numbers: &["version"],
        texts: &[],
        bytes: &[],
        rights: &["SELECT"],
    },
    Table {
        name: "relay_request",
        numbers: &[
            "id",
            "slot",
            "priority",
            "state",
            "due_at",
            "expires_at",
            "attempts",
            "last_status",
            "fence",
            "created_at",
            "updated_at",
            "done_at",
        ],
        texts: &[
            "request_id",
            "code",
            "grp",
            "region",
            "protocol",
            "service",
            "method",
            "headers",
            "content_type",
            "business_id",
            "window_name",
            "last_error",
            "traceparent",
        ],
        bytes: &["body"],
        rights: &["SELECT", "UPDATE"],
    },
    Table {
        name: "relay_control",
        numbers: &["version", "trimmed_version", "layout", "buckets", "fence"],
        texts: &[],
        bytes: &[],
        rights: &["SELECT", "UPDATE"],
    },
    Table {
        name: "relay_bucket",
        numbers: &[
            "bucket",
            "slot_first",
            "slot_last",
            "fence",
            "lease_until",
            "granted_at",
            "is_draining",
            "is_silent",
        ],
        texts: &["owner"],
        bytes: &[],
        rights: ALL_RIGHTS,
    },
    Table {
        name: "relay_node",
        numbers: &["seen_at", "lives_until", "is_wanting"],
        texts: &["node"],
        bytes: &[],
        rights: ALL_RIGHTS,
    },
    Table {
        name: "relay_switch",
        numbers: &["is_active"],
        texts: &["grp"],
        bytes: &[],
        rights: ALL_RIGHTS,
    },
    Table {
        name: "relay_hold",
        numbers: &[],
        texts: &["kind", "name"],
        bytes: &[],
        rights: ALL_RIGHTS,
    },
    Table {
        name: "relay_change",
        numbers: &["version", "request"],
        texts: &[],
        bytes: &[],
        rights: &["SELECT", "INSERT", "DELETE"],
    },
    Table {
        name: "relay_archive",
        numbers: &[
            "id",
            "key_seq",
            "slot",
            "priority",
            "state",
            "due_at",
            "expires_at",
            "attempts",
            "last_status",
            "fence",
            "created_at",
            "updated_at",
            "done_at",
            "archived_at",
        ],
        texts: &[
            "request_id",
            "code",
            "grp",
            "region",
            "protocol",
            "service",
            "method",
            "headers",
            "content_type",
            "business_id",
            "window_name",
            "last_error",
            "traceparent",
        ],
        bytes: &["body"],
        rights: &["SELECT"],
    },
    Table {
        name: "relay_retention",
        numbers: &[
            "lease_until",
            "after_id",
            "walk_removed",
            "ended_at",
            "archived",
            "deleted",
            "forgotten",
        ],
        texts: &["owner"],
        bytes: &[],
        rights: &["SELECT"],
    },
];

/// What else the relay does to a table where finished requests do not stay for ever.
fn retention_rights(table: &Table, options: &Options) -> &'static [&'static str] {
    match (table.name, options.retention.has_work()) {
        ("relay_request", true) => &["DELETE"],
        ("relay_archive", true) => &["INSERT", "DELETE"],
        ("relay_retention", true) => &["UPDATE"],
        _ => &[],
    }
}

/// See [`Source::prepare`](super::Source::prepare).
pub(super) async fn prepare(base: &Base, options: &Options) -> Result<(), SourceError> {
    base.adopt().await?;
    let dialect = base.dialect();
    let mut work = base.single(Door::Work).await?;
    check_server(&mut work, dialect, options).await?;
    for table in &TABLES {
        check_columns(&mut work, dialect, table).await?;
    }
    check_version(&mut work).await?;
    layout::check(&mut work).await?;
    state_guard::check(&mut work, dialect).await?;
    for index in indexes(dialect) {
        check_index(&mut work, dialect, index).await?;
    }
    if options.order == CommitOrder::KeySeq {
        check_key_seq(&mut work, dialect).await?;
    }
    if options.retention.is_archived {
        check_numbered(&mut work, dialect).await?;
    }
    check_rights(&mut work, dialect, options).await?;
    for read in sample_reads() {
        check_plan(&mut work, dialect, options, &read).await?;
    }
    work.done();
    check_writing(base).await
}

async fn check_server(
    work: &mut Work,
    dialect: Dialect,
    options: &Options,
) -> Result<(), SourceError> {
    if dialect == Dialect::Mysql {
        return mysql::prepare::check_server(work, options).await;
    }
    if dialect == Dialect::Sqlite {
        return match options.order {
            CommitOrder::Id | CommitOrder::KeySeq => Ok(()),
            CommitOrder::Xid => Err(SourceError::unfit(
                "the order `xid` is for PostgreSQL: SQLite commits in the order of ids anyway",
            )),
        };
    }
    let text = "SELECT CAST(current_setting('server_version_num') AS BIGINT) AS version, \
                CAST(current_setting('server_encoding') AS TEXT) AS encoding";
    let row = work.row(text.to_owned(), Vec::new()).await?;
    if row.int("version")? < 130_000 {
        return Err(SourceError::unfit("PostgreSQL 13 or later is needed: update the server"));
    }
    match row.text("encoding")?.as_str() {
        "UTF8" => Ok(()),
        other => Err(SourceError::unfit(format!(
            "the database has the encoding {other}, and the relay needs UTF8: create it with \
             `CREATE DATABASE ... ENCODING 'UTF8'`"
        ))),
    }
}

async fn check_columns(
    work: &mut Work,
    dialect: Dialect,
    table: &Table,
) -> Result<(), SourceError> {
    let types = types_of(work, dialect, table.name).await?;
    if types.is_empty() {
        return Err(SourceError::unfit(format!(
            "the table `{}` is missing: run `posthouse relay init` on this database",
            table.name
        )));
    }
    let kinds =
        [(Holds::Numbers, table.numbers), (Holds::Texts, table.texts), (Holds::Bytes, table.bytes)];
    for (holds, columns) in kinds {
        for column in columns {
            check_column(dialect, table.name, column, holds, types.get(*column))?;
        }
    }
    let mut own = own_columns(dialect, table).iter();
    match own.find(|column| !types.contains_key(**column)) {
        Some(missing) => Err(missing_column(table.name, missing)),
        None => Ok(()),
    }
}

/// What only one dialect has. PostgreSQL's tables have the column `xid` from the beginning, so that
/// its order can be chosen at any time; those of MySQL and MariaDB have columns for indexes.
fn own_columns(dialect: Dialect, table: &Table) -> &'static [&'static str] {
    match dialect {
        Dialect::Postgres if table.name == "relay_request" => &["xid"],
        Dialect::Mysql if table.name == "relay_request" => {
            &["body_bytes", "is_open", "is_blocked", "open_slot"]
        }
        _ => &[],
    }
}

/// The columns of a table with their types; nothing if there is no such table.
pub(super) async fn types_of(
    work: &mut Work,
    dialect: Dialect,
    table: &str,
) -> Result<BTreeMap<String, String>, SourceError> {
    let text = match dialect {
        Dialect::Postgres => {
            "SELECT CAST(attname AS TEXT) AS name, \
             CAST(format_type(atttypid, NULL) AS TEXT) AS type FROM pg_attribute \
             WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped"
        }
        Dialect::Mysql => mysql::prepare::TYPES,
        Dialect::Sqlite => "SELECT name, lower(type) AS type FROM pragma_table_xinfo($1)",
    };
    let rows = work.rows(text.to_owned(), vec![table.into()]).await?;
    rows.iter().map(|row| Ok((row.text("name")?, row.text("type")?))).collect()
}

fn missing_column(table: &str, column: &str) -> SourceError {
    SourceError::unfit(format!(
        "the table `{table}` has no column `{column}`: add it as `posthouse relay ddl` shows it"
    ))
}

fn check_column(
    dialect: Dialect,
    table: &str,
    column: &str,
    holds: Holds,
    found: Option<&String>,
) -> Result<(), SourceError> {
    let Some(found) = found else {
        return Err(missing_column(table, column));
    };
    match is_fit(dialect, holds, found) {
        true => Ok(()),
        false => Err(SourceError::unfit(format!(
            "the column `{column}` of the table `{table}` has the type {found}, which does not \
             fit: change it to what `posthouse relay ddl` shows"
        ))),
    }
}

/// SQLite's types are no more than what a column prefers (sqlite.org/datatype3.html, section 3.1).
fn is_fit(dialect: Dialect, holds: Holds, found: &str) -> bool {
    match (dialect, holds) {
        (Dialect::Postgres, Holds::Numbers) => ["smallint", "integer", "bigint"].contains(&found),
        (Dialect::Postgres, Holds::Texts) => {
            ["character varying", "text", "character"].contains(&found)
        }
        (Dialect::Postgres, Holds::Bytes) => found == "bytea",
        (Dialect::Mysql, _) => mysql::prepare::is_fit(holds, found),
        (Dialect::Sqlite, Holds::Numbers) => found.contains("int"),
        (Dialect::Sqlite, Holds::Texts) => {
            ["char", "text", "clob"].iter().any(|part| found.contains(part))
        }
        (Dialect::Sqlite, Holds::Bytes) => !found.contains("int"),
    }
}

async fn check_version(work: &mut Work) -> Result<(), SourceError> {
    let text = "SELECT CAST(max(version) AS BIGINT) AS version FROM relay_schema".to_owned();
    let found = work.row(text, Vec::new()).await?.maybe_int("version")?.unwrap_or(0);
    match found.cmp(&VERSION) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(SourceError::unfit(format!(
            "the table `relay_schema` holds version {found}, and this relay needs {VERSION}: run \
             `posthouse relay init` on this database"
        ))),
        std::cmp::Ordering::Greater => Err(SourceError::unfit(format!(
            "the table `relay_schema` holds version {found}, and this relay knows {VERSION}: \
             update Posthouse on this node"
        ))),
    }
}

async fn check_index(work: &mut Work, dialect: Dialect, index: &str) -> Result<(), SourceError> {
    let text = match dialect {
        Dialect::Postgres => {
            "SELECT count(*) AS found FROM pg_index WHERE indexrelid = to_regclass($1) \
             AND indrelid = to_regclass('relay_request') AND indisvalid AND indpred IS NOT NULL"
        }
        Dialect::Sqlite => {
            "SELECT count(*) AS found FROM sqlite_schema WHERE type = 'index' AND name = $1 \
             AND tbl_name = 'relay_request' AND sql LIKE '%WHERE%'"
        }
        Dialect::Mysql => mysql::prepare::INDEX,
    };
    match work.row(text.to_owned(), vec![index.into()]).await?.int("found")? {
        0 => Err(SourceError::unfit(format!(
            "the index `{index}` on the table `relay_request` is missing or not valid: create it \
             as `posthouse relay ddl` shows it"
        ))),
        _ => Ok(()),
    }
}

/// A table that was made before writers could number their requests lacks the column, which matters
/// only to whoever chooses that order.
async fn check_key_seq(work: &mut Work, dialect: Dialect) -> Result<(), SourceError> {
    let types = types_of(work, dialect, "relay_request").await?;
    if !types.contains_key("key_seq") {
        return Err(SourceError::unfit(format!(
            "the order `key_seq` needs a column that the table `relay_request` does not have: run \
             `{ADD_KEY_SEQ}`, and create the indexes {} as `posthouse relay ddl` shows them; or \
             run `posthouse relay init`, which does both",
            KEY_SEQ_INDEXES.join(" and ")
        )));
    }
    check_column(dialect, "relay_request", "key_seq", Holds::Numbers, types.get("key_seq"))?;
    for index in KEY_SEQ_INDEXES {
        check_index(work, dialect, index).await?;
    }
    Ok(())
}

/// What goes into the archive takes its number along.
async fn check_numbered(work: &mut Work, dialect: Dialect) -> Result<(), SourceError> {
    let types = types_of(work, dialect, "relay_request").await?;
    match types.contains_key("key_seq") {
        true => Ok(()),
        false => Err(missing_column("relay_request", "key_seq")),
    }
}

/// The columns of requests that the relay writes: it needs no right to change any other.
const WRITTEN: [&str; 8] =
    ["state", "due_at", "attempts", "last_status", "last_error", "fence", "updated_at", "done_at"];

async fn check_rights(
    work: &mut Work,
    dialect: Dialect,
    options: &Options,
) -> Result<(), SourceError> {
    if dialect == Dialect::Sqlite {
        return Ok(());
    }
    for table in &TABLES {
        for right in table.rights.iter().chain(retention_rights(table, options)) {
            let columns: &[&str] = match (table.name, *right) {
                ("relay_request", "UPDATE") => &WRITTEN,
                _ => &[],
            };
            match dialect {
                Dialect::Mysql => mysql::prepare::check_right(work, table, right, columns).await?,
                _ => check_right(work, table.name, right, columns).await?,
            }
        }
    }
    Ok(())
}

async fn check_right(
    work: &mut Work,
    table: &str,
    right: &str,
    columns: &[&str],
) -> Result<(), SourceError> {
    let text = "SELECT CAST(current_user AS TEXT) AS who, CAST(CASE \
                WHEN has_table_privilege(to_regclass($1), $2) THEN 1 \
                WHEN cardinality(CAST($3 AS TEXT[])) = 0 THEN 0 \
                WHEN EXISTS (SELECT 1 FROM unnest(CAST($3 AS TEXT[])) AS c(name) \
                WHERE NOT has_column_privilege(to_regclass($1), c.name, $2)) THEN 0 \
                ELSE 1 END AS BIGINT) AS is_granted";
    let values = vec![table.into(), right.into(), Value::texts(columns.iter().copied())];
    let row = work.row(text.to_owned(), values).await?;
    match row.is_set("is_granted")? {
        true => Ok(()),
        false => Err(missing_right(table, right, columns, &row.text("who")?)),
    }
}

/// What is told of a right that is missing.
pub(super) fn missing_right(table: &str, right: &str, columns: &[&str], who: &str) -> SourceError {
    let which = match columns {
        [] => right.to_owned(),
        columns => format!("{right} ({})", columns.join(", ")),
    };
    SourceError::unfit(format!(
        "the user {who} has no right to {right} on the table `{table}`: run \
         `GRANT {which} ON {table} TO {who}`"
    ))
}

async fn check_writing(base: &Base) -> Result<(), SourceError> {
    let text = "UPDATE relay_control SET version = version WHERE one = 0";
    let tried = async {
        let mut work = base.write(Door::Work).await?;
        work.change(text.to_owned(), Vec::new()).await?;
        work.undo().await
    };
    tried.await.map_err(cannot_be_written)
}

/// Of an error while something was tried out that changes nothing.
pub(super) fn cannot_be_written(error: SourceError) -> SourceError {
    error.while_doing("the database cannot be written to; point the source at the primary")
}

fn sample_reads() -> [Read; 3] {
    let after = RequestId(i64::MAX - 1);
    [
        sample(Span::Forward { after }),
        sample(Span::Again { after, up_to: RequestId(i64::MAX) }),
        sample(Span::Key { slot: Slot(0), key: "key".into(), from: after }),
    ]
}

fn sample(span: Span) -> Read {
    let slots = [SlotRange { first: Slot(0), last: Slot(SLOTS - 1) }];
    Read {
        number: ReadNo(0),
        span,
        slots: slots.as_slice().into(),
        codes: ["code".into()].as_slice().into(),
        rows_max: 500,
        bytes_max: 1,
    }
}

/// Asks how a read would be carried out: none may walk over the whole table.
async fn check_plan(
    work: &mut Work,
    dialect: Dialect,
    options: &Options,
    read: &Read,
) -> Result<(), SourceError> {
    let (text, span_values) = reading(dialect, options.order, read);
    let mut values = vec![Value::Bytes(Vec::new()), Value::texts(["code"]), 1.into(), 1.into()];
    values.extend(span_values);
    for step in steps_of(work, dialect, &text, values).await? {
        if is_whole_walk(dialect, &step) {
            return Err(SourceError::unfit(format!(
                "reads would walk over the whole table `relay_request`: create the indexes that \
                 `posthouse relay ddl` shows, and run `{}`",
                dialect.analyze()
            )));
        }
    }
    Ok(())
}

/// How a statement would be carried out, step by step.
pub(super) async fn steps_of(
    work: &mut Work,
    dialect: Dialect,
    text: &str,
    values: Vec<Value>,
) -> Result<Vec<String>, SourceError> {
    let (explain, column) = match dialect {
        Dialect::Postgres => ("EXPLAIN ", "QUERY PLAN"),
        Dialect::Sqlite => ("EXPLAIN QUERY PLAN ", "detail"),
        Dialect::Mysql => return mysql::prepare::steps_of(work, text, values).await,
    };
    let rows = work.rows(format!("{explain}{text}"), values).await?;
    rows.iter().map(|row| row.text(column)).collect()
}

fn is_whole_walk(dialect: Dialect, step: &str) -> bool {
    match dialect {
        Dialect::Postgres => step.contains("Seq Scan on relay_request"),
        Dialect::Mysql => mysql::prepare::is_whole_walk(step),
        Dialect::Sqlite => {
            (step.contains("SCAN relay_request") || step.starts_with("SCAN r"))
                && !step.contains("USING")
        }
    }
}
