//! What selectors mean, written a second time and as plainly as possible.
//!
//! Truth values are numbers (false 0, unknown 1, true 2) with minimum and maximum for `AND` and
//! `OR`; numbers are exact quarters in 128 bits; strings convert by a list. It knows only values
//! that [`VALUES`] holds.

use crate::property::Value;
use crate::selector::{Strings, Tri};

/// Values of every kind, with the edges at which comparing or computing could go wrong. Every
/// finite float is a whole number of quarters.
pub(super) const VALUES: [Value<'static>; 32] = [
    Value::Null,
    Value::Bytes(b""),
    Value::Bytes(b"5"),
    Value::Bool(true),
    Value::Bool(false),
    Value::Int(0),
    Value::Int(1),
    Value::Int(-1),
    Value::Int(5),
    Value::Int(-7),
    Value::Int(9_007_199_254_740_993),
    Value::Int(i64::MAX),
    Value::Int(i64::MIN),
    Value::Float(0.0),
    Value::Float(-0.0),
    Value::Float(5.0),
    Value::Float(7.5),
    Value::Float(-7.25),
    Value::Float(9_007_199_254_740_992.0),
    Value::Float(9_223_372_036_854_775_808.0),
    Value::Float(-9_223_372_036_854_775_808.0),
    Value::Float(f64::INFINITY),
    Value::Float(f64::NEG_INFINITY),
    Value::Float(f64::NAN),
    Value::Str(""),
    Value::Str("5"),
    Value::Str("7.5"),
    Value::Str("-7"),
    Value::Str("1e3"),
    Value::Str("TRUE"),
    Value::Str("NaN"),
    Value::Str(" 5"),
];

const FALSE: u8 = 0;
const UNKNOWN: u8 = 1;
const TRUE: u8 = 2;

/// `left operator right` for the six comparisons.
pub(super) fn compare(operator: &str, left: Value<'_>, right: Value<'_>, mode: Strings) -> Tri {
    tri(comparison(operator, left, right, mode))
}

pub(super) fn and(left: Tri, right: Tri) -> Tri {
    tri(rank(left).min(rank(right)))
}

pub(super) fn or(left: Tri, right: Tri) -> Tri {
    tri(rank(left).max(rank(right)))
}

pub(super) fn not(value: Tri) -> Tri {
    tri(2 - rank(value))
}

/// `left operator right` for the five operators of arithmetic.
pub(super) fn compute(
    operator: &str,
    left: Value<'_>,
    right: Value<'_>,
    mode: Strings,
) -> Value<'static> {
    let zero_divides = "/%".contains(operator) && number(right, mode) == Some(Value::Int(0));
    let zero_float_divides =
        "/%".contains(operator) && number(right, mode) == Some(Value::Float(0.0));
    match (number(left, mode), number(right, mode)) {
        _ if zero_divides || zero_float_divides => Value::Null,
        (None, _) | (_, None) => Value::Null,
        (Some(Value::Int(left)), Some(Value::Int(right))) => {
            whole(operator, i128::from(left), i128::from(right))
        }
        (Some(left), Some(right)) => Value::Float(float(operator, widened(left), widened(right))),
    }
}

fn comparison(operator: &str, left: Value<'_>, right: Value<'_>, mode: Strings) -> u8 {
    let opaque = |value| matches!(value, Value::Null | Value::Bytes(_));
    if opaque(left) || opaque(right) {
        return UNKNOWN;
    }
    match (left, right) {
        (Value::Str(left), Value::Str(right)) => equality(operator, left == right),
        (Value::Bool(left), Value::Bool(right)) => equality(operator, left == right),
        (Value::Str(_), _) | (_, Value::Str(_)) if mode == Strings::Strict => FALSE,
        (Value::Str(text), Value::Bool(right)) => match boolean(text) {
            Some(left) => equality(operator, left == right),
            None => UNKNOWN,
        },
        (Value::Bool(_), Value::Str(_)) => comparison(mirrored(operator), right, left, mode),
        (Value::Bool(_), _) | (_, Value::Bool(_)) => FALSE,
        _ => match (number(left, mode), number(right, mode)) {
            (Some(left), Some(right)) => ordering(operator, quarters(left), quarters(right)),
            _ => UNKNOWN,
        },
    }
}

fn equality(operator: &str, equal: bool) -> u8 {
    match (operator, equal) {
        ("=", true) | ("<>", false) => TRUE,
        _ => FALSE,
    }
}

/// No quarters stand for NaN.
fn ordering(operator: &str, left: Option<i128>, right: Option<i128>) -> u8 {
    let (Some(left), Some(right)) = (left, right) else {
        return if operator == "<>" { TRUE } else { FALSE };
    };
    let holds = match operator {
        "=" => left == right,
        "<>" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        _ => left >= right,
    };
    if holds { TRUE } else { FALSE }
}

fn mirrored(operator: &str) -> &str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

fn number(value: Value<'_>, mode: Strings) -> Option<Value<'static>> {
    match (value, mode) {
        (Value::Int(value), _) => Some(Value::Int(value)),
        (Value::Float(value), _) => Some(Value::Float(value)),
        (Value::Str("5"), Strings::Convert) => Some(Value::Int(5)),
        (Value::Str("-7"), Strings::Convert) => Some(Value::Int(-7)),
        (Value::Str("7.5"), Strings::Convert) => Some(Value::Float(7.5)),
        (Value::Str("1e3"), Strings::Convert) => Some(Value::Float(1000.0)),
        _ => None,
    }
}

fn boolean(text: &str) -> Option<bool> {
    (text == "TRUE").then_some(true)
}

fn quarters(value: Value<'_>) -> Option<i128> {
    match value {
        Value::Int(value) => Some(i128::from(value) * 4),
        Value::Float(value) if value.is_nan() => None,
        Value::Float(value) => Some((value * 4.0) as i128),
        _ => None,
    }
}

fn whole(operator: &str, left: i128, right: i128) -> Value<'static> {
    let result = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "%" => left % right,
        _ if left % right != 0 => return Value::Float(left as f64 / right as f64),
        _ => left / right,
    };
    // The least long has no remainder by -1 in Java's width either: the division overflows.
    let overflows = operator == "%" && left == i128::from(i64::MIN) && right == -1;
    match i64::try_from(result) {
        Ok(result) if !overflows => Value::Int(result),
        _ => Value::Null,
    }
}

fn float(operator: &str, left: f64, right: f64) -> f64 {
    match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        _ => left % right,
    }
}

fn widened(value: Value<'_>) -> f64 {
    match value {
        Value::Int(value) => value as f64,
        Value::Float(value) => value,
        _ => f64::NAN,
    }
}

fn rank(value: Tri) -> u8 {
    match value {
        Tri::False => FALSE,
        Tri::Unknown => UNKNOWN,
        Tri::True => TRUE,
    }
}

fn tri(rank: u8) -> Tri {
    match rank {
        FALSE => Tri::False,
        UNKNOWN => Tri::Unknown,
        _ => Tri::True,
    }
}
