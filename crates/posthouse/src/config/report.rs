//! Mistakes in settings, all of them together, each with its place.

use std::fmt;

use super::quote::Quote;
use super::source::Place;
use crate::codes::Code;

/// Mistakes that are shown; the others are counted.
const SHOWN_MAX: usize = 20;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// What kind of mistake.
    pub(crate) code: Code,
    /// What is wrong.
    pub(crate) message: String,
    /// Where.
    pub(crate) place: Option<Place>,
    /// What to do about it, in a few words that stand beside the place.
    pub(crate) help: String,
}

impl Mistake {
    /// A mistake at `place`.
    pub(crate) fn at(code: Code, place: &Place, message: String, help: String) -> Mistake {
        Mistake { code, message, place: Some(place.clone()), help }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error[{}]: {}", self.code.as_str(), self.message)?;
        let Some(place) = &self.place else {
            return writeln!(f, "  = {}", self.help);
        };
        let number = if place.has_lines() { place.position().0.to_string() } else { String::new() };
        let margin = " ".repeat(number.len());
        let quote = Quote::of(place);
        let indent = " ".repeat(quote.indent);
        let carets = "^".repeat(quote.width);
        writeln!(f, "{margin} --> {}", place.address())?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", quote.line)?;
        writeln!(f, "{}", format!("{margin} | {indent}{carets} {}", self.help).trim_end())
    }
}

/// All mistakes of one set of sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// In the order in which they were found.
    pub(crate) mistakes: Vec<Mistake>,
}

impl Report {
    /// The mistakes in the order of their places, source by source.
    pub(crate) fn in_order(mut self) -> Report {
        self.mistakes.sort_by_key(|mistake| {
            let place = mistake.place.as_ref();
            place.map(|place| (place.source.kind, place.source.name.clone(), place.span.start))
        });
        self
    }

    /// The mistakes as values for programs: code, message, help, and the place as text.
    pub(crate) fn to_json(&self) -> Vec<serde_json::Value> {
        let row = |mistake: &Mistake| {
            serde_json::json!({
                "code": mistake.code.as_str(),
                "message": mistake.message,
                "help": mistake.help,
                "place": mistake.place.as_ref().map(Place::address),
            })
        };
        self.mistakes.iter().map(row).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in self.mistakes.iter().take(SHOWN_MAX) {
            writeln!(f, "{mistake}")?;
        }
        let count = self.mistakes.len();
        if count > SHOWN_MAX {
            writeln!(f, "... and {} more.\n", count - SHOWN_MAX)?;
        }
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        write!(f, "{count} {noun} in the configuration")
    }
}

impl std::error::Error for Report {}
