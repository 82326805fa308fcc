//! The tables of a source: how they look, and how they come into being.
//!
//! Whoever writes requests need give a code, a body and, for order, a business id; all else has
//! defaults. `grp` empty means the group of the code, `region` empty the region of the relay that
//! reads it. States: 0 ready, 1 sending, 2 blocked, 3 done, 4 failed, 5 expired, 6 rejected, 7
//! cancelled; those below 3 are open. Instants are Unix milliseconds.

mod mysql;
mod postgres;
mod sqlite;
pub(super) mod state_guard;

use posthouse_pump::request::RequestId;

use super::base::{Base, Dialect, Door, Options, Value, Work};
use super::error::SourceError;
use super::layout;
use super::limits::BUCKETS_DEFAULT;
use super::mysql::prepare::check_version;
use super::ownership::lay_out;
use super::prepare::types_of;
use super::round::insert_buckets;

/// The version of the schema that this relay knows.
pub const VERSION: i64 = 2;

/// The index on the ids of open requests.
pub(super) const OPEN_INDEX: &str = "relay_request_open";

/// The index on the slots and ids of open requests.
pub(super) const SLOT_INDEX: &str = "relay_request_slot";

/// The index on the ids of blocked requests.
pub(super) const BLOCKED_INDEX: &str = "relay_request_blocked";

/// The index on the keys of open requests without a slot; SQLite only.
pub(super) const UNSLOTTED_INDEX: &str = "relay_request_unslotted";

/// The index on the numbers that writers give the requests of a key, whatever their state.
pub(super) const KEY_SEQ_INDEX: &str = "relay_request_key_seq";

/// The index on such numbers of open requests.
pub(super) const KEY_OPEN_INDEX: &str = "relay_request_key_open";

/// The indexes that the order by such numbers needs beside the others.
pub(super) const KEY_SEQ_INDEXES: [&str; 2] = [KEY_SEQ_INDEX, KEY_OPEN_INDEX];

/// What a table lacks that was made before there were such numbers.
pub(super) const ADD_KEY_SEQ: &str =
    "ALTER TABLE relay_request ADD COLUMN key_seq BIGINT CHECK (key_seq > 0)";

/// The indexes of a dialect.
pub(super) fn indexes(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Postgres | Dialect::Mysql => &[OPEN_INDEX, SLOT_INDEX, BLOCKED_INDEX],
        Dialect::Sqlite => &[OPEN_INDEX, SLOT_INDEX, BLOCKED_INDEX, UNSLOTTED_INDEX],
    }
}

/// The tables in the words of a dialect, for people who create tables themselves. It ends with the
/// rows that must be there.
pub fn ddl(dialect: Dialect) -> String {
    let tables = match dialect {
        Dialect::Postgres => postgres::DDL,
        Dialect::Mysql => mysql::DDL,
        Dialect::Sqlite => sqlite::DDL,
    };
    format!("{tables}{}", first_rows(dialect))
}

/// The first fence is the time: if somebody creates these tables anew beside old requests, it is
/// higher than what those carry.
fn first_rows(dialect: Dialect) -> String {
    let now = dialect.now();
    let (new_buckets, unless_there) = match dialect {
        Dialect::Postgres | Dialect::Sqlite => {
            let nothing = "ON CONFLICT DO NOTHING";
            let version = "ON CONFLICT (one) DO UPDATE SET version = excluded.version \
                           WHERE relay_schema.version < excluded.version";
            let new_buckets = format!("(VALUES {}) AS new_bucket", buckets("(", ")"));
            (new_buckets, [version, nothing, nothing, nothing])
        }
        // Of what is there already, nothing is changed but the version.
        Dialect::Mysql => (
            format!(
                "JSON_TABLE('[{}]', '$[*]' COLUMNS (bucket BIGINT PATH '$[0]', \
                 slot_first BIGINT PATH '$[1]', slot_last BIGINT PATH '$[2]')) AS new_bucket",
                buckets("[", "]")
            ),
            [
                "ON DUPLICATE KEY UPDATE version = greatest(version, VALUES(version))",
                "ON DUPLICATE KEY UPDATE bucket = VALUES(bucket)",
                "ON DUPLICATE KEY UPDATE one = VALUES(one)",
                "ON DUPLICATE KEY UPDATE one = VALUES(one)",
            ],
        ),
    };
    let [schema_is_there, bucket_is_there, control_is_there, walk_is_there] = unless_there;
    format!(
        "INSERT INTO relay_schema (one, version) VALUES (1, {VERSION}) {schema_is_there};\n\
         INSERT INTO relay_bucket (bucket, slot_first, slot_last)\n  \
         SELECT * FROM {new_buckets}\n  \
         WHERE NOT EXISTS (SELECT 1 FROM relay_control) {bucket_is_there};\n\
         INSERT INTO relay_control (one, version, trimmed_version, layout, buckets, fence)\n  \
         VALUES (1, 1, 1, 1, {BUCKETS_DEFAULT}, {now}) {control_is_there};\n\
         INSERT INTO relay_retention (one, lease_until, after_id, walk_removed, archived, deleted, \
         forgotten)\n  VALUES (1, 0, {}, 0, 0, 0, 0) {walk_is_there};\n",
        RequestId::LOWEST.0
    )
}

/// The buckets of a new source, each between two signs.
fn buckets(open: &str, close: &str) -> String {
    let buckets: Vec<String> = lay_out(1, BUCKETS_DEFAULT)
        .iter()
        .map(|(bucket, slots)| {
            format!("{open}{}, {}, {}{close}", bucket.0, slots.first.0, slots.last.0)
        })
        .collect();
    buckets.join(", ")
}

/// Creates what is missing, buckets too, in one transaction; what is there stays as it is, but for
/// a column that a table of an older version lacks. A SQLite file that is not there is created, and
/// set to write-ahead logging, so that readers and writers do not wait for each other.
///
/// # Errors
/// [`SourceError`], if the database is not to be had or does not let us.
pub async fn init(url: &str) -> Result<(), SourceError> {
    let base = Base::open(&creating(url), &Options::default())?;
    let done =
        create(&base).await.map_err(|error| error.while_doing("creating the relay's tables"));
    base.close().await;
    done
}

fn creating(url: &str) -> String {
    match url {
        _ if !url.starts_with("sqlite:") || url.contains("mode=") => url.to_owned(),
        _ if url.contains('?') => format!("{url}&mode=rwc"),
        _ => format!("{url}?mode=rwc"),
    }
}

async fn create(base: &Base) -> Result<(), SourceError> {
    match base.dialect() {
        Dialect::Mysql => create_step_by_step(base).await,
        Dialect::Postgres | Dialect::Sqlite => create_at_once(base).await,
    }
}

async fn create_at_once(base: &Base) -> Result<(), SourceError> {
    if base.dialect() == Dialect::Sqlite {
        let mut work = base.single(Door::Round).await?;
        work.script("PRAGMA journal_mode = WAL").await?;
        work.done();
    }
    let mut work = base.write(Door::Round).await?;
    if base.dialect() == Dialect::Postgres {
        // Two who create at the same time would trip over each other's catalogue entries.
        work.script("SELECT pg_advisory_xact_lock(7235061)").await?;
    }
    add_columns(&mut work, base.dialect()).await?;
    work.script(&ddl(base.dialect())).await?;
    state_guard::add(&mut work, base.dialect()).await?;
    layout::repair(&mut work, base.dialect()).await?;
    work.commit().await
}

/// MySQL and MariaDB end a transaction with every table that they create. So each step changes
/// nothing where it was done already, and whoever was interrupted begins again.
async fn create_step_by_step(base: &Base) -> Result<(), SourceError> {
    let mut steps = base.single(Door::Work).await?;
    check_version(&mut steps).await?;
    // Two who create at the same time would trip over each other's columns.
    steps.script("SELECT get_lock('posthouse relay init', 4)").await?;
    add_columns(&mut steps, Dialect::Mysql).await?;
    steps.script(&ddl(Dialect::Mysql)).await?;
    let mut work = base.write(Door::Round).await?;
    layout::repair(&mut work, Dialect::Mysql).await?;
    work.commit().await?;
    steps.script("SELECT release_lock('posthouse relay init')").await?;
    steps.done();
    Ok(())
}

/// Adds what a table of an older version lacks, before indexes are made on it.
async fn add_columns(work: &mut Work, dialect: Dialect) -> Result<(), SourceError> {
    let types = types_of(work, dialect, "relay_request").await?;
    if types.is_empty() {
        return Ok(());
    }
    if !types.contains_key("key_seq") {
        work.script(ADD_KEY_SEQ).await?;
    }
    if dialect == Dialect::Mysql && !types.contains_key("number_key") {
        work.script(mysql::ADD_KEYS).await?;
    }
    Ok(())
}

/// Replaces the layout by one with another number of buckets. Those of the old one stay until they
/// are given back.
pub(super) async fn replace_layout(
    work: &mut Work,
    dialect: Dialect,
    layout: u32,
    buckets: u32,
) -> Result<(), SourceError> {
    insert_buckets(work, dialect, &lay_out(layout, buckets)).await?;
    let text = "UPDATE relay_control SET layout = $1, buckets = $2".to_owned();
    work.change(text, vec![i64::from(layout).into(), Value::from(i64::from(buckets))]).await?;
    Ok(())
}
