//! Cuts a selector's text into tokens, one at a time as the parser asks for them.

use super::error::{SelectorError, SelectorErrorKind};
use super::number;
use super::token::{Kind, Token, continues_name, starts_name, symbol, word_kind};

/// The text and how far it has been read, in bytes.
#[derive(Debug)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    position: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, position: usize) -> Self {
        Self { text, position }
    }

    /// The next token; [`Kind::End`] for ever once the text is used up.
    pub(super) fn next(&mut self) -> Result<Token<'t>, SelectorError> {
        self.skip_blanks();
        let (kind, length) = self.recognise()?;
        let start = self.position;
        self.position += length;
        let text = self.text.get(start..self.position).unwrap_or_default();
        Ok(Token { kind, text, start })
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        self.position += rest.len() - trimmed.len();
    }

    /// What the rest of the text begins with, and its length in bytes.
    fn recognise(&self) -> Result<(Kind, usize), SelectorError> {
        let rest = self.rest();
        let mut characters = rest.chars();
        let Some(first) = characters.next() else { return Ok((Kind::End, 0)) };
        let second = characters.next().unwrap_or_default();
        match first {
            '\'' => self.quoted('\'', Kind::Text, SelectorErrorKind::StringNotClosed),
            '"' => self.quoted('"', Kind::QuotedName, SelectorErrorKind::NameNotClosed),
            '0'..='9' => self.number(),
            '.' if second.is_ascii_digit() => self.number(),
            _ if starts_name(first) => Ok(word(rest)),
            _ => symbol(rest).ok_or_else(|| self.error(SelectorErrorKind::Character(first))),
        }
    }

    fn quoted(
        &self,
        quote: char,
        kind: Kind,
        not_closed: SelectorErrorKind,
    ) -> Result<(Kind, usize), SelectorError> {
        match quoted_length(self.rest(), quote) {
            Some(2) if kind == Kind::QuotedName => Err(self.error(SelectorErrorKind::NameEmpty)),
            Some(length) => Ok((kind, length)),
            None => Err(self.error(not_closed)),
        }
    }

    fn number(&self) -> Result<(Kind, usize), SelectorError> {
        let rest = self.rest();
        let length = number::extent(rest);
        let digits = rest.get(..length).unwrap_or_default();
        let kind = number::literal(digits).map_err(|kind| self.error(kind))?;
        Ok((kind, length))
    }

    fn error(&self, kind: SelectorErrorKind) -> SelectorError {
        SelectorError { kind, position: self.position }
    }
}

fn word(rest: &str) -> (Kind, usize) {
    let length = rest.find(|character| !continues_name(character)).unwrap_or(rest.len());
    (word_kind(rest.get(..length).unwrap_or_default()), length)
}

/// The bytes from the opening quote to the closing one, where a doubled quote does not close.
fn quoted_length(rest: &str, quote: char) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((index, character)) = characters.next() {
        if character != quote {
            continue;
        }
        if characters.next_if(|(_, next)| *next == quote).is_none() {
            return Some(index + 1);
        }
    }
    None
}

/// The content of a quoted token, doubled quotes made single.
pub(super) fn unquoted(text: &str, quote: char) -> Box<str> {
    let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    let inner = inner.unwrap_or_default();
    let mut content = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        content.push(character);
        if character == quote {
            characters.next();
        }
    }
    content.into_boxed_str()
}
