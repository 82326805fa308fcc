//! A futures exchange with day and night sessions, and the holidays of a year.

use super::{check_none, check_upcoming};

/// Night sessions open on the evening before their trading day; Friday's is Monday's. Holidays of
/// 2026.
const EXCHANGE: &str = "Asia/Shanghai
    mon-fri 09:00-10:15, 10:30-11:30, 13:30-15:00
    mon-thu 21:00-02:30 +1
    fri 21:00-02:30 +3
    2026-09-25..2026-09-27 closed
    2026-10-01..2026-10-07 closed
    until 2026-12-31";

fn check(from: &str, expected: &str) {
    check_upcoming(EXCHANGE, from, expected);
}

#[test]
fn an_ordinary_day() {
    check(
        "2026-10-13T00:00:00Z",
        "2026-10-13 09:00:00 +08:00 to 2026-10-13 10:15:00 +08:00
         2026-10-13 10:30:00 +08:00 to 2026-10-13 11:30:00 +08:00
         2026-10-13 13:30:00 +08:00 to 2026-10-13 15:00:00 +08:00
         2026-10-13 21:00:00 +08:00 to 2026-10-14 02:30:00 +08:00
         2026-10-14 09:00:00 +08:00 to 2026-10-14 10:15:00 +08:00",
    );
}

#[test]
fn fridays_night_is_mondays() {
    check(
        "2026-10-16T12:00:00Z",
        "2026-10-16 21:00:00 +08:00 to 2026-10-17 02:30:00 +08:00
         2026-10-19 09:00:00 +08:00 to 2026-10-19 10:15:00 +08:00",
    );
}

/// The holiday begins on Thursday: Wednesday evening would already trade for it. It ends on
/// Wednesday: that evening is a holiday.
#[test]
fn no_night_session_before_a_holiday_nor_on_it() {
    check(
        "2026-09-30T06:00:00Z",
        "2026-09-30 14:00:00 +08:00 to 2026-09-30 15:00:00 +08:00
         2026-10-08 09:00:00 +08:00 to 2026-10-08 10:15:00 +08:00
         2026-10-08 10:30:00 +08:00 to 2026-10-08 11:30:00 +08:00
         2026-10-08 13:30:00 +08:00 to 2026-10-08 15:00:00 +08:00
         2026-10-08 21:00:00 +08:00 to 2026-10-09 02:30:00 +08:00",
    );
}

/// The holiday is a Friday: Thursday's and Friday's evenings are without a session.
#[test]
fn a_holiday_before_a_weekend() {
    check(
        "2026-09-24T06:59:00Z",
        "2026-09-24 14:59:00 +08:00 to 2026-09-24 15:00:00 +08:00
         2026-09-28 09:00:00 +08:00 to 2026-09-28 10:15:00 +08:00",
    );
}

/// A Monday that is closed takes Friday's evening with it, and no other.
#[test]
fn a_holiday_after_a_weekend() {
    check_upcoming(
        "Asia/Shanghai
         fri 21:00-02:30 +3
         thu 21:00-02:30 +1
         2026-05-04 closed",
        "2026-04-30T00:00:00Z",
        "2026-04-30 21:00:00 +08:00 to 2026-05-01 02:30:00 +08:00
         2026-05-07 21:00:00 +08:00 to 2026-05-08 02:30:00 +08:00",
    );
}

/// A half day or a make-up day is not closed: the evening before it takes place.
#[test]
fn dates_with_sessions() {
    check_upcoming(
        "Asia/Shanghai
         mon-fri 13:00-15:00
         mon-fri 21:00-23:00 +1
         2026-10-10 09:00-11:30, 13:00-14:00
         2026-10-13 09:00-11:30",
        "2026-10-09T12:00:00Z",
        "2026-10-09 21:00:00 +08:00 to 2026-10-09 23:00:00 +08:00
         2026-10-10 09:00:00 +08:00 to 2026-10-10 11:30:00 +08:00
         2026-10-10 13:00:00 +08:00 to 2026-10-10 14:00:00 +08:00
         2026-10-12 13:00:00 +08:00 to 2026-10-12 15:00:00 +08:00
         2026-10-12 21:00:00 +08:00 to 2026-10-12 23:00:00 +08:00
         2026-10-13 09:00:00 +08:00 to 2026-10-13 11:30:00 +08:00
         2026-10-14 13:00:00 +08:00 to 2026-10-14 15:00:00 +08:00",
    );
}

/// A session goes on over midnight into a closed day if it does not trade for that day.
#[test]
fn a_session_belongs_to_the_day_of_its_opening() {
    check_upcoming(
        "Asia/Shanghai
         mon-fri 21:00-02:30
         2026-10-15 closed",
        "2026-10-14T12:00:00Z",
        "2026-10-14 21:00:00 +08:00 to 2026-10-15 02:30:00 +08:00
         2026-10-16 21:00:00 +08:00 to 2026-10-17 02:30:00 +08:00",
    );
}

/// The evening of the last known day trades for a day of which nothing is known.
#[test]
fn the_end_of_the_calendar() {
    check("2026-12-31T06:00:00Z", "2026-12-31 14:00:00 +08:00 to 2026-12-31 15:00:00 +08:00");
    check_none(EXCHANGE, "2026-12-31T07:00:00Z");
    check_none(EXCHANGE, "2031-06-02T02:00:00Z");
    check_upcoming(
        &format!("{EXCHANGE}\nafter weekly"),
        "2026-12-31T08:00:00Z",
        "2026-12-31 21:00:00 +08:00 to 2027-01-01 02:30:00 +08:00
         2027-01-01 09:00:00 +08:00 to 2027-01-01 10:15:00 +08:00",
    );
}
