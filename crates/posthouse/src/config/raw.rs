//! Settings as they were written: values without meaning yet, each with its place. Later layers
//! replace what earlier ones said.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, List};
use super::quote::shown_key;
use super::report::{Mistake, Report};
use super::source::{Place, Source};
use super::suggestion::nearest;
use crate::codes::Code;

/// Tables that one list may have.
const TABLES_MAX: usize = 10_000;

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A string, or the bare text of a variable or `--set`.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
    /// An array.
    List(Vec<Setting>),
    /// A table inside a table, in the order of its names.
    Table(Vec<(String, Setting)>),
    /// Something that no setting takes, by its name in TOML.
    Other(&'static str),
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting {
    /// The value.
    pub(crate) value: Value,
    /// Where it stands.
    pub(crate) place: Place,
}

/// One table of a list as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Where it stands.
    pub(crate) place: Place,
    /// What it sets.
    pub(crate) settings: BTreeMap<&'static str, Setting>,
}

/// All layers put over each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    /// By dotted path.
    pub(crate) settings: BTreeMap<&'static str, Setting>,
    /// The tables of lists, in their order, by the path of the list.
    pub(crate) lists: BTreeMap<&'static str, Vec<Table>>,
}

impl Raw {
    /// The tables of a list, in their order.
    pub(crate) fn list(&self, path: &str) -> &[Table] {
        self.lists.get(path).map_or(&[], Vec::as_slice)
    }
}

/// Puts layers over each other and notes what is wrong with them.
pub(crate) struct Layers {
    /// What holds so far.
    pub(crate) raw: Raw,
    /// What is wrong so far.
    pub(crate) report: Report,
    /// Where the text that is being read stops being TOML. Keys behind it may have lost their
    /// section, so that calling them unknown would mislead.
    broken_from: Option<usize>,
}

impl Layers {
    /// Starts with nothing.
    pub(crate) fn new() -> Layers {
        Layers { raw: Raw::default(), report: Report::default(), broken_from: None }
    }

    /// Puts a TOML text over what holds so far.
    pub(crate) fn add_text(&mut self, source: &Arc<Source>) {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        self.broken_from = errors.iter().map(|error| error.span().map_or(0, |s| s.start)).min();
        for error in errors {
            let place = Place::new(source, error.span().unwrap_or(0..0));
            let help = "this is not TOML as it should be".to_owned();
            self.mistake(Code::FileInvalid, &place, error.message().to_owned(), help);
        }
        self.add_table(source, "", table.get_ref());
        self.broken_from = None;
    }

    /// Puts the value of one setting, given as bare text, over what holds so far. The value
    /// starts at byte `value_at` of the source.
    pub(crate) fn add_assignment(&mut self, source: &Arc<Source>, path: &str, value_at: usize) {
        let Some(key) = keys::find(path) else {
            return self.unknown_key(path, &Place::new(source, 0..value_at.saturating_sub(1)));
        };
        let text = source.text.get(value_at..).unwrap_or_default();
        let place = Place::new(source, value_at..source.text.len());
        let value = match DeValue::parse(text) {
            Ok(array) if array.get_ref().is_array() => value_of(source, array.get_ref()),
            _ => Value::Text(text.to_owned()),
        };
        self.raw.settings.insert(key.path, Setting { value, place });
    }

    fn add_table(&mut self, source: &Arc<Source>, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let path = join(prefix, name.get_ref());
            let place = Place::new(source, name.span());
            if let Some(key) = keys::find(&path) {
                self.raw.settings.insert(key.path, setting_of(source, value));
            } else if let Some(list) = keys::find_list(&path) {
                self.add_list(source, list, value);
            } else if keys::is_section(&path) {
                self.add_section(source, &path, value);
            } else {
                self.unknown_key(&path, &place);
            }
        }
    }

    fn add_section(&mut self, source: &Arc<Source>, path: &str, value: &Spanned<DeValue<'_>>) {
        if let DeValue::Table(table) = value.get_ref() {
            return self.add_table(source, path, table);
        }
        let place = Place::new(source, value.span());
        let message = format!("`{path}` is a section, not a value");
        self.mistake(Code::ValueInvalid, &place, message, format!("write a table [{path}]"));
    }

    fn add_list(
        &mut self,
        source: &Arc<Source>,
        list: &'static List,
        value: &Spanned<DeValue<'_>>,
    ) {
        let place = Place::new(source, value.span());
        let help = format!("write [[{}]] above each", list.path);
        let DeValue::Array(tables) = value.get_ref() else {
            let message = format!("`{}` is a list of tables", list.path);
            return self.mistake(Code::ValueInvalid, &place, message, help);
        };
        if tables.len() > TABLES_MAX {
            let message =
                format!("`{}`: {} tables; {TABLES_MAX} are allowed", list.path, tables.len());
            return self.mistake(Code::ValueInvalid, &place, message, "merge some".into());
        }
        for table in tables {
            let place = Place::new(source, table.span());
            match table.get_ref() {
                DeValue::Table(table) => self.add_list_table(source, list, place, table),
                _ => {
                    let message = format!("{} is a table", list.what);
                    self.mistake(Code::ValueInvalid, &place, message, help.clone());
                }
            }
        }
    }

    fn add_list_table(
        &mut self,
        source: &Arc<Source>,
        list: &'static List,
        place: Place,
        table: &DeTable<'_>,
    ) {
        let mut settings = BTreeMap::new();
        for (name, value) in table {
            match list.keys.iter().find(|key| **key == name.get_ref().as_ref()) {
                Some(key) => {
                    settings.insert(*key, setting_of(source, value));
                }
                None => {
                    let help = did_you_mean(nearest(name.get_ref(), list.keys.iter().copied()));
                    let name_shown = shown_key(name.get_ref());
                    let message = format!("unknown key `{name_shown}` in {}", list.what);
                    self.mistake(Code::KeyUnknown, &Place::new(source, name.span()), message, help);
                }
            }
        }
        self.raw.lists.entry(list.path).or_default().push(Table { place, settings });
    }

    /// Suggests a key of the same section by its last part, or any other by its whole path.
    fn unknown_key(&mut self, path: &str, place: &Place) {
        if self.broken_from.is_some_and(|broken| broken < place.span.start) {
            return;
        }
        let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
        let siblings = keys::KEYS.iter().filter_map(|key| {
            let (above, last) = key.path.rsplit_once('.').unwrap_or(("", key.path));
            (above == section).then_some(last)
        });
        let found = if place.has_lines() { nearest(name, siblings) } else { None };
        let all = keys::KEYS.iter().map(|key| key.path);
        let help = did_you_mean(found.or_else(|| nearest(path, all)));
        self.mistake(Code::KeyUnknown, place, format!("unknown key `{}`", shown_key(path)), help);
    }

    fn mistake(&mut self, code: Code, place: &Place, message: String, help: String) {
        self.report.mistakes.push(Mistake::at(code, place, message, help));
    }
}

fn did_you_mean(found: Option<&str>) -> String {
    match found {
        Some(found) => format!("did you mean `{found}`?"),
        None => "`posthouse config default` lists all keys".into(),
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

fn setting_of(source: &Arc<Source>, value: &Spanned<DeValue<'_>>) -> Setting {
    Setting { value: value_of(source, value.get_ref()), place: Place::new(source, value.span()) }
}

fn value_of(source: &Arc<Source>, value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(truth) => Value::Boolean(*truth),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| setting_of(source, item)).collect())
        }
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("integer beyond 64 bits"),
        },
        DeValue::Table(table) => {
            let entries = table.iter();
            let entries = entries
                .map(|(name, value)| (name.get_ref().to_string(), setting_of(source, value)));
            Value::Table(entries.collect())
        }
        other => Value::Other(other.type_str()),
    }
}
