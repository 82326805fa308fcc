//! Names to addresses. A port, so that tests decide where a name leads.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;

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

/// The system's resolver, with its hosts file and its search rules, on a thread for blocking work.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolved<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
