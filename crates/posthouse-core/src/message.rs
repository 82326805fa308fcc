//! The neutral message: fixed fields, one block of properties that is decoded only when somebody
//! looks, and a body that nobody looks into.
//!
//! Properties and body stand in one allocation. What a protocol makes of a message on its way out
//! is cached here per wire form, so that a thousand subscribers share one encoding; it is never
//! stored.

use std::cell::OnceCell;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::destination::DestinationName;
use crate::ids::{BacklogKey, MessageId};
use crate::property::{Lookup, Name, Properties, PropertyWriter, Value, WellKnown};

/// The priority of a message that names none (Jakarta Messaging 3.1 section 3.4.10).
pub const PRIORITY_DEFAULT: u8 = 4;

/// The highest priority.
pub const PRIORITY_MAX: u8 = 9;

/// Bytes of unused room that a message may keep.
const SLACK_BYTES_MAX: usize = 128;

/// Bytes that a message costs beyond its properties and body, as the limits count it.
pub const OVERHEAD_BYTES: usize = 256;

/// What messages count against limits is a multiple of this.
pub const SIZE_UNIT_BYTES: usize = 16;

/// What the sender meant the body to be. It is kept so that another protocol can say it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// Characters in UTF-8.
    Text,
    /// Bytes.
    Bytes,
}

/// Names a message by its producer, so that a second arrival of the same one is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProducerSeq {
    /// The producer, chosen by itself at random.
    pub producer: u128,
    /// Counts that producer's messages. Resends carry the same number.
    pub seq: u64,
}

/// The forms in which an encoded message is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireForm {
    /// STOMP 1.0.
    Stomp10,
    /// STOMP 1.1.
    Stomp11,
    /// STOMP 1.2.
    Stomp12,
}

impl WireForm {
    const COUNT: usize = WireForm::Stomp12 as usize + 1;
}

/// A message as its sender made it. It never changes once it is built.
#[derive(Debug)]
pub struct Envelope {
    /// Whether it must survive a crash.
    pub persistent: bool,
    /// 0 to 9; higher goes first.
    pub priority: u8,
    /// When it was sent, in wall milliseconds.
    pub timestamp_ms: u64,
    /// When it expires, in wall milliseconds; 0 means never.
    pub expires_ms: u64,
    /// What the body is.
    pub body_kind: BodyKind,
    /// The producer's own number for it, if it gave one.
    pub producer: Option<ProducerSeq>,
    content: Bytes,
    block_bytes: u32,
    encoded: OnceLock<Box<[OnceLock<Bytes>; WireForm::COUNT]>>,
}

/// The fixed fields of an [`Envelope`] that is about to be built.
#[derive(Clone, Copy, Debug)]
pub struct EnvelopeHead {
    /// See [`Envelope::persistent`].
    pub persistent: bool,
    /// See [`Envelope::priority`].
    pub priority: u8,
    /// See [`Envelope::timestamp_ms`].
    pub timestamp_ms: u64,
    /// See [`Envelope::expires_ms`].
    pub expires_ms: u64,
    /// See [`Envelope::body_kind`].
    pub body_kind: BodyKind,
    /// See [`Envelope::producer`].
    pub producer: Option<ProducerSeq>,
}

impl Default for EnvelopeHead {
    fn default() -> EnvelopeHead {
        EnvelopeHead {
            persistent: false,
            priority: PRIORITY_DEFAULT,
            timestamp_ms: 0,
            expires_ms: 0,
            body_kind: BodyKind::Text,
            producer: None,
        }
    }
}

impl Envelope {
    /// Builds a message from its fields, the properties written so far and its body.
    pub fn new(head: EnvelopeHead, properties: PropertyWriter, body: &[u8]) -> Envelope {
        let mut content = properties.into_bytes();
        let block_bytes = u32::try_from(content.len()).expect("property block under 4 GiB");
        content.reserve_exact(body.len());
        content.extend_from_slice(body);
        // Headers that are not kept must not keep their room, which nothing counts.
        if content.capacity() - content.len() > SLACK_BYTES_MAX {
            content.shrink_to_fit();
        }
        Envelope::from_content(head, content.into(), block_bytes)
    }

    /// Builds a message around content that is already laid out: the property block, then the
    /// body.
    pub fn from_content(head: EnvelopeHead, content: Bytes, block_bytes: u32) -> Envelope {
        assert!(block_bytes as usize <= content.len(), "the block is part of the content");
        assert!(head.priority <= PRIORITY_MAX, "priority is checked where it is read");
        Envelope {
            persistent: head.persistent,
            priority: head.priority,
            timestamp_ms: head.timestamp_ms,
            expires_ms: head.expires_ms,
            body_kind: head.body_kind,
            producer: head.producer,
            content,
            block_bytes,
            encoded: OnceLock::new(),
        }
    }

    /// The fixed fields again, for a record.
    pub fn head(&self) -> EnvelopeHead {
        EnvelopeHead {
            persistent: self.persistent,
            priority: self.priority,
            timestamp_ms: self.timestamp_ms,
            expires_ms: self.expires_ms,
            body_kind: self.body_kind,
            producer: self.producer,
        }
    }

    /// Property block and body as one piece.
    pub fn content(&self) -> &Bytes {
        &self.content
    }

    /// How many bytes of the content are the property block.
    pub fn block_bytes(&self) -> u32 {
        self.block_bytes
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.content[self.block_bytes as usize..]
    }

    /// The properties in the order in which they were written.
    pub fn properties(&self) -> Properties<'_> {
        Properties::new(&self.content[..self.block_bytes as usize])
    }

    /// One of the strings that every protocol knows, if it is set.
    pub fn well_known(&self, field: WellKnown) -> Option<&str> {
        self.properties().find_map(|property| match (property.name, property.value) {
            (Name::WellKnown(found), Value::Str(text)) if found == field => Some(text),
            _ => None,
        })
    }

    /// What the message counts against limits, in bytes: a multiple of [`SIZE_UNIT_BYTES`].
    pub fn size_bytes(&self) -> usize {
        (self.content.len() + OVERHEAD_BYTES).next_multiple_of(SIZE_UNIT_BYTES)
    }

    /// Whether it has expired at `wall_ms`.
    pub fn is_expired(&self, wall_ms: u64) -> bool {
        self.expires_ms != 0 && self.expires_ms <= wall_ms
    }

    /// The message in a wire form, made by `encode` once and shared from then on.
    pub fn encoded(&self, form: WireForm, encode: impl Fn(&Envelope) -> Bytes) -> Bytes {
        let forms = self.encoded.get_or_init(Box::default);
        match forms.get(form as usize) {
            Some(kept) => kept.get_or_init(|| encode(self)).clone(),
            None => encode(self),
        }
    }
}

/// Why a message was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterReason {
    /// A consumer refused it.
    Rejected,
    /// It was tried as often as its destination allows.
    DeliveryLimit,
    /// It expired before anybody took it.
    Expired,
}

impl DeadLetterReason {
    /// The word that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            DeadLetterReason::Rejected => "rejected",
            DeadLetterReason::DeliveryLimit => "delivery-limit",
            DeadLetterReason::Expired => "expired",
        }
    }
}

/// Where a message was before it was moved, and why it was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Its identity where it was first kept, so that what users see stays the same.
    pub first_id: MessageId,
    /// The backlog it was taken from.
    pub source: BacklogKey,
    /// The name of the destination it was taken from.
    pub destination: Arc<DestinationName>,
    /// Why it was set aside; absent once it has been returned to its origin.
    pub reason: Option<DeadLetterReason>,
    /// How often it had been dispatched.
    pub deliveries: u32,
    /// When it was moved, in wall milliseconds.
    pub moved_ms: u64,
}

/// A message with its identity, as selectors see it.
pub struct Selectable<'a> {
    envelope: &'a Envelope,
    id: MessageId,
    id_text: OnceCell<String>,
}

impl<'a> Selectable<'a> {
    /// Makes `envelope` visible to a selector under the identity `id`.
    pub fn new(envelope: &'a Envelope, id: MessageId) -> Selectable<'a> {
        Selectable { envelope, id, id_text: OnceCell::new() }
    }

    fn message_id(&self) -> &str {
        match self.envelope.well_known(WellKnown::MessageId) {
            Some(text) => text,
            None => self.id_text.get_or_init(|| self.id.to_string()),
        }
    }

    fn header(&self, name: &str) -> Option<Value<'_>> {
        let text = |field| self.envelope.well_known(field).map_or(Value::Null, Value::Str);
        let mode = if self.envelope.persistent { "PERSISTENT" } else { "NON_PERSISTENT" };
        Some(match name {
            "JMSPriority" => Value::Int(i64::from(self.envelope.priority)),
            "JMSTimestamp" => Value::Int(self.envelope.timestamp_ms as i64),
            "JMSExpiration" => Value::Int(self.envelope.expires_ms as i64),
            "JMSDeliveryMode" => Value::Str(mode),
            "JMSMessageID" => Value::Str(self.message_id()),
            "JMSCorrelationID" => text(WellKnown::CorrelationId),
            "JMSReplyTo" => text(WellKnown::ReplyTo),
            "JMSType" => text(WellKnown::Type),
            "JMSXGroupID" => text(WellKnown::GroupId),
            _ => return None,
        })
    }
}

impl Lookup for Selectable<'_> {
    fn value(&self, name: &str) -> Value<'_> {
        if name.starts_with("JMS")
            && let Some(value) = self.header(name)
        {
            return value;
        }
        let found = self.envelope.properties().find(|property| property.name == Name::Own(name));
        found.map_or(Value::Null, |property| property.value)
    }
}
