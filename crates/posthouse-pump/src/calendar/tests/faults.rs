//! What is refused, and how that is said.

use super::super::WindowSpec;
use super::spec;

/// All faults of a specification, one a line.
fn check(text: &str, expected: &str) {
    check_spec(&spec(text), expected);
}

fn check_spec(spec: &WindowSpec, expected: &str) {
    let faults = spec.check().err().unwrap_or_default();
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|s| !s.is_empty()).collect();
    assert_eq!(shown, expected, "{spec:?}");
}

#[test]
fn zones() {
    check(
        "-\nmon 09:00-10:00",
        "zone: no zone is given; write the name of an IANA zone, as Asia/Shanghai or UTC",
    );
    check(
        "CST\nmon 09:00-10:00",
        "zone \"CST\": no such time zone; write the name of an IANA zone, as Asia/Shanghai or UTC",
    );
    check(
        "Berlin\nmon 09:00-10:00",
        "zone \"Berlin\": no such time zone; did you mean Europe/Berlin?",
    );
}

#[test]
fn weekly_entries() {
    check(
        "UTC
         monday 09:00-10:00
         mon-fri
         mon-fri 09:00
         mon 09:00-09:00",
        "weekly entry 1 \"monday 09:00-10:00\": \"monday\" is not a day of the week; \
         write mon, tue, wed, thu, fri, sat, sun, or a range as mon-fri
         weekly entry 2 \"mon-fri\": there is no session; write it as mon-fri 09:00-17:00
         weekly entry 3 \"mon-fri 09:00\": \"09:00\" is not a session; \
         write hours and minutes from 00:00 to 48:00, as 09:00-11:30 or 21:00-02:30 +1
         weekly entry 4 \"mon 09:00-09:00\": the session opens and closes at 09:00; \
         write 00:00-24:00 for a whole day, or leave the session away",
    );
}

#[test]
fn dates() {
    check(
        "UTC
         2026-02-29 closed
         2026-10-07..2026-10-01 closed
         2026-10-01
         1969-10-01 shut",
        "dates entry 1 \"2026-02-29 closed\": \"2026-02-29\" is not a date; \
         write it as 2026-10-01, or a range as 2026-10-01..2026-10-07, in 1970 to 2099
         dates entry 2 \"2026-10-07..2026-10-01 closed\": the range ends before it begins; \
         write 2026-10-01..2026-10-07
         dates entry 3 \"2026-10-01\": nothing is said of the day; \
         write it as 2026-10-01 closed, or give sessions
         dates entry 4 \"1969-10-01 shut\": \"1969-10-01\" is not a date; \
         write it as 2026-10-01, or a range as 2026-10-01..2026-10-07, in 1970 to 2099",
    );
}

#[test]
fn days_given_twice() {
    check(
        "UTC
         2026-10-10 09:00-11:30
         2026-10-01..2026-10-31 closed
         2026-10-10 13:00-14:00
         2026-10-31..2026-11-02 closed
         2026-11-03 closed",
        "dates entry 1 \"2026-10-10 09:00-11:30\": 2026-10-10 is also in entry 2; \
         name each day once, with all its sessions, as 2026-10-10 09:00-11:30, 13:00-15:00
         dates entry 3 \"2026-10-10 13:00-14:00\": 2026-10-10 is also in entry 2; \
         name each day once, with all its sessions, as 2026-10-10 09:00-11:30, 13:00-15:00
         dates entry 4 \"2026-10-31..2026-11-02 closed\": 2026-10-31 is also in entry 2; \
         name each day once, with all its sessions, as 2026-10-10 09:00-11:30, 13:00-15:00",
    );
}

#[test]
fn the_end_of_the_calendar() {
    check(
        "UTC\nmon 09:00-10:00\nuntil 2026-13-01\nafter open",
        "after_valid_until \"open\": that is not known; write closed or weekly
         valid_until \"2026-13-01\": that is not a date; write it as 2026-12-31",
    );
    check(
        "UTC\nmon 09:00-10:00\nafter weekly",
        "after_valid_until \"weekly\": there is no valid_until; \
         write valid_until, or leave this away",
    );
    check(
        "UTC\nmon 09:00-10:00\n2026-12-30..2027-01-01 closed\nuntil 2026-12-31",
        "valid_until \"2026-12-31\": dates are given up to 2027-01-01, which is later; \
         write the last day for which all dates are given",
    );
}

#[test]
fn windows_that_are_never_open() {
    let never = "weekly: the window is never open; \
         give sessions, as mon-fri 09:00-17:00, or write always or never";
    check("UTC", never);
    check("UTC\n2026-10-01..2026-10-07 closed", never);
    check("Europe/Berlin\n2026-03-29 02:00-03:00", never);
    check(
        "UTC\nmon 09:00-10:00\nmargin 3600000",
        "weekly: the window is never open; \
         give sessions that are longer than margin_before_close_ms",
    );
    check(
        "UTC\nnever\nmon 09:00-10:00",
        "weekly: \"never\" stands beside other sessions or dates; \
         leave \"never\" away, or everything else",
    );
    check(
        "UTC\nnever\n2026-10-01 09:00-10:00",
        "weekly: \"never\" stands beside other sessions or dates; \
         leave \"never\" away, or everything else",
    );
    check(
        "UTC\nalways\nmon 09:00-10:00",
        "weekly entry 1 \"always\": there is no session; write it as mon-fri 09:00-17:00",
    );
}

#[test]
fn bounds() {
    check(
        "UTC\nmon 09:00-10:00\nmargin 86400001",
        "margin_before_close_ms \"86400001\": that is more than a day; \
         write at most 86400000 milliseconds",
    );
    let mut spec = spec("UTC");
    spec.weekly = vec!["mon 09:00-10:00".to_owned(); 101];
    spec.dates = vec!["2026-10-01 closed".to_owned(); 5_001];
    check_spec(
        &spec,
        "weekly: 101 are more than one window may have; write at most 100, or make two windows of it
         dates: 5001 are more than one window may have; \
         write at most 5000, or make two windows of it",
    );
    spec.weekly = vec![format!("mon 09:00-10:00{}", " ".repeat(486))];
    spec.dates = Vec::new();
    check_spec(
        &spec,
        &format!(
            "weekly entry 1 \"mon 09:00-10:00{}\": the entry has 501 bytes; write at most 500",
            " ".repeat(85)
        ),
    );
    let sessions: Vec<String> =
        (0..49).map(|n| format!("{:02}:{:02}-24:00", n / 4, n % 4)).collect();
    spec.weekly = vec![
        format!("mon {}", sessions[..24].join(",")),
        format!("mon {}", sessions[24..].join(",")),
    ];
    spec.dates = Vec::new();
    check_spec(
        &spec,
        "weekly entry 2 \"mon 06:00-24:00,06:01-24:00,06:02-24:00,06:03-24:00,07:00-24:00,\
         07:01-24:00,07:02-24:00,07:03-24:00,\
         \": 49 are more than one window may have; write at most 48, or make two windows of it",
    );
}

#[test]
fn faults_of_all_fields_at_once() {
    check(
        "Mars/Olympus
         mon 9-17
         2026-10-01 maybe
         until soon
         margin 999999999",
        "zone \"Mars/Olympus\": no such time zone; \
         write the name of an IANA zone, as Asia/Shanghai or UTC
         weekly entry 1 \"mon 9-17\": \"9-17\" is not a session; \
         write hours and minutes from 00:00 to 48:00, as 09:00-11:30 or 21:00-02:30 +1
         dates entry 1 \"2026-10-01 maybe\": \"maybe\" is not a session; \
         write hours and minutes from 00:00 to 48:00, as 09:00-11:30 or 21:00-02:30 +1
         valid_until \"soon\": that is not a date; write it as 2026-12-31
         margin_before_close_ms \"999999999\": that is more than a day; \
         write at most 86400000 milliseconds",
    );
}
