//! The message selector: a condition over a message's properties, as in Jakarta Messaging 3.1
//! section 3.8, which is a subset of the SQL-92 conditional expression.
//!
//! A text is cut into tokens (`lexer`), built into a typed tree by precedence (`parser`,
//! `predicate`) and evaluated against a [`Lookup`] (`eval`). It is safe to accept from anyone:
//! text, nodes and depth are bounded while parsing, work is bounded while evaluating (see
//! [`crate::limits`]), and evaluating neither allocates nor fails.
//!
//! Precedence, loosest first: `OR`, `AND`, `NOT`; `= <> != IS NULL`; `< <= > >= LIKE IN BETWEEN`;
//! `+ -`; `* / %`; a sign. Operators of one level group from the left.
//!
//! The specification leaves much open. Where it speaks we follow it; where it is silent or nobody
//! obeys it we follow ActiveMQ, so that selectors keep their meaning when they move here:
//!
//! * **Null.** An absent property is null. Comparing with null is unknown, arithmetic with null
//!   is null, and only a condition that is true matches.
//! * **Unlike kinds.** Comparing values of unlike kinds is false for every operator, `<>` too
//!   (section 3.8.1.1; ActiveMQ says true for `<>`). `NOT (a = b)`, `NOT IN` and `NOT LIKE` are
//!   plain negations and so true. `LIKE` on something that is no string is false.
//! * **Order.** Only numbers have an order. An order between strings or booleans is refused when
//!   the text shows it and is false when the values do.
//! * **Numbers.** Whole numbers and floating point compare by exact value, without rounding
//!   either. NaN equals nothing, itself included, and has no order. A literal with the suffix
//!   `f` is rounded to single precision, so that it equals a property set from a Java float.
//! * **Arithmetic.** Overflow of whole numbers and division by zero give null. A division of whole
//!   numbers that leaves a remainder is a fraction, as in ActiveMQ: `5 / 2 = 2.5`. Strings are
//!   not joined by `+`.
//! * **Truth.** A bare name stands for `name = TRUE`.
//! * **Bytes.** Opaque bytes are not null, yet comparing them or computing with them is unknown.
//! * **Names.** Letters, digits, `_` and `$`; any other name goes in double quotes, as in
//!   `"content-type" = 'text/plain'`, with `""` for one quote. Names are case-sensitive and
//!   keywords are not. There are no comments (section 3.8.1.3).
//! * **`IN`** takes strings and numbers.
//! * **Conversion.** With [`Strings::Convert`] a string that meets a number, a boolean, an
//!   arithmetic operator or a place that needs a condition is read as what it meets. A string
//!   that cannot be read so makes the result unknown.

mod arithmetic;
mod compare;
mod error;
mod eval;
mod fuzz;
mod lexer;
mod like;
mod number;
mod parser;
mod predicate;
mod steps;
mod token;
mod tree;
mod tri;

pub use error::{SelectorError, SelectorErrorKind};
pub use fuzz::fuzz_one;
pub use tri::Tri;

use crate::limits::SELECTOR_TEXT_BYTES_MAX;
use crate::property::Lookup;
use eval::Evaluator;
use parser::Parser;
use tree::Condition;

/// A text that begins with this is read with [`Strings::Convert`], whatever the caller says.
const CONVERT_PREFIX: &str = "convert_string_expressions:";

/// A text that begins with this is read with [`Strings::Strict`], whatever the caller says.
const STRICT_PREFIX: &str = "no_convert_string_expressions:";

/// What a string means where a number or a boolean is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strings {
    /// A string is a string and nothing else: Jakarta Messaging.
    Strict,
    /// A string is converted when it can be: protocols whose headers are all text, as STOMP.
    Convert,
}

/// A checked selector, ready to be evaluated against any number of messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    text: Box<str>,
    strings: Strings,
    condition: Condition,
}

/// What one evaluation came to and what it cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The value of the condition; [`Tri::Unknown`] when `exhausted`.
    pub outcome: Tri,
    /// The steps spent, at most [`crate::limits::SELECTOR_STEPS_MAX`].
    pub steps: u32,
    /// Whether the evaluation was given up because it needed more steps than that.
    pub exhausted: bool,
}

impl Selector {
    /// Reads `text`, whose prefix `convert_string_expressions:` or `no_convert_string_expressions:`
    /// wins over `strings`.
    ///
    /// # Errors
    /// The first mistake in the text, with its position; also an empty text, which callers that
    /// take it as "no selector" must handle before.
    pub fn parse(text: &str, strings: Strings) -> Result<Self, SelectorError> {
        if text.len() > SELECTOR_TEXT_BYTES_MAX {
            let kind = SelectorErrorKind::TextTooLong { bytes: text.len() };
            return Err(SelectorError { kind, position: SELECTOR_TEXT_BYTES_MAX });
        }
        let (strings, start) = mode(text, strings);
        let condition = Parser::parse(text, start, strings)?;
        Ok(Self { text: text.into(), strings, condition })
    }

    /// Whether the message behind `lookup` is selected: the condition is true, not merely unknown.
    pub fn matches(&self, lookup: &dyn Lookup) -> bool {
        self.evaluate(lookup) == Tri::True
    }

    /// The value of the condition for the message behind `lookup`.
    pub fn evaluate(&self, lookup: &dyn Lookup) -> Tri {
        self.evaluate_counted(lookup).outcome
    }

    /// Evaluates and tells the cost, for callers that count what was given up.
    pub fn evaluate_counted(&self, lookup: &dyn Lookup) -> Evaluation {
        Evaluator::new(lookup, self.strings).run(&self.condition)
    }

    /// The text as it was given, prefix included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How strings are treated, after the prefix of the text had its say.
    pub fn strings(&self) -> Strings {
        self.strings
    }
}

/// The mode that holds for `text`, and the byte at which its condition begins.
fn mode(text: &str, strings: Strings) -> (Strings, usize) {
    if text.starts_with(CONVERT_PREFIX) {
        (Strings::Convert, CONVERT_PREFIX.len())
    } else if text.starts_with(STRICT_PREFIX) {
        (Strings::Strict, STRICT_PREFIX.len())
    } else {
        (strings, 0)
    }
}

#[cfg(test)]
mod tests;
