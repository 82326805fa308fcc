//! The relay's part of `posthouse dev`: three platforms that stay in step through a request table.
//!
//! The participant writes requests into an embedded SQLite database, each in the transaction in
//! which an order changes; the relay pushes them to the receivers of the collaboration, the
//! operation and the participant platform, which are small HTTP services in this process. The
//! terminal shows what happens: an order whose three steps arrive in order at three platforms, a
//! quote that expires, a report that waits for its window, and an audit whose receiver fails until
//! somebody decides.

mod configuration;
mod receiver;
mod story;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use posthouse_relay::source::{Options, connect, schema};
use tempfile::TempDir;
use tokio::runtime;

use crate::failure::Failure;

/// The platforms, in the order in which an order goes through them.
const PLATFORMS: [&str; 3] = ["collaboration", "operation", "participant"];

/// Receivers that listen already, and a database that is gone afterwards.
pub(super) struct Platforms {
    receivers: Vec<(&'static str, TcpListener)>,
    addresses: Vec<SocketAddr>,
    dir: TempDir,
}

impl Platforms {
    /// Takes ports for the receivers, and makes the database.
    ///
    /// # Errors
    /// When this machine has no free port, or no room.
    pub(super) fn new() -> Result<Platforms, Failure> {
        let mut receivers = Vec::new();
        let mut addresses = Vec::new();
        for name in PLATFORMS {
            let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            addresses.push(listener.local_addr().map_err(failed)?);
            receivers.push((name, listener));
        }
        let dir = tempfile::Builder::new().prefix("posthouse-sample-").tempdir().map_err(failed)?;
        let platforms = Platforms { receivers, addresses, dir };
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        runtime.block_on(schema::init(&platforms.url())).map_err(failed)?;
        Ok(platforms)
    }

    /// The relay's configuration for the sample.
    pub(super) fn configuration(&self) -> String {
        configuration::text(&self.url(), &self.addresses)
    }

    /// Begins to receive and to write requests, on the runtime that this is called on. `command` is
    /// how this program is called so that it finds the node.
    pub(super) fn start(self, command: &str) {
        let url = self.url();
        let seen = Arc::new(receiver::Seen::default());
        for (name, listener) in self.receivers {
            tokio::spawn(receiver::serve(name, listener, seen.clone()));
        }
        let command = command.to_owned();
        tokio::spawn(async move {
            if let Err(error) = tell(&url, &command).await {
                tracing::debug!(%error, "the sample of the relay ended");
            }
            drop(self.dir);
        });
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.dir.path().join("requests.db").display())
    }
}

/// Writes requests until the node stops.
async fn tell(url: &str, command: &str) -> anyhow::Result<()> {
    let database = connect(url, Options::default())?;
    story::tell(&database, command).await
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::unexpected(format!("the sample cannot be set up: {error}"))
}
