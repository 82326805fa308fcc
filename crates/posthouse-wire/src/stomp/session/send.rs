//! SEND: from headers to a neutral message.

use std::sync::Arc;

use posthouse_core::command::{Applied, Command as CoreCommand, Send};
use posthouse_core::driver::Driver;
use posthouse_core::ids::{DestinationId, HolderId};
use posthouse_core::message::{BodyKind, Envelope, EnvelopeHead, PRIORITY_MAX, ProducerSeq};
use posthouse_core::property::{PropertyWriter, Value, WellKnown};
use posthouse_core::refusal::Code;
use posthouse_core::time::Now;

use super::Session;
use super::destination::{self, Address};
use super::fault::Fault;
use super::transaction::required;
use crate::stomp::FrameRef;

/// The header in which our own client names itself as a producer: 32 hexadecimal digits.
pub const PRODUCER_HEADER: &str = "posthouse-producer";

/// The header in which our own client numbers its messages, so that a resend is recognised.
pub const PRODUCER_SEQ_HEADER: &str = "posthouse-seq";

/// Headers of MESSAGE frames that only the server sets. A sender's own would be taken for them
/// and are left out.
const SERVER_HEADERS: [&str; 11] = [
    "ack",
    "browser",
    "dead-letter-reason",
    "delivery-count",
    "message-id",
    "missed",
    "original-destination",
    "receipt",
    "redelivered",
    "subscription",
    "timestamp",
];

/// Headers that set fixed fields of a message. Of repeated ones the first counts (STOMP 1.2,
/// section "Repeated Header Entries").
const OF_THE_HEAD: [&str; 4] = ["persistent", "priority", "expires", "amq-msg-type"];

impl Session {
    pub(super) fn on_send(
        &mut self,
        now: Now,
        holder: HolderId,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        let transaction = self.transaction_of(frame)?;
        let message = Arc::new(message(now, frame)?);
        let destination = self.resolve(now, frame, driver)?;
        let receipt = self.owe_receipt(frame);
        let send = Send { holder, destination, message, transaction, receipt };
        match driver.apply(now, CoreCommand::Send(send.clone())) {
            Ok(Applied::Held) => self.held = Some(send),
            Ok(_) => {}
            Err(refusal) if refusal.code == Code::DestinationUnknown => {
                self.send_afresh(now, frame, send, driver)?;
            }
            Err(refusal) => return Err(refusal.into()),
        }
        Ok(())
    }

    /// The destination was removed after the session had looked it up: it is looked up again.
    fn send_afresh(
        &mut self,
        now: Now,
        frame: &FrameRef<'_>,
        mut send: Send,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        self.last_address = None;
        send.destination = self.resolve(now, frame, driver)?;
        if driver.apply(now, CoreCommand::Send(send.clone()))? == Applied::Held {
            self.held = Some(send);
        }
        Ok(())
    }

    /// Most producers send to the same destination as before, and then nothing is looked up.
    fn resolve(
        &mut self,
        now: Now,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<DestinationId, Fault> {
        let Some(header) = frame.header("destination") else {
            return Err(Fault::header_missing(frame.command(), "destination"));
        };
        let (kind, path) = destination::parse(&header)?;
        if let Some((address, destination)) = &self.last_address
            && address.kind == kind
            && *address.path == *path
        {
            return Ok(*destination);
        }
        let address = Address { kind, path: path.into() };
        let resolve = CoreCommand::Resolve { kind, path: path.into() };
        let Applied::Destination(destination) = driver.apply(now, resolve)? else {
            unreachable!("resolving answers a destination")
        };
        self.last_address = Some((address, destination));
        Ok(destination)
    }
}

/// Builds the neutral message: what every protocol knows by its own name, the rest as properties
/// in their order.
fn message(now: Now, frame: &FrameRef<'_>) -> Result<Envelope, Fault> {
    let body = frame.body();
    let mut head = EnvelopeHead { timestamp_ms: now.wall_ms, ..EnvelopeHead::default() };
    if frame.content_length().is_some() {
        head.body_kind = BodyKind::Bytes;
    }
    let header_bytes: usize =
        frame.headers().map(|header| header.raw_name.len() + header.raw_value.len() + 8).sum();
    let mut properties = PropertyWriter::with_capacity(header_bytes + body.len());
    for header in frame.headers() {
        let (name, value) = (header.name(), header.value());
        if let Some(field) = well_known(&name) {
            properties.well_known(field, &value);
        } else if !OF_THE_HEAD.contains(&&*name) && !is_kept_back(&name) {
            properties.own(&name, Value::Str(&value));
        }
    }
    for name in OF_THE_HEAD {
        if let Some(value) = frame.header(name) {
            read_head(&mut head, name, &value)?;
        }
    }
    head.producer = producer(frame)?;
    head.expires_ms = expiry(now, frame, head.expires_ms)?;
    Ok(Envelope::new(head, properties, body))
}

fn well_known(name: &str) -> Option<WellKnown> {
    Some(match name {
        "correlation-id" => WellKnown::CorrelationId,
        "reply-to" => WellKnown::ReplyTo,
        "type" => WellKnown::Type,
        "JMSXGroupID" => WellKnown::GroupId,
        "content-type" => WellKnown::ContentType,
        _ => return None,
    })
}

/// Takes one of the headers [`OF_THE_HEAD`].
fn read_head(head: &mut EnvelopeHead, name: &str, value: &str) -> Result<(), Fault> {
    match name {
        "persistent" => head.persistent = value == "true",
        "priority" => {
            let priority = value.trim().parse::<u8>().ok().filter(|p| *p <= PRIORITY_MAX);
            let wrong = || Fault::header_invalid(name, value, "a number from 0 to 9");
            head.priority = priority.ok_or_else(wrong)?;
        }
        "expires" => {
            let wrong = || Fault::header_invalid(name, value, "milliseconds since 1970");
            head.expires_ms = value.trim().parse().map_err(|_| wrong())?;
        }
        "amq-msg-type" => match value {
            "text" => head.body_kind = BodyKind::Text,
            "bytes" => head.body_kind = BodyKind::Bytes,
            _ => return Err(Fault::header_invalid(name, value, "text or bytes")),
        },
        _ => {}
    }
    Ok(())
}

/// Headers that are about the frame and not about the message, or that only the server sets.
fn is_kept_back(name: &str) -> bool {
    const OF_THE_FRAME: [&str; 6] = [
        "destination",
        "content-length",
        "transaction",
        "expiration",
        PRODUCER_HEADER,
        PRODUCER_SEQ_HEADER,
    ];
    OF_THE_FRAME.contains(&name) || SERVER_HEADERS.contains(&name)
}

/// When the message expires: by `expires` in absolute time, or by RabbitMQ's `expiration`, which
/// counts from now.
fn expiry(now: Now, frame: &FrameRef<'_>, expires_ms: u64) -> Result<u64, Fault> {
    let Some(text) = frame.header("expiration").filter(|_| expires_ms == 0) else {
        return Ok(expires_ms);
    };
    let life_ms: u64 = text
        .trim()
        .parse()
        .map_err(|_| Fault::header_invalid("expiration", &text, "milliseconds from now"))?;
    Ok(now.wall_ms.saturating_add(life_ms).max(1))
}

fn producer(frame: &FrameRef<'_>) -> Result<Option<ProducerSeq>, Fault> {
    let Some(name) = frame.header(PRODUCER_HEADER) else { return Ok(None) };
    let producer = u128::from_str_radix(&name, 16).map_err(|_| {
        Fault::header_invalid(PRODUCER_HEADER, &name, "up to 32 hexadecimal digits")
    })?;
    let seq = required(frame, PRODUCER_SEQ_HEADER)?;
    let wrong = || Fault::header_invalid(PRODUCER_SEQ_HEADER, &seq, "a number");
    Ok(Some(ProducerSeq { producer, seq: seq.parse().map_err(|_| wrong())? }))
}
