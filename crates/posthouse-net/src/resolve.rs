//! Names to addresses. A port, so that tests decide where a name leads.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::limits::LOOKUPS_MAX;

/// The addresses of a name, or what the name service said.
pub type Resolved<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Finds the addresses of a name. It MUST NOT block the thread that polls it.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `host`, which is a name and not an address, in the order of preference.
    ///
    /// # Errors
    /// What the name service said.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolved<'a>;
}

/// The system's resolver, with its hosts file and its search rules, on threads for blocking work.
/// A lookup cannot be given up, only waited for no longer; their number is bounded, so that a name
/// service that hangs does not take all those threads.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> SystemResolver {
        SystemResolver { lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolved<'a> {
        let host = host.to_owned();
        Box::pin(async move {
            let permit = self.lookups.clone().acquire_owned().await.map_err(io::Error::other)?;
            let lookup = move || {
                let found = (host, 0).to_socket_addrs();
                drop(permit);
                found
            };
            let found = tokio::task::spawn_blocking(lookup).await.map_err(io::Error::other)??;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
