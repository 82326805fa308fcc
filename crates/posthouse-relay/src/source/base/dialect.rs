//! Where the dialects of SQL differ: the pieces that statements are put together from.
//!
//! Nothing that comes from outside is ever a piece; it is always a value with a number.

use super::mysql;
use super::value::{Value, rows_as_json};
use crate::source::limits::{READ_SCAN_MAX, READ_SCAN_MYSQL_MAX};

/// A dialect of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL, 13 or later.
    Postgres,
    /// MySQL, 8.0.17 or later, and MariaDB, 10.6 or later.
    Mysql,
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
            // The beginning of the statement, by no time zone: an hour that a time zone has twice
            // would be ambiguous.
            Dialect::Mysql => {
                "(timestampdiff(MICROSECOND, '1970-01-01', utc_timestamp(3)) DIV 1000)"
            }
            Dialect::Sqlite => {
                "CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"
            }
        }
    }

    /// Begins a transaction that writes. SQLite takes the write lock at once: a transaction that
    /// starts as a reader cannot become a writer when somebody else has written in between. MySQL
    /// and MariaDB are told here, each time, how long a transaction may stand still.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Dialect::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Dialect::Mysql => mysql::BEGIN,
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// Begins a transaction that sees one state of everything.
    pub(crate) fn begin_reading(self) -> &'static str {
        match self {
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Dialect::Mysql => mysql::BEGIN_READING,
            Dialect::Sqlite => "BEGIN DEFERRED",
        }
    }

    /// Ends a transaction with effect.
    pub(super) fn commit(self) -> &'static str {
        match self {
            Dialect::Postgres | Dialect::Sqlite => "COMMIT",
            Dialect::Mysql => mysql::COMMIT,
        }
    }

    /// Ends a transaction without effect.
    pub(super) fn undo(self) -> &'static str {
        match self {
            Dialect::Postgres | Dialect::Sqlite => "ROLLBACK",
            Dialect::Mysql => mysql::UNDO,
        }
    }

    /// Locks rows against writers, where there are several.
    pub(crate) fn for_share(self) -> &'static str {
        match self {
            Dialect::Postgres => "FOR SHARE",
            Dialect::Mysql => "LOCK IN SHARE MODE",
            Dialect::Sqlite => "",
        }
    }

    /// Locks rows against everybody who locks, where there are several.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Dialect::Postgres => "FOR NO KEY UPDATE",
            Dialect::Mysql => "FOR UPDATE",
            Dialect::Sqlite => "",
        }
    }

    /// Names the index that a walk over open requests must take, where a planner might prefer the
    /// primary key and walk over years of finished ones. PostgreSQL has statistics, and takes no
    /// orders.
    pub(crate) fn by_index(self, index: &str) -> String {
        match self {
            Dialect::Postgres => String::new(),
            Dialect::Mysql => format!("FORCE INDEX ({index})"),
            Dialect::Sqlite => format!("INDEXED BY {index}"),
        }
    }

    /// Open requests, of whatever slots, that one read walks over.
    pub(crate) fn scan_max(self) -> i64 {
        match self {
            Dialect::Postgres | Dialect::Sqlite => READ_SCAN_MAX,
            Dialect::Mysql => READ_SCAN_MYSQL_MAX,
        }
    }

    /// Whether a request is open, in the words of the index on those that are.
    pub(crate) fn is_open(self) -> &'static str {
        match self {
            Dialect::Postgres | Dialect::Sqlite => "state < 3",
            Dialect::Mysql => "is_open = 1",
        }
    }

    /// The business id of a request with a number, in the words of the index on such numbers.
    pub(crate) fn number_key(self) -> &'static str {
        match self {
            Dialect::Postgres | Dialect::Sqlite => "business_id",
            Dialect::Mysql => "number_key",
        }
    }

    /// The same of one that is open.
    pub(crate) fn open_key(self) -> &'static str {
        match self {
            Dialect::Postgres | Dialect::Sqlite => "business_id",
            Dialect::Mysql => "open_key",
        }
    }

    /// The length of the body of a request, without reading the body.
    pub(crate) fn body_bytes(self, table: &str) -> String {
        match self {
            Dialect::Postgres | Dialect::Sqlite => format!("octet_length({table}body)"),
            Dialect::Mysql => format!("{table}body_bytes"),
        }
    }

    /// Has rows looked up by their ids, where a planner that has seen the table empty would rather
    /// walk over all of it.
    pub(crate) fn by_id(self) -> &'static str {
        match self {
            Dialect::Postgres | Dialect::Sqlite => "",
            Dialect::Mysql => "FORCE INDEX (PRIMARY)",
        }
    }

    /// Lets the database learn what the request table looks like.
    pub(crate) fn analyze(self) -> &'static str {
        match self {
            Dialect::Postgres | Dialect::Sqlite => "ANALYZE relay_request",
            Dialect::Mysql => "ANALYZE TABLE relay_request",
        }
    }

    /// The first bytes of a column of bytes. In SQLite it may hold a text, whose letters would be
    /// counted.
    pub(crate) fn first_bytes(self, column: &str, bytes: usize) -> String {
        match self {
            Dialect::Postgres | Dialect::Mysql => format!("substr({column}, 1, {bytes})"),
            Dialect::Sqlite => format!("substr(CAST({column} AS BLOB), 1, {bytes})"),
        }
    }

    /// Whether a text is among the list with this number.
    pub(crate) fn text_in(self, column: &str, number: usize) -> String {
        match self {
            Dialect::Postgres => format!("{column} = ANY(CAST(${number} AS TEXT[]))"),
            Dialect::Mysql => format!("{column} IN (${number})"),
            Dialect::Sqlite => format!("{column} IN (SELECT value FROM json_each(${number}))"),
        }
    }

    /// Whether a number is among the list with this number.
    pub(crate) fn int_in(self, column: &str, number: usize) -> String {
        match self {
            Dialect::Postgres => format!("{column} = ANY(CAST(${number} AS BIGINT[]))"),
            Dialect::Mysql => format!("{column} IN (${number})"),
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
            Dialect::Mysql => {
                format!("ord(substr(CAST(${number} AS BINARY), {column} + 1, 1)) = 1")
            }
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
            Dialect::Mysql => mysql_table(name, first, columns),
            Dialect::Sqlite => sqlite_table(name, first, columns),
        }
    }

    /// The values of such a table, one list for each column.
    pub(crate) fn table_values(self, columns: Vec<Value>) -> Vec<Value> {
        match self {
            Dialect::Postgres => columns,
            Dialect::Mysql | Dialect::Sqlite => vec![rows_as_json(columns)],
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

/// What is no character set of its own would be that of the database, which may know few letters.
fn mysql_table(name: &str, first: usize, columns: &[(&str, Kind)]) -> String {
    let cells: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, (name, kind))| match kind {
            Kind::Int => format!("{name} BIGINT PATH '$[{at}]'"),
            Kind::Text => format!("{name} TEXT CHARACTER SET utf8mb4 PATH '$[{at}]'"),
        })
        .collect();
    format!("JSON_TABLE(${first}, '$[*]' COLUMNS ({})) AS {name}", cells.join(", "))
}

fn sqlite_table(name: &str, first: usize, columns: &[(&str, Kind)]) -> String {
    let cells: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, (name, _))| format!("value ->> {at} AS {name}"))
        .collect();
    format!("(SELECT {} FROM json_each(${first})) AS {name}", cells.join(", "))
}
