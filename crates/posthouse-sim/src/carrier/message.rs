//! Messages and selectors as the simulation makes them, whatever carries them.

use posthouse_core::message::{Envelope, EnvelopeHead, ProducerSeq};
use posthouse_core::property::{PropertyWriter, Value};
use posthouse_core::selector::{Selector, Strings};
use posthouse_core::time::Now;

use crate::clock::wall_ms_of;
use crate::history::{Key, Send, Wants};

/// A wish as a selector, read as protocols whose headers are all text read it.
pub fn selector(wants: Wants) -> Option<Selector> {
    let text = selector_text(wants)?;
    Some(Selector::parse(&text, Strings::Convert).expect("it is written here"))
}

/// A wish as the text of a selector.
pub fn selector_text(wants: Wants) -> Option<String> {
    match wants {
        Wants::All => None,
        Wants::Label(label) => Some(format!("label = {label}")),
        Wants::Not(label) => Some(format!("label <> {label}")),
    }
}

/// A message to be sent.
pub fn envelope(now: Now, send: &Send) -> Envelope {
    let mut properties = PropertyWriter::default();
    properties.own("label", Value::Int(i64::from(send.label)));
    let head = EnvelopeHead {
        persistent: send.persistent,
        priority: send.priority,
        timestamp_ms: now.wall_ms,
        expires_ms: wall_ms_of(send.expires_ms),
        producer: send.dedup.map(|(name, seq)| ProducerSeq { producer: u128::from(name), seq }),
        ..EnvelopeHead::default()
    };
    Envelope::new(head, properties, body_of(send.key, FILLING_BYTES).as_bytes())
}

/// The usual bound of what bodies are filled up with, in bytes.
pub const FILLING_BYTES: u64 = 120;

/// The body of a message: its key, and more or less of what nobody reads, but always less than
/// `filling_bytes` of it.
pub fn body_of(key: Key, filling_bytes: u64) -> String {
    let filling = usize::try_from(key * 37 % filling_bytes).unwrap_or(0);
    format!("{key} {}", "x".repeat(filling))
}

/// The key of a message by its body.
pub fn key_of(message: &Envelope) -> Option<Key> {
    key_of_body(message.body(), FILLING_BYTES)
}

/// The key that a body begins with, if every byte of it is as it was sent.
pub fn key_of_body(body: &[u8], filling_bytes: u64) -> Option<Key> {
    let text = std::str::from_utf8(body).ok()?;
    let key = text.split_once(' ')?.0.parse().ok()?;
    (body_of(key, filling_bytes) == text).then_some(key)
}
