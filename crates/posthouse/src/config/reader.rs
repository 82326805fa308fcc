//! Reads single settings as what they are meant to be. A setting that cannot be read leaves a
//! mistake and a stand-in, so that all the others are still looked at.

use std::ops::RangeInclusive;

use super::raw::{Raw, Setting, Value};
use super::report::{Mistake, Report};
use super::source::Place;
use super::suggestion::nearest;
use super::value;
use crate::codes::Code;

/// Reads settings and notes mistakes.
pub(crate) struct Reader<'a> {
    raw: &'a Raw,
    /// What is wrong so far.
    pub(crate) report: Report,
}

impl<'a> Reader<'a> {
    /// Reads from `raw`.
    pub(crate) fn new(raw: &'a Raw) -> Reader<'a> {
        Reader { raw, report: Report::default() }
    }

    /// What is read from.
    pub(crate) fn raw(&self) -> &'a Raw {
        self.raw
    }

    /// A string.
    pub(crate) fn text(&mut self, path: &str) -> String {
        self.read(path, text).unwrap_or_default()
    }

    /// One string or a list of them, each with its own place; commas part them too.
    pub(crate) fn texts(&mut self, path: &str) -> Vec<(Setting, String)> {
        let found = self.read(path, |_, setting| match &setting.value {
            Value::List(items) => items.iter().map(|item| Ok((item, text(path, item)?))).collect(),
            _ => Ok(vec![(setting, text(path, setting)?)]),
        });
        let split = |(setting, text): (&Setting, String)| {
            let parts = text.split(',').map(|part| (setting.clone(), part.trim().to_owned()));
            parts.collect::<Vec<_>>()
        };
        found.unwrap_or_default().into_iter().flat_map(split).collect()
    }

    /// A duration in milliseconds.
    pub(crate) fn duration(&mut self, path: &str, range: RangeInclusive<u64>) -> u64 {
        self.read(path, |path, setting| duration(path, setting, &range)).unwrap_or_default()
    }

    /// A size in bytes.
    pub(crate) fn size(&mut self, path: &str, range: RangeInclusive<u64>) -> u64 {
        self.read(path, |path, setting| size(path, setting, &range)).unwrap_or_default()
    }

    /// A count.
    pub(crate) fn integer(&mut self, path: &str, range: RangeInclusive<u64>) -> u64 {
        self.read(path, |path, setting| integer(path, setting, &range)).unwrap_or_default()
    }

    /// True or false.
    pub(crate) fn boolean(&mut self, path: &str) -> bool {
        self.read(path, boolean).unwrap_or_default()
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, path: &str, words: &[(&str, T)]) -> Option<T> {
        self.read(path, |path, setting| word(path, setting, words))
    }

    /// Notes that the setting's value cannot be used.
    pub(crate) fn refuse(&mut self, path: &str, message: &str, help: &str) {
        if let Some(setting) = self.raw.settings.get(path) {
            let message = format!("`{path}`: {message}");
            self.mistake(Code::ValueInvalid, &setting.place, message, help);
        }
    }

    /// Notes a mistake.
    pub(crate) fn mistake(&mut self, code: Code, place: &Place, message: String, help: &str) {
        self.report.mistakes.push(Mistake::at(code, place, message, help.to_owned()));
    }

    fn read<T>(
        &mut self,
        path: &str,
        read: impl FnOnce(&str, &'a Setting) -> Result<T, Box<Mistake>>,
    ) -> Option<T> {
        let setting = self.raw.settings.get(path)?;
        match read(path, setting) {
            Ok(value) => Some(value),
            Err(mistake) => {
                self.report.mistakes.push(*mistake);
                None
            }
        }
    }
}

/// What reading one value answers.
pub(crate) type Reading<T> = Result<T, Box<Mistake>>;

/// Reads a string.
pub(crate) fn text(path: &str, setting: &Setting) -> Reading<String> {
    match &setting.value {
        Value::Text(text) => Ok(text.clone()),
        _ => Err(unreadable(path, setting, "a string in quotes")),
    }
}

/// Reads a duration in milliseconds.
pub(crate) fn duration(path: &str, setting: &Setting, range: &RangeInclusive<u64>) -> Reading<u64> {
    let expected = "a duration such as \"250ms\", \"30s\" or \"5m\"";
    let Value::Text(text) = &setting.value else {
        return Err(unreadable(path, setting, expected));
    };
    let ms = value::duration_ms(text).ok_or_else(|| unreadable(path, setting, expected))?;
    let show = |ms: u64| value::duration_text(ms);
    within(path, setting, ms, range, show)
}

/// Reads a size in bytes.
pub(crate) fn size(path: &str, setting: &Setting, range: &RangeInclusive<u64>) -> Reading<u64> {
    let expected = "a size such as \"512 B\", \"64 KiB\" or \"16 MiB\"";
    let Value::Text(text) = &setting.value else {
        return Err(unreadable(path, setting, expected));
    };
    let bytes = value::size_bytes(text).ok_or_else(|| unreadable(path, setting, expected))?;
    within(path, setting, bytes, range, |bytes| format!("{bytes} B"))
}

/// Reads a count; from a variable or the command line also as text.
pub(crate) fn integer(path: &str, setting: &Setting, range: &RangeInclusive<u64>) -> Reading<u64> {
    let number = match &setting.value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::Text(text) if !setting.place.has_lines() => text.parse().ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| unreadable(path, setting, "a whole number, 0 or more"))?;
    within(path, setting, number, range, |number| number.to_string())
}

/// Reads a yes or no; from a variable or the command line also as text.
pub(crate) fn boolean(path: &str, setting: &Setting) -> Reading<bool> {
    match &setting.value {
        Value::Boolean(truth) => Ok(*truth),
        Value::Text(text) if !setting.place.has_lines() && text == "true" => Ok(true),
        Value::Text(text) if !setting.place.has_lines() && text == "false" => Ok(false),
        _ => Err(unreadable(path, setting, "true or false")),
    }
}

/// Reads one of a few words.
pub(crate) fn word<T: Copy>(path: &str, setting: &Setting, words: &[(&str, T)]) -> Reading<T> {
    let given = text(path, setting)?;
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == given) {
        return Ok(*meaning);
    }
    let all: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    let message = format!("`{path}`: \"{given}\" is none of {}", all.join(", "));
    let help = match nearest(&given, words.iter().map(|(word, _)| *word)) {
        Some(found) => format!("did you mean \"{found}\"?"),
        None => String::new(),
    };
    Err(Box::new(Mistake::at(Code::ValueInvalid, &setting.place, message, help)))
}

fn within(
    path: &str,
    setting: &Setting,
    value: u64,
    range: &RangeInclusive<u64>,
    show: impl Fn(u64) -> String,
) -> Reading<u64> {
    if range.contains(&value) {
        return Ok(value);
    }
    let message = format!("`{path}`: {} is out of range", show(value));
    let help = match (*range.start(), *range.end()) {
        (least, u64::MAX) => format!("use at least {}", show(least)),
        (least, most) => format!("use {} to {}", show(least), show(most)),
    };
    Err(Box::new(Mistake::at(Code::ValueInvalid, &setting.place, message, help)))
}

fn unreadable(path: &str, setting: &Setting, expected: &str) -> Box<Mistake> {
    let found = match &setting.value {
        Value::Text(text) => format!("\"{}\"", text.escape_debug()),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::List(_) => "a list".into(),
        Value::Table(_) => "a table".into(),
        Value::Other(kind) => format!("a TOML {kind}"),
    };
    let message = format!("`{path}`: {found} cannot be read");
    Box::new(Mistake::at(Code::ValueInvalid, &setting.place, message, format!("use {expected}")))
}
