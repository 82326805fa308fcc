//! One STOMP connection on the server's side, sans I/O: bytes in, commands to the driver; effects
//! in, bytes out.
//!
//! Whoever owns the socket feeds [`Session::on_bytes`], writes [`Session::output`], reports what
//! was written by [`Session::on_written`], and hands over the effects of the session's holder.
//! Any error ends this one session: an ERROR frame says what was wrong, what is still in the
//! output is written, and the connection closes. Whatever was delivered and not settled then goes
//! back to where it came from.
//!
//! Invariant: a delivery counts as written only when its last byte has been.

mod ack;
mod connect;
mod deliver;
mod destination;
mod fault;
mod output;
mod send;
mod subscribe;
#[cfg(test)]
mod tests;
mod transaction;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use posthouse_core::command::{Applied, Command as CoreCommand, ReceiptToken, Send};
use posthouse_core::driver::Driver;
use posthouse_core::effect::Effect;
use posthouse_core::ids::{ConsumerId, DestinationId, HolderId, TransactionId};
use posthouse_core::time::Now;

use self::destination::Address;
use self::fault::Fault;
use self::output::Output;
use self::subscribe::Subscription;
use super::{Command, FrameLimits, FrameRef, HeartBeat, Inbox, Version};

/// What holds for every session of a listener.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The node's name, with which its message ids begin.
    pub node: Box<str>,
    /// What CONNECTED says in `server`, such as `Posthouse/0.1.0`.
    pub server: Box<str>,
    /// Bytes of one frame after login.
    pub frame_bytes_max: usize,
    /// How long a peer may take to log in, in milliseconds.
    pub login_ms_max: u64,
    /// The shortest pauses between heart-beats that the server agrees to; the peer's own wish
    /// decides beyond that. 0 means none.
    pub heart_beat: HeartBeat,
    /// Bytes of output at which deliveries stop until the peer has read.
    pub out_bytes_soft: usize,
    /// Bytes of output at which the peer's input is not read any more.
    pub out_bytes_hard: usize,
    /// Unacknowledged messages of a queue's consumer that does not say.
    pub queue_prefetch: u32,
    /// Unacknowledged messages of a durable subscription's consumer that does not say.
    pub durable_prefetch: u32,
    /// Unacknowledged messages of a topic's subscriber that does not say.
    pub topic_prefetch: u32,
}

impl Default for SessionConfig {
    fn default() -> SessionConfig {
        SessionConfig {
            node: "posthouse".into(),
            server: concat!("Posthouse/", env!("CARGO_PKG_VERSION")).into(),
            frame_bytes_max: FrameLimits::AFTER_LOGIN.frame_bytes_max,
            login_ms_max: 10_000,
            heart_beat: HeartBeat { send_ms: 100, want_ms: 100 },
            out_bytes_soft: 256 << 10,
            out_bytes_hard: 4 << 20,
            queue_prefetch: 1_000,
            durable_prefetch: 100,
            topic_prefetch: 32_766,
        }
    }
}

/// Where a session is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing but CONNECT is allowed.
    Connecting,
    /// Logged in.
    Open,
    /// DISCONNECT has come; this receipt is still owed.
    Leaving(ReceiptToken),
    /// Only the output is still to be written.
    Closing,
}

/// What a session looks like to an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// The negotiated version.
    pub version: Version,
    /// The client's name, if it has one.
    pub client: Option<Box<str>>,
    /// The login that it gave, if any.
    pub login: Option<Box<str>>,
    /// The negotiated heart-beats.
    pub heart_beat: HeartBeat,
    /// Its subscriptions.
    pub subscriptions: usize,
    /// Its open transactions.
    pub transactions: usize,
    /// Frames that it has sent.
    pub frames_in: u64,
    /// Messages that it was sent.
    pub messages_out: u64,
    /// Whether a send of its waits for room.
    pub is_held: bool,
}

/// See the module.
pub struct Session {
    config: Arc<SessionConfig>,
    phase: Phase,
    version: Version,
    inbox: Inbox,
    output: Output,
    /// What consumers receive once the peer has read some of the output.
    waiting: VecDeque<Effect>,
    holder: Option<HolderId>,
    client: Option<Box<str>>,
    login: Option<Box<str>>,
    heart_beat: HeartBeat,
    started_ms: u64,
    received_ms: u64,
    sent_ms: u64,
    subscriptions: BTreeMap<Box<str>, Subscription>,
    consumers: BTreeMap<ConsumerId, Box<str>>,
    /// Consumers by the numbers with which `ack` headers begin.
    numbers: BTreeMap<u32, ConsumerId>,
    next_subscription: u32,
    transactions: BTreeMap<Box<str>, TransactionId>,
    /// What open transactions acknowledge, by the ids that peers before 1.2 name it by.
    staged: BTreeMap<TransactionId, Vec<ack::Staged>>,
    receipts: VecDeque<(ReceiptToken, Box<str>)>,
    last_receipt: ReceiptToken,
    last_address: Option<(Address, DestinationId)>,
    held: Option<Send>,
    is_flow_open: bool,
    frames_in: u64,
    messages_out: u64,
}

impl Session {
    /// A session whose connection has just been accepted.
    pub fn new(config: Arc<SessionConfig>, now: Now) -> Session {
        Session {
            config,
            phase: Phase::Connecting,
            version: Version::V1_0,
            inbox: Inbox::new(FrameLimits::BEFORE_LOGIN, Version::V1_0),
            output: Output::default(),
            waiting: VecDeque::new(),
            holder: None,
            client: None,
            login: None,
            heart_beat: HeartBeat::NONE,
            started_ms: now.mono_ms,
            received_ms: now.mono_ms,
            sent_ms: now.mono_ms,
            subscriptions: BTreeMap::new(),
            consumers: BTreeMap::new(),
            numbers: BTreeMap::new(),
            next_subscription: 1,
            transactions: BTreeMap::new(),
            staged: BTreeMap::new(),
            receipts: VecDeque::new(),
            last_receipt: 0,
            last_address: None,
            held: None,
            is_flow_open: true,
            frames_in: 0,
            messages_out: 0,
        }
    }

    /// Takes newly read bytes: carries out the frames in them, and keeps an unfinished one. May
    /// be called without bytes to go on after the session was held.
    pub fn on_bytes(&mut self, now: Now, bytes: &[u8], driver: &mut Driver) {
        if !bytes.is_empty() {
            self.received_ms = now.mono_ms;
        }
        let mut inbox = std::mem::replace(
            &mut self.inbox,
            Inbox::new(FrameLimits::BEFORE_LOGIN, Version::V1_0),
        );
        let mut reading = inbox.read(bytes);
        while self.held.is_none() && self.takes_frames() {
            match reading.next_frame() {
                Ok(Some(frame)) => {
                    self.frames_in += 1;
                    let was_connecting = self.phase == Phase::Connecting;
                    if let Err(fault) = self.on_frame(now, &frame, driver) {
                        self.fail(&fault, frame.header("receipt").as_deref());
                    }
                    if was_connecting {
                        reading.set_version(self.version);
                        reading.set_limits(self.frame_limits());
                    }
                }
                Ok(None) => break,
                Err(error) => self.fail(&Fault::from(error), None),
            }
        }
        drop(reading);
        self.inbox = inbox;
        self.regulate_flow(now, driver);
    }

    fn takes_frames(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::Open)
    }

    fn frame_limits(&self) -> FrameLimits {
        match self.phase {
            Phase::Connecting => FrameLimits::BEFORE_LOGIN,
            _ => FrameLimits {
                frame_bytes_max: self.config.frame_bytes_max,
                ..FrameLimits::AFTER_LOGIN
            },
        }
    }

    fn on_frame(
        &mut self,
        now: Now,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        let Some(holder) = self.holder else {
            return self.on_first_frame(now, frame, driver);
        };
        match frame.command() {
            Command::Send => self.on_send(now, holder, frame, driver),
            Command::Ack | Command::Nack => self.on_ack(now, frame, driver),
            Command::Subscribe => self.on_subscribe(now, holder, frame, driver),
            Command::Unsubscribe => self.on_unsubscribe(now, holder, frame, driver),
            Command::Begin => self.on_begin(now, holder, frame, driver),
            Command::Commit | Command::Abort => self.on_end(now, holder, frame, driver),
            Command::Disconnect => self.on_disconnect(now, holder, frame, driver),
            Command::Connect | Command::Stomp => Err(Fault::connected_twice()),
            Command::Connected | Command::Message | Command::Receipt | Command::Error => {
                Err(Fault::not_a_request(frame.command()))
            }
        }
    }

    fn on_disconnect(
        &mut self,
        now: Now,
        holder: HolderId,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        match self.owe_receipt(frame) {
            None => self.phase = Phase::Closing,
            Some(receipt) => {
                self.phase = Phase::Leaving(receipt);
                driver.apply(now, CoreCommand::Confirm { holder, receipt })?;
            }
        }
        // Nothing more is handed out to a peer that has said goodbye.
        driver.apply(now, CoreCommand::Flow { holder, open: false })?;
        self.is_flow_open = false;
        Ok(())
    }

    /// Remembers the receipt that the frame asks for, if it does.
    fn owe_receipt(&mut self, frame: &FrameRef<'_>) -> Option<ReceiptToken> {
        let id = frame.header("receipt")?;
        self.last_receipt += 1;
        self.receipts.push_back((self.last_receipt, id.into()));
        Some(self.last_receipt)
    }

    /// Takes an effect that the driver has released for this session's holder.
    pub fn on_effect(&mut self, now: Now, effect: Effect, driver: &mut Driver) {
        if self.phase == Phase::Closing {
            return;
        }
        match effect {
            Effect::Deliver(_) | Effect::BrowseEnd { .. } | Effect::Missed { .. } => {
                self.give(effect);
            }
            Effect::Receipt { token } => self.confirm(token),
            Effect::Resume => self.resume(now, driver),
            Effect::Evict { refusal } => {
                let receipt = self.held_receipt();
                self.fail(&Fault::from(refusal), receipt.as_deref());
            }
        }
        self.regulate_flow(now, driver);
    }

    fn confirm(&mut self, token: ReceiptToken) {
        while let Some((owed, id)) = self.receipts.pop_front() {
            // A receipt whose command was refused is never confirmed; the session has failed.
            if owed == token {
                self.output.receipt(self.version, &id);
                break;
            }
        }
        if self.phase == Phase::Leaving(token) {
            self.phase = Phase::Closing;
        }
    }

    /// The receipt that the held send asked for: its sender must know what was refused.
    fn held_receipt(&self) -> Option<Box<str>> {
        let token = self.held.as_ref()?.receipt?;
        let mut owed = self.receipts.iter();
        owed.find(|(owed, _)| *owed == token).map(|(_, id)| id.clone())
    }

    /// Gives the held send again, and goes on with what came behind it.
    fn resume(&mut self, now: Now, driver: &mut Driver) {
        let Some(send) = self.held.take() else { return };
        // Nothing was read while it was held, so that its silence begins only now.
        self.received_ms = now.mono_ms;
        match driver.apply(now, CoreCommand::Send(send.clone())) {
            Ok(Applied::Held) => self.held = Some(send),
            Ok(_) => self.on_bytes(now, &[], driver),
            Err(refusal) => {
                self.held = Some(send);
                let receipt = self.held_receipt();
                self.fail(&Fault::from(refusal), receipt.as_deref());
            }
        }
    }

    /// The first `bytes` of [`Session::output`] have reached the socket.
    pub fn on_written(&mut self, now: Now, bytes: usize, driver: &mut Driver) {
        if bytes > 0 {
            self.sent_ms = now.mono_ms;
        }
        self.output.consume(bytes);
        while let Some((consumer, up_to)) = self.output.next_written() {
            // A consumer that has ended meanwhile has had its deliveries returned already.
            let _ = driver.apply(now, CoreCommand::Written { consumer, up_to });
        }
        self.give_waiting();
        self.regulate_flow(now, driver);
    }

    /// Stops deliveries while the peer has much to read, and lets them go on when it has read.
    fn regulate_flow(&mut self, now: Now, driver: &mut Driver) {
        let Some(holder) = self.holder.filter(|_| self.phase == Phase::Open) else { return };
        let waiting = self.output.len();
        let open = if self.is_flow_open {
            waiting < self.config.out_bytes_soft
        } else {
            waiting <= self.config.out_bytes_soft / 2
        };
        if open != self.is_flow_open {
            self.is_flow_open = open;
            let _ = driver.apply(now, CoreCommand::Flow { holder, open });
        }
    }

    /// Time has passed: heart-beats are due, or the peer has been silent for too long.
    pub fn on_timeout(&mut self, now: Now) {
        let Some((due_ms, duty)) = self.next_duty() else { return };
        if due_ms > now.mono_ms {
            return;
        }
        match duty {
            Duty::Beat => {
                if self.output.is_empty() {
                    self.output.heart_beat();
                }
                self.sent_ms = now.mono_ms;
            }
            Duty::GiveUpLogin => self.fail(&Fault::login_timed_out(&self.config), None),
            Duty::GiveUpPeer => self.fail(&Fault::peer_silent(self.heart_beat), None),
        }
    }

    /// When [`Session::on_timeout`] is due, in monotonic milliseconds.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.next_duty().map(|(due_ms, _)| due_ms)
    }

    fn next_duty(&self) -> Option<(u64, Duty)> {
        if self.phase == Phase::Connecting {
            return Some((self.started_ms + self.config.login_ms_max, Duty::GiveUpLogin));
        }
        if self.phase == Phase::Closing {
            return None;
        }
        let HeartBeat { send_ms, want_ms } = self.heart_beat;
        let beat = (send_ms > 0).then(|| (self.sent_ms + u64::from(send_ms), Duty::Beat));
        // Twice the agreed pause, because the peer's clock and the network are not ours. A held
        // session is not read, so its silence is ours.
        let is_read = want_ms > 0 && self.wants_input();
        let silence = || (self.received_ms + 2 * u64::from(want_ms), Duty::GiveUpPeer);
        let give_up = is_read.then(silence);
        [beat, give_up].into_iter().flatten().min_by_key(|(due_ms, _)| *due_ms)
    }

    /// The connection is gone: everything that the session holds is released.
    pub fn on_closed(&mut self, now: Now, driver: &mut Driver) {
        self.phase = Phase::Closing;
        if let Some(holder) = self.holder.take() {
            let _ = driver.apply(now, CoreCommand::Detach { holder });
        }
    }

    /// Says why and ends the session. The output is still to be written.
    fn fail(&mut self, fault: &Fault, receipt: Option<&str>) {
        if self.phase != Phase::Closing {
            self.output.error(self.version, fault, receipt);
            self.phase = Phase::Closing;
        }
    }

    /// What is to be written next, from the first unwritten byte; empty only when there is nothing.
    /// There may be more behind it.
    pub fn output(&self) -> &[u8] {
        self.output.bytes()
    }

    /// How many bytes are to be written in all.
    pub fn output_len(&self) -> usize {
        self.output.len()
    }

    /// Whether the socket should be read. A session that is held, or whose peer does not read its
    /// answers, keeps its peer waiting in this way.
    pub fn wants_input(&self) -> bool {
        self.held.is_none() && self.takes_frames() && self.output.len() < self.config.out_bytes_hard
    }

    /// Whether the connection is to be closed as soon as the output is written.
    pub fn is_closing(&self) -> bool {
        self.phase == Phase::Closing
    }

    /// The session's holder, once it has logged in.
    pub fn holder(&self) -> Option<HolderId> {
        self.holder
    }

    /// What an operator may want to know.
    pub fn describe(&self) -> SessionInfo {
        SessionInfo {
            version: self.version,
            client: self.client.clone(),
            login: self.login.clone(),
            heart_beat: self.heart_beat,
            subscriptions: self.subscriptions.len(),
            transactions: self.transactions.len(),
            frames_in: self.frames_in,
            messages_out: self.messages_out,
            is_held: self.held.is_some(),
        }
    }
}

/// What falls due.
enum Duty {
    Beat,
    GiveUpLogin,
    GiveUpPeer,
}
