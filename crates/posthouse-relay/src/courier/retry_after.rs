//! `Retry-After`: how long a receiver asks to be left alone (RFC 9110, section 10.2.3).

use std::time::UNIX_EPOCH;

use super::limits::RETRY_AFTER_MS_MAX;

/// The wait in milliseconds, from a number of seconds or a date; bounded. `None` if it is neither.
pub(crate) fn parse(value: &str, wall_ms: i64) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse::<u64>().unwrap_or(u64::MAX);
        return Some(seconds.saturating_mul(1000).min(RETRY_AFTER_MS_MAX));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let date_ms = date.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let wait_ms = i64::try_from(date_ms).ok()?.saturating_sub(wall_ms);
    Some(u64::try_from(wait_ms).unwrap_or(0).min(RETRY_AFTER_MS_MAX))
}
