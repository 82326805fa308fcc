//! All state of the broker thread: the driver, the connections, and what joins them.
//!
//! A turn goes like this. Tasks whose sockets are ready read into one shared buffer and feed
//! their sessions. Then, once, the driver ends its turn; what it lets go is handed to sessions;
//! and every session that has something to say is written once. Nothing is allocated and no task
//! is woken for a single message.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use posthouse_core::arena::Arena;
use posthouse_core::command::Command;
use posthouse_core::driver::Driver;
use posthouse_core::ids::{BatchNo, HolderId, Key};
use posthouse_core::time::Now;
use posthouse_store::journal::Watch;
use posthouse_wire::stomp::session::{Session, SessionConfig};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::ask::{ConnectionTotals, ParkedBrowse, Reply};
use super::clock::Clock;
use super::connection::{Connection, Wanted, run};
use super::deadlines::Deadlines;
use super::socket;
use crate::config::LimitsConfig;

/// Bytes that one connection may read before others get their chance.
const READ_BYTES_MAX: usize = 64 << 10;

/// Bytes that all connections may feed before a turn is ended.
const TURN_BYTES_MAX: usize = 1 << 20;

/// How the hub is set up.
pub(super) struct HubConfig {
    /// How sessions behave.
    pub(super) session: Arc<SessionConfig>,
    /// How many connections there may be.
    pub(super) limits: LimitsConfig,
    /// Longest time in which a client takes nothing, in milliseconds; 0 means for ever.
    pub(super) write_stall_ms_max: u64,
}

/// See the module.
pub(super) struct Hub {
    pub(super) driver: Driver,
    pub(super) connections: Arena<Connection>,
    pub(super) totals: ConnectionTotals,
    pub(super) config: HubConfig,
    /// Tells the turn task that there is something to do.
    pub(super) turn_wanted: Arc<Notify>,
    /// Figures of the journal, if there is one.
    pub(super) watch: Option<Watch>,
    clock: Clock,
    /// What the clocks said in this turn, once somebody has asked.
    now: Option<Now>,
    /// Which connection a holder is, by the index of the holder.
    holders: Vec<Option<(HolderId, Key)>>,
    /// Sockets that are open, those included that are only waiting for their peer to close.
    sockets: usize,
    per_address: HashMap<IpAddr, usize>,
    dirty: Vec<Key>,
    deadlines: Deadlines,
    /// Looks into queues whose messages have to be loaded first.
    pub(super) parked: Vec<ParkedBrowse>,
    /// Who is to be told that everything up to a batch is durable, in the order of the batches.
    pub(super) settling: VecDeque<(BatchNo, Reply<()>)>,
    scratch: Box<[u8]>,
    fed_bytes: usize,
    is_stopping: bool,
}

impl Hub {
    /// A hub without connections.
    pub(super) fn new(
        driver: Driver,
        clock: Clock,
        config: HubConfig,
        turn_wanted: Arc<Notify>,
        watch: Option<Watch>,
    ) -> Hub {
        Hub {
            driver,
            connections: Arena::default(),
            totals: ConnectionTotals::default(),
            config,
            turn_wanted,
            watch,
            clock,
            now: None,
            holders: Vec::new(),
            sockets: 0,
            per_address: HashMap::new(),
            dirty: Vec::new(),
            deadlines: Deadlines::default(),
            parked: Vec::new(),
            settling: VecDeque::new(),
            scratch: vec![0; READ_BYTES_MAX].into(),
            fed_bytes: 0,
            is_stopping: false,
        }
    }

    /// What the clocks say; they are read once a turn.
    pub(super) fn now(&mut self) -> Now {
        *self.now.get_or_insert_with(|| self.clock.read())
    }

    /// Ends a turn. Answers when the next one is due if nothing happens before.
    pub(super) fn turn(&mut self) -> Option<Instant> {
        self.now = None;
        let now = self.now();
        self.fire_deadlines(now);
        self.driver.turn(now);
        tell_alarms(&self.driver.take_alarms());
        self.answer_parked();
        self.answer_settled();
        self.distribute(now);
        let wrote = self.flush(now);
        self.fed_bytes = 0;
        if wrote || self.driver.has_work(now) {
            self.turn_wanted.notify_one();
        }
        let deadlines = [self.deadlines.first_ms(), self.driver.next_deadline_ms(now)];
        self.now = None;
        self.clock.instant(deadlines.into_iter().flatten().min()?)
    }

    /// Gives the store everything that is left, because the node stops.
    pub(super) fn finish(&mut self) {
        self.turn();
        let now = self.now();
        self.driver.finish(now);
    }

    /// Whether there is nothing left to be said to anybody.
    pub(super) fn is_quiet(&self) -> bool {
        let is_silent = |connection: &Connection| connection.session.output().is_empty();
        let is_settled = self.driver.waiting_len() == 0 && self.settling.is_empty();
        is_settled && self.connections.iter().all(|(_, c)| is_silent(c))
    }

    /// Reads nothing any more; what was read is still answered.
    pub(super) fn stop_reading(&mut self) {
        self.is_stopping = true;
        self.connections.iter().for_each(|(_, connection)| connection.wake.notify_one());
    }

    /// Whether some connection still has its socket.
    pub(super) fn has_tasks(&self) -> bool {
        self.sockets > 0
    }

    /// Ends every connection.
    pub(super) fn close_all(&mut self) {
        let keys: Vec<Key> = self.connections.iter().map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.close(key));
    }

    /// Takes a new connection, unless a limit stands against it.
    pub(super) fn admit(hub: &Rc<RefCell<Hub>>, stream: TcpStream, address: SocketAddr) {
        let mut this = hub.borrow_mut();
        let limits = this.config.limits;
        let from_there = this.per_address.get(&address.ip()).copied().unwrap_or(0);
        let is_full = this.sockets >= limits.connections_max
            || from_there >= limits.connections_per_address_max;
        if is_full || socket::prepare(&stream).is_err() {
            this.totals.refused += 1;
            tracing::warn!(%address, from_there, "refused a connection: too many of them");
            return;
        }
        let (key, stream, wake) = this.insert(stream, address);
        drop(this);
        let hub = hub.clone();
        tokio::task::spawn_local(async move {
            run(&hub, key, &stream, &wake).await;
            drop(stream);
            hub.borrow_mut().release(address.ip());
        });
    }

    fn insert(
        &mut self,
        stream: TcpStream,
        address: SocketAddr,
    ) -> (Key, Rc<TcpStream>, Rc<Notify>) {
        let now = self.now();
        self.totals.opened += 1;
        self.sockets += 1;
        *self.per_address.entry(address.ip()).or_default() += 1;
        let (stream, wake) = (Rc::new(stream), Rc::new(Notify::new()));
        let key = self.connections.insert(Connection {
            id: self.totals.opened,
            address,
            connected_ms: now.wall_ms,
            stream: stream.clone(),
            wake: wake.clone(),
            session: Session::new(self.config.session.clone(), now),
            holder: None,
            bytes_in: 0,
            bytes_out: 0,
            blocked_since_ms: None,
            is_dirty: false,
            armed_ms: None,
            waits_for: Wanted { input: true, output: false },
        });
        self.settle(key);
        self.turn_wanted.notify_one();
        (key, stream, wake)
    }

    /// What the task of a connection is to wait for; nothing when the connection is gone.
    pub(super) fn wait(&mut self, key: Key) -> Option<Wanted> {
        let is_stopping = self.is_stopping;
        let connection = self.connections.get_mut(key)?;
        let mut wanted = connection.wanted();
        wanted.input &= !is_stopping;
        connection.waits_for = wanted;
        Some(wanted)
    }

    /// Reads and writes a connection whose socket is ready. Answers whether there may be more to
    /// read at once.
    pub(super) fn serve(&mut self, key: Key, wanted: Wanted) -> bool {
        let now = self.now();
        if wanted.output {
            self.write(key, now);
        }
        let more = wanted.input && self.read(key, now);
        self.turn_wanted.notify_one();
        if self.fed_bytes >= TURN_BYTES_MAX {
            self.turn();
        }
        more
    }

    fn read(&mut self, key: Key, now: Now) -> bool {
        let Some(connection) = self.connections.get_mut(key) else { return false };
        let count = match socket::read(&connection.stream, &mut self.scratch) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Ok(0) | Err(_) => {
                self.close(key);
                return false;
            }
            Ok(count) => count,
        };
        let input = self.scratch.get(..count).unwrap_or_default();
        connection.bytes_in += count as u64;
        self.totals.bytes_in += count as u64;
        self.fed_bytes += count;
        connection.session.on_bytes(now, input, &mut self.driver);
        self.touch(key);
        count == self.scratch.len()
    }

    /// Throws away what a connection that was ended still sends; `None` when that is all.
    pub(super) fn discard(&mut self, stream: &TcpStream) -> Option<usize> {
        match socket::read(stream, &mut self.scratch) {
            Ok(0) => None,
            Ok(count) => Some(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(0),
            Err(_) => None,
        }
    }

    /// Does what is due.
    fn fire_deadlines(&mut self, now: Now) {
        let due = self.driver.next_deadline_ms(now);
        if due.is_some_and(|due| due <= now.mono_ms)
            && let Err(refusal) = self.driver.apply(now, Command::Tick)
        {
            tracing::error!(error = %refusal, "the passing of time was refused");
        }
        while let Some(key) = self.deadlines.pop_due(now.mono_ms) {
            self.wake_up(key, now);
        }
    }

    fn wake_up(&mut self, key: Key, now: Now) {
        let stall_ms_max = self.config.write_stall_ms_max;
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.armed_ms = None;
        if stalls_at(connection, stall_ms_max).is_some_and(|at| at <= now.mono_ms) {
            let address = connection.address;
            tracing::warn!(%address, "ended a connection that takes nothing");
            return self.close(key);
        }
        connection.session.on_timeout(now);
        self.touch(key);
    }

    /// Hands what the driver has let go to the sessions that it is for. Whoever is gone was
    /// detached before, and so needs nothing.
    fn distribute(&mut self, now: Now) {
        while let Some((holder, effect)) = self.driver.next_effect() {
            let Some(key) = self.connection_of(holder) else { continue };
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.session.on_effect(now, effect, &mut self.driver);
            self.mark_dirty(key);
        }
    }

    fn connection_of(&self, holder: HolderId) -> Option<Key> {
        let (found, key) = (*self.holders.get(holder.0.index as usize)?)?;
        (found == holder).then_some(key)
    }

    fn mark_dirty(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key)
            && !connection.is_dirty
        {
            connection.is_dirty = true;
            self.dirty.push(key);
        }
    }

    /// After a session was given something: what it may have changed is looked at.
    fn touch(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let holder = connection.session.holder();
        if holder != connection.holder {
            let before = std::mem::replace(&mut connection.holder, holder);
            self.rename(key, before, holder);
        }
        self.mark_dirty(key);
    }

    fn rename(&mut self, key: Key, before: Option<HolderId>, after: Option<HolderId>) {
        if let Some(holder) = before {
            let slot = self.holders.get_mut(holder.0.index as usize);
            if let Some(slot) = slot.filter(|slot| slot.is_some_and(|(found, _)| found == holder)) {
                *slot = None;
            }
        }
        if let Some(holder) = after {
            let index = holder.0.index as usize;
            if self.holders.len() <= index {
                self.holders.resize(index + 1, None);
            }
            if let Some(slot) = self.holders.get_mut(index) {
                *slot = Some((holder, key));
            }
        }
    }

    /// Writes every session that has something to say. Answers whether anything was written.
    fn flush(&mut self, now: Now) -> bool {
        let before = self.totals.bytes_out;
        let mut dirty = std::mem::take(&mut self.dirty);
        for key in dirty.drain(..) {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.is_dirty = false;
            }
            self.write(key, now);
        }
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
        self.totals.bytes_out != before
    }

    /// Writes what a session has to say, as far as its socket takes it.
    fn write(&mut self, key: Key, now: Now) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        while !connection.session.output().is_empty() {
            match connection.stream.try_write(connection.session.output()) {
                Ok(count) if count > 0 => {
                    connection.bytes_out += count as u64;
                    self.totals.bytes_out += count as u64;
                    connection.blocked_since_ms = None;
                    connection.session.on_written(now, count, &mut self.driver);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    connection.blocked_since_ms.get_or_insert(now.mono_ms);
                    return self.settle(key);
                }
                Ok(_) | Err(_) => return self.close(key),
            }
        }
        connection.blocked_since_ms = None;
        if connection.session.is_closing() {
            return self.close(key);
        }
        self.settle(key);
    }

    /// Arms the deadline of a connection, and tells its task when it waits for something else.
    fn settle(&mut self, key: Key) {
        let stall_ms_max = self.config.write_stall_ms_max;
        let Some(connection) = self.connections.get_mut(key) else { return };
        let stalls = stalls_at(connection, stall_ms_max);
        let wanted = connection.session.next_deadline_ms().into_iter().chain(stalls).min();
        connection.armed_ms = self.deadlines.arm(key, connection.armed_ms, wanted);
        if connection.wanted() != connection.waits_for {
            connection.wake.notify_one();
        }
    }

    /// Ends a connection: its session leaves the broker, and its task lets the socket go.
    fn close(&mut self, key: Key) {
        let now = self.now();
        let Some(mut connection) = self.connections.remove(key) else { return };
        connection.session.on_closed(now, &mut self.driver);
        self.deadlines.disarm(key, connection.armed_ms);
        self.rename(key, connection.holder, None);
        connection.wake.notify_one();
        self.turn_wanted.notify_one();
    }

    /// A connection's task has let its socket go. Only then another one may take its place.
    pub(super) fn release(&mut self, address: IpAddr) {
        self.sockets = self.sockets.saturating_sub(1);
        if let Some(count) = self.per_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.per_address.remove(&address);
            }
        }
    }
}

/// When a socket that takes nothing has done so for too long, in monotonic milliseconds.
fn stalls_at(connection: &Connection, stall_ms_max: u64) -> Option<u64> {
    let since = connection.blocked_since_ms?;
    (stall_ms_max > 0).then(|| since.saturating_add(stall_ms_max))
}

/// What was loaded together lies together, so one damaged place makes many alarms at once: they
/// share a line, for the log must not fill the disk that is in trouble already.
fn tell_alarms(alarms: &[String]) {
    if let Some(alarm) = alarms.first() {
        let others = alarms.len() - 1;
        tracing::error!(alarm, others, "messages are set apart");
    }
}
