//! The relay inside the node: every configured source with its pump, on the runtime beside the
//! broker thread.
//!
//! A source that does not answer, or that is not as it must be, is told and tried again; it never
//! keeps the node or another source from working. When the node stops, sources stop before the
//! broker, because couriers may still want to publish.

mod couriers;
mod health;
mod publisher;
mod start;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use posthouse_net::discovery::Discoveries;
use posthouse_pump::health::Limits;
use posthouse_pump::plan::Plan;
use posthouse_relay::runner::Handle;
use posthouse_relay::source::{AnySource, Source as _};

use crate::config::{RelayConfig, SourceConfig};
use crate::failure::Failure;
use couriers::Couriers;
use health::Health;
pub(crate) use health::{Past, Standing, edge_word, severity_word, unit_word};
pub(crate) use start::open;

/// One running source.
#[derive(Clone)]
pub(crate) struct RunningSource {
    /// How it is configured.
    pub(crate) config: Arc<SourceConfig>,
    /// Its database.
    pub(crate) database: Arc<AnySource>,
    /// Its pump.
    pub(crate) handle: Handle,
}

/// All running sources. Copies are of the same.
#[derive(Clone)]
pub(crate) struct Relay {
    sources: Arc<BTreeMap<Arc<str>, RunningSource>>,
    couriers: Arc<Couriers>,
    health: Arc<Health>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("sources", &self.sources.keys()).finish_non_exhaustive()
    }
}

impl Relay {
    /// Starts every source of the configuration, for the node that listens for STOMP at `stomp`.
    ///
    /// # Errors
    /// What is wrong with the address of a database.
    pub(crate) fn start(
        config: &RelayConfig,
        node_name: &str,
        stomp: SocketAddr,
    ) -> Result<Relay, Failure> {
        let couriers = Arc::new(Couriers::new(stomp));
        couriers.change(&config.routes);
        let node = start::node_of_this_life(node_name);
        let mut sources = BTreeMap::new();
        for source in &config.sources {
            let running = start::source(source, &node, &couriers)?;
            sources.insert(source.name.clone(), running);
        }
        let health = Health::start(&config.health, &node, sources.values(), &couriers);
        Ok(Relay { sources: Arc::new(sources), couriers, health: Arc::new(health) })
    }

    /// Takes over groups, codes, endpoints and windows of another configuration. Sources stay as
    /// they are until the next start, and so does the region, which says what a row without one
    /// means: a pump that took another one over would not mean the same as its source.
    pub(crate) fn change(&self, config: &RelayConfig) {
        self.couriers.change(&config.routes);
        self.health.change(&config.health);
        for source in &config.sources {
            if let Some(running) = self.sources.get(&source.name) {
                let region = running.config.plan.region.clone();
                running.handle.replan(Plan { region, ..source.plan.clone() });
            }
        }
    }

    /// The sources by name.
    pub(crate) fn sources(&self) -> &BTreeMap<Arc<str>, RunningSource> {
        &self.sources
    }

    /// The alarms that are on.
    pub(crate) fn alarms(&self) -> Vec<Standing> {
        self.health.standing()
    }

    /// The alarms that began and ended lately, the newest first.
    pub(crate) fn past_alarms(&self) -> Vec<Past> {
        self.health.past()
    }

    /// The limits of the health rules for a source.
    pub(crate) fn limits_of(&self, source: &str) -> Limits {
        self.health.config().limits_of(source)
    }

    /// Who knows where receivers are.
    pub(crate) fn discoveries(&self) -> &Discoveries {
        self.couriers.discoveries()
    }

    /// Lets what runs end, gives all buckets back, and closes the databases.
    pub(crate) async fn stop(&self) {
        let mut stopping = tokio::task::JoinSet::new();
        for RunningSource { handle, database, .. } in self.sources.values() {
            let (handle, database) = (handle.clone(), database.clone());
            stopping.spawn(async move {
                handle.stop().await;
                database.close().await;
            });
        }
        while stopping.join_next().await.is_some() {}
    }
}
