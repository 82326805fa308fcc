//! A connection in use, and the statements that it carries out.

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Postgres, Sqlite};

use super::record::Record;
use super::value::{Value, for_postgres, for_sqlite};
use crate::source::error::SourceError;

enum Link {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

/// A connection in use. Dropped before its end, as by a time-out, it is closed, and the database
/// rolls back.
pub(crate) struct Work {
    link: Link,
    is_clean: bool,
}

impl Drop for Work {
    fn drop(&mut self) {
        if self.is_clean {
            return;
        }
        match &mut self.link {
            Link::Postgres(link) => link.close_on_drop(),
            Link::Sqlite(link) => link.close_on_drop(),
        }
    }
}

impl Work {
    pub(super) fn postgres(link: PoolConnection<Postgres>) -> Work {
        Work { link: Link::Postgres(link), is_clean: false }
    }

    pub(super) fn sqlite(link: PoolConnection<Sqlite>) -> Work {
        Work { link: Link::Sqlite(link), is_clean: false }
    }

    /// Carries out a prepared statement and gives its rows. The text must consist of fixed pieces
    /// only.
    pub(crate) async fn rows(
        &mut self,
        text: String,
        values: Vec<Value>,
    ) -> Result<Vec<Record>, SourceError> {
        let rows = match &mut self.link {
            Link::Postgres(link) => match for_postgres(values) {
                Ok(values) => sqlx::query_with(AssertSqlSafe(text), values)
                    .fetch_all(&mut **link)
                    .await
                    .map(|rows| rows.into_iter().map(Record::Postgres).collect()),
                Err(error) => Err(error),
            },
            Link::Sqlite(link) => match for_sqlite(values) {
                Ok(values) => sqlx::query_with(AssertSqlSafe(text), values)
                    .fetch_all(&mut **link)
                    .await
                    .map(|rows| rows.into_iter().map(Record::Sqlite).collect()),
                Err(error) => Err(error),
            },
        };
        rows.map_err(|error| SourceError::from_sqlx(&error))
    }

    /// Carries out a prepared statement that gives one row.
    pub(crate) async fn row(
        &mut self,
        text: String,
        values: Vec<Value>,
    ) -> Result<Record, SourceError> {
        let rows = self.rows(text, values).await?;
        let missing = || SourceError::unfit("the database gave no row where there is always one");
        rows.into_iter().next().ok_or_else(missing)
    }

    /// Carries out a prepared statement and says how many rows it changed.
    pub(crate) async fn change(
        &mut self,
        text: String,
        values: Vec<Value>,
    ) -> Result<u64, SourceError> {
        let changed = match &mut self.link {
            Link::Postgres(link) => match for_postgres(values) {
                Ok(values) => sqlx::query_with(AssertSqlSafe(text), values)
                    .execute(&mut **link)
                    .await
                    .map(|done| done.rows_affected()),
                Err(error) => Err(error),
            },
            Link::Sqlite(link) => match for_sqlite(values) {
                Ok(values) => sqlx::query_with(AssertSqlSafe(text), values)
                    .execute(&mut **link)
                    .await
                    .map(|done| done.rows_affected()),
                Err(error) => Err(error),
            },
        };
        changed.map_err(|error| SourceError::from_sqlx(&error))
    }

    /// Carries out statements without values, such as those that create tables.
    pub(crate) async fn script(&mut self, text: &str) -> Result<(), SourceError> {
        let text = AssertSqlSafe(text.to_owned());
        let done = match &mut self.link {
            Link::Postgres(link) => sqlx::raw_sql(text).execute(&mut **link).await.map(|_| ()),
            Link::Sqlite(link) => sqlx::raw_sql(text).execute(&mut **link).await.map(|_| ()),
        };
        done.map_err(|error| SourceError::from_sqlx(&error))
    }

    /// Ends a transaction, with effect.
    pub(crate) async fn commit(mut self) -> Result<(), SourceError> {
        self.script("COMMIT").await?;
        self.done();
        Ok(())
    }

    /// Ends a transaction, without effect.
    pub(crate) async fn undo(mut self) -> Result<(), SourceError> {
        self.script("ROLLBACK").await?;
        self.done();
        Ok(())
    }

    /// Ends single statements: the connection may be used again.
    pub(crate) fn done(mut self) {
        self.is_clean = true;
    }
}
