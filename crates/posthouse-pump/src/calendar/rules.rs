//! The rules of a window without its zone: which sessions begin on which day.
//!
//! A day that a date entry names has the sessions of that entry and no others; every other day has
//! those of its weekday. A session belongs to the day on which it opens, and takes place unless its
//! trading day is closed by a date entry, or lies beyond the end of the calendar where nothing is
//! to be open. So a holiday also removes the evening session that trades for it.

use super::day::Day;
use super::session::Session;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Monday first; the sessions of each by their opening.
    pub(crate) weekly: [Vec<Session>; 7],
    /// Ascending; no day is in two of them.
    pub(crate) dates: Vec<DateRule>,
    /// Until when dates are given.
    pub(crate) horizon: Option<Horizon>,
}

/// Days with sessions of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DateRule {
    /// The first of them.
    pub(crate) first: Day,
    /// The last of them.
    pub(crate) last: Day,
    /// Their sessions, by their opening. None: these days are closed.
    pub(crate) sessions: Vec<Session>,
}

/// The end of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Horizon {
    /// The last day for which dates are given.
    pub(crate) last: Day,
    /// What holds after it.
    pub(crate) after: After,
}

/// What holds after the end of a calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing is open.
    #[default]
    Closed,
    /// The weekly sessions.
    Weekly,
}

impl Rules {
    /// The sessions that open on a day and take place, by their opening.
    pub(crate) fn sessions(&self, day: Day) -> impl Iterator<Item = Session> {
        let planned = match self.date_rule(day) {
            _ if self.is_beyond(day) => &[],
            Some(rule) => rule.sessions.as_slice(),
            None => self.weekly.get(day.weekday()).map_or(&[][..], Vec::as_slice),
        };
        planned.iter().copied().filter(move |session| self.takes_place(day, *session))
    }

    /// The last day that is not as its weekday.
    pub(crate) fn irregular_last(&self) -> Option<Day> {
        let dated = self.dates.last().map(|rule| rule.last);
        dated.max(self.horizon.map(|horizon| horizon.last))
    }

    fn takes_place(&self, day: Day, session: Session) -> bool {
        if session.trading_days_on == 0 {
            return true;
        }
        let trading_day = day.plus(i64::from(session.trading_days_on));
        let is_closed = self.date_rule(trading_day).is_some_and(|rule| rule.sessions.is_empty());
        !is_closed && !self.is_beyond(trading_day)
    }

    /// Whether a day is after the end of the calendar, and nothing is open then.
    fn is_beyond(&self, day: Day) -> bool {
        self.horizon.is_some_and(|horizon| horizon.after == After::Closed && day > horizon.last)
    }

    fn date_rule(&self, day: Day) -> Option<&DateRule> {
        let candidate = self.dates.partition_point(|rule| rule.last < day);
        self.dates.get(candidate).filter(|rule| rule.first <= day)
    }
}
