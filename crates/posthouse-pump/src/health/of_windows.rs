//! Rules about windows: what will not have gone when one shuts, and dates that end.

use std::sync::Arc;

use super::measure::{Measure, Subject, span};
use super::memory::Memory;
use super::rule::Rule;
use super::sight::Sight;
use crate::calendar::Window;
use crate::pump::Cause;

/// The rate at which requests go is that of the last minute, or more.
const RATE_SPAN_MS: u64 = 60_000;

/// A window that stays open longer than this shuts too late to be watched.
const HORIZON_MS: i64 = 24 * 3_600_000;

pub(super) fn measures(sight: &Sight<'_>, memory: &Memory) -> Vec<Measure> {
    let mut measures = Vec::new();
    for (name, window) in &sight.plan.windows {
        measures.extend(calendar(sight, name, window));
        measures.extend(backlog(sight, memory, name, window));
    }
    measures
}

fn calendar(sight: &Sight<'_>, name: &str, window: &Window) -> Option<Measure> {
    let days = window.days_left(sight.now.source_ms)?;
    let detail = match days {
        ..0 => format!("the dates of the window \"{name}\" have ended"),
        _ => format!("the dates of the window \"{name}\" are known for {days} more days only"),
    };
    let subject = Subject::Window(name.to_owned());
    Some(Measure { rule: Rule::CalendarEnds, subject, value: days, detail })
}

/// How much longer than the window is open the requests that wait for it will take, at the rate
/// at which they go.
fn backlog(sight: &Sight<'_>, memory: &Memory, name: &str, window: &Window) -> Option<Measure> {
    let now_ms = sight.now.source_ms;
    if !window.is_open(now_ms) {
        return None;
    }
    let left_ms = window.next_close(now_ms)?.saturating_sub(now_ms);
    let codes = codes_of(sight, name);
    let waiting: u64 = codes.iter().map(|code| waiting(sight, code)).sum();
    if left_ms > HORIZON_MS || waiting == 0 {
        return None;
    }
    let rates = codes.iter().map(|code| memory.per_second(code, RATE_SPAN_MS));
    let rate = rates.sum::<Option<f64>>()?;
    let needed_ms = (waiting as f64 * 1_000.0 / rate).min(HORIZON_MS as f64 * 365.0) as i64;
    let value = needed_ms.saturating_sub(left_ms);
    let left = span(u64::try_from(left_ms).unwrap_or(0));
    let detail = match rate > 0.0 {
        true => format!(
            "the window \"{name}\" shuts in {left}, and what waits for it needs {} at {rate:.1} a \
             second: {waiting} requests",
            span(u64::try_from(needed_ms).unwrap_or(0))
        ),
        false => format!(
            "the window \"{name}\" shuts in {left}, and of what waits for it nothing has ended in \
             the last minute: {waiting} requests"
        ),
    };
    let subject = Subject::Window(name.to_owned());
    Some(Measure { rule: Rule::Backlog, subject, value, detail })
}

/// The codes that go in a window.
fn codes_of(sight: &Sight<'_>, window: &str) -> Vec<Arc<str>> {
    let plan = sight.plan;
    let codes = plan.codes.iter().filter(|(_, code)| {
        let Some(group) = plan.groups.get(&code.group) else { return false };
        let windows = [&group.window, &code.window];
        let is_of_window = windows.into_iter().flatten().any(|name| **name == *window);
        let windows = windows.into_iter().flatten().filter_map(|name| plan.windows.get(name));
        let mut windows = windows.map(|window| window.is_open(sight.now.source_ms));
        is_of_window && group.is_sent(&plan.region) && windows.all(|is_open| is_open)
    });
    codes.map(|(name, _)| name.clone()).collect()
}

/// Requests of a code that wait for this node and could go. Those in memory can, or will soon. If
/// there are more than memory takes, the database has counted them, for all nodes.
fn waiting(sight: &Sight<'_>, code: &Arc<str>) -> u64 {
    let resident = sight.figures.codes.get(code).map_or(0, |figures| figures.resident);
    let endpoint = sight.plan.codes.get(code).map(|code| &code.endpoint);
    let is_full = sight.figures.withheld.iter().any(|withheld| match &withheld.cause {
        Cause::EndpointFull(name) => Some(name) == endpoint,
        _ => false,
    });
    let table = sight.table.filter(|table| is_full && table.buckets > 0);
    let counted = table.map_or(0, |table| {
        let ready = table.ready.get(code).copied().unwrap_or(0);
        ready.saturating_mul(table.own_buckets) / table.buckets
    });
    resident.max(counted)
}
