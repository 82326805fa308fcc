//! One line of a history's text: words, then fields such as `key=4`, and flags such as `browse`,
//! in any order.

use std::str::FromStr;

/// A line that is being read.
pub struct Line<'a> {
    words: std::str::SplitWhitespace<'a>,
    text: &'a str,
}

impl<'a> Line<'a> {
    /// Begins to read `text`.
    pub fn new(text: &'a str) -> Line<'a> {
        Line { words: text.split_whitespace(), text }
    }

    /// The next word.
    ///
    /// # Errors
    /// If there is none.
    pub fn word(&mut self) -> Result<&'a str, String> {
        self.words.next().ok_or_else(|| "the line ends too early".to_owned())
    }

    /// The next word as a number or another value.
    ///
    /// # Errors
    /// If there is none, or it is no such value.
    pub fn value<T: FromStr>(&mut self) -> Result<T, String> {
        let word = self.word()?;
        word.parse().map_err(|_| format!("\"{word}\" is not what belongs there"))
    }

    /// Whether the line has this flag.
    pub fn has(&self, flag: &str) -> bool {
        self.text.split_whitespace().any(|word| word == flag)
    }

    /// The text of a field, if the line has it.
    pub fn text(&self, field: &str) -> Option<&'a str> {
        let fields = self.text.split_whitespace().filter_map(|word| word.split_once('='));
        fields.filter(|(name, _)| *name == field).map(|(_, text)| text).next()
    }

    /// The value of a field, if the line has it.
    ///
    /// # Errors
    /// If it is no such value.
    pub fn get<T: FromStr>(&self, field: &str) -> Result<Option<T>, String> {
        let parse = |text: &str| text.parse().map_err(|_| format!("{field}={text} cannot be"));
        self.text(field).map(parse).transpose()
    }

    /// The value of a field that the line must have.
    ///
    /// # Errors
    /// If it is missing, or no such value.
    pub fn field<T: FromStr>(&self, field: &str) -> Result<T, String> {
        self.get(field)?.ok_or_else(|| format!("{field}= is missing"))
    }
}
