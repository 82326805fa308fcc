//! The platform's database as a platform sees it: plain connections and plain statements.
//!
//! All values come and go as text, so that one way of asking does for every dialect.

use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection, Row as _, SqliteConnection};
use tokio::runtime::{Builder, Runtime};

/// One connection.
pub(super) enum Link {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
    Sqlite(SqliteConnection),
}

/// A row of texts.
pub(super) type Texts = Vec<Option<String>>;

impl Link {
    /// Connects.
    pub(super) async fn open(url: &str) -> sqlx::Result<Link> {
        Ok(match url.split(':').next() {
            Some("sqlite") => Link::Sqlite(SqliteConnection::connect(url).await?),
            Some("mysql") => Link::Mysql(MySqlConnection::connect(url).await?),
            _ => Link::Postgres(PgConnection::connect(url).await?),
        })
    }

    /// Carries out one or more statements.
    pub(super) async fn run(&mut self, text: String) -> sqlx::Result<()> {
        let text = sqlx::raw_sql(AssertSqlSafe(text));
        match self {
            Link::Postgres(link) => text.execute(link).await.map(drop),
            Link::Mysql(link) => text.execute(link).await.map(drop),
            Link::Sqlite(link) => text.execute(link).await.map(drop),
        }
    }

    /// Asks for rows whose columns are all texts.
    pub(super) async fn rows(&mut self, text: String) -> sqlx::Result<Vec<Texts>> {
        let text = match self {
            Link::Postgres(_) | Link::Sqlite(_) => text,
            Link::Mysql(_) => text.replace(" AS TEXT)", " AS CHAR)"),
        };
        let text = sqlx::raw_sql(AssertSqlSafe(text));
        match self {
            Link::Postgres(link) => {
                let rows = text.fetch_all(link).await?;
                rows.iter().map(|row| (0..row.len()).map(|at| row.try_get(at)).collect()).collect()
            }
            Link::Mysql(link) => {
                let rows = text.fetch_all(link).await?;
                rows.iter().map(|row| (0..row.len()).map(|at| row.try_get(at)).collect()).collect()
            }
            Link::Sqlite(link) => {
                let rows = text.fetch_all(link).await?;
                rows.iter().map(|row| (0..row.len()).map(|at| row.try_get(at)).collect()).collect()
            }
        }
    }
}

/// The time by the database's clock, in Unix milliseconds, in its words.
pub(super) fn now_of(url: &str) -> &'static str {
    match url.split(':').next() {
        Some("sqlite") => "CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)",
        Some("mysql") => "timestampdiff(MICROSECOND, '1970-01-01', utc_timestamp(3)) DIV 1000",
        _ => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    }
}

/// A runtime for one thread.
pub(super) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}

/// Carries statements out on a connection of their own.
pub(super) fn try_run(url: &str, text: &str) -> sqlx::Result<()> {
    runtime().block_on(async { Link::open(url).await?.run(text.to_owned()).await })
}

/// Carries statements out on a connection of their own. Fails if they fail.
pub(super) fn run(url: &str, text: &str) {
    try_run(url, text).unwrap_or_else(|error| panic!("{text}: {error}"));
}

/// Asks for rows of texts on a connection of its own. Fails if that fails.
pub(super) fn rows(url: &str, text: &str) -> Vec<Texts> {
    let rows = runtime().block_on(async { Link::open(url).await?.rows(text.to_owned()).await });
    rows.unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Asks for one number.
pub(super) fn number(url: &str, text: &str) -> i64 {
    let rows = rows(url, text);
    let cell = rows.first().and_then(|row| row.first()).cloned().flatten();
    cell.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{text}: no number"))
}

/// One request as it stands in the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) request_id: String,
    pub(super) code: String,
    pub(super) key: Option<String>,
    pub(super) state: u8,
    pub(super) attempts: u32,
    pub(super) expires_ms: Option<i64>,
    pub(super) done_ms: Option<i64>,
    pub(super) fence: i64,
    pub(super) is_poison: bool,
}

const ROWS: &str = "SELECT CAST(id AS TEXT), request_id, code, business_id, CAST(state AS TEXT), \
    CAST(attempts AS TEXT), CAST(expires_at AS TEXT), CAST(done_at AS TEXT), CAST(fence AS TEXT), \
    method FROM relay_request ORDER BY relay_request.id";

/// Every request in the table, by id.
pub(super) fn requests(url: &str) -> Vec<Row> {
    let rows = rows(url, ROWS);
    let rows =
        rows.iter().map(|row| request(row).unwrap_or_else(|| panic!("a strange row: {row:?}")));
    rows.collect()
}

fn request(row: &[Option<String>]) -> Option<Row> {
    let [id, request_id, code, key, state, attempts, expires, done, fence, method] = row else {
        return None;
    };
    Some(Row {
        id: id.as_ref()?.parse().ok()?,
        request_id: request_id.clone()?,
        code: code.clone()?,
        key: key.clone(),
        state: state.as_ref()?.parse().ok()?,
        attempts: attempts.as_ref()?.parse().ok()?,
        expires_ms: expires.as_ref().and_then(|text| text.parse().ok()),
        done_ms: done.as_ref().and_then(|text| text.parse().ok()),
        fence: fence.as_ref()?.parse().ok()?,
        is_poison: method.as_deref() == Some(POISON),
    })
}

/// The method by which a request says that it shall never be taken.
pub(super) const POISON: &str = "poison";
