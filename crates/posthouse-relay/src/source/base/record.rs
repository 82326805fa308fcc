//! What comes out of statements: one kind of row for every dialect.

use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Type};

use crate::source::error::SourceError;

/// One row of an answer. Statements cast what they select, so that numbers are 64 bits wide and
/// texts are texts.
pub(crate) enum Record {
    /// From PostgreSQL.
    Postgres(PgRow),
    /// From MySQL or MariaDB.
    Mysql(MySqlRow),
    /// From SQLite.
    Sqlite(SqliteRow),
}

impl Record {
    /// A number that may be absent.
    pub(crate) fn maybe_int(&self, column: &str) -> Result<Option<i64>, SourceError> {
        self.cell(column)
    }

    /// A number.
    pub(crate) fn int(&self, column: &str) -> Result<i64, SourceError> {
        self.maybe_int(column)?.ok_or_else(|| absent(column))
    }

    /// A text that may be absent.
    pub(crate) fn maybe_text(&self, column: &str) -> Result<Option<String>, SourceError> {
        self.cell(column)
    }

    /// The bytes of a text that may be absent. SQLite has anything in texts, the others nothing but
    /// UTF-8.
    pub(crate) fn maybe_raw_text(&self, column: &str) -> Result<Option<Vec<u8>>, SourceError> {
        match self {
            Record::Postgres(_) | Record::Mysql(_) => {
                Ok(self.maybe_text(column)?.map(String::into_bytes))
            }
            Record::Sqlite(_) => self.maybe_bytes(column),
        }
    }

    /// A text that may be absent, for people: what is no UTF-8 in it is replaced.
    pub(crate) fn maybe_lossy(&self, column: &str) -> Result<Option<String>, SourceError> {
        let bytes = self.maybe_raw_text(column)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A text.
    pub(crate) fn text(&self, column: &str) -> Result<String, SourceError> {
        self.maybe_text(column)?.ok_or_else(|| absent(column))
    }

    /// Bytes that may be absent.
    pub(crate) fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, SourceError> {
        self.cell(column)
    }

    /// Whether a number is there and not 0.
    pub(crate) fn is_set(&self, column: &str) -> Result<bool, SourceError> {
        Ok(self.maybe_int(column)?.unwrap_or(0) != 0)
    }

    fn cell<T>(&self, column: &str) -> Result<Option<T>, SourceError>
    where
        T: for<'r> Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>,
        T: for<'r> Decode<'r, sqlx::MySql> + Type<sqlx::MySql>,
        T: for<'r> Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite>,
    {
        let cell = match self {
            Record::Postgres(row) => row.try_get(column),
            Record::Mysql(row) => row.try_get(column),
            Record::Sqlite(row) => row.try_get(column),
        };
        cell.map_err(|error| SourceError::from_sqlx(&error))
    }
}

fn absent(column: &str) -> SourceError {
    SourceError::unfit(format!("a row has nothing in the column `{column}`"))
}
