//! Comparison with an evaluator that knows nothing of stretches and searches: it reads a wall
//! clock, minute by minute, for a year, and marks the minutes from the first that shows a session's
//! opening to the last that shows less than its closing.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use super::super::{Window, WindowSpec};

const MINUTE_MS: i64 = 60_000;
const DAY_MIN: i64 = 1_440;

/// Days before and after the year that are evaluated too, so that sessions and margins at its ends
/// are whole.
const EDGE_DAYS: i64 = 5;

/// How many windows are compared, each for a year: one for each place.
const SEEDS: u64 = 12;

/// Zones, each with a year in which its clocks do something of interest.
const PLACES: [(&str, i16); 12] = [
    ("UTC", 2026),
    ("Asia/Shanghai", 2026),
    ("Europe/Berlin", 2026),
    ("America/New_York", 2026),
    ("Australia/Lord_Howe", 2026),
    ("Pacific/Apia", 2011),
    ("America/Sao_Paulo", 2018),
    ("Europe/Istanbul", 2016),
    ("Africa/Casablanca", 2026),
    ("Asia/Kathmandu", 2026),
    ("America/Havana", 2026),
    ("Pacific/Chatham", 2026),
];

#[test]
fn as_a_wall_clock_says() {
    for seed in 1..=SEEDS {
        let (zone, year) = PLACES[usize::try_from(seed).unwrap() % PLACES.len()];
        check(&Plan::random(&mut Dice(seed), zone, year), seed);
    }
}

/// Compares at every 37th minute of the year, which meets every minute of the hour, and around
/// every change. It goes backwards, so that the next open and the next shut minute are always
/// known.
fn check(plan: &Plan, seed: u64) {
    let window = plan.window(seed);
    let minutes = plan.open_minutes();
    let first = day_number(date(plan.year, 1, 1)) * DAY_MIN;
    let (mut next_open, mut next_shut) = (None, None);
    for minute in (first..minutes.last()).rev() {
        let (was_open, is_open) = (minutes.is_open(minute - 1), minutes.is_open(minute));
        let at_ms = minute * MINUTE_MS;
        *(if is_open { &mut next_open } else { &mut next_shut }) = Some(at_ms);
        if minute % 37 != 0 && was_open == is_open {
            continue;
        }
        let found = (window.is_open(at_ms - 1), window.is_open(at_ms));
        assert_eq!(found, (was_open, is_open), "seed {seed} at {}", window.local_time(at_ms));
        // Beyond the evaluated minutes there may be one.
        let known = |ms: &i64| *ms < minutes.last() * MINUTE_MS;
        let found = (window.next_open(at_ms), window.next_close(at_ms));
        let found = (found.0.filter(known), found.1.filter(known));
        assert_eq!(found, (next_open, next_shut), "seed {seed} at {}", window.local_time(at_ms));
    }
}

/// A stretch of minutes, each open or not. Minutes are counted from 1970-01-01 UTC.
struct Minutes {
    first: i64,
    open: Vec<bool>,
}

impl Minutes {
    /// Up to here everything is evaluated.
    fn last(&self) -> i64 {
        // A stretch that reaches the end may go on, or be cut by its margin; one more day is not
        // relied on.
        self.first + i64::try_from(self.open.len()).unwrap() - 2 * DAY_MIN
    }

    fn is_open(&self, minute: i64) -> bool {
        self.open[usize::try_from(minute - self.first).unwrap()]
    }

    /// Shuts the last `margin` minutes of each open stretch.
    fn cut(&mut self, margin: usize) {
        let mut left = 0;
        for index in (0..self.open.len()).rev() {
            let was_open = self.open[index];
            left = if was_open { left + 1 } else { 0 };
            self.open[index] = was_open && left > margin;
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Sitting {
    open: i64,
    close: i64,
    trading_days_on: i64,
}

#[derive(Debug)]
struct Exception {
    first: i64,
    last: i64,
    sittings: Vec<Sitting>,
}

/// A window as the evaluator knows it. Days are counted from 1970-01-01.
#[derive(Debug)]
struct Plan {
    zone: &'static str,
    year: i16,
    weekly: Vec<(Vec<i64>, Sitting)>,
    exceptions: Vec<Exception>,
    until: Option<i64>,
    is_weekly_after: bool,
    margin: usize,
}

impl Plan {
    fn random(dice: &mut Dice, zone: &'static str, year: i16) -> Plan {
        let new_year = day_number(date(year, 1, 1));
        let mut weekly: Vec<(Vec<i64>, Sitting)> =
            (0..dice.below(4)).map(|_| (dice.weekdays(), dice.sitting())).collect();
        weekly.push((vec![5, 6], dice.sitting_by_night()));
        let until = (dice.below(2) == 0).then(|| new_year + 330 + dice.below(30));
        let mut exceptions = Vec::new();
        let mut day = new_year + dice.below(20);
        while day < new_year + 320 {
            let last = day + dice.below(8);
            let count = [0, 0, 1, 2][usize::try_from(dice.below(4)).unwrap()];
            let sittings = (0..count).map(|_| dice.sitting()).collect();
            exceptions.push(Exception { first: day, last, sittings });
            day = last + 1 + dice.below(25);
        }
        let margin = [0, 0, 1, 45][usize::try_from(dice.below(4)).unwrap()];
        Plan { zone, year, weekly, exceptions, until, is_weekly_after: dice.below(2) == 0, margin }
    }

    fn window(&self, seed: u64) -> Window {
        let spec = WindowSpec {
            zone: self.zone.to_owned(),
            weekly: self
                .weekly
                .iter()
                .map(|(days, s)| format!("{} {}", names(days), show(*s)))
                .collect(),
            dates: self.exceptions.iter().map(Exception::show).collect(),
            valid_until: self.until.map(|day| date_of(day).to_string()),
            after_valid_until: (self.until.is_some() && self.is_weekly_after)
                .then(|| "weekly".to_owned()),
            margin_before_close_ms: u64::try_from(self.margin).unwrap() * 60_000,
        };
        spec.check().unwrap_or_else(|faults| panic!("seed {seed}: {spec:?}: {faults:?}"))
    }

    fn open_minutes(&self) -> Minutes {
        let first_day = day_number(date(self.year, 1, 1)) - EDGE_DAYS;
        let last_day = day_number(date(self.year + 1, 1, 1)) + EDGE_DAYS;
        let first = first_day * DAY_MIN;
        let clock = wall_clock(self.zone, first, last_day * DAY_MIN);
        let mut minutes = Minutes { first, open: vec![false; clock.len()] };
        for day in first_day..=last_day {
            for sitting in self.sittings(day) {
                mark(&mut minutes, &clock, day * DAY_MIN, sitting);
            }
        }
        minutes.cut(self.margin);
        minutes
    }

    fn sittings(&self, day: i64) -> Vec<Sitting> {
        if self.is_unknown(day) {
            return Vec::new();
        }
        let weekday = (day + 3).rem_euclid(7);
        let planned = match self.exception(day) {
            Some(exception) => exception.sittings.clone(),
            None => self
                .weekly
                .iter()
                .filter(|(days, _)| days.contains(&weekday))
                .map(|(_, s)| *s)
                .collect(),
        };
        planned
            .into_iter()
            .filter(|s| s.trading_days_on == 0 || self.trades(day + s.trading_days_on))
            .collect()
    }

    fn trades(&self, day: i64) -> bool {
        !self.is_unknown(day) && self.exception(day).is_none_or(|e| !e.sittings.is_empty())
    }

    fn is_unknown(&self, day: i64) -> bool {
        !self.is_weekly_after && self.until.is_some_and(|until| day > until)
    }

    fn exception(&self, day: i64) -> Option<&Exception> {
        self.exceptions.iter().find(|e| e.first <= day && day <= e.last)
    }
}

impl Exception {
    fn show(&self) -> String {
        let sittings: Vec<String> = self.sittings.iter().map(|s| show(*s)).collect();
        let what = if sittings.is_empty() { "closed".to_owned() } else { sittings.join(", ") };
        format!("{}..{} {what}", date_of(self.first), date_of(self.last))
    }
}

/// Marks a session whose day begins when the clock shows `midnight`. `clock`: what it shows at each
/// minute.
fn mark(minutes: &mut Minutes, clock: &[i64], midnight: i64, sitting: Sitting) {
    // No clock is further from UTC than this, nor was one set forward by more.
    const FAR_MIN: i64 = 27 * 60;
    let index = |minute: i64| usize::try_from(minute - minutes.first).unwrap_or(0).min(clock.len());
    let (open, close) = (midnight + sitting.open, midnight + sitting.close);
    let mut after = index(open - FAR_MIN)..index(open + 2 * FAR_MIN);
    let mut before = index(close - 2 * FAR_MIN)..index(close + FAR_MIN);
    let Some(first) = after.find(|index| clock[*index] >= open) else { return };
    let Some(last) = before.rfind(|index| clock[*index] < close) else { return };
    for index in first..=last {
        minutes.open[index] = true;
    }
}

/// What the clock of a zone shows at each minute. In the years above clocks change at quarters of
/// an hour only.
fn wall_clock(zone: &str, first: i64, end: i64) -> Vec<i64> {
    let zone = TimeZone::get(zone).unwrap();
    let mut offset = 0;
    let mut clock = Vec::new();
    for minute in first..end {
        if minute % 15 == 0 {
            let instant = Timestamp::from_millisecond(minute * MINUTE_MS).unwrap();
            offset = i64::from(zone.to_offset(instant).seconds()).div_euclid(60);
        }
        clock.push(minute + offset);
    }
    clock
}

fn show(sitting: Sitting) -> String {
    let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    let times = format!("{}-{}", clock(sitting.open), clock(sitting.close));
    match sitting.trading_days_on {
        0 => times,
        days => format!("{times} +{days}"),
    }
}

fn names(days: &[i64]) -> String {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let names: Vec<&str> = days.iter().map(|day| NAMES[usize::try_from(*day).unwrap()]).collect();
    names.join(",")
}

fn day_number(date: Date) -> i64 {
    date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24
}

fn date_of(day: i64) -> Date {
    Date::constant(1970, 1, 1).checked_add(jiff::SignedDuration::from_hours(day * 24)).unwrap()
}

/// Numbers that are the same for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        i64::try_from(mixed % u64::try_from(bound).unwrap()).unwrap()
    }

    fn sitting(&mut self) -> Sitting {
        let open = self.below(DAY_MIN);
        let lasts = [30, 240, DAY_MIN][usize::try_from(self.below(3)).unwrap()];
        let trading_days_on = if self.below(3) == 0 { self.below(4) } else { 0 };
        Sitting { open, close: open + 1 + self.below(lasts), trading_days_on }
    }

    /// Opens and closes in the hours in which clocks change.
    fn sitting_by_night(&mut self) -> Sitting {
        let open = self.below(180);
        Sitting { open, close: open + 1 + self.below(90), trading_days_on: 0 }
    }

    fn weekdays(&mut self) -> Vec<i64> {
        let mut days: Vec<i64> = (0..7).filter(|_| self.below(2) == 0).collect();
        days.push(self.below(7));
        days
    }
}
