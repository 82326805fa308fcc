//! Numbers in selectors: literals by Java's syntax (section 3.8.1.1 of Jakarta Messaging 3.1),
//! and strings that are converted to numbers.

use super::error::SelectorErrorKind;
use super::token::{Kind, continues_name};
use crate::limits::SELECTOR_NUMBER_BYTES_MAX;
use crate::property::Value;

/// The largest magnitude that some `i64` has: that of its minimum.
const MAGNITUDE_MAX: u64 = i64::MIN.unsigned_abs();

/// How many bytes at the start of `rest` look like one number. It takes letters and dots that
/// cannot belong to it as well, so that `5x` is one malformed number and not two good words.
pub(super) fn extent(rest: &str) -> usize {
    let hexadecimal = hexadecimal_digits(rest).is_some();
    let mut previous = ' ';
    for (index, character) in rest.char_indices() {
        let exponent_sign = matches!(character, '+' | '-') && matches!(previous, 'e' | 'E');
        let belongs = continues_name(character) || character == '.';
        if !belongs && (hexadecimal || !exponent_sign) {
            return index;
        }
        previous = character;
    }
    rest.len()
}

/// The token of the number literal `text`, which has no sign.
pub(super) fn literal(text: &str) -> Result<Kind, SelectorErrorKind> {
    if let Some(digits) = hexadecimal_digits(text) {
        return whole(without_long_suffix(digits), 16);
    }
    if text.contains(['.', 'e', 'E']) || text.ends_with(['f', 'F', 'd', 'D']) {
        return float(text);
    }
    let digits = without_long_suffix(text);
    match digits.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => whole(octal, 8),
        _ => whole(digits, 10),
    }
}

/// The number that a string spells in decimal, for [`super::Strings::Convert`]. The words that
/// Rust also reads, `inf` and `nan`, are no numbers here, as they are none in a selector's text.
pub(super) fn from_text(text: &str) -> Option<Value<'static>> {
    if text.len() > SELECTOR_NUMBER_BYTES_MAX {
        return None;
    }
    if let Ok(value) = text.parse() {
        return Some(Value::Int(value));
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(Value::Float(value))
}

fn hexadecimal_digits(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

fn without_long_suffix(digits: &str) -> &str {
    digits.strip_suffix(['l', 'L']).unwrap_or(digits)
}

fn whole(digits: &str, radix: u32) -> Result<Kind, SelectorErrorKind> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(SelectorErrorKind::NumberMalformed);
    }
    match u64::from_str_radix(digits, radix) {
        Ok(magnitude) if magnitude <= MAGNITUDE_MAX => Ok(Kind::Whole(magnitude)),
        _ => Err(SelectorErrorKind::NumberTooLarge),
    }
}

/// A single-precision literal is rounded to single precision and then widened, as Java does.
fn float(text: &str) -> Result<Kind, SelectorErrorKind> {
    let value = if let Some(digits) = text.strip_suffix(['f', 'F']) {
        digits.parse::<f32>().ok().map(f64::from)
    } else {
        text.strip_suffix(['d', 'D']).unwrap_or(text).parse().ok()
    };
    match value {
        None => Err(SelectorErrorKind::NumberMalformed),
        Some(value) if value.is_infinite() => Err(SelectorErrorKind::NumberTooLarge),
        Some(value) => Ok(Kind::Float(value)),
    }
}
