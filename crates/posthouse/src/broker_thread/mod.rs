//! The broker thread: the one thread that owns the driver, every messaging socket and every
//! session.
//!
//! It runs a single-threaded runtime with one small task per connection, one per listener, one
//! that ends turns and one that answers questions. There are no locks, for nothing is shared;
//! the rest of the process asks through a bounded channel. It ends when it is told to stop, or
//! when the store fails, and then says so.

mod answer;
mod ask;
mod clock;
mod connection;
mod deadlines;
mod hub;
mod socket;
mod store;

use std::cell::RefCell;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{panic, process, thread};

use posthouse_core::driver::Driver;
use posthouse_core::policy::Policies;
use posthouse_store::journal::fault::Fault;
use posthouse_store::journal::{Opening, Watch};
use posthouse_wire::stomp::HeartBeat;
use posthouse_wire::stomp::session::SessionConfig;
use tokio::runtime;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{LocalSet, yield_now};
use tokio::time::{Instant as TokioInstant, sleep};

pub(crate) use ask::{Action, Ask, Asker, Browse, ConnectionInfo, Overview, Stopped, channel};
pub(crate) use clock::{Clock, wall_ms};
pub(crate) use socket::listen;
pub(crate) use store::{Keeping, open as open_store, read as read_store};

use crate::codes::Code;
use crate::config::{Config, LimitsConfig};
use crate::failure::Failure;
use crate::stop::Stop;
use crate::store_failure::{code_of_fault, explained};
use hub::{Hub, HubConfig};

/// The name of the thread.
const THREAD_NAME: &str = "broker";

/// How long what was asked before the stop may take to be answered.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

/// How often it is looked whether all is answered.
const DRAIN_PAUSE: Duration = Duration::from_millis(5);

/// How long to wait after the system refused to give another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A sleep that nobody waits for.
const FAR_AWAY: Duration = Duration::from_secs(86_400);

/// What the broker thread is built from.
pub(crate) struct Parts {
    /// Where messages are kept.
    pub(crate) keeping: Keeping,
    /// The name that clients see the node by.
    pub(crate) node_name: String,
    /// Rules for destinations.
    pub(crate) policies: Policies,
    /// How STOMP sessions behave.
    pub(crate) session: SessionConfig,
    /// How many connections there may be.
    pub(crate) limits: LimitsConfig,
    /// Longest time in which a client takes nothing, in milliseconds; 0 means for ever.
    pub(crate) write_stall_ms_max: u64,
    /// Where clients connect.
    pub(crate) listeners: Vec<TcpListener>,
    /// Where questions arrive.
    pub(crate) asks: mpsc::Receiver<Ask>,
    /// When to stop.
    pub(crate) stop: Stop,
}

/// How sessions behave under `config`.
pub(crate) fn session_config(config: &Config) -> SessionConfig {
    let ms = |ms: u64| u32::try_from(ms).unwrap_or(u32::MAX);
    SessionConfig {
        server: format!("Posthouse/{}", crate::version::VERSION).into(),
        frame_bytes_max: config.stomp.frame_bytes_max,
        login_ms_max: config.stomp.login_ms_max,
        heart_beat: HeartBeat {
            send_ms: ms(config.stomp.heart_beat_send_ms),
            want_ms: ms(config.stomp.heart_beat_want_ms),
        },
        ..SessionConfig::default()
    }
}

/// Starts the thread. `ready` hears when it has read what is stored and takes connections, and
/// gets what shows the journal if there is one; what the thread ends with is answered when it
/// ends.
///
/// # Errors
/// When the system gives no thread.
pub(crate) fn start(
    parts: Parts,
    ready: oneshot::Sender<Option<Watch>>,
) -> Result<oneshot::Receiver<Result<(), Failure>>, Failure> {
    let (end, ended) = oneshot::channel();
    stop_at_panics();
    let builder = thread::Builder::new().name(THREAD_NAME.into());
    let thread = builder.spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let result = match runtime {
            Ok(runtime) => LocalSet::new().block_on(&runtime, run(parts, ready)),
            Err(error) => Err(Failure::unexpected(error.to_string())),
        };
        // Nobody waits for it when the process is being ended anyway.
        let _ = end.send(result);
    });
    match thread {
        Ok(_) => Ok(ended),
        Err(error) => Err(Failure::unexpected(format!("no thread for the broker: {error}"))),
    }
}

/// A panic on the broker thread has left its state half changed, in whichever task it was: the
/// process ends at once, before anything more may come of it, so that a supervisor starts it anew.
fn stop_at_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        usual(info);
        if thread::current().name() == Some(THREAD_NAME) {
            process::abort();
        }
    }));
}

async fn run(parts: Parts, ready: oneshot::Sender<Option<Watch>>) -> Result<(), Failure> {
    let Parts { limits, write_stall_ms_max, listeners, asks, mut stop, .. } = parts;
    let mut clock = Clock::new();
    let turn_wanted = Arc::new(Notify::new());
    let (store, watch) = store::open(&parts.keeping, &turn_wanted)?;
    let driver = store::read(parts.policies, (store, watch.clone()), clock.read())?;
    if let Some(watch) = &watch {
        tell_opening(&driver, &watch.figures().opening);
    }
    let run = if watch.is_some() { u64::from(driver.broker().run()) } else { wall_ms() };
    let node = format!("{}-{run:x}", parts.node_name).into();
    let session = SessionConfig { node, ..parts.session };
    let config = HubConfig { session: session.into(), limits, write_stall_ms_max };
    let hub = Rc::new(RefCell::new(Hub::new(driver, clock, config, turn_wanted, watch.clone())));
    for listener in listeners {
        let listener = tokio::net::TcpListener::from_std(listener);
        let listener = listener.map_err(|error| Failure::unexpected(error.to_string()))?;
        tokio::task::spawn_local(accept(hub.clone(), listener, stop.clone()));
    }
    tokio::task::spawn_local(answer(hub.clone(), asks));
    let turns = tokio::task::spawn_local(turns(hub.clone()));
    // Nobody waits for it when the start was given up meanwhile.
    let _ = ready.send(watch);
    let failure = tokio::select! {
        () = stop.stopped() => return drain(&hub).await,
        failure = turns => failure,
    };
    // A turn that panicked has left the state half changed: nothing more may come of it.
    Err(failure.map_or_else(|error| broken(&error), |why| failed(&why)))
}

async fn accept(hub: Rc<RefCell<Hub>>, listener: tokio::net::TcpListener, mut stop: Stop) {
    loop {
        let accepted = tokio::select! {
            () = stop.stopped() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => Hub::admit(&hub, stream, address),
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(hub: Rc<RefCell<Hub>>, mut asks: mpsc::Receiver<Ask>) {
    while let Some(ask) = asks.recv().await {
        hub.borrow_mut().answer(ask);
    }
}

/// Ends turns, each when something was fed or something is due. Answers why the store failed.
async fn turns(hub: Rc<RefCell<Hub>>) -> String {
    let wanted = hub.borrow().turn_wanted.clone();
    let mut alarm = std::pin::pin!(sleep(FAR_AWAY));
    loop {
        tokio::select! {
            () = wanted.notified() => {}
            () = alarm.as_mut() => {}
        }
        let next = hub.borrow_mut().turn();
        if let Some(why) = hub.borrow().driver.failure() {
            return why.to_owned();
        }
        let far_away = || TokioInstant::now() + FAR_AWAY;
        let next = next.map_or_else(far_away, TokioInstant::from_std);
        let is_over = alarm.is_elapsed();
        if is_over || next < alarm.deadline() {
            alarm.as_mut().reset(next);
        }
        // Turn after turn, the sockets would hardly ever be looked at.
        yield_now().await;
    }
}

/// Answers what was asked, then ends every connection, and waits until the peers have read it.
/// There is no ERROR frame: clients take the end of a connection as the reason to come back, and
/// an error as a mistake of their own.
async fn drain(hub: &Rc<RefCell<Hub>>) -> Result<(), Failure> {
    let deadline = Instant::now() + DRAIN_TIME_MAX;
    hub.borrow_mut().stop_reading();
    while !hub.borrow().is_quiet() && Instant::now() < deadline {
        sleep(DRAIN_PAUSE).await;
    }
    hub.borrow_mut().close_all();
    while hub.borrow().has_tasks() && Instant::now() < deadline {
        sleep(DRAIN_PAUSE).await;
    }
    let watch = {
        let mut hub = hub.borrow_mut();
        hub.finish();
        hub.watch.clone()
    };
    // What nobody waited for, such as acknowledgements without a receipt, is made durable, too.
    while watch.as_ref().is_some_and(|watch| !watch.is_settled()) && Instant::now() < deadline {
        sleep(DRAIN_PAUSE).await;
    }
    match watch.and_then(|watch| watch.failure()) {
        Some(why) => Err(failed(&why)),
        None => Ok(()),
    }
}

/// Says what was found in the store.
fn tell_opening(driver: &Driver, opening: &Opening) {
    let messages = driver.broker().stats().messages;
    if opening.torn_tail_bytes > 0 {
        let bytes = opening.torn_tail_bytes;
        tracing::warn!(bytes, "left alone what a crash had cut off before it was confirmed");
    }
    tracing::info!(
        messages,
        replayed_batches = opening.replayed_batches,
        replayed_bytes = opening.replayed_bytes,
        "the store is open"
    );
}

/// The store is open and cannot be read to its end.
fn damaged(why: &str) -> Failure {
    let message = format!("what is stored cannot be read: {why}");
    Failure::new(Code::StoreDamaged, message, "`posthouse explain PH1308`")
}

/// The store is open, and the system does not let it be read.
fn unread(fault: &Fault) -> Failure {
    explained(code_of_fault(fault), format!("what is stored cannot be read: {fault}"))
}

fn broken(error: &tokio::task::JoinError) -> Failure {
    Failure::unexpected(format!("the broker thread broke off ({error}), so the node stopped"))
}

/// The store has failed.
pub(crate) fn failed(why: &str) -> Failure {
    let message = format!("the store failed, so the node stopped: {why}");
    Failure::new(Code::StoreFailed, message, "`posthouse explain PH1309`")
}
