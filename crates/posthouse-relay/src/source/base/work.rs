//! A connection in use, and the statements that it carries out.

use sqlx::mysql::MySqlDatabaseError;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, MySql, Postgres, Sqlite};

use super::dialect::Dialect;
use super::record::Record;
use super::value::{Value, for_mysql, for_postgres, for_sqlite};
use super::words::in_mysql;
use crate::source::error::SourceError;

enum Link {
    Postgres(PoolConnection<Postgres>),
    Mysql(PoolConnection<MySql>),
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
            Link::Mysql(link) => link.close_on_drop(),
            Link::Sqlite(link) => link.close_on_drop(),
        }
    }
}

impl Work {
    pub(super) fn postgres(link: PoolConnection<Postgres>) -> Work {
        Work { link: Link::Postgres(link), is_clean: false }
    }

    pub(super) fn mysql(link: PoolConnection<MySql>) -> Work {
        Work { link: Link::Mysql(link), is_clean: false }
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
            Link::Mysql(link) => {
                let worded = in_mysql(&text, &values);
                match for_mysql(&values, &worded.places) {
                    Ok(values) => sqlx::query_with(AssertSqlSafe(worded.text), values)
                        .fetch_all(&mut **link)
                        .await
                        .map(|rows| rows.into_iter().map(Record::Mysql).collect()),
                    Err(error) => Err(error),
                }
            }
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
            Link::Mysql(link) => {
                let worded = in_mysql(&text, &values);
                match for_mysql(&values, &worded.places) {
                    Ok(values) => sqlx::query_with(AssertSqlSafe(worded.text), values)
                        .execute(&mut **link)
                        .await
                        .map(|done| done.rows_affected()),
                    Err(error) => Err(error),
                }
            }
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
            Link::Mysql(link) => sqlx::raw_sql(text).execute(&mut **link).await.map(|_| ()),
            Link::Sqlite(link) => sqlx::raw_sql(text).execute(&mut **link).await.map(|_| ()),
        };
        done.map_err(|error| SourceError::from_sqlx(&error))
    }

    /// Whether the user of the connection may not carry out a statement. Anything else that is
    /// wrong with it is an error.
    pub(crate) async fn is_denied(&mut self, text: &str) -> Result<bool, SourceError> {
        const DENIED: [u16; 4] = [1044, 1142, 1143, 1227];
        let Link::Mysql(link) = &mut self.link else { return Ok(false) };
        match sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut **link).await {
            Ok(_) => Ok(false),
            Err(sqlx::Error::Database(error))
                if error
                    .try_downcast_ref::<MySqlDatabaseError>()
                    .is_some_and(|error| DENIED.contains(&error.number())) =>
            {
                Ok(true)
            }
            Err(error) => Err(SourceError::from_sqlx(&error)),
        }
    }

    /// Ends a transaction, with effect.
    pub(crate) async fn commit(mut self) -> Result<(), SourceError> {
        self.script(self.dialect().commit()).await?;
        self.done();
        Ok(())
    }

    /// Ends a transaction, without effect.
    pub(crate) async fn undo(mut self) -> Result<(), SourceError> {
        self.script(self.dialect().undo()).await?;
        self.done();
        Ok(())
    }

    fn dialect(&self) -> Dialect {
        match &self.link {
            Link::Postgres(_) => Dialect::Postgres,
            Link::Mysql(_) => Dialect::Mysql,
            Link::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Ends single statements: the connection may be used again.
    pub(crate) fn done(mut self) {
        self.is_clean = true;
    }
}
