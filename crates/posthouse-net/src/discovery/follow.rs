//! The task that follows one service for as long as its directory is kept.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::consul::Consul;
use super::directory::Directory;
use super::dns::Dns;
use super::etcd::Etcd;
use super::file::File;
use super::settings::{DiscoverySettings, Kind};
use super::zookeeper::ZooKeeper;

/// The first pause after a failure, in milliseconds. It doubles with each that follows.
const PAUSE_MS_MIN: u64 = 250;

/// The longest pause, in milliseconds.
const PAUSE_MS_MAX: u64 = 5_000;

/// One of the kinds, with the connections that all its services share.
#[derive(Debug)]
pub(super) enum Oracle {
    File(File),
    Dns(Dns),
    ZooKeeper(ZooKeeper),
    Etcd(Etcd),
    Consul(Consul),
}

impl Oracle {
    /// The one that these settings describe. It does nothing until it is asked.
    pub(super) fn new(settings: &DiscoverySettings) -> Oracle {
        match settings.kind.clone() {
            Kind::File { path } => Oracle::File(File::new(path)),
            Kind::Dns { servers } => Oracle::Dns(Dns::new(servers)),
            Kind::ZooKeeper { servers, path, protocol, session_ms, login } => {
                let zookeeper = ZooKeeper::new(&servers, path, protocol, session_ms, login);
                Oracle::ZooKeeper(zookeeper)
            }
            Kind::Etcd { web, prefix, login } => Oracle::Etcd(Etcd::new(web, prefix, login)),
            Kind::Consul { web, datacenter, token } => {
                Oracle::Consul(Consul::new(web, datacenter, token))
            }
        }
    }

    /// Hands every list into the directory, the first one at once, until something fails. Says
    /// what.
    async fn watch(&self, directory: &Directory) -> String {
        match self {
            Oracle::File(file) => file.watch(directory).await,
            Oracle::Dns(dns) => dns.watch(directory).await,
            Oracle::ZooKeeper(zookeeper) => zookeeper.watch(directory).await,
            Oracle::Etcd(etcd) => etcd.watch(directory).await,
            Oracle::Consul(consul) => consul.watch(directory).await,
        }
    }
}

/// Follows the service of `directory`. Never ends.
pub(super) async fn follow(oracle: Arc<Oracle>, directory: Arc<Directory>) {
    tokio::join!(watch_on(&oracle, &directory), directory.grow_old());
}

async fn watch_on(oracle: &Oracle, directory: &Directory) {
    let mut pause_ms = PAUSE_MS_MIN;
    loop {
        let problem = oracle.watch(directory).await;
        if directory.is_fresh() {
            pause_ms = PAUSE_MS_MIN;
        }
        directory.failed(problem);
        // Nodes that lost the same server should not come back at the same moment.
        sleep(Duration::from_millis(pause_ms / 2 + fastrand::u64(..=pause_ms / 2))).await;
        pause_ms = (pause_ms * 2).min(PAUSE_MS_MAX);
    }
}
