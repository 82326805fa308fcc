//! Every operator with every kind of value on either side, in both modes, against `reference`.

use super::reference::{self, VALUES};
use super::{MODES, Properties, evaluate, parse};
use crate::property::Value;
use crate::selector::{Selector, Strings, Tri};

const COMPARISONS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];
const ARITHMETIC: [&str; 5] = ["+", "-", "*", "/", "%"];

/// Evaluates `text` once for every pair of values, which it finds under `l` and `r`.
fn check_pairs(text: &str, expected: impl Fn(Value<'_>, Value<'_>, Strings) -> Tri) {
    for strings in MODES {
        let selector = parse(text, strings);
        for (left, right) in pairs() {
            let message = Properties(vec![("l", left), ("r", right)]);
            let expected = expected(left, right, strings);
            let actual = selector.evaluate(&message);
            assert_eq!(actual, expected, "{text} of {left:?} and {right:?} in {strings:?}");
        }
    }
}

fn pairs() -> impl Iterator<Item = (Value<'static>, Value<'static>)> {
    VALUES.into_iter().flat_map(|left| VALUES.into_iter().map(move |right| (left, right)))
}

fn truth(value: Value<'_>, strings: Strings) -> Tri {
    reference::compare("=", value, Value::Bool(true), strings)
}

#[test]
fn compares_every_pair() {
    for operator in COMPARISONS {
        check_pairs(&format!("l {operator} r"), |left, right, strings| {
            reference::compare(operator, left, right, strings)
        });
    }
}

#[test]
fn compares_every_property_with_every_literal() {
    for operator in COMPARISONS {
        for (left, right) in pairs() {
            let Some(literal) = literal(right) else { continue };
            check_literal(operator, left, right, &literal);
        }
    }
}

/// A literal that has no order is refused; every other means what a property would.
fn check_literal(operator: &str, left: Value<'_>, right: Value<'_>, literal: &str) {
    let text = format!("l {operator} {literal}");
    let ordered = !matches!(operator, "=" | "<>");
    let refused = ordered && matches!(right, Value::Str(_) | Value::Bool(_));
    for strings in MODES {
        let message = Properties(vec![("l", left)]);
        let actual = Selector::parse(&text, strings).map(|selector| selector.evaluate(&message));
        assert_eq!(actual.is_err(), refused, "{text}");
        let expected = reference::compare(operator, left, right, strings);
        assert_eq!(actual.unwrap_or(expected), expected, "{text} of {left:?} in {strings:?}");
    }
}

#[test]
fn computes_every_pair() {
    for operator in ARITHMETIC {
        for strings in MODES {
            for (left, right) in pairs() {
                check_result(operator, left, right, strings);
            }
        }
    }
}

/// Compares the result with the expected value, or with itself where that is NaN.
fn check_result(operator: &str, left: Value<'_>, right: Value<'_>, strings: Strings) {
    let expected = reference::compute(operator, left, right, strings);
    let text = match expected {
        Value::Null => format!("l {operator} r IS NULL"),
        Value::Float(value) if value.is_nan() => {
            format!("l {operator} r <> x AND l {operator} r IS NOT NULL")
        }
        _ => format!("l {operator} r = x"),
    };
    let message = Properties(vec![("l", left), ("r", right), ("x", expected)]);
    let actual = evaluate(&text, &message, strings);
    assert_eq!(actual, Tri::True, "{text} of {left:?} and {right:?} in {strings:?}: {expected:?}");
}

#[test]
fn signs_every_value() {
    for (sign, text) in [("-", "0 - r"), ("+", "0 + r")] {
        let both = format!("({sign}r IS NULL AND {text} IS NULL) OR {sign}r = {text}");
        let nan = |value: Value<'_>| matches!(value, Value::Float(value) if value.is_nan());
        check_pairs(&both, |_, right, _| if nan(right) { Tri::False } else { Tri::True });
    }
}

#[test]
fn connects_every_pair() {
    check_pairs("l AND r", |left, right, strings| {
        reference::and(truth(left, strings), truth(right, strings))
    });
    check_pairs("l OR r", |left, right, strings| {
        reference::or(truth(left, strings), truth(right, strings))
    });
    check_pairs("NOT l", |left, _, strings| reference::not(truth(left, strings)));
}

#[test]
fn compares_conditions_as_booleans() {
    check_pairs("(l = r) = TRUE", |left, right, strings| {
        reference::compare("=", left, right, strings)
    });
    check_pairs("(l = r) IS NULL", |left, right, strings| {
        Tri::from(reference::compare("=", left, right, strings) == Tri::Unknown)
    });
}

#[test]
fn finds_null_and_only_null() {
    check_pairs("l IS NULL", |left, _, _| Tri::from(left == Value::Null));
    check_pairs("l IS NOT NULL", |left, _, _| Tri::from(left != Value::Null));
}

#[test]
fn places_every_pair_between() {
    check_pairs("l BETWEEN r AND 5", |left, right, strings| {
        let low = reference::compare(">=", left, right, strings);
        reference::and(low, reference::compare("<=", left, Value::Int(5), strings))
    });
    check_pairs("l NOT BETWEEN -7 AND r", |left, right, strings| {
        let below = reference::compare("<", left, Value::Int(-7), strings);
        reference::or(below, reference::compare(">", left, right, strings))
    });
}

#[test]
fn finds_every_value_in_lists() {
    let found = |value: Value<'_>, strings| {
        let five = reference::compare("=", value, Value::Int(5), strings);
        let fraction = reference::compare("=", value, Value::Float(-7.25), strings);
        let text = reference::compare("=", value, Value::Str("7.5"), strings);
        reference::or(reference::or(five, fraction), text)
    };
    check_pairs("l IN (5, -7.25, '7.5')", |left, _, strings| found(left, strings));
    check_pairs("l NOT IN (5, -7.25, '7.5')", |left, _, strings| {
        reference::not(found(left, strings))
    });
}

#[test]
fn likens_every_value() {
    let like = |value: Value<'_>| match value {
        Value::Null | Value::Bytes(_) => Tri::Unknown,
        Value::Str(text) => Tri::from(text.len() > 1 && text.ends_with('5')),
        _ => Tri::False,
    };
    check_pairs("l LIKE '_%5'", |left, _, _| like(left));
    check_pairs("l NOT LIKE '_%5'", |left, _, _| reference::not(like(left)));
}

/// The value as it is written in a selector, if it can be.
fn literal(value: Value<'_>) -> Option<String> {
    match value {
        Value::Null => Some("NULL".to_owned()),
        Value::Bytes(_) => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => value.is_finite().then(|| format!("{value:?}")),
        Value::Str(text) => Some(format!("'{text}'")),
    }
}
