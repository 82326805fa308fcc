//! `endpoints.json`: where a running node listens. It is there exactly while the node can be
//! talked to, so that scripts may wait for it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::private_file;

const NAME: &str = "endpoints.json";

/// Where a node listens, by protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    /// The node's process.
    pub(crate) pid: u32,
    /// STOMP over TCP.
    pub(crate) stomp: SocketAddr,
    /// REST, health checks and metrics.
    pub(crate) http: SocketAddr,
}

impl Endpoints {
    /// Tells where the node of `dir` listens.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        private_file::replace(dir, NAME, &serde_json::to_vec(self)?)
    }

    /// Reads where the node of `dir` listens; `None` when none does.
    pub(crate) fn read(dir: &Path) -> Option<Endpoints> {
        let text = std::fs::read(dir.join(NAME)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Takes back what an earlier node has told. A full disk has room for what replaces it.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn set_aside(dir: &Path) -> io::Result<()> {
        private_file::set_aside(dir, NAME)
    }

    /// Takes back what was told.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn remove(dir: &Path) -> io::Result<()> {
        private_file::remove(&dir.join(NAME))
    }
}
