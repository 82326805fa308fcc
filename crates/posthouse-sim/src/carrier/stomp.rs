//! STOMP: the real session at the node's end, a small client at the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_core::driver::Driver;
use posthouse_core::effect::Effect;
use posthouse_core::ids::HolderId;
use posthouse_core::time::Now;
use posthouse_wire::stomp::session::{Session, SessionConfig};
use posthouse_wire::stomp::{
    Command, FrameLimits, FrameRef, FrameWriter, HeartBeat, Inbox, Version,
};

use crate::carrier::Parcel;
use crate::carrier::message::{FILLING_BYTES, body_of, key_of_body, selector_text};
use crate::clock::wall_ms_of;
use crate::history::{
    Call, Consumer, Key, Mode, Op, Send, Settle, Subscribe, Target, Transacted, Verdict,
};
use crate::plan::Plan;
use crate::port::{Arrival, Reply, Request};

/// The header in which a client names itself as a producer.
const PRODUCER_HEADER: &str = "posthouse-producer";

/// The header in which a client numbers its messages.
const PRODUCER_SEQ_HEADER: &str = "posthouse-seq";

/// The node's end: a session with the parcels of the simulation around it.
pub struct StompFront {
    session: Session,
}

impl StompFront {
    /// The session of a new link.
    pub fn new(plan: &Plan, now: Now) -> StompFront {
        let config = SessionConfig {
            heart_beat: HeartBeat { send_ms: 1_000, want_ms: 1_000 },
            login_ms_max: 5_000,
            out_bytes_soft: 64 * plan.window_parcels,
            out_bytes_hard: 1 << 16,
            ..SessionConfig::default()
        };
        StompFront { session: Session::new(Arc::new(config), now) }
    }

    /// Takes bytes from the client.
    pub fn on_bytes(&mut self, now: Now, bytes: &[u8], driver: &mut Driver) {
        self.session.on_bytes(now, bytes, driver);
    }

    /// Takes an effect for the holder.
    pub fn on_effect(&mut self, now: Now, effect: Effect, driver: &mut Driver) {
        self.session.on_effect(now, effect, driver);
    }

    /// Takes at most `bytes_max` bytes of output, which count as written.
    pub fn write(&mut self, now: Now, bytes_max: usize, driver: &mut Driver) -> Option<Parcel> {
        let output = self.session.output();
        let bytes: Vec<u8> = output.iter().take(bytes_max).copied().collect();
        if bytes.is_empty() {
            return None;
        }
        self.session.on_written(now, bytes.len(), driver);
        Some(Parcel::Bytes(bytes))
    }

    /// The link is gone.
    pub fn on_closed(&mut self, now: Now, driver: &mut Driver) {
        self.session.on_closed(now, driver);
    }

    /// Time has passed.
    pub fn on_timeout(&mut self, now: Now) {
        self.session.on_timeout(now);
    }

    /// When [`StompFront::on_timeout`] is due, in milliseconds.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.session.next_deadline_ms()
    }

    /// Whether bytes are to be taken.
    pub fn wants_input(&self) -> bool {
        self.session.wants_input()
    }

    /// Whether only the output is left.
    pub fn is_closing(&self) -> bool {
        self.session.is_closing()
    }

    /// The holder, once logged in.
    pub fn holder(&self) -> Option<HolderId> {
        self.session.holder()
    }
}

/// The client's end.
pub struct StompPeer {
    version: Version,
    inbox: Inbox,
    names: BTreeMap<u64, String>,
    next_handle: u64,
    filling_bytes: u64,
}

impl StompPeer {
    /// A client's end that speaks one of the versions.
    pub fn new(choice: u64) -> StompPeer {
        let version = match choice % 4 {
            0 => Version::V1_0,
            1 => Version::V1_1,
            _ => Version::V1_2,
        };
        StompPeer {
            version,
            inbox: Inbox::new(FrameLimits::AFTER_LOGIN, version),
            names: BTreeMap::new(),
            next_handle: 0,
            filling_bytes: FILLING_BYTES,
        }
    }

    /// The same, with bodies that are filled up with less than `bytes`. Everybody who is to
    /// receive them must be told the same.
    pub fn filling(self, bytes: u64) -> StompPeer {
        StompPeer { filling_bytes: bytes, ..self }
    }

    /// A request as bytes.
    pub fn encode(&mut self, request: &Request) -> Vec<u8> {
        match request {
            Request::Connect { client } => self.connect(client.as_deref()),
            Request::Call { op, call, receipt, handle } => {
                let name = self.names.get(handle).cloned().unwrap_or_default();
                frame_of(self, *op, call, *receipt, &name)
            }
        }
    }

    fn connect(&self, client: Option<&str>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut frame = FrameWriter::new(&mut out, self.version, Command::Connect);
        put(&mut frame, "accept-version", self.version.as_str());
        put(&mut frame, "host", "simulation");
        client.iter().for_each(|client| put(&mut frame, "client-id", client));
        frame.finish();
        out
    }

    /// The replies that newly read bytes complete.
    pub fn decode(&mut self, bytes: &[u8]) -> Vec<Reply> {
        let mut reading = self.inbox.read(bytes);
        let mut replies = Vec::new();
        while let Some(frame) = reading.next_frame().expect("the node writes STOMP") {
            let names = &mut self.names;
            let next_handle = &mut self.next_handle;
            replies.extend(missed_of(&frame));
            replies.push(reply_of(&frame, self.filling_bytes, |name| {
                *next_handle += 1;
                names.insert(*next_handle, name);
                *next_handle
            }));
        }
        replies
    }
}

fn put(frame: &mut FrameWriter<'_>, name: &str, value: &str) {
    frame.header(name, value).expect("the simulation's headers are plain");
}

fn put_number(frame: &mut FrameWriter<'_>, name: &str, number: u64) {
    frame.header_number(name, number).expect("a number is plain");
}

fn frame_of(peer: &StompPeer, op: Op, call: &Call, receipt: bool, delivery: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let version = peer.version;
    let mut frame = FrameWriter::new(&mut out, version, command_of(call));
    if receipt || *call == Call::Disconnect {
        put_number(&mut frame, "receipt", op);
    }
    match call {
        Call::Send(send) => {
            put_send(&mut frame, send);
            let body = body_of(send.key, peer.filling_bytes);
            frame.body(body.as_bytes()).expect("a SEND frame has a body");
            return out;
        }
        Call::Subscribe(wish) => put_subscribe(&mut frame, wish),
        Call::Unsubscribe(consumer) => put_number(&mut frame, "id", *consumer),
        Call::Forget(durable) => {
            put(&mut frame, "id", &durable.name);
            put(&mut frame, "activemq.subscriptionName", &durable.name);
        }
        Call::Settle(settle) => put_settle(&mut frame, version, settle, delivery),
        Call::Transact(id, _) => put_number(&mut frame, "transaction", *id),
        Call::Disconnect => {}
        Call::Purge(_) | Call::Redrive(_) => unreachable!("clients do not manage the node"),
    }
    frame.finish();
    out
}

fn command_of(call: &Call) -> Command {
    match call {
        Call::Send(_) => Command::Send,
        Call::Subscribe(_) => Command::Subscribe,
        Call::Unsubscribe(_) | Call::Forget(_) => Command::Unsubscribe,
        Call::Settle(Settle { verdict: Verdict::Ack, .. }) => Command::Ack,
        Call::Settle(_) => Command::Nack,
        Call::Transact(_, Transacted::Begin) => Command::Begin,
        Call::Transact(_, Transacted::Commit) => Command::Commit,
        Call::Transact(_, Transacted::Abort) => Command::Abort,
        Call::Disconnect | Call::Purge(_) | Call::Redrive(_) => Command::Disconnect,
    }
}

fn put_send(frame: &mut FrameWriter<'_>, send: &Send) {
    put(frame, "destination", &send.to.to_string());
    if send.persistent {
        put(frame, "persistent", "true");
    }
    put_number(frame, "priority", u64::from(send.priority));
    if send.expires_ms != 0 {
        put_number(frame, "expires", wall_ms_of(send.expires_ms));
    }
    put_number(frame, "label", u64::from(send.label));
    if let Some((producer, number)) = send.dedup {
        put(frame, PRODUCER_HEADER, &format!("{producer:032x}"));
        put_number(frame, PRODUCER_SEQ_HEADER, number);
    }
    if let Some(transaction) = send.transaction {
        put_number(frame, "transaction", transaction);
    }
}

fn put_subscribe(frame: &mut FrameWriter<'_>, wish: &Subscribe) {
    put_number(frame, "id", wish.consumer);
    put(frame, "destination", &wish.to.to_string());
    put(
        frame,
        "ack",
        match wish.mode {
            Mode::Auto => "auto",
            Mode::Cumulative => "client",
            Mode::Individual => "client-individual",
        },
    );
    put_number(frame, "activemq.prefetchSize", u64::from(wish.prefetch));
    if let Some(text) = selector_text(wish.wants) {
        put(frame, "selector", &text);
    }
    if let Some(durable) = &wish.durable {
        put(frame, "activemq.subscriptionName", &durable.name);
    }
    for (flag, header) in [(wish.browse, "browser"), (wish.no_local, "no-local")] {
        if flag {
            put(frame, header, "true");
        }
    }
}

fn put_settle(frame: &mut FrameWriter<'_>, version: Version, settle: &Settle, delivery: &str) {
    if version == Version::V1_2 {
        put(frame, "id", delivery);
    } else {
        put(frame, "message-id", delivery);
        put_number(frame, "subscription", settle.consumer);
    }
    match settle.verdict {
        Verdict::Ack | Verdict::Reject => {}
        Verdict::Requeue => put(frame, "requeue", "true"),
        Verdict::DeadLetter => put(frame, "requeue", "false"),
    }
    if let Some(transaction) = settle.transaction {
        put_number(frame, "transaction", transaction);
    }
}

/// A frame of the node as a reply; `keep` remembers how the node names a delivery.
fn reply_of(frame: &FrameRef<'_>, filling_bytes: u64, keep: impl FnOnce(String) -> u64) -> Reply {
    let text = |name: &str| frame.header(name).unwrap_or_default().into_owned();
    match frame.command() {
        Command::Connected => Reply::Connected,
        Command::Receipt => Reply::Receipt(text("receipt-id").parse().unwrap_or(Op::MAX)),
        Command::Message if text("browser") == "end" => Reply::BrowseEnd(consumer_of(frame)),
        Command::Message => Reply::Message(arrival_of(frame, filling_bytes, keep)),
        _ => {
            let detail = text("message");
            let code = detail.split(' ').next().unwrap_or_default().to_owned();
            Reply::Refused { op: text("receipt-id").parse().ok(), code, detail }
        }
    }
}

/// How many messages the subscriber has missed, which the next message tells.
fn missed_of(frame: &FrameRef<'_>) -> Option<Reply> {
    let count = frame.header("missed")?.parse().ok()?;
    Some(Reply::Missed(consumer_of(frame), count))
}

fn consumer_of(frame: &FrameRef<'_>) -> Consumer {
    let id = frame.header("subscription").unwrap_or_default();
    id.parse().unwrap_or(Consumer::MAX)
}

fn arrival_of(
    frame: &FrameRef<'_>,
    filling_bytes: u64,
    keep: impl FnOnce(String) -> u64,
) -> Arrival {
    let name = frame.header("ack").or_else(|| frame.header("message-id"));
    let from = frame.header("destination").unwrap_or_default();
    let count = frame.header("delivery-count").and_then(|text| text.parse::<u32>().ok());
    Arrival {
        consumer: consumer_of(frame),
        handle: keep(name.unwrap_or_default().into_owned()),
        key: key_of_body(frame.body(), filling_bytes).unwrap_or(Key::MAX),
        from: from.parse().unwrap_or_else(|_| Target::queue("?")),
        redeliveries: count.map_or(0, |count| count.saturating_sub(1)),
    }
}
