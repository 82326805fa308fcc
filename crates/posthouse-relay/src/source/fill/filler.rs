//! Writes made-up requests, and asks what has become of them.

use super::words::{clearing, filling, made};
use crate::source::base::{Base, Dialect, Door, NOTIFY, Options, Value};
use crate::source::error::SourceError;
use crate::source::limits::{FILL_CONNECTIONS_MAX, FILL_ROWS_MAX};

/// What the codes of made-up requests begin with.
pub const MADE_UP: &str = "bench.";

/// Digits at the beginning of a body: of its key, and of its own number.
pub const KEY_DIGITS: usize = 8;
/// See [`KEY_DIGITS`].
pub const NUMBER_DIGITS: usize = 16;

/// Requests to be made up. The request `n` belongs to key `n % keys` and is its number `n / keys`.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Their code, which begins with [`MADE_UP`]. Keys of different codes are different.
    pub code: String,
    /// The number of the first request.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Business ids that they share; 0: they have none.
    pub keys: u64,
    /// Bytes of each body, but not less than its digits.
    pub body_bytes: usize,
}

/// How somebody else's tables are filled who takes requests from a database too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tables {
    /// Statements that remove everything.
    pub clear: String,
    /// One statement that writes the rows of `{made}`, which stands for a table with the columns
    /// `n` (the number among all, from 0), `code`, `business_id` (or null) and `body` (a text).
    pub fill: String,
    /// A query for one number: how many requests are not done yet.
    pub remaining: String,
}

/// Writes made-up requests into a request table.
pub struct Filler {
    base: Base,
    /// None: the relay's own.
    tables: Option<Tables>,
}

impl Filler {
    /// A filler for the table at an address such as `sqlite:FILE`. It connects when it is used
    /// first.
    ///
    /// # Errors
    /// If the address cannot be understood.
    pub fn open(url: &str) -> Result<Filler, SourceError> {
        let options = Options { connections_max: FILL_CONNECTIONS_MAX, ..Options::default() };
        Ok(Filler { base: Base::open(url, &options)?, tables: None })
    }

    /// A filler for somebody else's tables.
    ///
    /// # Errors
    /// As above.
    pub fn with_tables(url: &str, tables: Tables) -> Result<Filler, SourceError> {
        Ok(Filler { tables: Some(tables), ..Filler::open(url)? })
    }

    /// Removes all requests; from the relay's own table only if they are made up.
    ///
    /// # Errors
    /// `Unfit` if there is one that is not; or see [`SourceError`].
    pub async fn clear(&self) -> Result<(), SourceError> {
        if let Some(tables) = &self.tables {
            return self.script(&tables.clear).await;
        }
        self.check_made_up().await?;
        self.script(clearing(self.base.dialect())).await
    }

    async fn check_made_up(&self) -> Result<(), SourceError> {
        let text = "SELECT CAST(count(*) AS BIGINT) AS others FROM (\
                    SELECT 1 FROM relay_request WHERE code NOT LIKE $1 LIMIT 1) AS other";
        if self.number(text, vec![format!("{MADE_UP}%").as_str().into()], "others").await? > 0 {
            return Err(SourceError::unfit(
                "the table holds requests that were not made up for measuring, and they would be \
                 sent; use an empty database",
            ));
        }
        Ok(())
    }

    async fn script(&self, text: &str) -> Result<(), SourceError> {
        let mut work = self.base.write(Door::Work).await?;
        work.script(text).await?;
        work.commit().await
    }

    /// Writes requests, many in one transaction.
    ///
    /// # Errors
    /// See [`SourceError`]. What was written before stays.
    pub async fn fill(&self, batch: &Batch) -> Result<(), SourceError> {
        let end = batch.first.saturating_add(batch.count);
        let mut first = batch.first;
        while first < end {
            let count = FILL_ROWS_MAX.min(end - first);
            self.write(&Batch { first, count, ..batch.clone() }, || ()).await?;
            first += count;
        }
        Ok(())
    }

    /// Writes requests in one transaction, with a hint to whoever waits for news, and calls
    /// `before_commit` just before it ends.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn write(
        &self,
        batch: &Batch,
        before_commit: impl FnOnce(),
    ) -> Result<(), SourceError> {
        let dialect = self.base.dialect();
        let mut work = self.base.write(Door::Work).await?;
        let text = match &self.tables {
            Some(tables) => tables.fill.replace("{made}", &made(dialect)),
            None => filling(dialect),
        };
        work.change(text, values_of(batch)).await?;
        if dialect == Dialect::Postgres && self.tables.is_none() {
            work.script(NOTIFY).await?;
        }
        before_commit();
        work.commit().await
    }

    /// Lets the database learn what its tables look like now, as it would by itself after a while.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn analyze(&self) -> Result<(), SourceError> {
        let mut work = self.base.single(Door::Work).await?;
        let own = self.base.dialect().analyze();
        work.script(if self.tables.is_some() { "ANALYZE" } else { own }).await?;
        work.done();
        Ok(())
    }

    /// How many requests of a code are still ready; in somebody else's tables, of all.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn ready_count(&self, code: &str) -> Result<i64, SourceError> {
        if let Some(tables) = &self.tables {
            let text = format!("SELECT CAST(({}) AS BIGINT) AS ready", tables.remaining);
            return self.number(&text, Vec::new(), "ready").await;
        }
        let text = "SELECT count(*) AS ready FROM relay_request WHERE state < 2 AND code = $1";
        self.number(text, vec![code.into()], "ready").await
    }

    /// The process that serves one of our connections, where the database has processes.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn backend_process(&self) -> Result<Option<i64>, SourceError> {
        if self.base.dialect() != Dialect::Postgres {
            return Ok(None);
        }
        let text = "SELECT CAST(pg_backend_pid() AS BIGINT) AS process";
        self.number(text, Vec::new(), "process").await.map(Some)
    }

    /// The file in which the server says which process it is, if it is one of the databases that
    /// are one process.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn process_file(&self) -> Result<Option<String>, SourceError> {
        if self.base.dialect() != Dialect::Mysql {
            return Ok(None);
        }
        let mut work = self.base.single(Door::Work).await?;
        let text = "SELECT @@pid_file AS file".to_owned();
        let file = work.row(text, Vec::new()).await?.maybe_text("file")?;
        work.done();
        Ok(file)
    }

    /// How many rows of all tables have been replaced or removed since the database was made, where
    /// it counts them: each leaves a dead row behind. What a connection has done is counted a while
    /// after it, and at its end.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn dead_rows(&self) -> Result<Option<i64>, SourceError> {
        if self.base.dialect() != Dialect::Postgres {
            return Ok(None);
        }
        let text = "SELECT CAST(coalesce(sum(n_tup_upd + n_tup_del), 0) AS BIGINT) AS dead \
                    FROM pg_stat_user_tables";
        self.number(text, Vec::new(), "dead").await.map(Some)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.base.close().await;
    }

    async fn number(
        &self,
        text: &str,
        values: Vec<Value>,
        column: &str,
    ) -> Result<i64, SourceError> {
        let mut work = self.base.single(Door::Work).await?;
        let number = work.row(text.to_owned(), values).await?.int(column)?;
        work.done();
        Ok(number)
    }
}

fn values_of(batch: &Batch) -> Vec<Value> {
    let number = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
    let rest = batch.body_bytes.saturating_sub(KEY_DIGITS + NUMBER_DIGITS);
    vec![
        batch.code.as_str().into(),
        number(batch.first),
        number(batch.first.saturating_add(batch.count).saturating_sub(1)),
        number(batch.keys),
        ".".repeat(rest).as_str().into(),
    ]
}

/// The numbers at the beginning of a body: of its key, and its own.
pub fn numbers_of(body: &[u8]) -> Option<(u64, u64)> {
    let (key, rest) = body.split_at_checked(KEY_DIGITS)?;
    let number = rest.get(..NUMBER_DIGITS)?;
    let read = |digits| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    Some((read(key)?, read(number)?))
}

#[cfg(test)]
mod tests {
    use super::{Batch, Door, Filler, Tables, numbers_of};
    use crate::fixture::MariadbServer;
    use crate::source::schema;

    fn check(body: &[u8], expected: Option<(u64, u64)>) {
        assert_eq!(numbers_of(body), expected, "{}", body.escape_ascii());
    }

    #[test]
    fn bodies_tell_their_numbers() {
        check(b"0000000a0000000000000010", Some((10, 16)));
        check(b"0000000a0000000000000010...", Some((10, 16)));
        check(b"0000000a000000000000001", None);
        check(b"x000000a0000000000000010", None);
        check(b"", None);
    }

    async fn rows_of(url: &str, batch: Batch) -> Vec<(Option<String>, Vec<u8>)> {
        schema::init(url).await.unwrap();
        let filler = Filler::open(url).unwrap();
        filler.fill(&Batch { code: "bench.old".into(), ..batch.clone() }).await.unwrap();
        filler.clear().await.unwrap();
        filler.fill(&batch).await.unwrap();
        let mut work = filler.base.single(Door::Work).await.unwrap();
        let text = "SELECT business_id, body FROM relay_request ORDER BY id".to_owned();
        let rows = work.rows(text, Vec::new()).await.unwrap();
        let pair = |row: &crate::source::base::Record| {
            (row.maybe_text("business_id").unwrap(), row.maybe_bytes("body").unwrap().unwrap())
        };
        rows.iter().map(pair).collect()
    }

    async fn check_dealt_out(url: &str) {
        let batch = Batch { code: "bench.a".into(), first: 1, count: 3, keys: 2, body_bytes: 26 };
        let body = |digits: &str| format!("{digits}..").into_bytes();
        let expected = vec![
            (Some("bench.a-1".to_owned()), body("000000010000000000000000")),
            (Some("bench.a-0".to_owned()), body("000000000000000000000001")),
            (Some("bench.a-1".to_owned()), body("000000010000000000000001")),
        ];
        assert_eq!(rows_of(url, batch.clone()).await, expected);
        let without_keys = rows_of(url, Batch { keys: 0, count: 1, first: 5, ..batch }).await;
        assert_eq!(without_keys, [(None, body("000000000000000000000005"))]);
    }

    #[tokio::test]
    async fn requests_are_dealt_out_to_their_keys() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("requests.db").display());
        check_dealt_out(&url).await;
    }

    #[tokio::test]
    async fn tables_of_others_are_filled_and_counted() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("other.db").display());
        let tables = Tables {
            clear: "CREATE TABLE IF NOT EXISTS job (id INTEGER, lane TEXT, text TEXT); \
                    DELETE FROM job"
                .into(),
            fill: "INSERT INTO job SELECT n, business_id, body FROM {made} ORDER BY n".into(),
            remaining: "SELECT count(*) FROM job WHERE lane = 'bench.a-0'".into(),
        };
        schema::init(&url).await.unwrap();
        let filler = Filler::with_tables(&url, tables).unwrap();
        let batch = Batch { code: "bench.a".into(), first: 0, count: 5, keys: 2, body_bytes: 24 };
        for _ in 0..2 {
            filler.clear().await.unwrap();
            filler.fill(&batch).await.unwrap();
        }
        filler.analyze().await.unwrap();
        assert_eq!(filler.ready_count("bench.a").await.unwrap(), 3);
        assert_eq!(filler.dead_rows().await.unwrap(), None, "SQLite does not count them");
    }

    #[tokio::test]
    async fn requests_are_dealt_out_to_their_keys_on_mariadb() {
        let server = MariadbServer::start().unwrap();
        check_dealt_out(&server.url()).await;
    }
}
