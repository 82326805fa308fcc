//! Several windows at once.

use super::super::{Window, joint};
use super::{ms, window};

/// When the windows are open together next, and until when; `-` if they never are.
fn check(specs: &[&str], at: &str, expected: &str) {
    let windows: Vec<Window> = specs.iter().map(|spec| window(spec)).collect();
    let windows: Vec<&Window> = windows.iter().collect();
    let utc = |ms: i64| Window::Always.local_time(ms).trim_end_matches(" +00:00").to_owned();
    let shown = joint::next_open(&windows, ms(at)).map(|open_ms| {
        assert!(joint::is_open(&windows, open_ms), "{specs:?}");
        let close_ms = joint::next_close(&windows, open_ms);
        assert!(close_ms.is_none_or(|ms| !joint::is_open(&windows, ms)), "{specs:?}");
        format!("{} to {}", utc(open_ms), close_ms.map_or("?".to_owned(), utc))
    });
    assert_eq!(shown.as_deref().unwrap_or("-"), expected, "{specs:?} at {at}");
}

#[test]
fn open_while_all_are() {
    let at = "2026-10-12T00:00:00Z";
    check(&[], at, "2026-10-12 00:00:00 to ?");
    check(&["-\nalways", "-\nalways"], at, "2026-10-12 00:00:00 to ?");
    check(&["UTC\nmon 09:00-12:00"], at, "2026-10-12 09:00:00 to 2026-10-12 12:00:00");
    check(
        &["UTC\nmon 09:00-12:00", "-\nalways", "UTC\nmon-fri 11:00-15:00"],
        at,
        "2026-10-12 11:00:00 to 2026-10-12 12:00:00",
    );
    // They touch on Mondays, and meet on Fridays.
    check(
        &["UTC\nmon 09:00-12:00\nfri 10:00-11:00", "UTC\nmon-fri 12:00-15:00\nfri 08:00-10:30"],
        at,
        "2026-10-16 10:00:00 to 2026-10-16 10:30:00",
    );
    check(
        &["Asia/Shanghai\nmon-fri 09:00-17:00", "Europe/Berlin\nmon-fri 08:00-17:00"],
        at,
        "2026-10-12 06:00:00 to 2026-10-12 09:00:00",
    );
}

#[test]
fn windows_that_never_meet() {
    let at = "2026-10-12T00:00:00Z";
    check(&["-\nalways", "-\nnever"], at, "-");
    check(&["UTC\nmon 09:00-12:00", "UTC\ntue 09:00-12:00"], at, "-");
    check(&["UTC\nmon 09:00-12:00", "UTC\nmon 12:00-13:00"], at, "-");
}

/// In the weeks in which New York has summer time and Berlin has not, five hours lie between them,
/// else six.
#[test]
fn windows_that_meet_for_three_weeks_of_a_year() {
    check(
        &["America/New_York\nmon-fri 09:30-10:00", "Europe/Berlin\nmon-fri 14:30-15:00"],
        "2026-03-29T00:00:00Z",
        "2026-10-26 13:30:00 to 2026-10-26 14:00:00",
    );
}

/// The search begins where each has opened once, however far that is.
#[test]
fn a_date_far_ahead() {
    check(
        &["UTC\n2035-05-07 09:00-12:00", "UTC\nmon 10:00-11:00"],
        "2026-10-12T00:00:00Z",
        "2035-05-07 10:00:00 to 2035-05-07 11:00:00",
    );
}
