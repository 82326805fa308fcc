//! Each question about one window.

use super::super::Window;
use super::{check_none, check_upcoming, ms, window};

const OFFICE: &str = "Europe/Berlin
    mon-fri 09:00-17:00";

#[test]
fn the_opening_belongs_to_it_and_the_closing_does_not() {
    let check = |at: &str, is_open: bool, next_open: &str, next_close: &str| {
        let office = window(OFFICE);
        assert_eq!(office.is_open(ms(at)), is_open, "{at}");
        assert_eq!(office.next_open(ms(at)), Some(ms(next_open)), "{at}");
        assert_eq!(office.next_close(ms(at)), Some(ms(next_close)), "{at}");
    };
    let (opens, closes, opens_again) =
        ("2026-10-16T07:00:00Z", "2026-10-16T15:00:00Z", "2026-10-19T07:00:00Z");
    check("2026-10-16T06:59:59.999Z", false, opens, "2026-10-16T06:59:59.999Z");
    check(opens, true, opens, closes);
    check("2026-10-16T14:59:59.999Z", true, "2026-10-16T14:59:59.999Z", closes);
    check(closes, false, opens_again, closes);
}

#[test]
fn always_and_never() {
    let check = |spec: &str,
                 expected: &Window,
                 is_open: bool,
                 next_open: Option<i64>,
                 next_close: Option<i64>| {
        let window = window(spec);
        assert_eq!(&window, expected);
        assert_eq!(window.is_open(7), is_open);
        assert_eq!((window.next_open(7), window.next_close(7)), (next_open, next_close));
    };
    check("-\nalways", &Window::Always, true, Some(7), None);
    check("UTC\nAlways", &Window::Always, true, Some(7), None);
    check("UTC\nnever", &Window::Never, false, None, Some(7));
}

#[test]
fn always_but_for_some_days() {
    let spec = "Asia/Tokyo
        always
        2026-01-01..2026-01-03 closed";
    check_upcoming(
        spec,
        "2025-12-30T00:00:00Z",
        "2025-12-30 09:00:00 +09:00 to 2026-01-01 00:00:00 +09:00
         2026-01-04 00:00:00 +09:00 to ?",
    );
    assert_eq!(window(spec).next_close(ms("2027-05-05T00:00:00Z")), None);
}

#[test]
fn sessions_that_overlap_or_touch_are_one() {
    check_upcoming(
        "UTC
         mon 08:00-10:00
         mon 10:00-11:00
         mon 10:30-12:00, 10:45-11:15
         mon-wed 20:00-08:00",
        "2026-10-12T00:00:00Z",
        "2026-10-12 08:00:00 +00:00 to 2026-10-12 12:00:00 +00:00
         2026-10-12 20:00:00 +00:00 to 2026-10-13 08:00:00 +00:00",
    );
    check_upcoming(
        "America/New_York
         mon-thu 00:00-24:00
         fri 00:00-17:00
         sun 18:00-00:00",
        "2026-10-17T00:00:00Z",
        "2026-10-18 18:00:00 -04:00 to 2026-10-23 17:00:00 -04:00",
    );
}

#[test]
fn the_margin_is_cut_from_the_end_of_a_stretch() {
    let spec = "UTC
        mon 08:00-10:00, 10:00-12:00
        mon 13:00-13:01
        mon 14:00-14:02
        margin 60000";
    check_upcoming(
        spec,
        "2026-10-12T00:00:00Z",
        "2026-10-12 08:00:00 +00:00 to 2026-10-12 11:59:00 +00:00
         2026-10-12 14:00:00 +00:00 to 2026-10-12 14:01:00 +00:00
         2026-10-19 08:00:00 +00:00 to 2026-10-19 11:59:00 +00:00",
    );
    let check = |at: &str, expected| assert_eq!(window(spec).is_open(ms(at)), expected, "{at}");
    check("2026-10-12T09:59:59Z", true);
    check("2026-10-12T11:58:59.999Z", true);
    check("2026-10-12T11:59:00Z", false);
    check("2026-10-12T13:00:00Z", false);
    check("2026-10-12T14:01:00Z", false);
}

#[test]
fn dates_alone() {
    let spec = "UTC
        2026-10-12..2026-10-13 08:00-10:00
        2031-01-01 00:00-24:00";
    check_upcoming(
        spec,
        "2026-10-12T09:00:00Z",
        "2026-10-12 09:00:00 +00:00 to 2026-10-12 10:00:00 +00:00
         2026-10-13 08:00:00 +00:00 to 2026-10-13 10:00:00 +00:00
         2031-01-01 00:00:00 +00:00 to 2031-01-02 00:00:00 +00:00",
    );
    check_none(spec, "2031-01-02T00:00:00Z");
}

#[test]
fn the_years_that_are_known() {
    check_none(OFFICE, "1969-12-31T09:00:00Z");
    check_none(OFFICE, "2100-01-01T09:00:00Z");
    let office = window(OFFICE);
    for at_ms in [i64::MIN, i64::MAX] {
        assert_eq!(office.next_close(at_ms), Some(at_ms));
        assert_eq!(office.upcoming(at_ms, 3), []);
        assert_eq!(office.days_left(at_ms), None);
        assert!(!office.local_time(at_ms).is_empty());
    }
}

#[test]
fn days_left() {
    let check = |at: &str, expected: Option<i64>| {
        let window = window("Asia/Shanghai\nmon 09:00-10:00\nuntil 2026-12-31");
        assert_eq!(window.days_left(ms(at)), expected, "{at}");
    };
    check("2026-12-01T00:00:00Z", Some(30));
    check("2026-12-30T15:59:59Z", Some(1));
    check("2026-12-30T16:00:00Z", Some(0));
    check("2026-12-31T16:00:00Z", Some(-1));
    assert_eq!(window(OFFICE).days_left(0), None);
    assert_eq!(Window::Always.days_left(0), None);
}

#[test]
fn in_words() {
    let check = |spec: &str, expected: &str| assert_eq!(window(spec).describe(), expected);
    check("-\nalways", "always open");
    check("-\nnever", "never open");
    check(OFFICE, "Europe/Berlin: mon-fri 09:00-17:00");
    check("utc\nalways\n2026-01-01 closed", "UTC: mon-sun 00:00-24:00; 1 day closed");
    check(
        "asia/shanghai
         mon-thu 21:00-26:30 +1
         MON,WED-FRI 9:00-11:30
         sat,sun 9:00-10:00
         2026-10-01..2026-10-07 closed
         2026-10-10 09:00-11:30
         until 2026-12-31
         margin 5000",
        "Asia/Shanghai: sat,sun 09:00-10:00, mon,wed-fri 09:00-11:30, mon-thu 21:00-02:30 +1; \
         7 days closed; \
         1 day with sessions of its own; given until 2026-12-31, then closed; \
         nothing starts in the last 5000 ms",
    );
}
