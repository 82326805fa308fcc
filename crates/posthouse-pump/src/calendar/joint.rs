//! Several windows at once: those of a request's group, of its code, and its own.
//!
//! They are open together while every one of them is. No windows at all: always open.

use super::Window;
use super::limits::JOINT_LOOKAHEAD_MS;

/// Whether all are open at an instant, Unix milliseconds.
pub fn is_open(windows: &[&Window], at_ms: i64) -> bool {
    windows.iter().all(|window| window.is_open(at_ms))
}

/// The first instant from `at_ms` on (itself included) at which all are open; `None` if none is
/// known. Windows that have not met within 400 days after each has opened once are taken never to
/// meet.
pub fn next_open(windows: &[&Window], at_ms: i64) -> Option<i64> {
    let first_ms = next_open_of_last(windows, at_ms)?;
    let mut candidate_ms = first_ms;
    while candidate_ms <= first_ms.saturating_add(JOINT_LOOKAHEAD_MS) {
        let later_ms = next_open_of_last(windows, candidate_ms)?;
        if later_ms == candidate_ms {
            return Some(candidate_ms);
        }
        candidate_ms = later_ms;
    }
    None
}

/// The first instant from `at_ms` on (itself included) at which one of them is shut; `None` if none
/// is known.
pub fn next_close(windows: &[&Window], at_ms: i64) -> Option<i64> {
    windows.iter().filter_map(|window| window.next_close(at_ms)).min()
}

/// When the last of them opens, or is open. Before that they cannot all be.
fn next_open_of_last(windows: &[&Window], at_ms: i64) -> Option<i64> {
    let mut last_ms = at_ms;
    for window in windows {
        last_ms = last_ms.max(window.next_open(at_ms)?);
    }
    Some(last_ms)
}
