//! A database server of the bench's own, with a database for each system. The example of the
//! relay's crate runs it, so that nothing here links the relay.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::system::System;

/// Gone when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// The name of each database and its address.
    urls: Vec<(&'static str, String)>,
}

impl Server {
    /// Starts a server of this kind and makes the databases of `systems` in it.
    pub(super) fn start(
        program: &Path,
        kind: &str,
        systems: impl Iterator<Item = &'static System>,
    ) -> Result<Server> {
        let names: Vec<&'static str> = systems.map(|system| system.database).collect();
        let mut command = Command::new(program);
        command.arg(kind).args(&names).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {kind}"))?;
        let lines = child.stdout.take().map(|told| BufReader::new(told).lines());
        let mut server = Server { child, urls: Vec::new() };
        for (name, line) in names.into_iter().zip(lines.into_iter().flatten()) {
            server.urls.push((name, line?));
        }
        Ok(server)
    }

    /// The address of a system's database.
    pub(super) fn url(&self, system: &System) -> Result<String> {
        let found = self.urls.iter().find(|(name, _)| *name == system.database);
        let url = found.map(|(_, url)| url.clone());
        url.with_context(|| format!("the server did not make {}", system.database))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input tells it to stop; what it kept is thrown away.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
