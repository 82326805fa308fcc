//! Mistakes in a selector's text, told so that whoever wrote it can mend it.

use crate::limits::{SELECTOR_DEPTH_LEVELS_MAX, SELECTOR_NODES_MAX, SELECTOR_TEXT_BYTES_MAX};
use std::error::Error;
use std::fmt;

/// How many characters of the user's own text a message repeats at most.
const EXCERPT_CHARACTERS_MAX: usize = 24;

/// Why a text is not a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError {
    /// What is wrong.
    pub kind: SelectorErrorKind,
    /// Where, in bytes from the start of the text: 0 is its first byte and its length is its end.
    /// The message counts from 1 instead, as people do.
    pub position: usize,
}

/// The kinds of mistakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectorErrorKind {
    /// There is nothing but blanks.
    Empty,
    /// The text is longer than [`SELECTOR_TEXT_BYTES_MAX`].
    TextTooLong {
        /// The length of the text, in bytes.
        bytes: usize,
    },
    /// There are more than [`SELECTOR_NODES_MAX`] nodes.
    TooManyNodes,
    /// The text nests deeper than [`SELECTOR_DEPTH_LEVELS_MAX`].
    TooDeep,
    /// A character that begins no word of the language.
    Character(char),
    /// A string without its closing quote.
    StringNotClosed,
    /// A quoted name without its closing quote.
    NameNotClosed,
    /// A quoted name with nothing in it.
    NameEmpty,
    /// A word that begins as a number and is none.
    NumberMalformed,
    /// A number outside the range of a Java long or double.
    NumberTooLarge,
    /// Something else should stand here.
    Expected {
        /// What should stand here, with its article.
        what: &'static str,
        /// The word before it; empty at the start.
        after: String,
        /// The word that stands here instead; empty at the end of the text.
        found: String,
    },
    /// The string after `ESCAPE` is not one character long.
    EscapeLength,
    /// A number or a string stands where a condition is needed.
    ConditionNeeded,
    /// A string or a condition stands where a number is needed.
    NumberNeeded,
    /// An order is asked of strings or booleans, which have none.
    OrderNeedsNumbers,
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use SelectorErrorKind as Kind;
        let at = Position(self.position);
        match &self.kind {
            Kind::Empty => f.write_str("the selector is empty; leave it out to select everything"),
            Kind::TextTooLong { bytes } => write!(
                f,
                "the selector has {bytes} bytes; at most {SELECTOR_TEXT_BYTES_MAX} are allowed"
            ),
            Kind::TooManyNodes => write!(
                f,
                "more than {SELECTOR_NODES_MAX} names, values and operators {at}; \
                 shorten the selector"
            ),
            Kind::TooDeep => write!(
                f,
                "more than {SELECTOR_DEPTH_LEVELS_MAX} levels of nesting {at}; \
                 remove parentheses or split the selector"
            ),
            Kind::Expected { what, after, found } => expected(f, what, after, found, &at),
            other => other.write_about_word(f, &at),
        }
    }
}

impl Error for SelectorError {}

impl SelectorErrorKind {
    /// The kinds that are about a single word of the text.
    fn write_about_word(&self, f: &mut fmt::Formatter<'_>, at: &Position) -> fmt::Result {
        match self {
            Self::Character(character) => write!(
                f,
                "{character:?} means nothing {at}; put a name that contains it in double quotes"
            ),
            Self::StringNotClosed => write!(f, "no closing ' for the string that begins {at}"),
            Self::NameNotClosed => write!(f, "no closing \" for the name that begins {at}"),
            Self::NameEmpty => write!(f, "nothing between the double quotes {at}; write a name"),
            Self::NumberMalformed => {
                write!(f, "malformed number {at}; write for example 42, 0x2A, 4.2 or 4E2")
            }
            Self::NumberTooLarge => write!(
                f,
                "number too large {at}; whole numbers end at {}, others at about 1.8E308",
                i64::MAX
            ),
            Self::EscapeLength => write!(f, "expected a string of one character {at}"),
            Self::ConditionNeeded => {
                write!(f, "expected a condition {at}; compare this value with another")
            }
            Self::NumberNeeded => write!(f, "expected a number {at}; only numbers compute"),
            Self::OrderNeedsNumbers => {
                write!(f, "expected a number {at}; strings and booleans compare only with = and <>")
            }
            _ => Ok(()),
        }
    }
}

fn expected(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    after: &str,
    found: &str,
    at: &Position,
) -> fmt::Result {
    write!(f, "expected {what}")?;
    if !after.is_empty() {
        write!(f, " after \"{}\"", Excerpt(after))?;
    }
    if !found.is_empty() {
        write!(f, ", found \"{}\"", Excerpt(found))?;
    }
    write!(f, " {at}")
}

/// A byte offset, shown counted from 1.
struct Position(usize);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at position {}", self.0 + 1)
    }
}

/// The beginning of a word, so that a long string does not drown the message.
struct Excerpt<'t>(&'t str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(EXCERPT_CHARACTERS_MAX) {
            None => f.write_str(self.0),
            Some((end, _)) => write!(f, "{}...", self.0.get(..end).unwrap_or_default()),
        }
    }
}
