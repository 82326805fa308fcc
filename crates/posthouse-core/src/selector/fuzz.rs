//! The entry for fuzzers: any bytes are a selector, and every bound must hold for it.

use super::{Selector, Strings, Tri};
use crate::limits::{SELECTOR_STEPS_MAX, SELECTOR_TEXT_BYTES_MAX};
use crate::property::{Lookup, Value};

/// A message that has every property; the kind of one follows from the length of its name, so
/// that mutated names still meet every kind.
struct AnyMessage;

impl Lookup for AnyMessage {
    fn value(&self, name: &str) -> Value<'_> {
        match name.len() % 8 {
            0 => Value::Null,
            1 => Value::Int(5),
            2 => Value::Str("7.5"),
            3 => Value::Bool(true),
            4 => Value::Str("a long text, a long text, a long text"),
            5 => Value::Float(0.5),
            6 => Value::Bytes(b"bytes"),
            _ => Value::Int(i64::MIN),
        }
    }
}

/// Parses and evaluates `input` as UTF-8 (whatever is none is replaced) in both modes.
///
/// # Panics
/// When an evaluation exceeds its bounds or an error points outside the text, which are defects.
pub fn fuzz_one(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for strings in [Strings::Strict, Strings::Convert] {
        match Selector::parse(&text, strings) {
            Ok(selector) => check_evaluation(&selector),
            Err(error) => {
                assert!(error.position <= text.len(), "{error} points outside the text");
                assert!(!error.to_string().is_empty(), "{:?} says nothing", error.kind);
            }
        }
    }
}

fn check_evaluation(selector: &Selector) {
    assert!(selector.text().len() <= SELECTOR_TEXT_BYTES_MAX, "the text is too long");
    let evaluation = selector.evaluate_counted(&AnyMessage);
    assert!(evaluation.steps <= SELECTOR_STEPS_MAX, "too many steps were spent");
    let given_up = evaluation.exhausted;
    assert!(!given_up || evaluation.outcome == Tri::Unknown, "given up, and yet an outcome");
    assert_eq!(evaluation, selector.evaluate_counted(&AnyMessage), "not repeatable");
}
