//! What is known of the instances that a source's requests go to.

use std::collections::BTreeSet;
use std::sync::Arc;

use posthouse_net::discovery::{InstanceState, InstanceView, State, View};
use posthouse_pump::health::Finder;
use posthouse_pump::plan::Plan;

use crate::relay::couriers::Couriers;

/// One for each service that the configuration names. Those that only rows name are left out: a
/// slip in a row is nobody's alarm.
pub(super) fn finders(couriers: &Couriers, plan: &Plan) -> Vec<Finder> {
    let endpoints: BTreeSet<Arc<str>> =
        plan.codes.values().map(|code| code.endpoint.clone()).collect();
    let asked = couriers.discoveries_of(&endpoints);
    let views = couriers.discoveries().view().into_iter();
    let views = views.filter(|view| view.is_pinned && asked.contains(&view.discovery));
    views.filter_map(|view| finder(&view)).collect()
}

/// Nothing while nobody has been asked yet.
fn finder(view: &View) -> Option<Finder> {
    let stale_ms = match view.standing.state {
        State::Waiting => return None,
        State::Fresh | State::Unhealthy => None,
        State::Kept | State::Lost => Some(view.standing_ms),
    };
    // One that has just refused a connection is called again soon.
    let is_healthy =
        |one: &&InstanceView| matches!(one.state, InstanceState::Up | InstanceState::Aside);
    let healthy = view.instances.iter().filter(is_healthy).count();
    Some(Finder {
        name: view.service.clone(),
        healthy: healthy as u64,
        stale_ms,
        error: view.standing.problem.as_ref().map(|problem| problem.to_string()),
    })
}
