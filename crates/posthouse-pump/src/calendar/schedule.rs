//! The rules of a window on the clock of its zone: questions about instants.
//!
//! Sessions that overlap or touch are one stretch. The margin is cut off from the end of a stretch,
//! not from every session in it.

use super::Interval;
use super::day::Day;
use super::limits::{INSTANT_MS_END, INSTANT_MS_MIN, LOOKAHEAD_DAYS};
use super::rules::Rules;
use super::session::Session;
use super::zone::{Clock, Zone};

const MINUTE_MS: i64 = 60_000;

/// The days, counted from the one that the clock shows, whose sessions may be on. A session ends on
/// the day after its opening at the latest; one day more on either side, because a clock that is
/// set back soon after a midnight shows the day before twice.
const DAYS_BEFORE: i64 = -2;

/// See [`DAYS_BEFORE`].
const DAYS_AFTER: i64 = 1;

/// A zone, its rules, and how long before a closing nothing starts any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub(crate) zone: Zone,
    pub(crate) rules: Rules,
    pub(crate) margin_ms: i64,
}

/// From the opening to the closing of one session, or of several that are one. Unix milliseconds.
#[derive(Clone, Copy, Debug)]
struct Span {
    open_ms: i64,
    close_ms: i64,
}

impl Schedule {
    /// Whether it is open at an instant.
    pub(crate) fn is_open(&self, at_ms: i64) -> bool {
        if !is_known(at_ms) {
            return false;
        }
        let needed_ms = at_ms + self.margin_ms;
        let mut reached_ms = at_ms;
        while let Some(close_ms) = self.session_close(reached_ms) {
            if close_ms > needed_ms {
                return true;
            }
            reached_ms = close_ms;
        }
        false
    }

    /// The first stretch that ends after an instant. Its opening may be later than it really was if
    /// it is before the instant.
    pub(crate) fn interval(&self, at_ms: i64) -> Option<Interval> {
        if !is_known(at_ms) {
            return None;
        }
        let clock = self.zone.near(at_ms);
        let today = Day::of_wall(clock.wall_ms(at_ms));
        let last = self.rules.irregular_last().unwrap_or(today).max(today).plus(LOOKAHEAD_DAYS);
        let limit_ms = clock.last_at(last.plus(1).wall_ms());
        let mut spans =
            self.spans(clock, today.plus(DAYS_BEFORE), last).filter(|span| span.close_ms > at_ms);
        let mut stretch = spans.next()?;
        for span in spans {
            if span.open_ms <= stretch.close_ms {
                stretch.close_ms = stretch.close_ms.max(span.close_ms);
            } else if self.is_long_enough(stretch, at_ms) {
                break;
            } else {
                stretch = span;
            }
        }
        self.is_long_enough(stretch, at_ms).then(|| Interval {
            open_ms: stretch.open_ms,
            close_ms: (stretch.close_ms < limit_ms).then_some(stretch.close_ms - self.margin_ms),
        })
    }

    /// The date on the wall clock.
    pub(crate) fn today(&self, at_ms: i64) -> Day {
        Day::of_wall(self.zone.wall_ms(at_ms))
    }

    /// Whether anything of a stretch is left after an instant once the margin is cut off.
    fn is_long_enough(&self, stretch: Span, at_ms: i64) -> bool {
        stretch.close_ms - self.margin_ms > at_ms.max(stretch.open_ms)
    }

    /// When the session that is on at an instant closes: the last to close if several are on.
    fn session_close(&self, at_ms: i64) -> Option<i64> {
        let clock = self.zone.near(at_ms);
        let today = Day::of_wall(clock.wall_ms(at_ms));
        self.spans(clock, today.plus(DAYS_BEFORE), today.plus(DAYS_AFTER))
            .filter(|span| span.open_ms <= at_ms && at_ms < span.close_ms)
            .map(|span| span.close_ms)
            .max()
    }

    /// The sessions that open on these days, by their opening.
    fn spans(&self, clock: Clock<'_>, first: Day, last: Day) -> impl Iterator<Item = Span> {
        (first.0..=last.0)
            .map(Day)
            .flat_map(move |day| self.rules.sessions(day).map(move |s| span(clock, day, s)))
            // Nothing is left of a session whose whole time the clock leaves out.
            .filter(|span| span.open_ms < span.close_ms)
    }
}

fn span(clock: Clock<'_>, day: Day, session: Session) -> Span {
    let wall_ms = |minutes: u16| day.wall_ms() + i64::from(minutes) * MINUTE_MS;
    Span {
        open_ms: clock.first_at(wall_ms(session.open_min)),
        close_ms: clock.last_at(wall_ms(session.close_min)),
    }
}

fn is_known(at_ms: i64) -> bool {
    (INSTANT_MS_MIN..INSTANT_MS_END).contains(&at_ms)
}
