//! One session: from when to when on the clock, and to which trading day it belongs.

use std::fmt;

use super::fault::Mistake;
use super::limits::{SESSION_MIN_MAX, TRADING_DAYS_ON_MAX};

const DAY_MIN: u16 = 24 * 60;

/// A session, relative to the midnight with which the day of its opening begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Session {
    /// Minutes after that midnight, below 24 h.
    pub(crate) open_min: u16,
    /// Minutes after that midnight, beyond 24 h if it goes over the next midnight. Greater than
    /// `open_min`.
    pub(crate) close_min: u16,
    /// Its trading day is so many days on. If that day is closed, the session does not take place.
    pub(crate) trading_days_on: u8,
}

impl Session {
    /// From midnight to midnight.
    pub(crate) const WHOLE_DAY: Session =
        Session { open_min: 0, close_min: DAY_MIN, trading_days_on: 0 };

    /// Reads `09:00-11:30`, `21:00-02:30 +1`, or `21:00-26:30 +1`.
    pub(crate) fn parse(text: &str) -> Result<Session, Mistake> {
        let (times, days_on) = match text.split_once('+') {
            Some((times, days)) => (times.trim(), parse_days_on(days.trim())?),
            None => (text.trim(), 0),
        };
        let (open, close) = times.split_once('-').ok_or_else(|| not_a_session(text))?;
        let open_min = parse_time(open.trim()).ok_or_else(|| not_a_session(text))?;
        let close_min = parse_time(close.trim()).ok_or_else(|| not_a_session(text))?;
        let close_min = place_close(open_min, close_min)?;
        Ok(Session { open_min, close_min, trading_days_on: days_on })
    }
}

/// Puts the closing after the opening: one that reads earlier is on the next day.
fn place_close(open_min: u16, close_min: u16) -> Result<u16, Mistake> {
    if open_min >= DAY_MIN {
        return Err(Mistake::new(
            format!("the session opens at {}, after its day has ended", clock(open_min)),
            format!("write it on the next day, opening at {}", clock(open_min - DAY_MIN)),
        ));
    }
    if open_min == close_min {
        return Err(Mistake::new(
            format!("the session opens and closes at {}", clock(open_min)),
            "write 00:00-24:00 for a whole day, or leave the session away".to_owned(),
        ));
    }
    let close_min = if close_min < open_min { close_min + DAY_MIN } else { close_min };
    if close_min - open_min > SESSION_MIN_MAX {
        return Err(Mistake::new(
            "the session lasts more than 24 hours".to_owned(),
            "write one session for each day; those that touch are one".to_owned(),
        ));
    }
    Ok(close_min)
}

fn not_a_session(text: &str) -> Mistake {
    Mistake::new(
        format!("\"{}\" is not a session", text.trim()),
        "write hours and minutes from 00:00 to 48:00, as 09:00-11:30 or 21:00-02:30 +1".to_owned(),
    )
}

fn parse_days_on(text: &str) -> Result<u8, Mistake> {
    text.parse().ok().filter(|days| *days <= TRADING_DAYS_ON_MAX).ok_or_else(|| {
        Mistake::new(
            format!("\"+{text}\" does not say how many days later the trading day is"),
            format!("write a number of days up to +{TRADING_DAYS_ON_MAX}, as 21:00-02:30 +1"),
        )
    })
}

/// Minutes after midnight of `9:05` or `09:05`, up to 48 hours.
fn parse_time(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let is_plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !matches!(hours.len(), 1 | 2) || minutes.len() != 2 || !is_plain(hours) || !is_plain(minutes)
    {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 2 * DAY_MIN).then_some(total)
}

fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let close_min = match self.close_min {
            beyond if beyond > DAY_MIN => beyond - DAY_MIN,
            within => within,
        };
        // A session of exactly 24 hours would read as none if its closing were written as on the
        // next day.
        let close_min = if close_min == self.open_min { self.close_min } else { close_min };
        write!(f, "{}-{}", clock(self.open_min), clock(close_min))?;
        match self.trading_days_on {
            0 => Ok(()),
            days => write!(f, " +{days}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        let shown = match Session::parse(input) {
            Ok(session) => session.to_string(),
            Err(mistake) => mistake.problem,
        };
        assert_eq!(shown, expected, "{input}");
    }

    #[test]
    fn sessions() {
        check("09:00-11:30", "09:00-11:30");
        check("9:00 - 11:30", "09:00-11:30");
        check("21:00-02:30 +1", "21:00-02:30 +1");
        check("21:00-26:30+3", "21:00-02:30 +3");
        check("21:00-24:00", "21:00-24:00");
        check("21:00-00:00", "21:00-24:00");
        check("00:00-24:00", "00:00-24:00");
        check("08:00-32:00", "08:00-32:00");
    }

    #[test]
    fn mistakes() {
        check("09:00-09:00", "the session opens and closes at 09:00");
        check("24:00-26:00", "the session opens at 24:00, after its day has ended");
        check("09:00-33:01", "the session lasts more than 24 hours");
        check("09:00-48:01", "\"09:00-48:01\" is not a session");
        check("09:00", "\"09:00\" is not a session");
        check("9-17", "\"9-17\" is not a session");
        check("09:60-11:00", "\"09:60-11:00\" is not a session");
        check("-1:00-11:00", "\"-1:00-11:00\" is not a session");
        check("", "\"\" is not a session");
        check("21:00-02:30 +x", "\"+x\" does not say how many days later the trading day is");
        check("21:00-02:30 +10", "\"+10\" does not say how many days later the trading day is");
    }
}
