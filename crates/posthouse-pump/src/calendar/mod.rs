//! Processing windows: when requests may go out.
//!
//! A window is a time zone, weekly sessions, and dates on which other sessions hold. All questions
//! are asked in Unix milliseconds, and answered from the rules alone; zone tables come with the
//! program, and neither a clock nor the system is asked. A [`WindowSpec`] is what a person writes;
//! [`WindowSpec::check`] makes it into a [`Window`].
//!
//! Where the clock changes: a session that should open at a time that is left out opens where the
//! clock goes on; one that should open at a time that comes twice opens at the first, and one that
//! should close then closes at the second. A session whose whole time is left out does not take
//! place. Windows with sessions know the years 1970 to 2099, and are shut outside them.

mod day;
mod entry;
mod fault;
pub mod joint;
mod limits;
mod rules;
mod schedule;
mod session;
mod show;
mod spec;
#[cfg(test)]
mod tests;
mod zone;

use std::sync::Arc;

pub use fault::WindowFault;
pub use schedule::Schedule;
pub use spec::WindowSpec;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// Always open.
    Always,
    /// Never open.
    Never,
    /// Open in sessions.
    Scheduled(Arc<Schedule>),
}

/// A time during which a window is open without a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Its first instant, Unix milliseconds.
    pub open_ms: i64,
    /// The first instant after it, Unix milliseconds; `None` if no closing is known.
    pub close_ms: Option<i64>,
}

impl Window {
    /// Whether it is open at an instant, Unix milliseconds. The opening instant belongs to it, the
    /// closing one does not.
    pub fn is_open(&self, at_ms: i64) -> bool {
        match self {
            Window::Always => true,
            Window::Never => false,
            Window::Scheduled(schedule) => schedule.is_open(at_ms),
        }
    }

    /// The first instant from `at_ms` on (itself included) at which it is open; `None` if none is
    /// known.
    pub fn next_open(&self, at_ms: i64) -> Option<i64> {
        match self {
            Window::Always => Some(at_ms),
            Window::Never => None,
            Window::Scheduled(schedule) if schedule.is_open(at_ms) => Some(at_ms),
            Window::Scheduled(schedule) => {
                schedule.interval(at_ms).map(|interval| interval.open_ms)
            }
        }
    }

    /// The first instant from `at_ms` on (itself included) at which it is shut; `None` if none is
    /// known.
    pub fn next_close(&self, at_ms: i64) -> Option<i64> {
        match self {
            Window::Always => None,
            Window::Never => Some(at_ms),
            Window::Scheduled(schedule) => match schedule.interval(at_ms) {
                Some(interval) if interval.open_ms <= at_ms => interval.close_ms,
                _ => Some(at_ms),
            },
        }
    }

    /// The next times at which it is open, at most `count` of them and at most 1,000. If it is open
    /// at `at_ms`, the first of them begins there.
    pub fn upcoming(&self, at_ms: i64, count: usize) -> Vec<Interval> {
        let mut intervals = Vec::new();
        let mut from_ms = Some(at_ms);
        while let Some(open_ms) = from_ms.and_then(|from_ms| self.next_open(from_ms)) {
            if intervals.len() >= count.min(limits::UPCOMING_MAX) {
                break;
            }
            let close_ms = self.next_close(open_ms);
            intervals.push(Interval { open_ms, close_ms });
            from_ms = close_ms;
        }
        intervals
    }

    /// How many days after today its dates are still given for: 0 on the last of them, less than 0
    /// after it, in its zone. `None` if they are taken to be complete.
    pub fn days_left(&self, at_ms: i64) -> Option<i64> {
        let Window::Scheduled(schedule) = self else { return None };
        let at_ms = at_ms.clamp(limits::INSTANT_MS_MIN, limits::INSTANT_MS_END);
        schedule.rules.horizon.map(|horizon| horizon.last.0 - schedule.today(at_ms).0)
    }

    /// What it is, in one line.
    pub fn describe(&self) -> String {
        match self {
            Window::Always => "always open".to_owned(),
            Window::Never => "never open".to_owned(),
            Window::Scheduled(schedule) => show::describe(schedule),
        }
    }

    /// An instant (Unix milliseconds) on the clock of its zone, as `2026-10-09 21:00:00 +08:00`; in
    /// UTC if it has none.
    pub fn local_time(&self, at_ms: i64) -> String {
        let offset_ms = match self {
            Window::Scheduled(schedule) => schedule.zone.offset_ms(at_ms),
            Window::Always | Window::Never => 0,
        };
        show::local_time(at_ms, offset_ms)
    }
}
