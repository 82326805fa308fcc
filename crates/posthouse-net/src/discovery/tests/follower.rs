//! Follows one service, and waits for what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::discovery::directory::Directory;
use crate::discovery::discoveries::{Discoveries, Discovery};
use crate::discovery::settings::{DiscoverySettings, Kind, Web};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Follower {
    _discovery: Arc<Discovery>,
    pub(super) directory: Arc<Directory>,
}

impl Follower {
    /// Follows `orders`, or what is called so in this kind.
    pub(super) fn new(kind: Kind, service: &str, keep_ms: u64) -> Follower {
        let settings = DiscoverySettings { name: "test".into(), keep_ms, kind };
        assert_eq!(settings.faults(), []);
        let discovery = Discoveries::default().get(&settings);
        let directory = discovery.directory(service).unwrap();
        Follower { _discovery: discovery, directory }
    }

    /// The state, and those that would be called with their states if these are unusual.
    pub(super) fn told(&self) -> String {
        let view = self.directory.view(true);
        let of = |one: &crate::discovery::InstanceView| match one.state.as_str() {
            "up" => one.instance.id.to_string(),
            other => format!("{} {other}", one.instance.id),
        };
        let mut instances: Vec<String> = view.instances.iter().map(of).collect();
        instances.sort();
        format!("{} [{}]", view.standing.state.as_str(), instances.join(", "))
    }

    /// Waits until this is what is told.
    pub(super) async fn await_told(&self, expected: &str) {
        let is_told = async {
            loop {
                let word = self.directory.has_heard.notified();
                if self.told() == expected {
                    return;
                }
                word.await;
            }
        };
        let is_told = timeout(PATIENCE, is_told).await.is_ok();
        assert!(is_told, "{} instead of {expected}: {}", self.told(), self.problem());
    }

    /// What is wrong.
    pub(super) fn problem(&self) -> String {
        self.directory.view(true).standing.problem.as_deref().unwrap_or_default().to_owned()
    }
}

/// Servers that speak HTTP, and are asked often.
pub(super) fn web(server: std::net::SocketAddr) -> Web {
    Web { servers: vec![format!("http://{server}")], refresh_ms: 500, ..Web::default() }
}
