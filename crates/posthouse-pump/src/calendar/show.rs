//! Windows in words, for people.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::rules::{After, Rules};
use super::schedule::Schedule;
use super::session::Session;

/// How weekdays are written, Monday first.
pub(crate) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A window in one line, in the notation in which it is written.
pub(crate) fn describe(schedule: &Schedule) -> String {
    let mut text = format!("{}: {}", schedule.zone.name(), weekly(&schedule.rules));
    dates(&mut text, &schedule.rules);
    horizon(&mut text, &schedule.rules);
    if schedule.margin_ms > 0 {
        let _ = write!(text, "; nothing starts in the last {} ms", schedule.margin_ms);
    }
    text
}

/// An instant on a wall clock, with its offset: `2026-10-09 21:00:00 +08:00`.
pub(crate) fn local_time(at_ms: i64, offset_ms: i64) -> String {
    let offset_s = i32::try_from(offset_ms / 1_000).unwrap_or(0);
    let offset = Offset::from_seconds(offset_s).unwrap_or(Offset::UTC);
    match Timestamp::from_millisecond(at_ms) {
        Ok(instant) => {
            let zoned = instant.to_zoned(offset.to_time_zone());
            zoned.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
        }
        Err(_) => format!("{at_ms} ms"),
    }
}

fn weekly(rules: &Rules) -> String {
    let mut sessions: Vec<Session> = rules.weekly.iter().flatten().copied().collect();
    sessions.sort_unstable();
    sessions.dedup();
    if sessions.is_empty() {
        return "no weekly sessions".to_owned();
    }
    let entries: Vec<String> =
        sessions.iter().map(|s| format!("{} {s}", weekdays(rules, *s))).collect();
    entries.join(", ")
}

/// The weekdays that have a session, runs of three and more as a range.
fn weekdays(rules: &Rules, session: Session) -> String {
    let has: Vec<usize> =
        (0..7).filter(|day| rules.weekly.get(*day).is_some_and(|s| s.contains(&session))).collect();
    let runs = has.chunk_by(|a, b| a + 1 == *b);
    let words = runs.map(|run| match run {
        [first, _, .., last] => format!("{}-{}", name(*first), name(*last)),
        few => few.iter().map(|day| name(*day)).collect::<Vec<_>>().join(","),
    });
    words.collect::<Vec<_>>().join(",")
}

fn name(weekday: usize) -> &'static str {
    WEEKDAYS.get(weekday).copied().unwrap_or_default()
}

fn dates(text: &mut String, rules: &Rules) {
    let days = |is_closed: bool| -> i64 {
        let rules = rules.dates.iter().filter(|rule| rule.sessions.is_empty() == is_closed);
        rules.map(|rule| rule.last.0 - rule.first.0 + 1).sum()
    };
    for (count, what) in [(days(true), "closed"), (days(false), "with sessions of their own")] {
        match count {
            0 => {}
            1 => {
                let _ = write!(text, "; 1 day {}", what.replace("their", "its"));
            }
            many => {
                let _ = write!(text, "; {many} days {what}");
            }
        }
    }
}

fn horizon(text: &mut String, rules: &Rules) {
    if let Some(horizon) = rules.horizon {
        let after = match horizon.after {
            After::Closed => "closed",
            After::Weekly => "weekly sessions only",
        };
        let _ = write!(text, "; given until {}, then {after}", horizon.last);
    }
}
