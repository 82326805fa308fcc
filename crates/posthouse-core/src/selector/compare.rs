//! Comparing two property values (Jakarta Messaging 3.1 section 3.8.1.1).

use super::tree::Comparison;
use super::{Strings, Tri, number};
use crate::property::Value;
use std::cmp::Ordering;

/// 2^63: the first floating-point number above every `i64`.
const ABOVE_WHOLE_NUMBERS: f64 = 9_223_372_036_854_775_808.0;

/// The value of `left operator right`. Unlike kinds are false for every operator.
pub(super) fn compare(
    operator: Comparison,
    left: Value<'_>,
    right: Value<'_>,
    strings: Strings,
) -> Tri {
    match (convert(left, right, strings), convert(right, left, strings)) {
        (Value::Null | Value::Bytes(_), _) | (_, Value::Null | Value::Bytes(_)) => Tri::Unknown,
        (Value::Str(left), Value::Str(right)) => equality(operator, left == right),
        (Value::Bool(left), Value::Bool(right)) => equality(operator, left == right),
        (left, right) => match numeric_ordering(left, right) {
            Some(ordering) => Tri::from(operator.holds(ordering)),
            None => Tri::False,
        },
    }
}

/// The truth of a value that stands in the place of a condition: `value = TRUE`.
pub(super) fn truth(value: Value<'_>, strings: Strings) -> Tri {
    compare(Comparison::Equal, value, Value::Bool(true), strings)
}

/// `value` as the kind of `other`, if strings are converted and it is one that needs to be.
/// A string that does not convert is null, which makes the comparison unknown.
fn convert<'v>(value: Value<'v>, other: Value<'_>, strings: Strings) -> Value<'v> {
    match (strings, value, other) {
        (Strings::Convert, Value::Str(text), Value::Int(_) | Value::Float(_)) => {
            number::from_text(text).unwrap_or(Value::Null)
        }
        (Strings::Convert, Value::Str(text), Value::Bool(_)) => boolean_from_text(text),
        _ => value,
    }
}

fn boolean_from_text(text: &str) -> Value<'static> {
    if text.eq_ignore_ascii_case("true") {
        Value::Bool(true)
    } else if text.eq_ignore_ascii_case("false") {
        Value::Bool(false)
    } else {
        Value::Null
    }
}

/// Strings and booleans are equal or not, and have no order.
fn equality(operator: Comparison, equal: bool) -> Tri {
    match operator {
        Comparison::Equal => Tri::from(equal),
        Comparison::NotEqual => Tri::from(!equal),
        _ => Tri::False,
    }
}

/// How two numbers stand to each other: `Some(None)` when one is NaN, `None` when one is no
/// number.
fn numeric_ordering(left: Value<'_>, right: Value<'_>) -> Option<Option<Ordering>> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(Some(left.cmp(&right))),
        (Value::Float(left), Value::Float(right)) => Some(left.partial_cmp(&right)),
        (Value::Int(left), Value::Float(right)) => Some(mixed_ordering(left, right)),
        (Value::Float(left), Value::Int(right)) => {
            Some(mixed_ordering(right, left).map(Ordering::reverse))
        }
        _ => None,
    }
}

/// Compares by exact value. Converting the whole number instead would round it, and
/// 9007199254740993 would equal 9007199254740992.0.
fn mixed_ordering(whole: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        None
    } else if float >= ABOVE_WHOLE_NUMBERS {
        Some(Ordering::Less)
    } else if float < -ABOVE_WHOLE_NUMBERS {
        Some(Ordering::Greater)
    } else {
        let fraction = 0.0.partial_cmp(&float.fract())?;
        Some(whole.cmp(&(float.trunc() as i64)).then(fraction))
    }
}

impl Comparison {
    /// Whether the operator holds for two numbers that stand so; NaN is only ever unequal.
    fn holds(self, ordering: Option<Ordering>) -> bool {
        let Some(ordering) = ordering else { return self == Self::NotEqual };
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}
