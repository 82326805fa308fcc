//! When the next step of the retention is due, and what has become of those before.
//!
//! After a step comes a pause that is as long as the step was, so that the database is busy with
//! it for half of the time at most, with one connection; a whole walk is followed by a longer
//! pause. Nothing is done while the source is in trouble, or the node stops.

use super::handle::RetentionTally;
use super::troubles::Troubles;
use crate::source::retention::{Retained, Retention};
use crate::source::{SourceError, SourceErrorKind};

/// The pause between two steps at least, in milliseconds.
const STEP_PAUSE_MS: u64 = 20;

/// The pause after a step that failed, in milliseconds.
const FAILED_MS: u64 = 10_000;

/// When a source that is not in order is looked at again, in milliseconds.
const NOT_YET_MS: u64 = 500;

/// The pauses between two walks, in milliseconds. Where requests stay for a short time only, one
/// walk follows the other sooner.
const WALK_PAUSE_MS: std::ops::RangeInclusive<u64> = 1_000..=60_000;

/// Of the shortest age, the part that a request may stay longer, as a divisor.
const LATE_DIVISOR: u64 = 10;

/// What people are to be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A walk has ended, and so many requests were removed.
    Walked(u64),
    /// A step has failed.
    Failed(String),
}

/// See the module. One step is out at a time.
#[derive(Debug)]
pub(super) struct Retainer {
    due_ms: Option<u64>,
    walk_pause_ms: u64,
    failures: Troubles,
    /// What was removed by this node.
    pub(super) tally: RetentionTally,
}

impl Retainer {
    /// The first step is due at once, if anything is to be done at all.
    pub(super) fn new(now_ms: u64, retention: &Retention) -> Retainer {
        let shortest_ms =
            retention.ages.shortest_ms().into_iter().chain(retention.archive_ms).min();
        let (first, last) = (*WALK_PAUSE_MS.start(), *WALK_PAUSE_MS.end());
        Retainer {
            due_ms: shortest_ms.map(|_| now_ms),
            walk_pause_ms: (shortest_ms.unwrap_or(0) / LATE_DIVISOR).clamp(first, last),
            failures: Troubles::default(),
            tally: RetentionTally::default(),
        }
    }

    /// When the next step is due, steady milliseconds.
    pub(super) fn due_ms(&self) -> Option<u64> {
        self.due_ms
    }

    /// Whether the next step is to begin.
    pub(super) fn begin(&mut self, now_ms: u64, may_work: bool) -> bool {
        let is_due = self.due_ms.is_some_and(|due_ms| due_ms <= now_ms);
        if !is_due {
            return false;
        }
        self.due_ms = if may_work { None } else { Some(now_ms.saturating_add(NOT_YET_MS)) };
        may_work
    }

    /// What came of a step that took so many milliseconds.
    pub(super) fn hear(
        &mut self,
        now_ms: u64,
        took_ms: u64,
        result: Result<Retained, SourceError>,
    ) -> Option<Told> {
        let (pause_ms, told) = match result {
            Ok(step) => {
                self.failures.end();
                self.tally.add(&step);
                let is_over = step.has_ended || step.is_elsewhere;
                let pause_ms =
                    if is_over { self.walk_pause_ms } else { took_ms.max(STEP_PAUSE_MS) };
                let is_worth = step.has_ended && step.walk_removed > 0;
                (pause_ms, is_worth.then_some(Told::Walked(step.walk_removed)))
            }
            // Somebody else was at it: the step is done again.
            Err(error) if error.kind == SourceErrorKind::Conflict => (STEP_PAUSE_MS * 10, None),
            Err(error) => {
                let text = error.to_string();
                (FAILED_MS, self.failures.is_new(&text).then_some(Told::Failed(text)))
            }
        };
        self.due_ms = Some(now_ms.saturating_add(pause_ms));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::retention::Ages;

    fn retainer(age_ms: u64) -> Retainer {
        let ages = Ages([Some(age_ms), None, None, None, None]);
        Retainer::new(100, &Retention { ages, ..Retention::default() })
    }

    #[test]
    fn nothing_is_due_where_everything_stays() {
        let mut idle = Retainer::new(0, &Retention::default());
        assert_eq!((idle.due_ms(), idle.begin(1_000, true)), (None, false));
    }

    #[test]
    fn a_step_is_followed_by_a_pause_of_its_length() {
        let mut retainer = retainer(600_000);
        assert!(retainer.begin(100, true) && !retainer.begin(100, true), "one is out");
        let step = Retained { deleted: 7, walk_removed: 7, ..Retained::default() };
        assert_eq!(retainer.hear(200, 70, Ok(step)), None);
        assert_eq!(retainer.due_ms(), Some(270));
        assert!(!retainer.begin(269, true) && retainer.begin(270, true));
        let last = Retained { has_ended: true, deleted: 1, walk_removed: 8, ..step };
        assert_eq!(retainer.hear(300, 1, Ok(last)), Some(Told::Walked(8)));
        assert_eq!((retainer.due_ms(), retainer.tally.deleted), (Some(60_300), 8));
    }

    #[test]
    fn a_failure_is_told_once_and_tried_again() {
        let mut retainer = retainer(20_000);
        retainer.begin(100, true);
        let failed = || Err(SourceError::unfit("no table"));
        assert!(matches!(retainer.hear(100, 1, failed()), Some(Told::Failed(_))));
        assert!(retainer.begin(10_100, true));
        assert_eq!(retainer.hear(10_100, 1, failed()), None);
        let elsewhere = Retained { is_elsewhere: true, ..Retained::default() };
        assert_eq!(retainer.hear(20_000, 1, Ok(elsewhere)), None);
        assert_eq!(retainer.due_ms(), Some(22_000));
        assert!(!retainer.begin(22_000, false), "the source is in trouble");
        assert!(retainer.begin(22_500, true));
    }
}
