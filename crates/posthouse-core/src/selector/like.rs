//! Patterns of `LIKE`: `%` stands for any characters, `_` for one.
//!
//! Matching keeps two positions and goes back only to the last `%`, so it takes at most pattern
//! times text comparisons, and each is charged as a step. No pattern can make it exponential.

use super::steps::Steps;
use std::str::Chars;

/// A pattern with its escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) parts: Box<[Part]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `%`
    Many,
    /// `_`
    One,
    Exactly(char),
}

/// Where to go on when the parts after the last `%` did not fit.
struct Retry<'p> {
    parts: &'p [Part],
    text: Chars<'p>,
}

impl Pattern {
    /// Reads a pattern. An escape character that stands before anything but `%`, `_` or itself
    /// means what it would without being one, as in ActiveMQ.
    pub(super) fn parse(text: &str, escape: Option<char>) -> Self {
        let mut parts = Vec::with_capacity(text.len());
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let escaped = (Some(character) == escape)
                .then(|| characters.next_if(|next| is_special(*next, character)))
                .flatten();
            parts.push(escaped.map_or_else(|| Part::unescaped(character), Part::Exactly));
        }
        Self { parts: parts.into_boxed_slice() }
    }

    /// Whether all of `text` fits. The answer means nothing once `steps` are exhausted.
    pub(super) fn matches(&self, text: &str, steps: &mut Steps) -> bool {
        let mut parts = &*self.parts;
        let mut text = text.chars();
        let mut retry: Option<Retry<'_>> = None;
        while steps.take(1) {
            let next = text.clone().next();
            match (parts.split_first(), next) {
                (Some((Part::Many, [])), _) | (None, None) => return true,
                (Some((Part::Many, rest)), _) => {
                    parts = rest;
                    retry = Some(Retry { parts, text: text.clone() });
                }
                (Some(_), None) => return false,
                (Some((part, rest)), Some(character)) if part.accepts(character) => {
                    parts = rest;
                    text.next();
                }
                _ => match retry.as_mut().and_then(Retry::advance) {
                    Some((again, later)) => (parts, text) = (again, later),
                    None => return false,
                },
            }
        }
        false
    }
}

impl<'p> Retry<'p> {
    /// Lets the last `%` swallow one more character.
    fn advance(&mut self) -> Option<(&'p [Part], Chars<'p>)> {
        self.text.next()?;
        Some((self.parts, self.text.clone()))
    }
}

impl Part {
    fn unescaped(character: char) -> Self {
        match character {
            '%' => Self::Many,
            '_' => Self::One,
            _ => Self::Exactly(character),
        }
    }

    fn accepts(self, character: char) -> bool {
        match self {
            Self::Many => false,
            Self::One => true,
            Self::Exactly(expected) => expected == character,
        }
    }
}

fn is_special(character: char, escape: char) -> bool {
    matches!(character, '%' | '_') || character == escape
}
