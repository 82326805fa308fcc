//! What databases say when something goes wrong, sorted by what helps.

use std::fmt;

use sqlx::mysql::MySqlDatabaseError;

use super::limits::CALL_MAX;

/// What went wrong at a source, and whether trying again may help.
#[derive(Debug)]
pub struct SourceError {
    /// What kind it is.
    pub kind: SourceErrorKind,
    /// One sentence for a person: what was being done, and what the database said. Without secrets.
    pub detail: String,
}

/// See [`SourceError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// Not reachable, restarting, or the connection broke. What was asked may or may not have been
    /// done.
    Unavailable,
    /// A conflict with somebody else; nothing was done, trying again helps.
    Conflict,
    /// A table, column or index is missing or of the wrong type, or a permission is. Somebody has
    /// to act at the database.
    Unfit,
    /// The database is another one than before. Nothing was done, and nothing that is known of the
    /// former one holds; [`Source::prepare`](super::Source::prepare) goes on with the new one.
    Replaced,
    /// What was asked makes no sense, whatever stands in the database. Nothing was done.
    Refused,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for SourceError {}

impl SourceError {
    /// Somebody has to act.
    pub(crate) fn unfit(detail: impl Into<String>) -> SourceError {
        SourceError { kind: SourceErrorKind::Unfit, detail: detail.into() }
    }

    /// Whoever asks has to ask otherwise.
    pub(crate) fn refused(detail: impl Into<String>) -> SourceError {
        SourceError { kind: SourceErrorKind::Refused, detail: detail.into() }
    }

    /// The database took too long.
    pub(crate) fn late(doing: &str) -> SourceError {
        SourceError {
            kind: SourceErrorKind::Unavailable,
            detail: format!("{doing}: the database did not answer within {CALL_MAX:?}"),
        }
    }

    /// The same, with what was being done in front.
    pub(crate) fn while_doing(mut self, doing: &str) -> SourceError {
        self.detail = format!("{doing}: {}", self.detail);
        self
    }

    /// Sorts what sqlx says. Its texts name hosts, users and SQL objects, never a password.
    pub(crate) fn from_sqlx(error: &sqlx::Error) -> SourceError {
        let kind = match error {
            sqlx::Error::Database(inner) => match inner.try_downcast_ref::<MySqlDatabaseError>() {
                Some(error) => kind_of_mysql(error.number()),
                None => kind_of(inner.code().as_deref().unwrap_or("")),
            },
            sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::Configuration(_)
            | sqlx::Error::Encode(_) => SourceErrorKind::Unfit,
            _ => SourceErrorKind::Unavailable,
        };
        SourceError { kind, detail: text_of(error) }
    }
}

/// Of a configuration error only its kind is told: its text may repeat the address, and the address
/// holds the password.
fn text_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(_) => "the address of the database cannot be read".to_owned(),
        sqlx::Error::Database(inner) => inner.message().to_owned(),
        other => other.to_string(),
    }
}

/// PostgreSQL's codes are five characters (its manual, appendix A), SQLite's are numbers whose low
/// byte is the primary code (sqlite.org/rescode.html).
fn kind_of(code: &str) -> SourceErrorKind {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => kind_of_sqlite(number),
        _ => kind_of_postgres(code),
    }
}

/// By the result code (<https://sqlite.org/rescode.html>) and, where it matters, the extended one.
fn kind_of_sqlite(code: u32) -> SourceErrorKind {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const IO_ERROR: u32 = 10;
    const FULL: u32 = 13;
    const CANNOT_OPEN: u32 = 14;
    const CONSTRAINT: u32 = 19;
    const MISMATCH: u32 = 20;
    match code & 0xff {
        CONSTRAINT | MISMATCH => SourceErrorKind::Refused,
        BUSY | LOCKED => SourceErrorKind::Conflict,
        IO_ERROR | FULL | CANNOT_OPEN => SourceErrorKind::Unavailable,
        _ => SourceErrorKind::Unfit,
    }
}

/// 22, 23: a value is not as it must be, or is there already. 40: rolled back because of somebody
/// else. 55P03: a lock was not to be had. 08, 53, 57, 58, XX: the server has a problem, or ends.
/// 25P03: it ended the transaction because nothing came. 28 (who are you?) and the rest: somebody
/// has to act.
fn kind_of_postgres(code: &str) -> SourceErrorKind {
    match code.get(..2) {
        Some("40") => SourceErrorKind::Conflict,
        Some("22" | "23") => SourceErrorKind::Refused,
        _ if code == "55P03" => SourceErrorKind::Conflict,
        Some("08" | "53" | "57" | "58" | "XX") => SourceErrorKind::Unavailable,
        _ if code == "25P03" => SourceErrorKind::Unavailable,
        _ => SourceErrorKind::Unfit,
    }
}

/// By number, for the SQLSTATE of most is the same (MySQL's manual, "Server Error Message
/// Reference"; MariaDB's, "MariaDB Error Codes"). What is not named here is something that somebody
/// has to act on.
fn kind_of_mysql(number: u16) -> SourceErrorKind {
    match number {
        // A deadlock, a lock that was not to be had, a row that was changed since it was read.
        1213 | 1205 | 3572 | 1020 => SourceErrorKind::Conflict,
        // It is there already.
        1062 | 1586 => SourceErrorKind::Refused,
        // A value is absent, too long, out of range, of the wrong kind, or against a condition.
        1048 | 1264 | 1265 | 1292 | 1364 | 1365 | 1366 | 1406 | 1411 | 1690 | 3819 | 4025 => {
            SourceErrorKind::Refused
        }
        // The same as said by a statement, by a trigger, or of a JSON text.
        1644 | 3140 | 3141 => SourceErrorKind::Refused,
        // Too many connections, no room, no memory.
        1040 | 1203 | 1226 | 1021 | 1114 | 1037 | 1038 | 1041 => SourceErrorKind::Unavailable,
        // The server ends, or is no part of its cluster at present.
        1053 | 1047 => SourceErrorKind::Unavailable,
        // The connection broke, was ended by somebody, or was idle for too long.
        1080 | 1152 | 1156..=1161 | 1184 | 1927 | 4031 => SourceErrorKind::Unavailable,
        // The statement was ended: by somebody, or because it took too long.
        1317 | 1969 | 3024 => SourceErrorKind::Unavailable,
        _ => SourceErrorKind::Unfit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, expected: SourceErrorKind) {
        assert_eq!(kind_of(code), expected, "{code}");
    }

    #[test]
    fn codes_are_sorted_by_what_helps() {
        check("40P01", SourceErrorKind::Conflict);
        check("40001", SourceErrorKind::Conflict);
        check("55P03", SourceErrorKind::Conflict);
        check("57P01", SourceErrorKind::Unavailable);
        check("23505", SourceErrorKind::Refused);
        check("2067", SourceErrorKind::Refused);
        check("25P03", SourceErrorKind::Unavailable);
        check("53300", SourceErrorKind::Unavailable);
        check("42P01", SourceErrorKind::Unfit);
        check("42703", SourceErrorKind::Unfit);
        check("25006", SourceErrorKind::Unfit);
        check("28P01", SourceErrorKind::Unfit);
        check("5", SourceErrorKind::Conflict);
        check("517", SourceErrorKind::Conflict);
        check("8", SourceErrorKind::Unfit);
        check("1", SourceErrorKind::Unfit);
        check("14", SourceErrorKind::Unavailable);
    }

    fn check_mysql(number: u16, expected: SourceErrorKind) {
        assert_eq!(kind_of_mysql(number), expected, "{number}");
    }

    #[test]
    fn numbers_are_sorted_by_what_helps() {
        check_mysql(1213, SourceErrorKind::Conflict);
        check_mysql(1205, SourceErrorKind::Conflict);
        check_mysql(1062, SourceErrorKind::Refused);
        check_mysql(1040, SourceErrorKind::Unavailable);
        check_mysql(1053, SourceErrorKind::Unavailable);
        check_mysql(1927, SourceErrorKind::Unavailable);
        check_mysql(1969, SourceErrorKind::Unavailable);
        check_mysql(1045, SourceErrorKind::Unfit);
        check_mysql(1049, SourceErrorKind::Unfit);
        check_mysql(1146, SourceErrorKind::Unfit);
        check_mysql(1290, SourceErrorKind::Unfit);
        check_mysql(1665, SourceErrorKind::Unfit);
    }
}
