//! A server of its own for each test: the real binary, on free loopback ports, with a fresh
//! directory under the target directory.
//!
//! Nothing here waits for a fixed time: starting is over when the endpoints are written, stopping
//! when the process has ended, and both have a deadline. What the server says on its way goes to
//! a file and is shown when the test fails.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const START_MAX: Duration = Duration::from_secs(30);
/// The server promises ten seconds; the rest is for a busy machine.
const STOP_MAX: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(10);

/// A free port of this machine.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const ANYWHERE: Endpoints = Endpoints { stomp: ANY_PORT, http: ANY_PORT };

/// A server, stopped when it goes out of scope.
pub(crate) struct Server {
    dir: PathBuf,
    settings: Vec<String>,
    endpoints: Endpoints,
    process: Process,
}

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Endpoints {
    stomp: SocketAddr,
    http: SocketAddr,
}

/// A child whose end is told over a channel, so that it can be awaited with a deadline.
pub(crate) struct Process {
    pid: Pid,
    end: Receiver<ExitStatus>,
}

impl Server {
    /// Starts a server with `settings`, each a `KEY=VALUE`, and waits until it listens.
    pub(crate) fn start(settings: &[&str]) -> Server {
        Server::start_in(fresh_dir(), settings)
    }

    /// Starts a server with a configuration file of this text, and waits until it listens.
    pub(crate) fn start_with_config(text: &str) -> Server {
        Server::start_with(text, &[])
    }

    /// Starts a server with a configuration file and settings, and waits until it listens.
    pub(crate) fn start_with(text: &str, settings: &[&str]) -> Server {
        let dir = fresh_dir();
        fs::write(config_path(&dir), text).expect("the configuration can be written");
        Server::start_in(dir, settings)
    }

    /// Starts a server that keeps everything below `dir`, which goes when the server does.
    pub(crate) fn start_in(dir: PathBuf, settings: &[&str]) -> Server {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let (process, endpoints) = start(&dir, &settings, ANYWHERE);
        Server { dir, settings, endpoints, process }
    }

    /// Starts a server in an environment with these variables besides, and waits until it listens.
    /// When it is started again they are gone.
    pub(crate) fn start_with_variables(
        dir: PathBuf,
        settings: &[&str],
        variables: &[(&str, &Path)],
    ) -> Server {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let mut command = command(&dir, &settings, ANYWHERE);
        command.envs(variables.iter().copied());
        let (process, endpoints) = start_command(&dir, &mut command);
        Server { dir, settings, endpoints, process }
    }

    /// Waits until the server has ended by itself. Answers its exit code, and what it has said.
    pub(crate) fn ended(&mut self) -> (Option<i32>, String) {
        let end = self.process.end.recv_timeout(STOP_MAX);
        let status = end.expect("the server ends by itself in time");
        (status.code(), read_log(&self.dir))
    }

    /// Stops the server with SIGTERM. Fails unless it ends in time and with success.
    pub(crate) fn stop(&mut self) {
        self.process.terminate();
    }

    /// Kills the server, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts a stopped or killed server again, on the same data and the same ports.
    pub(crate) fn start_again(&mut self) {
        (self.process, self.endpoints) = start(&self.dir, &self.settings, self.endpoints);
    }

    /// Starts a stopped or killed server again, on the same data and free ports: between two lives
    /// somebody else may take the old ones.
    pub(crate) fn start_elsewhere(&mut self) {
        (self.process, self.endpoints) = start(&self.dir, &self.settings, ANYWHERE);
    }

    /// Sends a signal. Fails if the server has ended.
    pub(crate) fn signal(&mut self, signal: Signal) {
        assert!(self.process.signal(signal), "the server has ended");
    }

    /// Writes another configuration and has the server read it.
    pub(crate) fn reconfigure(&mut self, text: &str) {
        fs::write(config_path(&self.dir), text).expect("the configuration can be written");
        self.signal(Signal::HUP);
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> i32 {
        self.process.pid.as_raw_nonzero().get()
    }

    /// What it has said in all its lives.
    pub(crate) fn log(&self) -> String {
        read_log(&self.dir)
    }

    /// Where the server keeps everything.
    pub(crate) fn data_dir(&self) -> PathBuf {
        data_dir(&self.dir)
    }

    /// Where STOMP clients connect.
    pub(crate) fn stomp(&self) -> SocketAddr {
        self.endpoints.stomp
    }

    /// Where HTTP and WebSocket clients connect.
    pub(crate) fn http(&self) -> SocketAddr {
        self.endpoints.http
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            self.process.kill();
            eprintln!("the server's log:\n{}", read_log(&self.dir));
        } else {
            self.process.terminate();
            drop(fs::remove_dir_all(&self.dir));
        }
    }
}

impl Process {
    fn spawn(command: &mut Command) -> Process {
        Process::of(command.spawn().expect("the server's binary starts"))
    }

    /// Starts a command whose standard output somebody reads.
    pub(crate) fn spawn_heard(command: &mut Command) -> (Process, ChildStdout) {
        let mut child = command.spawn().expect("the server's binary starts");
        let out = child.stdout.take().expect("its output is a pipe");
        (Process::of(child), out)
    }

    fn of(mut child: Child) -> Process {
        let pid = Pid::from_child(&child);
        let (sender, end) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait().expect("a child can be awaited")));
        Process { pid, end }
    }

    /// Sends SIGTERM and waits. Fails when the process does not end with success in time.
    pub(crate) fn terminate(&mut self) {
        if self.signal(Signal::TERM) {
            let Ok(status) = self.end.recv_timeout(STOP_MAX) else {
                self.kill();
                panic!("the server did not stop within {STOP_MAX:?} of SIGTERM");
            };
            assert!(status.success(), "the server stopped with {status}");
        }
    }

    /// Sends SIGKILL and waits until the process is gone.
    fn kill(&mut self) {
        if self.signal(Signal::KILL) {
            self.end.recv().expect("a killed process ends");
        }
    }

    /// Whether the process was there to be signalled: a process id is not used after its end.
    fn signal(&mut self, signal: Signal) -> bool {
        let is_running = matches!(self.end.try_recv(), Err(mpsc::TryRecvError::Empty));
        is_running && kill_process(self.pid, signal).is_ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the binary and waits until it listens. Fails with its log when it does not.
fn start(dir: &Path, settings: &[String], listen: Endpoints) -> (Process, Endpoints) {
    start_command(dir, &mut command(dir, settings, listen))
}

fn start_command(dir: &Path, command: &mut Command) -> (Process, Endpoints) {
    let endpoints_path = data_dir(dir).join("endpoints.json");
    // Those of an earlier run on the same data would be taken for the new ones.
    drop(fs::remove_file(&endpoints_path));
    let process = Process::spawn(command);
    let deadline = Instant::now() + START_MAX;
    loop {
        if let Some(endpoints) = read_endpoints(&endpoints_path) {
            return (process, endpoints);
        }
        let end = process.end.recv_timeout(POLL).ok();
        let is_waiting = end.is_none() && Instant::now() < deadline;
        assert!(is_waiting, "the server did not start ({end:?}):\n{}", read_log(dir));
    }
}

/// The directory that cargo builds into, where the test programs are installed as well.
pub(crate) fn target_dir() -> &'static Path {
    let tests_dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tests_dir.parent().expect("cargo's directory for tests lies in the target directory")
}

/// An empty directory for one server or machine.
pub(crate) fn fresh_dir() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("server-{}-{number}", std::process::id());
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(fs::remove_dir_all(&dir));
    fs::create_dir_all(&dir).expect("a directory can be made in the target directory");
    dir
}

fn command(dir: &Path, settings: &[String], listen: Endpoints) -> Command {
    let log = File::options().create(true).append(true).open(log_path(dir));
    let mut command = Command::new(env!("CARGO_BIN_EXE_posthouse"));
    command.arg("serve").arg("--data-dir").arg(data_dir(dir));
    command.arg("--set").arg(format!("stomp.listen={}", listen.stomp));
    command.arg("--set").arg(format!("http.listen={}", listen.http));
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    if config_path(dir).exists() {
        command.arg("--config").arg(config_path(dir));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.expect("the log can be made"));
    command
}

fn read_endpoints(path: &Path) -> Option<Endpoints> {
    let text = fs::read_to_string(path).ok()?;
    let json: serde_json::Value = serde_json::from_str(&text).expect("endpoints are whole JSON");
    let address = |name| json.get(name)?.as_str()?.parse().ok();
    Some(Endpoints { stomp: address("stomp")?, http: address("http")? })
}

/// Where the server of this directory keeps its data.
pub(crate) fn data_dir(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn config_path(dir: &Path) -> PathBuf {
    dir.join("posthouse.toml")
}

fn log_path(dir: &Path) -> PathBuf {
    dir.join("stderr.log")
}

fn read_log(dir: &Path) -> String {
    fs::read_to_string(log_path(dir)).unwrap_or_else(|error| format!("(no log: {error})"))
}

#[test]
fn a_server_listens_until_it_is_stopped() {
    let mut server = Server::start(&[]);
    TcpStream::connect(server.stomp()).expect("STOMP is there");
    TcpStream::connect(server.http()).expect("HTTP is there");
    server.stop();
    TcpStream::connect(server.stomp()).expect_err("STOMP is gone");
}

#[test]
fn a_server_comes_back_where_it_was() {
    let mut server = Server::start(&[]);
    let (stomp, http) = (server.stomp(), server.http());
    server.stop();
    server.start_again();
    server.kill();
    server.start_again();
    assert_eq!((server.stomp(), server.http()), (stomp, http));
}
