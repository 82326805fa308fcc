//! The script of the week: what happens, and which alarms that is the cause of.

use crate::platform::Name;
use crate::world::BEGIN_MS;

const MINUTE_MS: i64 = 60_000;

/// An alarm that begins later than this after what happened is over has another cause.
const GRACE_MS: i64 = 30 * MINUTE_MS;

/// By then what happened is over, and so are its alarms.
const OVER_MS: i64 = 60 * MINUTE_MS;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One thing that happens.
#[derive(Clone, Debug)]
pub struct Happening {
    pub line: String,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub platform: Name,
    pub what: String,
    /// What it happens to, if the script says so.
    pub object: String,
    pub alarms: Vec<Expected>,
}

/// How sure an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    Must,
    May,
    Stays,
}

/// An alarm with its cause.
#[derive(Clone, Debug)]
pub struct Expected {
    pub certainty: Certainty,
    pub name: AlarmName,
}

/// Whose alarm it is, which rule, and about what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlarmName {
    pub platform: Name,
    pub rule: String,
    pub subject: String,
}

impl Happening {
    /// Whether it is the cause of an alarm that begins at an instant.
    pub fn explains(&self, alarm: &AlarmName, at_ms: i64) -> bool {
        let is_meant = self.alarms.iter().any(|expected| expected.name == *alarm);
        is_meant && self.begin_ms <= at_ms && at_ms <= self.end_ms + GRACE_MS
    }

    /// When everything about it must be over.
    pub fn over_ms(&self) -> i64 {
        self.end_ms + OVER_MS
    }
}

/// Reads a script.
pub fn read(text: &str) -> Vec<Happening> {
    let mut happenings: Vec<Happening> = Vec::new();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    for line in lines {
        match line.strip_prefix("  ") {
            None => happenings.push(happening(line)),
            Some(alarm) => happenings.last_mut().unwrap().alarms.push(expected(alarm)),
        }
    }
    happenings
}

fn happening(line: &str) -> Happening {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (day, time, platform, what, rest) = (words[0], words[1], words[2], words[3], &words[4..]);
    let (object, length) = match *rest {
        ["for", length] => ("", length),
        [object, "for", length] => (object, length),
        _ => panic!("not understood: {line}"),
    };
    let day = DAYS.iter().position(|name| *name == day).unwrap_or_else(|| panic!("{line}"));
    let (hour, minute) = time.split_once(':').unwrap();
    let minutes = day as i64 * 1_440 + number(hour) * 60 + number(minute);
    let begin_ms = BEGIN_MS + minutes * MINUTE_MS;
    Happening {
        line: line.to_owned(),
        begin_ms,
        end_ms: begin_ms + length_ms(length),
        platform: Name::named(platform),
        what: what.to_owned(),
        object: object.to_owned(),
        alarms: Vec::new(),
    }
}

fn expected(text: &str) -> Expected {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (certainty, words) = match words[0] {
        "maybe" => (Certainty::May, &words[1..]),
        "stays" => (Certainty::Stays, &words[1..]),
        _ => (Certainty::Must, &words[..]),
    };
    let [platform, rule, subject] = *words else { panic!("not understood: {text}") };
    let name = AlarmName {
        platform: Name::named(platform),
        rule: rule.to_owned(),
        subject: if subject == "-" { String::new() } else { subject.to_owned() },
    };
    Expected { certainty, name }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("no number: {text}"))
}

fn length_ms(text: &str) -> i64 {
    let (count, unit) = text.split_at(text.len() - 1);
    let unit_ms = match unit {
        "s" => 1_000,
        "m" => MINUTE_MS,
        "h" => 60 * MINUTE_MS,
        _ => panic!("no unit: {text}"),
    };
    number(count) * unit_ms
}
