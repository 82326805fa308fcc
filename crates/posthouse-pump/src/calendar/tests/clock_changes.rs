//! Sessions at and around changes of the clock.

use super::check_upcoming;

#[test]
fn a_left_out_opening_is_where_the_clock_goes_on() {
    check_upcoming(
        "Europe/Berlin
         sun 02:30-05:00",
        "2026-03-28T00:00:00Z",
        "2026-03-29 03:00:00 +02:00 to 2026-03-29 05:00:00 +02:00
         2026-04-05 02:30:00 +02:00 to 2026-04-05 05:00:00 +02:00",
    );
    check_upcoming(
        "America/New_York
         sun 02:00-05:00",
        "2026-03-07T00:00:00Z",
        "2026-03-08 03:00:00 -04:00 to 2026-03-08 05:00:00 -04:00",
    );
    check_upcoming(
        "Australia/Lord_Howe
         sun 02:15-03:00",
        "2026-10-03T00:00:00Z",
        "2026-10-04 02:30:00 +11:00 to 2026-10-04 03:00:00 +11:00",
    );
    // Here the day itself begins at 01:00.
    check_upcoming(
        "America/Sao_Paulo
         sun 00:00-24:00",
        "2018-11-03T00:00:00Z",
        "2018-11-04 01:00:00 -02:00 to 2018-11-05 00:00:00 -02:00",
    );
}

#[test]
fn a_left_out_closing_is_where_the_clock_goes_on() {
    check_upcoming(
        "Europe/Berlin
         sun 01:00-02:30",
        "2026-03-28T00:00:00Z",
        "2026-03-29 01:00:00 +01:00 to 2026-03-29 03:00:00 +02:00",
    );
    check_upcoming(
        "America/New_York
         sat 22:00-02:30",
        "2026-03-07T00:00:00Z",
        "2026-03-07 22:00:00 -05:00 to 2026-03-08 03:00:00 -04:00",
    );
}

#[test]
fn a_session_that_is_left_out_as_a_whole_does_not_take_place() {
    check_upcoming(
        "Europe/Berlin
         sun 02:00-03:00",
        "2026-03-21T00:00:00Z",
        "2026-03-22 02:00:00 +01:00 to 2026-03-22 03:00:00 +01:00
         2026-04-05 02:00:00 +02:00 to 2026-04-05 03:00:00 +02:00",
    );
    check_upcoming(
        "Australia/Lord_Howe
         sun 02:00-02:30",
        "2026-10-01T00:00:00Z",
        "2026-10-11 02:00:00 +11:00 to 2026-10-11 02:30:00 +11:00",
    );
}

#[test]
fn an_opening_that_comes_twice_is_the_first() {
    check_upcoming(
        "Europe/Berlin
         sun 02:30-05:00",
        "2026-10-24T00:00:00Z",
        "2026-10-25 02:30:00 +02:00 to 2026-10-25 05:00:00 +01:00",
    );
    check_upcoming(
        "America/New_York
         sun 01:00-03:00",
        "2026-10-31T00:00:00Z",
        "2026-11-01 01:00:00 -04:00 to 2026-11-01 03:00:00 -05:00",
    );
    check_upcoming(
        "Australia/Lord_Howe
         sun 01:45-03:00",
        "2026-04-04T00:00:00Z",
        "2026-04-05 01:45:00 +11:00 to 2026-04-05 03:00:00 +10:30",
    );
}

#[test]
fn a_closing_that_comes_twice_is_the_second() {
    check_upcoming(
        "Europe/Berlin
         sun 01:00-02:30",
        "2026-10-24T00:00:00Z",
        "2026-10-25 01:00:00 +02:00 to 2026-10-25 02:30:00 +01:00",
    );
    check_upcoming(
        "America/New_York
         sat 22:00-01:30",
        "2026-10-31T00:00:00Z",
        "2026-10-31 22:00:00 -04:00 to 2026-11-01 01:30:00 -05:00",
    );
    // What comes twice as a whole is one session, not two.
    check_upcoming(
        "Australia/Lord_Howe
         sun 01:30-02:00",
        "2026-04-04T00:00:00Z",
        "2026-04-05 01:30:00 +11:00 to 2026-04-05 02:00:00 +10:30
         2026-04-12 01:30:00 +10:30 to 2026-04-12 02:00:00 +10:30",
    );
}

/// At the midnight after 17 February 2018 clocks in São Paulo went back to 23:00 of that day.
#[test]
fn a_clock_set_back_over_midnight() {
    check_upcoming(
        "America/Sao_Paulo
         sat 22:00-23:30
         sun 00:00-01:00",
        "2018-02-17T12:00:00Z",
        "2018-02-17 22:00:00 -02:00 to 2018-02-17 23:30:00 -03:00
         2018-02-18 00:00:00 -03:00 to 2018-02-18 01:00:00 -03:00",
    );
}

/// One minute into 7 November 2010 clocks in St. John's went back to 23:01 of the day before:
/// sessions of tomorrow are on, and one of the day before yesterday too.
#[test]
fn a_clock_set_back_soon_after_midnight() {
    check_upcoming(
        "America/St_Johns
         sun 00:00-02:00",
        "2010-11-06T12:00:00Z",
        "2010-11-07 00:00:00 -02:30 to 2010-11-07 02:00:00 -03:30",
    );
    check_upcoming(
        "America/St_Johns
         fri 23:30-47:30",
        "2010-11-05T12:00:00Z",
        "2010-11-05 23:30:00 -02:30 to 2010-11-06 23:30:00 -03:30",
    );
}

/// Samoa had no 30 December 2011: it went over the date line.
#[test]
fn a_day_that_is_left_out() {
    check_upcoming(
        "Pacific/Apia
         mon-sun 09:00-17:00
         thu 22:00-02:30",
        "2011-12-29T12:00:00Z",
        "2011-12-29 09:00:00 -10:00 to 2011-12-29 17:00:00 -10:00
         2011-12-29 22:00:00 -10:00 to 2011-12-31 00:00:00 +14:00
         2011-12-31 09:00:00 +14:00 to 2011-12-31 17:00:00 +14:00",
    );
}

/// Zones that have changed their rules: Turkey kept its summer time in 2016, Russia set its clocks
/// back for good in 2014.
#[test]
fn rules_that_were_changed() {
    check_upcoming(
        "Europe/Istanbul
         sun 03:00-04:30",
        "2015-11-07T00:00:00Z",
        "2015-11-08 03:00:00 +03:00 to 2015-11-08 04:30:00 +02:00
         2015-11-15 03:00:00 +02:00 to 2015-11-15 04:30:00 +02:00",
    );
    check_upcoming(
        "Europe/Istanbul
         sun 03:00-04:30",
        "2016-10-29T00:00:00Z",
        "2016-10-30 03:00:00 +03:00 to 2016-10-30 04:30:00 +03:00
         2016-11-06 03:00:00 +03:00 to 2016-11-06 04:30:00 +03:00",
    );
    check_upcoming(
        "Europe/Moscow
         sun 01:30-03:00",
        "2014-10-25T00:00:00Z",
        "2014-10-26 01:30:00 +04:00 to 2014-10-26 03:00:00 +03:00
         2014-11-02 01:30:00 +03:00 to 2014-11-02 03:00:00 +03:00",
    );
}

/// Far beyond the tables, by the rule that a zone has now.
#[test]
fn years_to_come() {
    check_upcoming(
        "Europe/Berlin
         mon-fri 09:00-17:00",
        "2090-07-03T00:00:00Z",
        "2090-07-03 09:00:00 +02:00 to 2090-07-03 17:00:00 +02:00",
    );
}
