//! Whoever takes the requests from the database and sends them: a node of our own, or the processes
//! of a rival.

use std::fs::File;
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::plan::RequestPlan;
use super::rival::Rival;
use super::setting::configuration;
use crate::bench::process::Process;
use crate::bench::server::{Server, stop};
use crate::failure::Failure;

/// Bytes of a log that are shown at most.
const LOG_BYTES_MAX: usize = 4_000;

/// See the module. It is stopped when this is dropped.
#[derive(Debug)]
pub(super) enum Sender {
    Node(Server),
    Rival(Running),
}

impl Sender {
    /// Starts who sends what is in the plan's database to `receiver`.
    pub(super) fn start(plan: &RequestPlan, receiver: SocketAddr) -> Result<Self, Failure> {
        match &plan.rival {
            Some(rival) => Running::start(rival, &plan.url, receiver).map(Self::Rival),
            None => Self::node(&configuration(plan, receiver, false)),
        }
    }

    /// Starts a node with this configuration.
    pub(super) fn node(configuration: &str) -> Result<Self, Failure> {
        Server::start_with(configuration).map(Self::Node)
    }

    /// Processor time until now.
    pub(super) fn cpu(&self) -> Option<Duration> {
        self.sum(Process::family_cpu)
    }

    /// Memory in use, in bytes.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        self.sum(Process::resident_bytes)
    }

    /// The most memory that each process ever had in use, in bytes.
    pub(super) fn peak_resident_bytes(&self) -> Option<u64> {
        self.sum(Process::peak_resident_bytes)
    }

    /// Looks whether it still runs.
    ///
    /// # Errors
    /// When a process of a rival has ended.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        match self {
            Self::Node(_) => Ok(()),
            Self::Rival(running) => running.check(),
        }
    }

    fn sum<T: std::iter::Sum>(&self, figure: impl Fn(Process) -> Option<T>) -> Option<T> {
        match self {
            Self::Node(server) => server.process.and_then(figure),
            Self::Rival(running) => {
                let processes = running.children.iter().map(|child| Process { pid: child.id() });
                processes.map(figure).sum()
            }
        }
    }
}

/// The processes of a rival.
#[derive(Debug)]
pub(super) struct Running {
    children: Vec<Child>,
    /// Removed after they have stopped.
    dir: TempDir,
}

impl Running {
    fn start(rival: &Rival, url: &str, receiver: SocketAddr) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::unexpected(format!("{} cannot be started: {error}", rival.name))
        };
        let mut running = Self { children: Vec::new(), dir: TempDir::new().map_err(failed)? };
        for (at, mut command) in rival.commands(url, receiver).into_iter().enumerate() {
            let log = File::create(running.log_path(at)).map_err(failed)?;
            command.stdout(log.try_clone().map_err(failed)?).stderr(log).stdin(Stdio::null());
            running.children.push(command.spawn().map_err(failed)?);
        }
        Ok(running)
    }

    fn log_path(&self, at: usize) -> std::path::PathBuf {
        self.dir.path().join(format!("{at}.log"))
    }

    fn check(&mut self) -> Result<(), Failure> {
        let ended = self.children.iter_mut().position(|c| matches!(c.try_wait(), Ok(Some(_))));
        let Some(at) = ended else { return Ok(()) };
        let log = std::fs::read(self.log_path(at)).unwrap_or_default();
        let end = log.get(log.len().saturating_sub(LOG_BYTES_MAX)..).unwrap_or_default();
        let end = String::from_utf8_lossy(end);
        Err(Failure::unexpected(format!("a process of the rival has ended: {}", end.trim_end())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.children.iter_mut().for_each(stop);
    }
}
