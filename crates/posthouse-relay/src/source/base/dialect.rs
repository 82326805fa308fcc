//! Where the dialects of SQL differ: the pieces that statements are put together from.
//!
//! Nothing that comes from outside is ever a piece; it is always a value with a number.

use super::value::{Value, rows_as_json};

/// A dialect of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL, 13 or later.
    Postgres,
    /// SQLite, 3.35 or later for writers; the relay brings its own.
    Sqlite,
}

/// What a column of values holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Numbers.
    Int,
    /// Texts.
    Text,
}

impl Dialect {
    /// The time, in Unix milliseconds, by the database's clock at the moment of asking, not at the
    /// beginning of the transaction.
    pub(crate) fn now(self) -> &'static str {
        match self {
            Dialect::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
            Dialect::Sqlite => {
                "CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"
            }
        }
    }

    /// Begins a transaction that writes. SQLite takes the write lock at once: a transaction that
    /// starts as a reader cannot become a writer when somebody else has written in between.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Dialect::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// Begins a transaction that sees one state of everything.
    pub(crate) fn begin_reading(self) -> &'static str {
        match self {
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Dialect::Sqlite => "BEGIN DEFERRED",
        }
    }

    /// Locks rows against writers, where there are several.
    pub(crate) fn for_share(self) -> &'static str {
        match self {
            Dialect::Postgres => "FOR SHARE",
            Dialect::Sqlite => "",
        }
    }

    /// Locks rows against everybody who locks, where there are several.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Dialect::Postgres => "FOR NO KEY UPDATE",
            Dialect::Sqlite => "",
        }
    }

    /// Names the index that a walk over open requests must take, where a planner might prefer the
    /// primary key and walk over years of finished ones. PostgreSQL has statistics, and takes no
    /// orders.
    pub(crate) fn by_index(self, index: &str) -> String {
        match self {
            Dialect::Postgres => String::new(),
            Dialect::Sqlite => format!("INDEXED BY {index}"),
        }
    }

    /// The first bytes of a column of bytes. In SQLite it may hold a text, whose letters would be
    /// counted.
    pub(crate) fn first_bytes(self, column: &str, bytes: usize) -> String {
        match self {
            Dialect::Postgres => format!("substr({column}, 1, {bytes})"),
            Dialect::Sqlite => format!("substr(CAST({column} AS BLOB), 1, {bytes})"),
        }
    }

    /// Whether a text is among the list with this number.
    pub(crate) fn text_in(self, column: &str, number: usize) -> String {
        match self {
            Dialect::Postgres => format!("{column} = ANY(CAST(${number} AS TEXT[]))"),
            Dialect::Sqlite => format!("{column} IN (SELECT value FROM json_each(${number}))"),
        }
    }

    /// Whether a number is among the list with this number.
    pub(crate) fn int_in(self, column: &str, number: usize) -> String {
        match self {
            Dialect::Postgres => format!("{column} = ANY(CAST(${number} AS BIGINT[]))"),
            Dialect::Sqlite => format!("{column} IN (SELECT value FROM json_each(${number}))"),
        }
    }

    /// Whether a slot is set in the mask with this number: one byte for each slot, so that any set
    /// of ranges is the same statement. A row without a slot passes; whoever reads it computes
    /// where it belongs.
    pub(crate) fn slot_in(self, column: &str, number: usize) -> String {
        match self {
            Dialect::Postgres => format!(
                "({column} IS NULL \
                 OR get_byte(CAST(${number} AS BYTEA), CAST({column} AS INT)) = 1)"
            ),
            Dialect::Sqlite => {
                format!("({column} IS NULL OR substr(${number}, {column} + 1, 1) = x'01')")
            }
        }
    }

    /// A table of values, with a name and names for its columns; its values begin at number
    /// `first`.
    pub(crate) fn table(self, name: &str, first: usize, columns: &[(&str, Kind)]) -> String {
        match self {
            Dialect::Postgres => postgres_table(name, first, columns),
            Dialect::Sqlite => sqlite_table(name, first, columns),
        }
    }

    /// The values of such a table, one list for each column.
    pub(crate) fn table_values(self, columns: Vec<Value>) -> Vec<Value> {
        match self {
            Dialect::Postgres => columns,
            Dialect::Sqlite => vec![rows_as_json(columns)],
        }
    }
}

fn postgres_table(name: &str, first: usize, columns: &[(&str, Kind)]) -> String {
    let lists: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, (_, kind))| match kind {
            Kind::Int => format!("CAST(${} AS BIGINT[])", first + at),
            Kind::Text => format!("CAST(${} AS TEXT[])", first + at),
        })
        .collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    format!("unnest({}) AS {name}({})", lists.join(", "), names.join(", "))
}

fn sqlite_table(name: &str, first: usize, columns: &[(&str, Kind)]) -> String {
    let cells: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, (name, _))| format!("value ->> {at} AS {name}"))
        .collect();
    format!("(SELECT {} FROM json_each(${first})) AS {name}", cells.join(", "))
}
