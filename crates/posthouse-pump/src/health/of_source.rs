//! Rules about the source itself, its database, its endpoints and the services behind them.

use super::measure::{Measure, Subject, span};
use super::memory::Memory;
use super::rule::Rule;
use super::sight::{Finder, Sight, Table};
use crate::pump::Cause;

/// A table with fewer dead rows is never bloated.
const DEAD_ROWS_MIN: u64 = 10_000;

pub(super) fn measures(sight: &Sight<'_>, memory: &Memory) -> Vec<Measure> {
    let mut measures = of_pump(sight, memory);
    measures.extend(endpoints(sight));
    measures.extend(sight.finders.iter().flat_map(of_finder));
    measures.extend(sight.table.into_iter().flat_map(of_table));
    measures
}

fn of_pump(sight: &Sight<'_>, memory: &Memory) -> Vec<Measure> {
    let measure = |rule, value, detail| Measure::new(rule, Subject::Source, value, detail);
    let figures = sight.figures;
    let fenced = memory.fenced.lately();
    let mut measures = vec![
        measure(
            Rule::Fenced,
            fenced,
            format!(
                "outcomes that were refused in the last quarter of an hour, because another node \
                 had their buckets by then: {fenced}"
            ),
        ),
        unknown(sight),
        unreadable(sight),
        measure(
            Rule::MissingNumbers,
            sight.gap_keys,
            format!("business ids that wait for a number that is not there: {}", sight.gap_keys),
        ),
        measure(
            Rule::WithheldFull,
            figures.is_withheld_full.into(),
            format!(
                "nothing new is read until there are fewer business ids that are withheld than {}",
                figures.withheld_keys
            ),
        ),
    ];
    measures.extend(
        sight
            .trouble
            .map(|what| measure(Rule::Trouble, 1, format!("the database is in trouble: {what}"))),
    );
    measures.extend(locked(sight));
    measures.extend(clock(sight));
    measures
}

fn locked(sight: &Sight<'_>) -> Option<Measure> {
    let locked = sight.figures.locked.as_ref()?;
    let for_ms = sight.now.source_ms.saturating_sub(locked.since_ms);
    let for_ms = u64::try_from(for_ms).unwrap_or(0);
    let detail = format!(
        "another transaction has locked rows for {}, so that their outcomes cannot be recorded: \
         {}, the lowest of them request {}",
        span(for_ms),
        locked.requests,
        locked.lowest.0
    );
    Some(Measure::new(Rule::Locked, Subject::Source, for_ms, detail))
}

fn clock(sight: &Sight<'_>) -> Option<Measure> {
    let offset_ms = sight.clock_offset_ms()?;
    let detail = format!("the clocks of the database and of this node differ by {offset_ms} ms");
    Some(Measure { rule: Rule::ClockOffset, subject: Subject::Source, value: offset_ms, detail })
}

/// Business ids and single requests that are withheld for causes of a kind.
fn withheld(sight: &Sight<'_>, is_meant: fn(&Cause) -> bool) -> (u64, String) {
    let meant = sight.figures.withheld.iter().filter(|withheld| is_meant(&withheld.cause));
    let (mut count, mut lowest) = (0, None);
    for withheld in meant {
        count += (withheld.keys + withheld.requests) as u64;
        lowest = lowest.min(Some(withheld.lowest.0)).or(Some(withheld.lowest.0));
    }
    (count, lowest.map(|id| format!("; the lowest may be request {id}")).unwrap_or_default())
}

fn unknown(sight: &Sight<'_>) -> Measure {
    let (count, lowest) = withheld(sight, |cause| {
        matches!(cause, Cause::UnknownCode(_) | Cause::UnknownWindow(_) | Cause::OtherGroup(_))
    });
    let detail = format!(
        "business ids or single requests that wait because the configuration does not have their \
         code or window, or has the code in another group: {count}{lowest}"
    );
    Measure::new(Rule::Unknown, Subject::Source, count, detail)
}

fn unreadable(sight: &Sight<'_>) -> Measure {
    let (count, lowest) = withheld(sight, |cause| matches!(cause, Cause::Unreadable));
    let detail = format!("business ids or single requests that cannot be read: {count}{lowest}");
    Measure::new(Rule::Unreadable, Subject::Source, count, detail)
}

fn endpoints<'a>(sight: &Sight<'a>) -> impl Iterator<Item = Measure> + use<'a> {
    let (plan, figures) = (sight.plan, sight.figures);
    let down = figures.endpoints.iter().filter(|(_, endpoint)| endpoint.is_down);
    // One that no code leads to any more is nobody's business.
    let down = down.filter(|(name, _)| plan.codes.values().any(|code| code.endpoint == **name));
    down.map(|(name, endpoint)| {
        let detail = format!(
            "the endpoint \"{name}\" fails, and only trials go there; business ids or single \
             requests that wait for it: {}",
            endpoint.runnable
        );
        Measure::new(Rule::EndpointDown, Subject::Endpoint(name.to_string()), 1, detail)
    })
}

fn of_finder(finder: &Finder) -> Vec<Measure> {
    let Finder { name, healthy, stale_ms, error } = finder;
    let subject = || Subject::Service(name.to_string());
    let why = error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    let mut measures = Vec::new();
    if *healthy == 0 {
        let detail = format!("no healthy instance of \"{name}\" is known{why}");
        measures.push(Measure::new(Rule::NoInstances, subject(), 1, detail));
    }
    if let Some(stale_ms) = *stale_ms {
        let detail = format!(
            "nothing has been heard of the instances of \"{name}\" for {}{why}",
            span(stale_ms)
        );
        measures.push(Measure::new(Rule::StaleInstances, subject(), stale_ms, detail));
    }
    measures
}

fn of_table(table: &Table) -> Vec<Measure> {
    let measure = |rule, value, detail| Measure::new(rule, Subject::Source, value, detail);
    let unowned = table.unowned_buckets;
    let mut measures = vec![measure(
        Rule::UnownedBuckets,
        unowned,
        format!("buckets that have no owner, so that their requests wait: {unowned}"),
    )];
    if let (Some(live), Some(dead)) = (table.live_rows, table.dead_rows) {
        let percent = if dead < DEAD_ROWS_MIN { 0 } else { dead * 100 / (live + dead).max(1) };
        let detail = format!(
            "{percent} % of the request table are dead rows, {dead} of them; vacuum does not follow"
        );
        measures.push(measure(Rule::DeadRows, percent, detail));
    }
    if let Some(open_ms) = table.oldest_transaction_ms {
        let detail = format!(
            "a transaction of the database has been open for {}, and dead rows stay until it ends",
            span(open_ms)
        );
        measures.push(measure(Rule::OldTransaction, open_ms, detail));
    }
    if let Some(bytes) = table.log_bytes {
        let detail = format!("the write-ahead log has {} MiB", bytes >> 20);
        measures.push(measure(Rule::LogSize, bytes >> 20, detail));
    }
    measures
}
