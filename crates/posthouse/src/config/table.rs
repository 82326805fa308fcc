//! Reads the tables of lists: settings that may be left out, settings that must not, and names that
//! must lead somewhere.

use std::ops::RangeInclusive;

use super::raw::{Setting, Table, Value};
use super::reader::{Reading, boolean, duration, integer, size, text, word};
use super::report::{Mistake, Report};
use super::suggestion::nearest;
use crate::codes::Code;

/// Reads one table, and notes mistakes.
pub(super) struct TableReader<'a> {
    table: &'a Table,
    report: &'a mut Report,
}

impl<'a> TableReader<'a> {
    /// Reads `table`.
    pub(super) fn new(table: &'a Table, report: &'a mut Report) -> TableReader<'a> {
        TableReader { table, report }
    }

    /// A string that must be there.
    pub(super) fn name(&mut self, key: &str, what: &str) -> Option<String> {
        let Some(setting) = self.table.settings.get(key) else {
            let message = format!("{what} without `{key}`");
            let help = format!("add {key} = \"...\"");
            self.report.mistakes.push(Mistake::at(
                Code::ValueInvalid,
                &self.table.place,
                message,
                help,
            ));
            return None;
        };
        let name = self.take(text(key, setting))?;
        if name.is_empty() {
            self.refuse(key, "it is empty", "give it a name");
            return None;
        }
        Some(name)
    }

    /// A string that may be left out.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let setting = self.table.settings.get(key)?;
        self.take(text(key, setting))
    }

    /// A list of strings, or one string alone.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(setting) = self.table.settings.get(key) else { return Vec::new() };
        let items: Vec<&Setting> = match &setting.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![setting],
        };
        items.into_iter().filter_map(|item| self.take(text(key, item))).collect()
    }

    /// A yes or no.
    pub(super) fn boolean(&mut self, key: &str, default: bool) -> bool {
        let read = self.table.settings.get(key).map(|setting| boolean(key, setting));
        read.and_then(|read| self.take(read)).unwrap_or(default)
    }

    /// A count.
    pub(super) fn integer(&mut self, key: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let read = self.table.settings.get(key).map(|setting| integer(key, setting, &range));
        read.and_then(|read| self.take(read)).unwrap_or(default)
    }

    /// A duration in milliseconds.
    pub(super) fn duration(&mut self, key: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let read = self.table.settings.get(key).map(|setting| duration(key, setting, &range));
        read.and_then(|read| self.take(read)).unwrap_or(default)
    }

    /// A duration in milliseconds, or a word in its place; `None` for that, and when nothing is
    /// said.
    pub(super) fn duration_unless(
        &mut self,
        key: &str,
        unless: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let setting = self.table.settings.get(key)?;
        if matches!(&setting.value, Value::Text(text) if text == unless) {
            return None;
        }
        self.take(duration(key, setting, &range))
    }

    /// A size in bytes.
    pub(super) fn size(&mut self, key: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let read = self.table.settings.get(key).map(|setting| size(key, setting, &range));
        read.and_then(|read| self.take(read)).unwrap_or(default)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, key: &str, default: T, words: &[(&str, T)]) -> T {
        let read = self.table.settings.get(key).map(|setting| word(key, setting, words));
        read.and_then(|read| self.take(read)).unwrap_or(default)
    }

    /// Notes that a name leads nowhere, unless it is one of `known`.
    pub(super) fn resolve<'k>(
        &mut self,
        key: &str,
        name: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) {
        if known.clone().any(|one| one == name) {
            return;
        }
        let help = match nearest(name, known) {
            Some(found) => format!("did you mean \"{found}\"?"),
            None => format!("nothing of that name is configured; add a [[relay.{key}]]"),
        };
        self.refuse(key, &format!("\"{name}\" does not exist"), &help);
    }

    /// Notes that the value of a key cannot be used.
    pub(super) fn refuse(&mut self, key: &str, message: &str, help: &str) {
        self.refuse_entry(key, None, message, help);
    }

    /// Notes that one entry of a list cannot be used, or the whole value.
    pub(super) fn refuse_entry(
        &mut self,
        key: &str,
        index: Option<usize>,
        message: &str,
        help: &str,
    ) {
        let setting = self.table.settings.get(key);
        let entry = setting.and_then(|setting| match (&setting.value, index) {
            (Value::List(items), Some(index)) => items.get(index),
            _ => None,
        });
        let place = entry.or(setting).map_or(&self.table.place, |setting| &setting.place);
        let message = format!("`{key}`: {message}");
        self.report.mistakes.push(Mistake::at(Code::ValueInvalid, place, message, help.to_owned()));
    }

    fn take<T>(&mut self, read: Reading<T>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(mistake) => {
                self.report.mistakes.push(*mistake);
                None
            }
        }
    }
}
