//! Days as numbers, so that the rules can count with them.

use std::fmt;

use jiff::civil::{Date, date};

use super::limits::{YEAR_MAX, YEAR_MIN};

/// Milliseconds of a day on a wall clock.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// A date, as days since 1970-01-01. It belongs to no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub(crate) i64);

impl Day {
    /// The date that a wall clock shows. `wall_ms`: what it shows, in milliseconds since it showed
    /// 1970-01-01 00:00.
    pub(crate) fn of_wall(wall_ms: i64) -> Day {
        Day(wall_ms.div_euclid(DAY_MS))
    }

    /// Its midnight on a wall clock, in milliseconds as above.
    pub(crate) fn wall_ms(self) -> i64 {
        self.0 * DAY_MS
    }

    /// The day so many days on.
    pub(crate) fn plus(self, days: i64) -> Day {
        Day(self.0 + days)
    }

    /// 0 for Monday to 6 for Sunday.
    pub(crate) fn weekday(self) -> usize {
        // Day 0 was a Thursday.
        usize::try_from((self.0 + 3).rem_euclid(7)).unwrap_or(0)
    }

    /// Reads `2026-10-01`. `None` if it is not written so, does not exist, or lies outside the
    /// years that windows know.
    pub(crate) fn parse(text: &str) -> Option<Day> {
        let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let parsed: Date = is_plain.then(|| text.parse().ok())??;
        let is_known = (YEAR_MIN..=YEAR_MAX).contains(&parsed.year());
        is_known.then(|| Day(parsed.duration_since(date(1970, 1, 1)).as_hours() / 24))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = jiff::SignedDuration::from_hours(self.0 * 24);
        match date(1970, 1, 1).checked_add(since) {
            Ok(date) => date.fmt(f),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}
