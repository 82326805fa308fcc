//! `Retry-After`: how long a receiver asks to be left alone (RFC 9110, section 10.2.3).

use std::time::UNIX_EPOCH;

use super::limits::RETRY_AFTER_MS_MAX;

/// The wait in milliseconds, from a number of seconds or a date; bounded. `None` if it is neither.
/// A date is one of the receiver's clock, so that it is counted from the time at which the receiver
/// says (`sent`, its `Date`) that it has answered; only without one from `wall_ms`, by this node's.
pub(crate) fn parse(value: &str, sent: Option<&str>, wall_ms: i64) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse::<u64>().unwrap_or(u64::MAX);
        return Some(seconds.saturating_mul(1000).min(RETRY_AFTER_MS_MAX));
    }
    let from_ms = sent.and_then(date_ms).unwrap_or(wall_ms);
    let wait_ms = date_ms(value)?.saturating_sub(from_ms);
    Some(u64::try_from(wait_ms).unwrap_or(0).min(RETRY_AFTER_MS_MAX))
}

fn date_ms(text: &str) -> Option<i64> {
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}
