//! The broker that is measured: one that runs, or a node of our own for the time of the run.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::time::Timespec;
use tempfile::TempDir;

use super::login::Access;
use super::plan::Target;
use super::process::Process;
use crate::codes::Code;
use crate::data_dir::Endpoints;
use crate::failure::Failure;

/// How long a node may take to start, and to stop.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
const CONFIGURATION_FILE: &str = "measured.toml";
const LOG_FILE: &str = "measured.log";
const DATA_DIR: &str = "data";
const POLL: Duration = Duration::from_millis(10);

/// See the module. A node of our own is stopped when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) access: Access,
    pub(super) process: Option<Process>,
    /// Held so that it is stopped at the end.
    _own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    child: Child,
    /// Removed after the node has stopped.
    dir: TempDir,
}

impl Server {
    /// Finds the broker, or starts it.
    pub(super) fn open(target: &Target) -> Result<Self, Failure> {
        match target {
            Target::Running { address, pid, login } => Ok(Self {
                access: Access { address: *address, login: login.clone() },
                process: pid.map(|pid| Process { pid }),
                _own: None,
            }),
            Target::Own => Self::start(None),
        }
    }

    /// Starts a node of our own with this configuration beside what the run itself needs.
    pub(super) fn start_with(configuration: &str) -> Result<Self, Failure> {
        Self::start(Some(configuration))
    }

    fn start(configuration: Option<&str>) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::unexpected(format!("the node to measure cannot be started: {error}"))
        };
        let dir = TempDir::new().map_err(failed)?;
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--data-dir").arg(dir.path().join(DATA_DIR));
        for setting in ["stomp.listen=127.0.0.1:0", "http.listen=127.0.0.1:0"] {
            command.arg("--set").arg(setting);
        }
        if let Some(text) = configuration {
            let file = dir.path().join(CONFIGURATION_FILE);
            std::fs::write(&file, text).map_err(failed)?;
            command.arg("--config").arg(file);
        }
        let log = File::create(dir.path().join(LOG_FILE)).map_err(failed)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut own = Own { child: command.spawn().map_err(failed)?, dir };
        let address = own.await_start()?;
        let pid = own.child.id();
        let access = Access { address, login: None };
        Ok(Self { access, process: Some(Process { pid }), _own: Some(own) })
    }
}

impl Own {
    /// Waits until the node tells where it listens.
    fn await_start(&mut self) -> Result<SocketAddr, Failure> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Some(endpoints) = Endpoints::read(&self.dir.path().join(DATA_DIR)) {
                return Ok(endpoints.stomp);
            }
            let end = self.child.try_wait().ok().flatten();
            if end.is_some() || Instant::now() > deadline {
                return Err(not_started(self.dir.path()));
            }
            pause(POLL);
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Asks a process to stop, and kills it if it does not.
pub(super) fn stop(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let is_told = pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
    let deadline = Instant::now() + STOP_TIMEOUT;
    while is_told && Instant::now() < deadline {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return;
        }
        pause(POLL);
    }
    // It does not listen, or has ended just now; either way nothing is left to be done.
    let _ = child.kill();
    let _ = child.wait();
}

fn not_started(dir: &Path) -> Failure {
    let log = std::fs::read_to_string(dir.join(LOG_FILE)).unwrap_or_default();
    let what = format!("the node to measure did not start: {}", log.trim_end());
    Failure::new(Code::NodeUnreachable, what, "run `posthouse serve` to see more")
}

/// Waits, for a condition that nothing tells of.
pub(super) fn pause(duration: Duration) {
    let timeout = Timespec::try_from(duration).unwrap_or_default();
    // An early end only means that the condition is looked at sooner.
    let _ = rustix::event::poll(&mut [], Some(&timeout));
}
