//! The composition root: everything is built, then joined, then started, and stopped in the
//! opposite order.
//!
//! There are two kinds of threads. The broker thread owns messages and their sockets; a small
//! runtime beside it owns signals and HTTP. What they have to say to each other is in
//! [`crate::broker_thread::Ask`]. The main thread waits until a signal comes or the broker thread
//! ends by itself.

mod listen;
mod reload;
mod start;
mod watch;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use posthouse_store::journal::Watch;
use tokio::runtime::{self, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::admin::{self, Admin};
use crate::broker_thread::{self, Ask, Asker, Keeping, Parts};
use crate::codes::Code;
use crate::config::{Config, Loaded, Report};
use crate::data_dir::{DataDir, Endpoints, unusable};
use crate::failure::Failure;
use crate::logging::{self, LogLevel};
use crate::relay::Relay;
use crate::stop::{self, Stop, Stopper};
use crate::store_failure::explained;
use reload::{Live, Signals, Told};

/// Threads for HTTP and all that is not messages.
const WORKERS: usize = 2;

/// Threads for what blocks, such as password hashes.
const BLOCKING_WORKERS_MAX: usize = 4;

/// How long the broker thread may take to stop.
const BROKER_STOP_MAX: Duration = Duration::from_secs(8);

/// How long HTTP may take to finish what it is answering.
const HTTP_STOP_MAX: Duration = Duration::from_secs(1);

/// Reads the configuration again.
pub(crate) type Reload = Box<dyn Fn() -> Result<Loaded, Report>>;

/// Hears that the node takes connections.
pub(crate) type OnReady = Box<dyn FnOnce(&Endpoints)>;

/// What a run of a node is made from.
pub(crate) struct Run {
    /// The configuration.
    pub(crate) loaded: Loaded,
    /// Reads the configuration again.
    pub(crate) reload: Reload,
    /// The configuration file, which is read again when it changes.
    pub(crate) watched: Option<PathBuf>,
    /// Is called once the node takes connections, on its runtime.
    pub(crate) on_ready: OnReady,
}

/// What the broker thread ends with.
type Ended = oneshot::Receiver<Result<(), Failure>>;

/// A node whose parts are joined.
struct Node {
    dir: DataDir,
    endpoints: Endpoints,
    admin: Arc<Admin>,
    http: JoinHandle<()>,
    broker: Ended,
    relay: Relay,
    stopper: Stopper,
    live: Live,
}

/// Runs a node until it is told to stop.
///
/// # Errors
/// Why it could not start, or why it ended by itself.
pub(crate) fn run(run: Run) -> Result<(), Failure> {
    let log_level = logging::start(run.loaded.config.log);
    if !run.loaded.config.journal.enabled {
        tracing::warn!("the journal is switched off: nothing survives a restart");
    }
    let runtime = build_runtime()?;
    let result = runtime.block_on(async move {
        let Run { loaded, reload, watched, on_ready } = run;
        let mut signals = Signals::new(watched)?;
        let Some(mut node) = Node::start(loaded, log_level, &mut signals).await? else {
            return Ok(());
        };
        on_ready(&node.endpoints);
        let ended = node.wait(&mut signals, &reload).await;
        node.stop(ended).await
    });
    runtime.shutdown_background();
    result
}

fn build_runtime() -> Result<Runtime, Failure> {
    let mut builder = runtime::Builder::new_multi_thread();
    builder.worker_threads(WORKERS).max_blocking_threads(BLOCKING_WORKERS_MAX);
    let runtime = builder.thread_name("worker").enable_all().build();
    runtime.map_err(|error| Failure::unexpected(format!("no threads for the node: {error}")))
}

impl Node {
    /// Starts everything. Nothing, if the node was told to stop while its store was being read.
    async fn start(
        loaded: Loaded,
        log_level: LogLevel,
        signals: &mut Signals,
    ) -> Result<Option<Node>, Failure> {
        let config = &loaded.config;
        start::check_open_files(config.limits);
        let dir = start::open_data_dir(config)?;
        let stomp = listen::all("stomp.listen", &config.stomp.listen)?;
        let http = listen::all("http.listen", &config.http_listen)?;
        let endpoints = Endpoints {
            pid: std::process::id(),
            stomp: listen::first_address(&stomp)?,
            http: listen::first_address(&http)?,
        };
        let (stopper, stop) = stop::channel();
        let (asker, asks) = broker_thread::channel();
        let parts = parts(config, &dir, stomp, asks, stop.clone());
        let (broker, journal) = tokio::select! {
            started = start_broker(parts) => started?,
            () = signals.stop() => {
                give_up(dir);
                return Ok(None);
            }
        };
        let relay = Relay::start(&config.relay, &config.node_name, endpoints.stomp)?;
        let node_name = config.node_name.clone();
        let admin = start_admin(&dir, node_name, asker.clone(), journal, relay.clone())?;
        let http = tokio::spawn(admin::serve(admin.clone(), listen::to_tokio(http)?, stop));
        let live = Live { loaded, log_level, asker, relay: relay.clone() };
        let node = Node { dir, endpoints, admin, http, broker, relay, stopper, live };
        node.announce()?;
        Ok(Some(node))
    }

    /// From here on scripts that wait for the node find it.
    fn announce(&self) -> Result<(), Failure> {
        self.admin.set_ready(true);
        let Endpoints { stomp, http, .. } = &self.endpoints;
        tracing::info!(%stomp, %http, dir = %self.dir.path().display(), "ready");
        self.endpoints.write(self.dir.path()).map_err(|error| unusable(self.dir.path(), &error))
    }

    /// Waits for the end. Answers what the broker thread ended with, if it was the one to end.
    async fn wait(
        &mut self,
        signals: &mut Signals,
        reload: &Reload,
    ) -> Option<Result<(), Failure>> {
        loop {
            tokio::select! {
                ended = &mut self.broker => return Some(joined(ended)),
                told = signals.next() => match told {
                    Told::Stop => return None,
                    Told::Reload => self.live.change(reload()).await,
                },
            }
        }
    }

    /// Stops in the opposite order, and says what the broker thread ended with.
    async fn stop(self, ended: Option<Result<(), Failure>>) -> Result<(), Failure> {
        tracing::info!("stopping");
        self.admin.set_ready(false);
        self.admin.end_holds();
        if let Err(error) = Endpoints::remove(self.dir.path()) {
            tracing::warn!(%error, "could not take the endpoints back");
        }
        self.relay.stop().await;
        self.stopper.stop();
        let result = match ended {
            Some(result) => result,
            None => {
                timeout(BROKER_STOP_MAX, self.broker).await.map_or_else(|_| Err(stuck()), joined)
            }
        };
        let _ = timeout(HTTP_STOP_MAX, self.http).await;
        tracing::info!("stopped");
        result
    }
}

fn parts(
    config: &Config,
    dir: &DataDir,
    listeners: Vec<TcpListener>,
    asks: mpsc::Receiver<Ask>,
    stop: Stop,
) -> Parts {
    let keeping =
        Keeping { data_dir: dir.path().to_owned(), config: config.journal, refills_spares: true };
    Parts {
        keeping,
        node_name: config.node_name.clone(),
        policies: config.policies.clone(),
        session: broker_thread::session_config(config),
        limits: config.limits,
        write_stall_ms_max: config.stomp.write_stall_ms_max,
        listeners,
        asks,
        stop,
    }
}

/// The node ends before its store was read. That may take long and cannot be broken off from
/// within, but the process may end at any moment of it: whatever the reading writes, the next start
/// writes again.
fn give_up(dir: DataDir) {
    tracing::info!("stopped while the store was being read; the next start reads it again");
    // The lock goes with the process, and not before the thread that is still reading.
    std::mem::forget(dir);
}

/// Starts the broker thread and waits until it takes connections.
async fn start_broker(parts: Parts) -> Result<(Ended, Option<Watch>), Failure> {
    let (ready, is_ready) = oneshot::channel();
    let ended = broker_thread::start(parts, ready)?;
    match is_ready.await {
        Ok(journal) => Ok((ended, journal)),
        Err(_) => Err(joined(ended.await).err().unwrap_or_else(crashed)),
    }
}

fn start_admin(
    dir: &DataDir,
    node_name: String,
    asker: Asker,
    journal: Option<Watch>,
    relay: Relay,
) -> Result<Arc<Admin>, Failure> {
    let started_ms = broker_thread::wall_ms();
    let data_dir = dir.path().to_owned();
    let (admin, token) = Admin::new(asker, journal, relay, data_dir, node_name, started_ms);
    token.write(dir.path()).map_err(|error| unusable(dir.path(), &error))?;
    Ok(admin)
}

fn joined(ended: Result<Result<(), Failure>, oneshot::error::RecvError>) -> Result<(), Failure> {
    ended.unwrap_or_else(|_| Err(crashed()))
}

/// What nobody was told of may be lost, so that this is no orderly end.
fn stuck() -> Failure {
    let max = BROKER_STOP_MAX.as_secs();
    let message =
        format!("the disk has not taken what was to be written within {max} s of the stop");
    explained(Code::StoreFailed, message)
}

fn crashed() -> Failure {
    Failure::unexpected("the broker thread ended without a word; its last lines are in the log")
}
