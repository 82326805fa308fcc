//! MESSAGE frames.
//!
//! A frame is a start of its own for each subscription (which one, which delivery, where from)
//! and a tail that depends on the message alone. Subscribers of a topic share the tail, encoded
//! once; a queue's message goes to one consumer, so its tail is written straight into the output.

use bytes::Bytes;
use posthouse_core::command::AckMode;
use posthouse_core::destination::Kind;
use posthouse_core::effect::{Delivery, Effect};
use posthouse_core::ids::ConsumerId;
use posthouse_core::message::{Envelope, WireForm};
use posthouse_core::property::{Name, Value, WellKnown};

use super::subscribe::Subscription;
use super::{Phase, Session, SessionConfig};
use crate::stomp::{Command, Escaping, Version, escape_into};

impl Session {
    /// Writes what a consumer receives, or keeps it until the peer has read. What is kept is shared
    /// with others; what is written is not.
    pub(super) fn give(&mut self, effect: Effect) {
        if !self.waiting.is_empty() || self.output.len() >= self.config.out_bytes_soft {
            return self.waiting.push_back(effect);
        }
        match effect {
            Effect::Deliver(delivery) => self.deliver(&delivery),
            Effect::BrowseEnd { consumer } => self.end_browse(consumer),
            Effect::Missed { consumer, count } => self.note_missed(consumer, count),
            Effect::Receipt { .. } | Effect::Resume | Effect::Evict { .. } => {
                unreachable!("consumers receive none of these")
            }
        }
    }

    /// Goes on with what was kept.
    pub(super) fn give_waiting(&mut self) {
        while self.phase != Phase::Closing && self.output.len() < self.config.out_bytes_soft {
            let mut waiting = std::mem::take(&mut self.waiting);
            let Some(effect) = waiting.pop_front() else { return };
            self.give(effect);
            self.waiting = waiting;
        }
    }

    fn deliver(&mut self, delivery: &Delivery) {
        let Some(key) = self.consumers.get(&delivery.consumer) else { return };
        let Some(subscription) = self.subscriptions.get_mut(key) else { return };
        let escaping = Escaping::of(self.version, Command::Message);
        let out = self.output.buffer();
        let mut start = Start { out, escaping, config: &self.config, version: self.version };
        start.write(subscription, delivery);
        if delivery.destination.kind == Kind::Topic {
            let form = wire_form(self.version);
            let tail = delivery.message.encoded(form, |message| {
                let mut tail = Vec::with_capacity(message.size_bytes());
                write_tail(&mut tail, escaping, message);
                Bytes::from(tail)
            });
            self.output.share(tail);
        } else {
            write_tail(out, escaping, &delivery.message);
        }
        self.output.mark_delivery(delivery.consumer, delivery.number);
        self.messages_out += 1;
    }

    /// A browser has seen everything: ActiveMQ's clients wait for an empty MESSAGE that says so.
    fn end_browse(&mut self, consumer: ConsumerId) {
        let Some(key) = self.consumers.get(&consumer) else { return };
        let Some(subscription) = self.subscriptions.get(key) else { return };
        let out = self.output.buffer();
        out.extend_from_slice(&subscription.prefix);
        out.extend_from_slice(b"browser:end\nmessage-id:\ndestination:\ncontent-length:0\n\n\0");
    }

    fn note_missed(&mut self, consumer: ConsumerId, count: u64) {
        let key = self.consumers.get(&consumer);
        if let Some(subscription) = key.and_then(|key| self.subscriptions.get_mut(key)) {
            subscription.missed += count;
        }
    }
}

fn wire_form(version: Version) -> WireForm {
    match version {
        Version::V1_0 => WireForm::Stomp10,
        Version::V1_1 => WireForm::Stomp11,
        Version::V1_2 => WireForm::Stomp12,
    }
}

/// Writes what is particular to one delivery.
struct Start<'s> {
    out: &'s mut Vec<u8>,
    escaping: Escaping,
    config: &'s SessionConfig,
    version: Version,
}

impl Start<'_> {
    fn write(&mut self, subscription: &mut Subscription, delivery: &Delivery) {
        self.out.extend_from_slice(&subscription.prefix);
        self.message_id(subscription, delivery);
        let kind = delivery.destination.kind.as_str();
        self.out.extend_from_slice(b"destination:/");
        self.out.extend_from_slice(kind.as_bytes());
        self.out.push(b'/');
        put_escaped_to_line_end(self.out, self.escaping, delivery.destination.path());
        if subscription.ack != AckMode::Auto && self.version == Version::V1_2 {
            self.out.extend_from_slice(b"ack:");
            put_number(self.out, u64::from(subscription.number));
            self.out.push(b'-');
            put_number(self.out, delivery.number.0);
            self.out.push(b'\n');
        }
        if delivery.redeliveries > 0 {
            self.out.extend_from_slice(b"redelivered:true\n");
            self.number("delivery-count", u64::from(delivery.redeliveries) + 1);
        }
        if subscription.missed > 0 {
            self.number("missed", std::mem::take(&mut subscription.missed));
        }
        self.provenance(delivery);
    }

    fn message_id(&mut self, subscription: &mut Subscription, delivery: &Delivery) {
        self.out.extend_from_slice(b"message-id:");
        let start = self.out.len();
        let own = delivery.message.well_known(WellKnown::MessageId);
        match own {
            Some(id) => put_escaped_to_line_end(self.out, self.escaping, id),
            None => {
                self.out.extend_from_slice(self.config.node.as_bytes());
                put_hex(self.out, u64::from(delivery.id.origin));
                put_hex(self.out, u64::from(delivery.id.destination.0));
                put_hex(self.out, delivery.id.seq);
                self.out.push(b'\n');
            }
        }
        if subscription.ack != AckMode::Auto && self.version != Version::V1_2 {
            let written = self.out.get(start..self.out.len() - 1).unwrap_or_default();
            let id = own.map_or_else(|| String::from_utf8_lossy(written).into(), str::to_owned);
            subscription.remember(id.into(), delivery.number);
        }
    }

    fn number(&mut self, name: &str, number: u64) {
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b':');
        put_number(self.out, number);
        self.out.push(b'\n');
    }

    fn provenance(&mut self, delivery: &Delivery) {
        let Some(provenance) = &delivery.provenance else { return };
        let Some(reason) = provenance.reason else { return };
        self.out.extend_from_slice(b"original-destination:");
        let origin = provenance.destination.to_string();
        put_escaped_to_line_end(self.out, self.escaping, &origin);
        self.out.extend_from_slice(b"dead-letter-reason:");
        put_escaped_to_line_end(self.out, self.escaping, reason.as_str());
    }
}

/// Writes what every receiver of the message is told alike: headers, body and NUL.
fn write_tail(out: &mut Vec<u8>, escaping: Escaping, message: &Envelope) {
    for property in message.properties() {
        let name = match property.name {
            Name::WellKnown(WellKnown::MessageId) => continue,
            Name::WellKnown(field) => well_known_header(field),
            Name::Own(name) => name,
        };
        put_header(out, escaping, name, property.value);
    }
    out.extend_from_slice(b"expires:");
    put_number(out, message.expires_ms);
    out.extend_from_slice(b"\npriority:");
    put_number(out, u64::from(message.priority));
    out.extend_from_slice(b"\ntimestamp:");
    put_number(out, message.timestamp_ms);
    if message.persistent {
        out.extend_from_slice(b"\npersistent:true");
    }
    let body = message.body();
    out.extend_from_slice(b"\ncontent-length:");
    put_number(out, body.len() as u64);
    out.extend_from_slice(b"\n\n");
    out.extend_from_slice(body);
    out.push(0);
}

fn well_known_header(field: WellKnown) -> &'static str {
    match field {
        WellKnown::MessageId => "message-id",
        WellKnown::CorrelationId => "correlation-id",
        WellKnown::ReplyTo => "reply-to",
        WellKnown::Type => "type",
        WellKnown::GroupId => "JMSXGroupID",
        WellKnown::ContentType => "content-type",
    }
}

/// Writes one header. One that the version has no way to write (1.0 has no escapes) is left out,
/// because written raw it would become another header.
fn put_header(out: &mut Vec<u8>, escaping: Escaping, name: &str, value: Value<'_>) {
    let start = out.len();
    let has_raw_colon = escaping == Escaping::Off && name.contains(':');
    let mut is_written = !has_raw_colon && escape_into(out, name, escaping).is_ok();
    out.push(b':');
    is_written &= match value {
        Value::Str(text) => escape_into(out, text, escaping).is_ok(),
        Value::Bool(truth) => {
            out.extend_from_slice(if truth { b"true" } else { b"false" });
            true
        }
        Value::Int(number) => {
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            true
        }
        Value::Float(number) => {
            out.extend_from_slice(number.to_string().as_bytes());
            true
        }
        Value::Null | Value::Bytes(_) => false,
    };
    if is_written { out.push(b'\n') } else { out.truncate(start) }
}

/// Writes a value that cannot hold what the version has no way to write; if it does after all,
/// the value is left empty.
fn put_escaped_to_line_end(out: &mut Vec<u8>, escaping: Escaping, value: &str) {
    let start = out.len();
    if escape_into(out, value, escaping).is_err() {
        out.truncate(start);
    }
    out.push(b'\n');
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a hyphen and the number in hexadecimal.
fn put_hex(out: &mut Vec<u8>, number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'-');
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        let nibble = (number >> (digit * 4)) & 0xf;
        out.push(DIGITS[nibble as usize]);
    }
}
