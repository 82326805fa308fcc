//! Alarms: findings that last. Each begins once and ends once, and one that comes and goes too
//! often stays on until it has been quiet for longer.

use std::collections::{BTreeMap, VecDeque};

use super::measure::{Measure, Subject};
use super::rule::{Limits, Rule, Severity};
use super::sight::Sight;

/// An alarm that begins for the third time within half an hour stays on until it has been over
/// for ten minutes.
const FLAP_STARTS: usize = 3;
const FLAP_SPAN_MS: u64 = 30 * 60 * 1_000;
const FLAP_CLEAR_MS: u64 = 10 * 60 * 1_000;

/// Alarms that are watched; what comes beyond waits until there is room.
const WATCHED_MAX: usize = 10_000;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// The rule that is broken.
    pub rule: Rule,
    /// What it is about.
    pub subject: Subject,
    /// How bad it is.
    pub severity: Severity,
    /// Since when, by this node's clock, Unix milliseconds.
    pub since_ms: i64,
    /// What was measured last, in the unit of the rule.
    pub value: i64,
    /// The limit, in the same unit.
    pub limit: u64,
    /// What it means, in one sentence.
    pub detail: String,
    /// Whether it has come and gone so often that it ends only after a longer time.
    pub is_flapping: bool,
}

/// Whether an alarm begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It begins.
    Begins,
    /// It ends.
    Ends,
}

/// An alarm that begins or ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which of both.
    pub edge: Edge,
    /// The alarm as it is, or was last.
    pub alarm: Alarm,
}

type Key = (Rule, Subject);

#[derive(Clone, Debug, Default)]
struct Watch {
    /// Since when the limit is broken, milliseconds of the steady clock.
    bad_since: Option<u64>,
    /// Since when it is not, while the alarm is on.
    good_since: Option<u64>,
    alarm: Option<Alarm>,
    /// When it began lately.
    starts: VecDeque<u64>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarms {
    watched: BTreeMap<Key, Watch>,
}

impl Alarms {
    /// Takes note of measures; what has begun and ended by that.
    pub fn step(
        &mut self,
        sight: &Sight<'_>,
        limits: &Limits,
        measures: Vec<Measure>,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut bad = BTreeMap::new();
        for measure in measures {
            let limit = limits.of(measure.rule, measure.subject.name());
            let limit = limit.filter(|it| it.is_broken(measure.rule.unit(), measure.value));
            if let Some(limit) = limit {
                bad.insert((measure.rule, measure.subject.clone()), (measure, limit));
            }
        }
        for (key, (measure, limit)) in &bad {
            if self.watched.len() >= WATCHED_MAX && !self.watched.contains_key(key) {
                continue;
            }
            let watch = self.watched.entry(key.clone()).or_default();
            changes.extend(watch.worsen(sight, measure, limit.value, limit.for_ms));
        }
        let good = self.watched.iter_mut().filter(|(key, _)| !bad.contains_key(*key));
        for (key, watch) in good {
            let limit = limits.of(key.0, key.1.name());
            changes.extend(watch.improve(sight.now.mono_ms, limit.map_or(0, |it| it.clear_ms)));
        }
        self.watched.retain(|_, watch| !watch.is_over(sight.now.mono_ms));
        changes
    }

    /// Those that are on.
    pub fn on(&self) -> impl Iterator<Item = &Alarm> {
        self.watched.values().filter_map(|watch| watch.alarm.as_ref())
    }
}

impl Watch {
    fn worsen(
        &mut self,
        sight: &Sight<'_>,
        measure: &Measure,
        limit: u64,
        for_ms: u64,
    ) -> Option<Change> {
        let mono_ms = sight.now.mono_ms;
        let since = *self.bad_since.get_or_insert(mono_ms);
        self.good_since = None;
        if let Some(alarm) = &mut self.alarm {
            (alarm.value, alarm.limit) = (measure.value, limit);
            alarm.detail.clone_from(&measure.detail);
            return None;
        }
        if mono_ms.saturating_sub(since) < for_ms {
            return None;
        }
        self.starts.push_back(mono_ms);
        self.forget_starts(mono_ms);
        let alarm = Alarm {
            rule: measure.rule,
            subject: measure.subject.clone(),
            severity: measure.rule.severity(),
            since_ms: sight.wall_ms,
            value: measure.value,
            limit,
            detail: measure.detail.clone(),
            is_flapping: self.starts.len() >= FLAP_STARTS,
        };
        self.alarm = Some(alarm.clone());
        Some(Change { edge: Edge::Begins, alarm })
    }

    fn improve(&mut self, mono_ms: u64, clear_ms: u64) -> Option<Change> {
        self.bad_since = None;
        let is_flapping = self.alarm.as_ref()?.is_flapping;
        let clear_ms = if is_flapping { clear_ms.max(FLAP_CLEAR_MS) } else { clear_ms };
        let since = *self.good_since.get_or_insert(mono_ms);
        if mono_ms.saturating_sub(since) < clear_ms {
            return None;
        }
        self.good_since = None;
        let alarm = self.alarm.take()?;
        Some(Change { edge: Edge::Ends, alarm })
    }

    fn forget_starts(&mut self, mono_ms: u64) {
        let is_old = |at: &u64| mono_ms.saturating_sub(*at) >= FLAP_SPAN_MS;
        while self.starts.front().is_some_and(is_old) {
            self.starts.pop_front();
        }
    }

    fn is_over(&mut self, mono_ms: u64) -> bool {
        self.forget_starts(mono_ms);
        self.alarm.is_none() && self.bad_since.is_none() && self.starts.is_empty()
    }
}
