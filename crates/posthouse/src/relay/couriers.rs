//! The couriers by endpoint, as the configuration has them now.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use posthouse_net::discovery::Discoveries;
use posthouse_pump::attempt::{Attempt, Blame, Verdict};
use posthouse_relay::courier::{AnyCourier, Carrier, Clock};

use super::publisher::NodePublisher;
use crate::config::Route;

/// A courier, and the route that it was made from.
#[derive(Clone)]
struct Made {
    route: Route,
    courier: Arc<AnyCourier>,
}

/// See the module. Attempts that are under way keep the courier that they began with.
pub(super) struct Couriers {
    stomp: SocketAddr,
    made: RwLock<BTreeMap<Arc<str>, Made>>,
    /// Who knows where receivers are. One that has not changed keeps its connections, too.
    discoveries: Discoveries,
}

impl Couriers {
    /// For the node that listens for STOMP at `stomp`.
    pub(super) fn new(stomp: SocketAddr) -> Couriers {
        Couriers { stomp, made: RwLock::default(), discoveries: Discoveries::default() }
    }

    /// Takes other routes over. Couriers whose routes are the same keep their connections. What
    /// has no route any more stays: a source that is no longer configured goes on as it was until
    /// the node starts again, and its requests must not fail for want of a courier.
    pub(super) fn change(&self, routes: &BTreeMap<Arc<str>, Route>) {
        let mut made = self.made.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (name, route) in routes {
            if made.get(name).is_some_and(|made| made.route == *route) {
                continue;
            }
            if let Some(other) = self.make(name, route) {
                made.insert(name.clone(), other);
            }
        }
        let is_used = |name: &str| {
            let mut used = made.values().filter_map(|made| made.route.discovery());
            used.any(|discovery| &*discovery.name == name)
        };
        self.discoveries.retain(is_used);
        *self.made.write().unwrap_or_else(PoisonError::into_inner) = made;
    }

    /// The configuration was checked when it was read. Files that it names may have gone since.
    /// Each endpoint publishes over a connection of its own: a full queue may make its producer
    /// wait, and must not make the others.
    fn make(&self, name: &str, route: &Route) -> Option<Made> {
        let publisher = Arc::new(NodePublisher::new(self.stomp));
        match route.courier(publisher, &self.discoveries) {
            Ok(courier) => {
                courier.follow();
                Some(Made { route: route.clone(), courier: Arc::new(courier) })
            }
            Err(faults) => {
                for fault in faults {
                    tracing::error!(endpoint = name, %fault, "an endpoint cannot be used");
                }
                None
            }
        }
    }

    /// Who knows where receivers are.
    pub(super) fn discoveries(&self) -> &Discoveries {
        &self.discoveries
    }

    /// The discoveries that these endpoints ask.
    pub(super) fn discoveries_of(&self, endpoints: &BTreeSet<Arc<str>>) -> BTreeSet<Arc<str>> {
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        let made = endpoints.iter().filter_map(|endpoint| made.get(endpoint));
        made.filter_map(|made| Some(made.route.discovery()?.name.clone())).collect()
    }

    fn find(&self, endpoint: &str) -> Option<Arc<AnyCourier>> {
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        made.get(endpoint).map(|made| made.courier.clone())
    }
}

impl Carrier for Couriers {
    async fn carry(&self, attempt: &Attempt, clock: &dyn Clock) -> Verdict {
        match self.find(&attempt.endpoint) {
            Some(courier) => courier.carry(attempt, clock).await,
            None => Verdict::Failed {
                status: None,
                detail: format!(
                    "the endpoint {} cannot be used; the log says why",
                    attempt.endpoint
                ),
                retry_after_ms: None,
                blame: Blame::Endpoint,
            },
        }
    }
}
