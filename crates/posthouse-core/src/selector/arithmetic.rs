//! Computing with property values. Whatever has no result is null, so nothing here can fail.

use super::tree::{Arithmetic, Sign};
use super::{Strings, number};
use crate::property::Value;

/// An operand that turned out to be a number.
#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Float(f64),
}

/// The value of `left operator right`.
pub(super) fn compute(
    operator: Arithmetic,
    left: Value<'_>,
    right: Value<'_>,
    strings: Strings,
) -> Value<'static> {
    let (Some(left), Some(right)) = (as_number(left, strings), as_number(right, strings)) else {
        return Value::Null;
    };
    let result = match (left, right) {
        (Number::Whole(left), Number::Whole(right)) => whole(operator, left, right),
        _ => float(operator, left.widened(), right.widened()),
    };
    result.unwrap_or(Value::Null)
}

/// The value of `operand` with a sign before it.
pub(super) fn signed(sign: Sign, operand: Value<'_>, strings: Strings) -> Value<'static> {
    let result = match (sign, as_number(operand, strings)) {
        (Sign::Plus, Some(Number::Whole(value))) => Some(Value::Int(value)),
        (Sign::Plus, Some(Number::Float(value))) => Some(Value::Float(value)),
        (Sign::Minus, Some(Number::Whole(value))) => value.checked_neg().map(Value::Int),
        (Sign::Minus, Some(Number::Float(value))) => Some(Value::Float(-value)),
        (_, None) => None,
    };
    result.unwrap_or(Value::Null)
}

fn as_number(value: Value<'_>, strings: Strings) -> Option<Number> {
    let value = match (strings, value) {
        (Strings::Convert, Value::Str(text)) => number::from_text(text)?,
        _ => value,
    };
    match value {
        Value::Int(value) => Some(Number::Whole(value)),
        Value::Float(value) => Some(Number::Float(value)),
        _ => None,
    }
}

fn whole(operator: Arithmetic, left: i64, right: i64) -> Option<Value<'static>> {
    let result = match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Remainder => left.checked_rem(right),
        Arithmetic::Divide => return quotient(left, right),
    };
    result.map(Value::Int)
}

/// Stays whole, and so exact, when nothing remains; otherwise it is a fraction.
fn quotient(left: i64, right: i64) -> Option<Value<'static>> {
    if left.checked_rem(right)? == 0 {
        left.checked_div(right).map(Value::Int)
    } else {
        Some(Value::Float(left as f64 / right as f64))
    }
}

fn float(operator: Arithmetic, left: f64, right: f64) -> Option<Value<'static>> {
    let divides = matches!(operator, Arithmetic::Divide | Arithmetic::Remainder);
    if divides && right == 0.0 {
        return None;
    }
    Some(Value::Float(match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    }))
}

impl Number {
    fn widened(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}
