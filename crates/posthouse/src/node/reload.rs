//! Signals, a changed configuration file, and what changes while a node runs.

use std::io;
use std::path::PathBuf;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::broker_thread::Asker;
use crate::config::{self, Loaded, Report};
use crate::failure::Failure;
use crate::logging::LogLevel;
use crate::relay::Relay;

use super::watch::Watched;

/// What the process hears from outside.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    watched: Watched,
}

impl Signals {
    /// Listens from now on, and watches the configuration file.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(super) fn new(watched: Option<PathBuf>) -> Result<Signals, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error: io::Error| {
                Failure::unexpected(format!("signals cannot be heard: {error}"))
            })
        };
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
            watched: Watched::new(watched),
        })
    }

    /// Waits until the node is to stop. Whatever else was said meanwhile is heard later.
    pub(super) async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits until the node is to stop or to read its configuration again.
    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hang_up.recv() => Told::Reload,
            () = self.watched.changed() => Told::Reload,
        }
    }
}

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Stop.
    Stop,
    /// Read the configuration again.
    Reload,
}

/// The configuration that holds, and what of it can be changed.
pub(super) struct Live {
    /// What holds.
    pub(super) loaded: Loaded,
    /// What is logged.
    pub(super) log_level: LogLevel,
    /// The way to the broker thread.
    pub(super) asker: Asker,
    /// The relay.
    pub(super) relay: Relay,
}

impl Live {
    /// Takes over what may change, and says what needs a restart. A configuration with mistakes
    /// changes nothing.
    pub(super) async fn change(&mut self, read: Result<Loaded, Report>) {
        let new = match read {
            Ok(new) => new,
            Err(report) => {
                tracing::error!(
                    "kept the old configuration, for the new one has mistakes\n{report}"
                );
                return;
            }
        };
        self.log_level.set(new.config.log.level);
        // A broker thread that is gone ends the node in a moment.
        let _ = self.asker.limit(new.config.limits).await;
        self.relay.change(&new.config.relay);
        let (live, waiting) = config::changes(&self.loaded.raw, &new.raw);
        tracing::info!(?live, needs_restart = ?waiting, "read the configuration again");
        self.loaded = new;
    }
}
