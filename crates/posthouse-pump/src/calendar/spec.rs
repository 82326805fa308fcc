//! Windows as people write them, and the check that makes them into windows.
//!
//! The check goes on after a mistake, so that a person sees all of them at once.

use std::sync::Arc;

use super::Window;
use super::day::Day;
use super::entry::{date_rules, weekly_sessions};
use super::fault::{Mistake, WindowFault};
use super::limits::{ENTRY_BYTES_MAX, MARGIN_MS_MAX};
use super::rules::{After, Horizon, Rules};
use super::schedule::Schedule;
use super::session::Session;
use super::zone::{Zone, similar_name};

/// A window as it stands in a configuration or a table.
///
/// Days are the days on which a session opens. A session that reads as closing before it opens
/// closes on the next day. `+1` says that its trading day is the day after that on which it opens;
/// if that day is closed, the session does not take place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowSpec {
    /// The name of an IANA time zone, as `Asia/Shanghai`. May be empty if the window is always or
    /// never open.
    pub zone: String,
    /// Sessions of every week, as `mon-fri 09:00-11:30, 13:00-15:00` or `mon-thu 21:00-02:30 +1`;
    /// or `always` or `never` alone.
    pub weekly: Vec<String>,
    /// Dates that are not as their weekday, as `2026-10-01..2026-10-07 closed` or `2026-10-10
    /// 09:00-11:30`. No day twice.
    pub dates: Vec<String>,
    /// The last day for which `dates` are complete, as `2026-12-31`. `None`: they are taken to be
    /// complete for ever.
    pub valid_until: Option<String>,
    /// What holds after `valid_until`: `closed` (the default) or `weekly`.
    pub after_valid_until: Option<String>,
    /// Nothing starts in the last so many milliseconds before a closing; at most 24 hours.
    pub margin_before_close_ms: u64,
}

impl WindowSpec {
    /// Makes it into a window.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with what to write instead.
    pub fn check(&self) -> Result<Window, Vec<WindowFault>> {
        if let Some(constant) = self.constant() {
            return constant.map_err(|fault| vec![fault]);
        }
        let mut faults = Vec::new();
        let zone = self.checked_zone().map_err(|fault| faults.push(fault)).ok();
        let rules = self.checked_rules(&mut faults);
        let margin_ms = self.checked_margin().map_err(|fault| faults.push(fault)).unwrap_or(0);
        match zone {
            Some(_)
                if faults.is_empty() && self.is_always() && rules.irregular_last().is_none() =>
            {
                Ok(Window::Always)
            }
            Some(zone) if faults.is_empty() => {
                let schedule = Schedule { zone, rules, margin_ms };
                can_open(schedule).map_err(|fault| vec![fault])
            }
            _ => Err(faults),
        }
    }

    /// A window that has one answer for every instant, if that is what is written.
    fn constant(&self) -> Option<Result<Window, WindowFault>> {
        let has_dates = !self.dates.is_empty() || self.valid_until.is_some();
        if self.weekly.iter().any(|entry| is_word(entry, "never")) {
            let is_alone = self.weekly.len() == 1 && !has_dates;
            let fault = || {
                Mistake::new(
                    "\"never\" stands beside other sessions or dates",
                    "leave \"never\" away, or everything else",
                )
                .in_field("weekly", "")
            };
            return Some(if is_alone { Ok(Window::Never) } else { Err(fault()) });
        }
        let has_rest = !self.zone.trim().is_empty() || self.after_valid_until.is_some();
        // With anything beside it, it is checked like all others.
        let is_always = self.is_always() && !has_dates && !has_rest;
        is_always.then_some(Ok(Window::Always))
    }

    /// Whether every day is open unless a date says otherwise.
    fn is_always(&self) -> bool {
        matches!(self.weekly.as_slice(), [only] if is_word(only, "always"))
    }

    fn checked_zone(&self) -> Result<Zone, WindowFault> {
        let name = self.zone.trim();
        let known = if name.len() <= ENTRY_BYTES_MAX { Zone::named(name) } else { None };
        known.ok_or_else(|| {
            let problem = if name.is_empty() { "no zone is given" } else { "no such time zone" };
            let advice = match similar_name(name) {
                Some(similar) => format!("did you mean {similar}?"),
                None => "write the name of an IANA zone, as Asia/Shanghai or UTC".to_owned(),
            };
            Mistake::new(problem, advice).in_field("zone", name)
        })
    }

    fn checked_rules(&self, faults: &mut Vec<WindowFault>) -> Rules {
        let weekly = if self.is_always() {
            std::array::from_fn(|_| vec![Session::WHOLE_DAY])
        } else {
            weekly_sessions(&self.weekly, faults)
        };
        let dates = date_rules(&self.dates, faults);
        let horizon = self.checked_horizon(faults);
        if let (Some(horizon), Some(rule)) = (horizon, dates.last())
            && rule.last > horizon.last
        {
            let problem = format!("dates are given up to {}, which is later", rule.last);
            let advice = "write the last day for which all dates are given";
            faults.push(
                Mistake::new(problem, advice).in_field("valid_until", &horizon.last.to_string()),
            );
        }
        Rules { weekly, dates, horizon }
    }

    fn checked_horizon(&self, faults: &mut Vec<WindowFault>) -> Option<Horizon> {
        let after = self.checked_after().map_err(|fault| faults.push(fault)).unwrap_or_default();
        let text = self.valid_until.as_deref()?.trim();
        let last = Day::parse(text);
        if last.is_none() {
            let mistake = Mistake::new("that is not a date", "write it as 2026-12-31");
            faults.push(mistake.in_field("valid_until", text));
        }
        Some(Horizon { last: last?, after })
    }

    fn checked_after(&self) -> Result<After, WindowFault> {
        const FIELD: &str = "after_valid_until";
        let Some(text) = self.after_valid_until.as_deref() else { return Ok(After::Closed) };
        if self.valid_until.is_none() {
            let mistake =
                Mistake::new("there is no valid_until", "write valid_until, or leave this away");
            return Err(mistake.in_field(FIELD, text));
        }
        match text.trim() {
            word if is_word(word, "closed") => Ok(After::Closed),
            word if is_word(word, "weekly") => Ok(After::Weekly),
            _ => {
                let mistake = Mistake::new("that is not known", "write closed or weekly");
                Err(mistake.in_field(FIELD, text))
            }
        }
    }

    fn checked_margin(&self) -> Result<i64, WindowFault> {
        let margin = i64::try_from(self.margin_before_close_ms).ok();
        margin.filter(|_| self.margin_before_close_ms <= MARGIN_MS_MAX).ok_or_else(|| {
            let advice = format!("write at most {MARGIN_MS_MAX} milliseconds");
            Mistake::new("that is more than a day", advice)
                .in_field("margin_before_close_ms", &self.margin_before_close_ms.to_string())
        })
    }
}

/// Refuses a window that is never open, because somebody who wants that can say so.
fn can_open(schedule: Schedule) -> Result<Window, WindowFault> {
    let has_margin = schedule.margin_ms > 0;
    let window = Window::Scheduled(Arc::new(schedule));
    if window.next_open(0).is_some() {
        return Ok(window);
    }
    let advice = if has_margin {
        "give sessions that are longer than margin_before_close_ms"
    } else {
        "give sessions, as mon-fri 09:00-17:00, or write always or never"
    };
    Err(Mistake::new("the window is never open", advice).in_field("weekly", ""))
}

fn is_word(entry: &str, word: &str) -> bool {
    entry.trim().eq_ignore_ascii_case(word)
}
