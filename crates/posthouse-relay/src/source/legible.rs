//! Reading the columns of one request, whatever stands in them.
//!
//! A row that somebody has written wrong must neither end the read that finds it nor be passed
//! over: what can be made out of it is given, and what is wrong is noted.

use posthouse_pump::request::Unreadable;

use super::base::Record;
use super::columns::{Text, bound_of, named};
use super::error::SourceError;

/// See the module.
pub(super) struct Reader<'r> {
    row: &'r Record,
    is_content: bool,
    wrong: Vec<Unreadable>,
}

impl<'r> Reader<'r> {
    /// For what a request says of itself.
    pub(super) fn of_request(row: &'r Record) -> Result<Reader<'r>, SourceError> {
        Reader::open(row, false, ["mistyped", "too_long"])
    }

    /// For what is sent of it.
    pub(super) fn of_content(row: &'r Record) -> Result<Reader<'r>, SourceError> {
        Reader::open(row, true, ["content_mistyped", "content_too_long"])
    }

    /// Notes what the statement has found.
    fn open(
        row: &'r Record,
        is_content: bool,
        [mistyped, too_long]: [&str; 2],
    ) -> Result<Reader<'r>, SourceError> {
        let mut reader = Reader { row, is_content, wrong: Vec::new() };
        if let Some(column) = row.maybe_text(mistyped)?.and_then(|name| named(&name)) {
            let what = match column {
                "body" => "holds a number, and must hold bytes or a text",
                _ if bound_of(column).is_some() => "holds bytes, and must hold a text",
                _ => "must hold a whole number",
            };
            reader.note(column, what);
        }
        if let Some(column) = row.maybe_text(too_long)?.and_then(|name| named(&name)) {
            reader.note_long(column);
        }
        Ok(reader)
    }

    /// Notes that something is wrong with a column.
    pub(super) fn note(&mut self, column: &'static str, what: &str) {
        let detail = format!("the column `{column}` {what}");
        self.wrong.push(Unreadable { column, detail, is_content: self.is_content });
    }

    fn note_long(&mut self, column: &'static str) {
        let bound = bound_of(column).unwrap_or_default();
        self.note(column, &format!("is longer than {bound}"));
    }

    /// Whether something is wrong with a column that has been read.
    pub(super) fn is_wrong(&self, column: &str) -> bool {
        self.wrong.iter().any(|wrong| wrong.column == column)
    }

    /// The first that is wrong.
    pub(super) fn wrong(self) -> Option<Unreadable> {
        self.wrong.into_iter().next()
    }

    /// A text that may be absent; of one that is no UTF-8, what can be shown.
    pub(super) fn text(&mut self, text: &Text) -> Result<Option<String>, SourceError> {
        let Some(bytes) = self.row.maybe_raw_text(text.name)? else { return Ok(None) };
        let found = match String::from_utf8(bytes) {
            Ok(found) => found,
            Err(error) => {
                self.note(text.name, "is not valid UTF-8");
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        if found.chars().count() > text.chars_max {
            self.note_long(text.name);
        }
        Ok(Some(found))
    }

    /// A text that must be there.
    pub(super) fn needed_text(&mut self, text: &Text) -> Result<String, SourceError> {
        let found = self.text(text)?;
        if found.is_none() && !self.is_wrong(text.name) {
            self.note_empty(text.name);
        }
        Ok(found.unwrap_or_default())
    }

    /// A number that may be absent.
    pub(super) fn maybe_int(&self, column: &str) -> Result<Option<i64>, SourceError> {
        self.row.maybe_int(column)
    }

    /// A number that must be there.
    pub(super) fn int(&mut self, column: &'static str) -> Result<i64, SourceError> {
        let found = self.row.maybe_int(column)?;
        if found.is_none() {
            self.note_empty(column);
        }
        Ok(found.unwrap_or(0))
    }

    fn note_empty(&mut self, column: &'static str) {
        self.note(column, "is empty");
    }
}
