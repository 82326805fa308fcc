//! Messages and selectors as the simulation makes them, whatever carries them.

use posthouse_core::message::{Envelope, EnvelopeHead, ProducerSeq};
use posthouse_core::property::{PropertyWriter, Value};
use posthouse_core::selector::{Selector, Strings};
use posthouse_core::time::Now;

use crate::clock::wall_ms_of;
use crate::history::{Key, Send, Wants};
use crate::random::{Random, Stream};

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

/// Bits of a key that number the message; those above say how many bytes more its body has.
const NUMBER_BITS: u32 = 40;

/// The key of a message whose body is so much larger than others.
pub fn large_key(number: u64, more_bytes: u64) -> Key {
    number | more_bytes << NUMBER_BITS
}

/// The body of a message: its key, and more or less of what nobody reads, which is another for
/// each key and nowhere repeats itself. It is less than `filling_bytes`, and what a large key says.
pub fn body_of(key: Key, filling_bytes: u64) -> String {
    let number = key % (1 << NUMBER_BITS);
    let filling = number * 37 % filling_bytes + (key >> NUMBER_BITS);
    let mut random = Random::new(key, Stream::Bodies);
    let letters = std::iter::repeat_with(|| random.bits().to_le_bytes()).flatten();
    let letters = letters.take(usize::try_from(filling).unwrap_or(0));
    let mut body = format!("{key} ");
    body.extend(letters.map(|byte| char::from(b'a' + byte % 16)));
    body
}

/// The key of a message by its body.
pub fn key_of(message: &Envelope) -> Option<Key> {
    key_of_body(message.body(), FILLING_BYTES)
}

/// The key that a body begins with, if every byte of it is as it was sent.
pub fn key_of_body(body: &[u8], filling_bytes: u64) -> Option<Key> {
    let digits = body.split(|byte| *byte == b' ').next()?;
    let key = std::str::from_utf8(digits).ok()?.parse().ok()?;
    // A number that was altered must not ask for more than there is.
    let is_possible = key >> NUMBER_BITS <= body.len() as u64;
    (is_possible && body_of(key, filling_bytes).as_bytes() == body).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::{FILLING_BYTES, body_of, key_of_body, large_key};

    #[test]
    fn a_body_that_was_altered_is_nobodys() {
        let key_of = |body: &[u8]| key_of_body(body, FILLING_BYTES);
        for key in [7, large_key(8, 50_000)] {
            let body = body_of(key, FILLING_BYTES).into_bytes();
            assert_eq!(key_of(&body), Some(key));
            for at in [0, body.len() / 2, body.len() - 1] {
                let mut altered = body.clone();
                altered[at] ^= 1;
                assert_eq!(key_of(&altered), None, "byte {at} of {}", body.len());
            }
            assert_eq!(key_of(&body[..body.len() - 1]), None);
        }
        assert!(body_of(large_key(8, 50_000), FILLING_BYTES).len() > 50_000);
    }
}
