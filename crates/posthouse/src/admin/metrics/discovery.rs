//! The figures of discoveries. Services that rows choose are left out, so that labels are names of
//! the configuration only.

use std::fmt;

use posthouse_net::discovery::{InstanceState, View};

use super::Sink;
use super::relay::{Row, counters, gauges, ratios};

/// Writes all of them; nothing where there are none.
pub(super) fn encode(views: &[View], sink: &mut Sink<'_>) -> fmt::Result {
    let views: Vec<&View> = views.iter().filter(|view| view.is_pinned).collect();
    let help = "Instances of a service, by what is known of them";
    let states =
        views.iter().flat_map(|view| InstanceState::ALL.map(|state| of_state(view, state)));
    gauges(sink, "posthouse_relay_instances", help, states.collect())?;
    let help = "Attempts under way to the instances of a service";
    let busy = |view: &View| view.instances.iter().map(|one| u64::from(one.busy)).sum();
    gauges(sink, "posthouse_relay_instances_in_flight", help, of(&views, busy))?;
    let help = "1 if the list of a service is kept, lost, or has nobody healthy";
    let alarm = |view: &View| u64::from(view.standing.state.is_alarm());
    gauges(sink, "posthouse_relay_discovery_alarm", help, of(&views, alarm))?;
    let help = "How often a discovery has failed";
    counters(sink, "posthouse_relay_discovery_failures", help, of(&views, |view| view.failures))?;
    let help = "For how long a discovery has not said anything that was believed";
    let known = views.iter().filter_map(|view| {
        let age_ms = view.age_ms?;
        Some((labels(view), age_ms as f64 / 1_000.0))
    });
    ratios(sink, "posthouse_relay_discovery_age_seconds", help, known.collect())
}

fn of(views: &[&View], figure: impl Fn(&View) -> u64) -> Vec<Row<u64>> {
    views.iter().map(|view| (labels(view), figure(view))).collect()
}

fn of_state(view: &View, state: InstanceState) -> Row<u64> {
    let mut labels = labels(view);
    labels.push(("state", state.as_str().to_owned()));
    (labels, view.instances.iter().filter(|one| one.state == state).count() as u64)
}

fn labels(view: &View) -> Vec<(&'static str, String)> {
    vec![("discovery", view.discovery.to_string()), ("service", view.service.to_string())]
}
