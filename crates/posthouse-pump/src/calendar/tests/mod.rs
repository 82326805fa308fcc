//! Windows, tried. Instants are written in RFC 3339, openings and closings in the local time of the
//! window.

mod brute;
mod clock_changes;
mod faults;
mod futures;
mod questions;
mod several;

use jiff::Timestamp;

use super::{Interval, Window, WindowSpec};

/// A specification in lines: the zone first (`-` for none), then weekly entries, dates (they begin
/// with a digit), and `until`, `after` and `margin` with their values.
fn spec(text: &str) -> WindowSpec {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let zone = lines.next().filter(|zone| *zone != "-").unwrap_or_default().to_owned();
    let mut spec = WindowSpec { zone, ..WindowSpec::default() };
    for line in lines {
        match line.split_once(' ') {
            Some(("until", date)) => spec.valid_until = Some(date.to_owned()),
            Some(("after", what)) => spec.after_valid_until = Some(what.to_owned()),
            Some(("margin", ms)) => spec.margin_before_close_ms = ms.parse().unwrap(),
            _ if line.starts_with(|c: char| c.is_ascii_digit()) => spec.dates.push(line.to_owned()),
            _ => spec.weekly.push(line.to_owned()),
        }
    }
    spec
}

fn window(text: &str) -> Window {
    spec(text).check().unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// The stretches that come after an instant, one a line, as many as there are lines in `expected`.
fn check_upcoming(spec: &str, from: &str, expected: &str) {
    let window = window(spec);
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|s| !s.is_empty()).collect();
    let shown: Vec<String> = window
        .upcoming(ms(from), expected.len())
        .iter()
        .map(|interval| {
            let close = interval.close_ms.map_or("?".to_owned(), |ms| window.local_time(ms));
            format!("{} to {close}", window.local_time(interval.open_ms))
        })
        .collect();
    assert_eq!(shown, expected, "{spec} from {from}");
    for interval in window.upcoming(ms(from), expected.len()) {
        check_throughout(&window, interval);
    }
}

/// It is open at every minute of a stretch, for two days at most, and not after it.
fn check_throughout(window: &Window, interval: Interval) {
    let end_ms = interval.open_ms + 2 * 86_400_000;
    let end_ms = interval.close_ms.map_or(end_ms, |close_ms| close_ms.min(end_ms));
    for at_ms in (interval.open_ms..end_ms).step_by(60_000) {
        assert!(window.is_open(at_ms), "{}", window.local_time(at_ms));
    }
    assert!(interval.close_ms.is_none_or(|close_ms| !window.is_open(close_ms)), "{interval:?}");
}

/// No stretch comes after an instant.
fn check_none(spec: &str, from: &str) {
    assert_eq!(window(spec).next_open(ms(from)), None, "{spec} from {from}");
    assert!(!window(spec).is_open(ms(from)), "{spec} at {from}");
}
