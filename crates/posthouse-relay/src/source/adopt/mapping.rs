//! How a table that somebody else has made is read as requests: its name, its columns, its words
//! for states. Made by the configuration; nothing is known of the database yet.

use std::collections::BTreeMap;

use crate::source::limits::{ADOPT_SQL_CHARS_MAX, IDENTIFIER_CHARS_MAX};

/// An adopted table, and how it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Its schema, if it is said, and its name.
    pub table: TableName,
    /// The column that identifies its rows: whole numbers, unique, ascending as they are assigned.
    pub id: String,
    /// Which of its rows are requests; all of them if nothing is said.
    pub condition: Option<String>,
    /// Where the state of a row stands. Without it the table is only read.
    pub states: Option<States>,
    /// Where the columns of a request come from, by their names in the request table.
    pub columns: BTreeMap<String, Mapped>,
    /// The time zone of instants that are stored without one.
    pub zone: Option<String>,
    /// From where on rows are fed.
    pub start: Start,
    /// For how long rows are waited for whose ids are below those that were fed, in milliseconds.
    pub late_ms: u64,
}

/// A table by name, as its database writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    /// The schema, in MySQL the database.
    pub schema: Option<String>,
    /// The table.
    pub name: String,
}

/// Where a column of a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapped {
    /// A column of the adopted table.
    Column(String),
    /// The same for every row.
    Value(String),
    /// An expression of SQL over one row.
    Sql(String),
}

/// The column that holds the state of a row, and its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// The column.
    pub column: String,
    /// Of a row that is to be sent.
    pub ready: String,
    /// Of one that was taken over.
    pub taken: String,
    /// Of one that was sent.
    pub done: Option<String>,
    /// Of one that was given up.
    pub failed: Option<String>,
    /// Of one that has expired; else as one that was given up.
    pub expired: Option<String>,
    /// Of one that its receiver did not want; else as one that was given up.
    pub rejected: Option<String>,
    /// Of one that an operator has cancelled; else as one that was given up.
    pub cancelled: Option<String>,
    /// A column for the instant of the end.
    pub ended_at: Option<String>,
    /// A column for the last error.
    pub error: Option<String>,
    /// A column for the number of tries.
    pub attempts: Option<String>,
}

/// From where on rows are fed that are only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From the first one.
    Everything,
    /// What exists when the table is first looked at is left alone.
    Now,
    /// Behind this id.
    After(i64),
}

impl TableName {
    /// Reads `table` or `schema.table`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<TableName, String> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema.to_owned()), name),
            None => (None, text),
        };
        for part in schema.iter().map(String::as_str).chain([name]) {
            check_identifier(part)?;
        }
        Ok(TableName { schema, name: name.to_owned() })
    }

    /// As it is written in the configuration.
    pub fn shown(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl States {
    /// The word for a state of a request that has ended, by its number in the request table. What
    /// was not sent is never called done: without a word of its own the row stays as it is.
    pub fn word(&self, state: i64) -> Option<&str> {
        let given_up = self.failed.as_ref();
        let word = match state {
            3 => self.done.as_ref(),
            4 => given_up,
            5 => self.expired.as_ref().or(given_up),
            6 => self.rejected.as_ref().or(given_up),
            7 => self.cancelled.as_ref().or(given_up),
            _ => None,
        };
        word.map(String::as_str)
    }

    /// Every word that is written.
    pub fn written(&self) -> Vec<&str> {
        let mut words = vec![self.taken.as_str()];
        words.extend((3..8).filter_map(|state| self.word(state)));
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Every column that is written.
    pub fn written_columns(&self) -> Vec<&str> {
        let more = [&self.ended_at, &self.error, &self.attempts];
        std::iter::once(self.column.as_str())
            .chain(more.into_iter().flatten().map(String::as_str))
            .collect()
    }
}

/// Whether a name may be one of a table or a column. It is always sent in quotes, and holds none.
///
/// # Errors
/// What is wrong with it.
pub fn check_identifier(name: &str) -> Result<(), String> {
    let is_fine = |letter: char| !letter.is_control() && !"\"`'$\\.;".contains(letter);
    match name.chars().count() {
        0 => Err("a name is empty".to_owned()),
        count if count > IDENTIFIER_CHARS_MAX => {
            Err(format!("a name has at most {IDENTIFIER_CHARS_MAX} letters"))
        }
        _ if name.chars().all(is_fine) => Ok(()),
        _ => Err(format!("\"{name}\" holds a sign that no name may have: quotes, $, \\, . or ;")),
    }
}

/// Whether a condition, an expression or a word can be part of a statement. Statements number their
/// values with `$`, and end nowhere but at their end.
///
/// # Errors
/// What is wrong with it.
pub fn check_sql(text: &str) -> Result<(), String> {
    let mut letters = text.chars().zip(text.chars().skip(1));
    let is_numbered = letters.any(|(sign, digit)| sign == '$' && digit.is_ascii_digit());
    let problem = match text {
        _ if text.trim().is_empty() => "it is empty",
        _ if text.chars().count() > ADOPT_SQL_CHARS_MAX => "it is too long",
        _ if text.contains('\0') => "it holds a zero character",
        _ if is_numbered => "it holds a $ with a digit behind it, which is the sign of a value",
        _ if [";", "--", "/*", "?"].iter().any(|sign| text.contains(sign)) => {
            "it holds one of ; -- /* ?, which would end or change the statement around it"
        }
        _ => return Ok(()),
    };
    Err(problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{States, TableName, check_identifier, check_sql};

    #[test]
    fn names_are_checked() {
        for (name, is_fine) in [
            ("outbox", true),
            ("Order Events", true),
            ("", false),
            ("a\"b", false),
            ("a`b", false),
            ("a$1", false),
            ("a;b", false),
        ] {
            assert_eq!(check_identifier(name).is_ok(), is_fine, "{name}");
        }
        let table = TableName::parse("shop.outbox").unwrap();
        assert_eq!((table.schema.as_deref(), &*table.name), (Some("shop"), "outbox"));
        assert!(TableName::parse("a.b.c").is_err());
    }

    #[test]
    fn sql_ends_nowhere() {
        for (text, is_fine) in [
            ("kind = 'push'", true),
            ("payload ->> '$.type'", true),
            ("price > $1", false),
            ("1 = 1; DROP TABLE outbox", false),
            ("1 = 1 -- and no more", false),
            (" ", false),
        ] {
            assert_eq!(check_sql(text).is_ok(), is_fine, "{text}");
        }
    }

    #[test]
    fn what_was_not_sent_is_not_done() {
        let states = States { done: Some("S".into()), ..States::default() };
        assert_eq!((states.word(3), states.word(4), states.word(5)), (Some("S"), None, None));
        let states = States { failed: Some("F".into()), expired: Some("E".into()), ..states };
        let words = [3, 4, 5, 6, 7].map(|state| states.word(state).unwrap_or(""));
        assert_eq!(words, ["S", "F", "E", "F", "F"]);
    }
}
