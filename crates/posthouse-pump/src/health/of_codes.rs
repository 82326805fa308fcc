//! Rules about codes, groups and what waits for them.

use super::measure::{Measure, Subject, span};
use super::memory::{GroupMemory, Memory};
use super::rule::Rule;
use super::sight::Sight;
use crate::pump::CodeFigures;

pub(super) fn measures(sight: &Sight<'_>, memory: &Memory) -> Vec<Measure> {
    let mut measures = Vec::new();
    for name in sight.plan.codes.keys() {
        let figures = sight.figures.codes.get(name);
        measures.extend(figures.and_then(|figures| claimable_age(sight, name, figures)));
    }
    for name in sight.plan.groups.keys() {
        let Some(known) = memory.group(name) else { continue };
        if let Some(figures) = sight.figures.groups.get(name) {
            let lately = memory.lately(sight.plan, name);
            measures.extend(of_group(sight, name, figures, (known, lately)));
        }
    }
    measures
}

fn claimable_age(sight: &Sight<'_>, name: &str, figures: &CodeFigures) -> Option<Measure> {
    let age_ms = sight.now.source_ms.saturating_sub(figures.oldest_ms?);
    let age_ms = u64::try_from(age_ms).unwrap_or(0);
    let detail = format!(
        "the oldest request of the code \"{name}\" that could go has waited for {}",
        span(age_ms)
    );
    Some(Measure::new(Rule::ClaimableAge, Subject::Code(name.to_owned()), age_ms, detail))
}

fn of_group(
    sight: &Sight<'_>,
    name: &str,
    figures: &CodeFigures,
    (known, lately): (&GroupMemory, (u64, u64)),
) -> [Measure; 4] {
    let measure =
        |rule, value, detail| Measure::new(rule, Subject::Group(name.to_owned()), value, detail);
    let idle_ms = known.idle_ms(sight.now.mono_ms);
    let idle = format!(
        "requests of the group \"{name}\" could go, and none has ended for {}",
        span(idle_ms)
    );
    let (badly, expired) = lately;
    let ended = format!(
        "requests of the group \"{name}\" that were given up or rejected in the last quarter of an \
         hour: {badly}"
    );
    let late = format!(
        "requests of the group \"{name}\" that expired in the last quarter of an hour: {expired}"
    );
    let blocked = format!(
        "business ids of the group \"{name}\" that are blocked until somebody retries, skips or \
         cancels their first request: {}",
        figures.blocked
    );
    [
        measure(Rule::NoProgress, idle_ms, idle),
        measure(Rule::EndedBadly, badly, ended),
        measure(Rule::Expired, expired, late),
        measure(Rule::BlockedKeys, figures.blocked, blocked),
    ]
}
