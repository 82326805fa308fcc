//! The entries of a window, read: weekdays with sessions, and dates with sessions.

use super::day::Day;
use super::fault::{Mistake, WindowFault};
use super::limits::{
    DATE_ENTRIES_MAX, ENTRY_BYTES_MAX, SESSIONS_PER_DAY_MAX, WEEKLY_ENTRIES_MAX, YEAR_MAX, YEAR_MIN,
};
use super::rules::DateRule;
use super::session::Session;
use super::show::WEEKDAYS;

/// The sessions of each weekday, Monday first. What is wrong goes to `faults`.
pub(crate) fn weekly_sessions(
    entries: &[String],
    faults: &mut Vec<WindowFault>,
) -> [Vec<Session>; 7] {
    const FIELD: &str = "weekly";
    let mut weekly: [Vec<Session>; 7] = Default::default();
    if let Err(mistake) = bounded(entries.len(), WEEKLY_ENTRIES_MAX) {
        faults.push(mistake.in_field(FIELD, ""));
        return weekly;
    }
    for (index, entry) in entries.iter().enumerate() {
        if let Err(mistake) = add_weekly(&mut weekly, entry) {
            faults.push(mistake.in_entry(FIELD, index, entry));
        }
    }
    weekly
}

fn add_weekly(weekly: &mut [Vec<Session>; 7], entry: &str) -> Result<(), Mistake> {
    let otherwise = Mistake::new("there is no session", "write it as mon-fri 09:00-17:00");
    let (days, sessions) = halves(entry, &otherwise)?;
    let has_day = parse_weekdays(days)?;
    let sessions = parse_sessions(sessions)?;
    for (known, _) in weekly.iter_mut().zip(has_day).filter(|(_, has_day)| *has_day) {
        known.extend_from_slice(&sessions);
        sort_sessions(known)?;
    }
    Ok(())
}

/// The dates, ascending. What is wrong goes to `faults`.
pub(crate) fn date_rules(entries: &[String], faults: &mut Vec<WindowFault>) -> Vec<DateRule> {
    const FIELD: &str = "dates";
    if let Err(mistake) = bounded(entries.len(), DATE_ENTRIES_MAX) {
        faults.push(mistake.in_field(FIELD, ""));
        return Vec::new();
    }
    let mut rules: Vec<(DateRule, usize)> = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        match parse_date_rule(entry) {
            Ok(rule) => rules.push((rule, index)),
            Err(mistake) => faults.push(mistake.in_entry(FIELD, index, entry)),
        }
    }
    rules.sort_by_key(|(rule, index)| (rule.first, *index));
    faults.extend(days_given_twice(entries, &rules));
    rules.into_iter().map(|(rule, _)| rule).collect()
}

/// A fault for each entry that names a day of one before it. `rules`: by their first day, each with
/// its place among `entries`.
fn days_given_twice(entries: &[String], rules: &[(DateRule, usize)]) -> Vec<WindowFault> {
    let mut faults = Vec::new();
    let mut widest: Option<&(DateRule, usize)> = None;
    for this in rules {
        match widest {
            Some((other, other_index)) if this.0.first <= other.last => {
                let mistake = Mistake::new(
                    format!("{} is also in entry {}", this.0.first, other_index + 1),
                    "name each day once, with all its sessions, \
                     as 2026-10-10 09:00-11:30, 13:00-15:00",
                );
                let entry = entries.get(this.1).map_or("", String::as_str);
                faults.push(mistake.in_entry("dates", this.1, entry));
            }
            _ => {}
        }
        widest = widest.filter(|other| other.0.last >= this.0.last).or(Some(this));
    }
    faults
}

fn parse_date_rule(entry: &str) -> Result<DateRule, Mistake> {
    let otherwise = Mistake::new(
        "nothing is said of the day",
        "write it as 2026-10-01 closed, or give sessions",
    );
    let (days, what) = halves(entry, &otherwise)?;
    let (first, last) = days.split_once("..").unwrap_or((days, days));
    let (first, last) = (parse_day(first)?, parse_day(last)?);
    if last < first {
        return Err(Mistake::new(
            "the range ends before it begins",
            format!("write {last}..{first}"),
        ));
    }
    let sessions = match what {
        word if word.eq_ignore_ascii_case("closed") => Vec::new(),
        sessions => parse_sessions(sessions)?,
    };
    Ok(DateRule { first, last, sessions })
}

fn parse_day(text: &str) -> Result<Day, Mistake> {
    Day::parse(text).ok_or_else(|| {
        Mistake::new(
            format!("\"{text}\" is not a date"),
            format!(
                "write it as 2026-10-01, or a range as 2026-10-01..2026-10-07, \
                 in {YEAR_MIN} to {YEAR_MAX}"
            ),
        )
    })
}

fn parse_sessions(text: &str) -> Result<Vec<Session>, Mistake> {
    let mut sessions = text.split(',').map(Session::parse).collect::<Result<Vec<_>, _>>()?;
    sort_sessions(&mut sessions)?;
    Ok(sessions)
}

/// Puts the sessions of a day in order, each once.
fn sort_sessions(sessions: &mut Vec<Session>) -> Result<(), Mistake> {
    sessions.sort_unstable();
    sessions.dedup();
    bounded(sessions.len(), SESSIONS_PER_DAY_MAX)
}

/// Whether each weekday, Monday first, is in `mon-fri` or `mon,wed,fri` or `sat-tue`.
fn parse_weekdays(text: &str) -> Result<[bool; 7], Mistake> {
    let mut has_day = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (parse_weekday(first)?, parse_weekday(last)?);
        let count = (last + 7 - first) % 7;
        for (day, has) in has_day.iter_mut().enumerate() {
            *has |= (day + 7 - first) % 7 <= count;
        }
    }
    Ok(has_day)
}

fn parse_weekday(text: &str) -> Result<usize, Mistake> {
    let known = WEEKDAYS.iter().position(|name| text.trim().eq_ignore_ascii_case(name));
    known.ok_or_else(|| {
        Mistake::new(
            format!("\"{text}\" is not a day of the week"),
            format!("write {}, or a range as mon-fri", WEEKDAYS.join(", ")),
        )
    })
}

/// The days of an entry, and what is said of them. `otherwise`: the mistake if nothing is.
fn halves<'a>(entry: &'a str, otherwise: &Mistake) -> Result<(&'a str, &'a str), Mistake> {
    if entry.len() > ENTRY_BYTES_MAX {
        return Err(Mistake::new(
            format!("the entry has {} bytes", entry.len()),
            format!("write at most {ENTRY_BYTES_MAX}"),
        ));
    }
    let (days, rest) =
        entry.trim().split_once(char::is_whitespace).ok_or_else(|| otherwise.clone())?;
    Ok((days, rest.trim()))
}

fn bounded(count: usize, count_max: usize) -> Result<(), Mistake> {
    if count <= count_max {
        return Ok(());
    }
    Err(Mistake::new(
        format!("{count} are more than one window may have"),
        format!("write at most {count_max}, or make two windows of it"),
    ))
}
