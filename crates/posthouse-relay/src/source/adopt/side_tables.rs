//! The tables in which a feed keeps what it must know: how far it came, which ids were missing,
//! which rows it has fed and told, and which it could not feed.

use crate::source::base::{Base, Dialect, Door, Work};
use crate::source::error::SourceError;
use crate::source::prepare::types_of;

/// Their names.
pub(super) const TABLES: [&str; 4] = ["relay_feed", "relay_feed_gap", "relay_fed", "relay_unfed"];

/// Every statement that makes them, each of which changes nothing where the thing is there already.
pub(super) fn ddl(dialect: Dialect) -> Vec<String> {
    let (small, key, end) = match dialect {
        Dialect::Postgres => ("SMALLINT", "VARCHAR(128)", ""),
        Dialect::Sqlite => ("INTEGER", "TEXT", ""),
        Dialect::Mysql => (
            "SMALLINT",
            "VARCHAR(128)",
            " ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE \
             /*M!100600 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */",
        ),
    };
    let index = |name: &str, columns: &str| match dialect {
        Dialect::Mysql => format!(", INDEX {name} ({columns})"),
        Dialect::Postgres | Dialect::Sqlite => String::new(),
    };
    let mut made = vec![
        format!(
            "CREATE TABLE IF NOT EXISTS relay_feed (one {small} NOT NULL PRIMARY KEY \
             CHECK (one = 1), adopted VARCHAR(200) NOT NULL, passed_id BIGINT){end}"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS relay_feed_gap (first_id BIGINT NOT NULL PRIMARY KEY, \
             last_id BIGINT NOT NULL, since BIGINT NOT NULL){end}"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS relay_fed (row_id BIGINT NOT NULL PRIMARY KEY, \
             request BIGINT NOT NULL UNIQUE, told {small} NOT NULL DEFAULT 0{}){end}",
            index("relay_fed_told", "told, row_id")
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS relay_unfed (row_id BIGINT NOT NULL PRIMARY KEY, \
             business_id {key}, reason VARCHAR(500) NOT NULL, since BIGINT NOT NULL{}){end}",
            index("relay_unfed_key", "business_id, row_id")
        ),
    ];
    if dialect != Dialect::Mysql {
        made.extend([
            "CREATE INDEX IF NOT EXISTS relay_fed_told ON relay_fed (told, row_id)".to_owned(),
            "CREATE INDEX IF NOT EXISTS relay_unfed_key ON relay_unfed (business_id, row_id)"
                .to_owned(),
        ]);
    }
    made
}

/// The row that a feed locks.
pub(super) fn first_row(dialect: Dialect, adopted: &str) -> String {
    let adopted = super::quoting::literal(dialect, adopted);
    let unless_there = match dialect {
        Dialect::Postgres | Dialect::Sqlite => "ON CONFLICT DO NOTHING",
        Dialect::Mysql => "ON DUPLICATE KEY UPDATE one = VALUES(one)",
    };
    format!("INSERT INTO relay_feed (one, adopted) VALUES (1, {adopted}) {unless_there}")
}

/// The names of those that are missing.
pub(super) async fn missing(
    work: &mut Work,
    dialect: Dialect,
) -> Result<Vec<&'static str>, SourceError> {
    let mut missing = Vec::new();
    for table in TABLES {
        if types_of(work, dialect, table).await?.is_empty() {
            missing.push(table);
        }
    }
    Ok(missing)
}

/// Which table the feed is of; nothing if it has not begun.
pub(super) async fn adopted(work: &mut Work) -> Result<Option<String>, SourceError> {
    let text = "SELECT CAST(adopted AS TEXT) AS adopted FROM relay_feed WHERE one = 1".to_owned();
    work.rows(text, Vec::new()).await?.first().map(|row| row.text("adopted")).transpose()
}

/// Makes what is missing.
pub(super) async fn create(base: &Base, table: &str) -> Result<(), SourceError> {
    let dialect = base.dialect();
    let mut work = base.single(Door::Work).await?;
    if !missing(&mut work, dialect).await?.is_empty() {
        for statement in ddl(dialect) {
            work.script(&statement).await?;
        }
    }
    if adopted(&mut work).await?.is_none() {
        work.script(&first_row(dialect, table)).await?;
    }
    work.done();
    Ok(())
}
