//! Records as bytes: a tag, then the fields in order. Integers are little-endian; texts and lists
//! are preceded by a `u32` length. Every length is checked against what is there before anything
//! is allocated.

use std::sync::Arc;

use bytes::Bytes;

use crate::destination::Kind;
use crate::ids::{BacklogKey, DestinationId, Seq, SubscriptionId};
use crate::message::{
    BodyKind, DeadLetterReason, Envelope, EnvelopeHead, PRIORITY_MAX, ProducerSeq,
};
use crate::property::Properties;
use crate::record::{Attempt, Enqueued, Moved, Record, Removed, checkpointed};

const TAG_STARTED: u8 = 1;
const TAG_DESTINATION_DEFINED: u8 = 2;
const TAG_DESTINATION_REMOVED: u8 = 3;
const TAG_SUBSCRIPTION_DEFINED: u8 = 4;
const TAG_SUBSCRIPTION_REMOVED: u8 = 5;
const TAG_ENQUEUED: u8 = 6;
const TAG_REMOVED: u8 = 7;
const TAG_RETURNED: u8 = 8;
const TAG_DISPATCHED: u8 = 9;
const TAG_MOVED: u8 = 10;
const TAG_TRANSACTION: u8 = 11;
const TAG_NUMBERED: u8 = 12;
const TAG_KEPT: u8 = 13;
const TAG_WAITING: u8 = 14;
const TAG_PRODUCED: u8 = 15;

const FLAG_PERSISTENT: u8 = 1;
const FLAG_TEXT: u8 = 2;
const FLAG_PRODUCER: u8 = 4;

/// Bytes that do not make a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Where in the bytes the first thing that could not be read begins.
    pub offset: usize,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no record can be read at byte {}", self.offset)
    }
}

impl std::error::Error for Malformed {}

/// Appends `record` to `out`.
pub fn encode(record: &Record, out: &mut Vec<u8>) {
    encode_noting(record, out, &mut Vec::new());
}

/// Appends `record` to `out`, and to `messages` where in `out` each [`Enqueued`] in it begins.
pub fn encode_noting(record: &Record, out: &mut Vec<u8>, messages: &mut Vec<u32>) {
    match record {
        Record::Started { run } => {
            out.push(TAG_STARTED);
            put_u32(out, *run);
        }
        Record::DestinationDefined { id, kind, path } => {
            out.push(TAG_DESTINATION_DEFINED);
            put_u32(out, id.0);
            out.push(*kind as u8);
            put_text(out, path);
        }
        Record::DestinationRemoved { id } => {
            out.push(TAG_DESTINATION_REMOVED);
            put_u32(out, id.0);
        }
        Record::SubscriptionDefined { id, client, name, path, selector } => {
            out.push(TAG_SUBSCRIPTION_DEFINED);
            put_u32(out, id.0);
            for text in [client, name, path, selector] {
                put_text(out, text);
            }
        }
        Record::SubscriptionRemoved { id } => {
            out.push(TAG_SUBSCRIPTION_REMOVED);
            put_u32(out, id.0);
        }
        Record::Enqueued(enqueued) => {
            messages.push(u32::try_from(out.len()).expect("batches are bounded far below 2^32"));
            put_enqueued(out, enqueued);
        }
        Record::Removed(removed) => put_removed(out, removed),
        Record::Returned { backlog, attempts } => put_returned(out, *backlog, attempts),
        Record::Dispatched { backlog, up_to } => {
            out.push(TAG_DISPATCHED);
            put_key(out, *backlog);
            put_u64(out, *up_to);
        }
        Record::Moved(moved) => put_moved(out, moved),
        Record::Transaction(records) => {
            out.push(TAG_TRANSACTION);
            put_len(out, records.len());
            records.iter().for_each(|record| encode_noting(record, out, messages));
        }
        Record::Numbered { last_destination, last_subscription } => {
            out.push(TAG_NUMBERED);
            put_u32(out, *last_destination);
            put_u32(out, *last_subscription);
        }
        Record::Kept(page) => {
            out.push(TAG_KEPT);
            checkpointed::put_page(out, page);
        }
        Record::Waiting(waiting) => {
            out.push(TAG_WAITING);
            checkpointed::put_waiting(out, waiting);
        }
        Record::Produced(produced) => {
            out.push(TAG_PRODUCED);
            checkpointed::put_produced(out, produced);
        }
    }
}

pub(super) fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn put_u64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn put_len(out: &mut Vec<u8>, len: usize) {
    put_u32(out, u32::try_from(len).expect("every list and text is bounded far below 2^32"));
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_len(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_key(out: &mut Vec<u8>, key: BacklogKey) {
    put_u32(out, key.destination.0);
    put_u32(out, key.subscription.0);
}

fn put_enqueued(out: &mut Vec<u8>, enqueued: &Enqueued) {
    out.push(TAG_ENQUEUED);
    put_u32(out, enqueued.destination.0);
    put_u64(out, enqueued.seq);
    put_len(out, enqueued.subscriptions.len());
    enqueued.subscriptions.iter().for_each(|subscription| put_u32(out, subscription.0));
    put_envelope(out, &enqueued.message);
}

fn put_envelope(out: &mut Vec<u8>, message: &Envelope) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    out.push(
        flag(message.persistent, FLAG_PERSISTENT)
            | flag(message.body_kind == BodyKind::Text, FLAG_TEXT)
            | flag(message.producer.is_some(), FLAG_PRODUCER),
    );
    out.push(message.priority);
    put_u64(out, message.timestamp_ms);
    put_u64(out, message.expires_ms);
    if let Some(ProducerSeq { producer, seq }) = message.producer {
        out.extend_from_slice(&producer.to_le_bytes());
        put_u64(out, seq);
    }
    put_u32(out, message.block_bytes());
    put_len(out, message.content().len());
    out.extend_from_slice(message.content());
}

fn put_removed(out: &mut Vec<u8>, removed: &Removed) {
    out.push(TAG_REMOVED);
    put_key(out, removed.from);
    put_len(out, removed.seqs.len());
    removed.seqs.iter().for_each(|seq| put_u64(out, *seq));
}

fn put_returned(out: &mut Vec<u8>, backlog: BacklogKey, attempts: &[Attempt]) {
    out.push(TAG_RETURNED);
    put_key(out, backlog);
    put_len(out, attempts.len());
    for attempt in attempts {
        put_u64(out, attempt.seq);
        put_u32(out, attempt.deliveries);
        put_u32(out, attempt.failures);
    }
}

fn put_moved(out: &mut Vec<u8>, moved: &Moved) {
    out.push(TAG_MOVED);
    put_key(out, moved.from);
    put_u64(out, moved.seq);
    put_key(out, moved.to);
    put_u64(out, moved.to_seq);
    put_reason(out, moved.reason);
    put_u64(out, moved.moved_ms);
    put_u32(out, moved.deliveries);
}

pub(super) fn put_reason(out: &mut Vec<u8>, reason: Option<DeadLetterReason>) {
    out.push(match reason {
        None => 0,
        Some(DeadLetterReason::Rejected) => 1,
        Some(DeadLetterReason::DeliveryLimit) => 2,
        Some(DeadLetterReason::Expired) => 3,
    });
}

/// Reads all records in `bytes`, as one batch holds them.
///
/// # Errors
/// If the bytes are not records from the first to the last.
pub fn decode_all(bytes: &Bytes) -> Result<Vec<Record>, Malformed> {
    decode_noting(bytes).map(|(records, _)| records)
}

/// The same, with where each [`Enqueued`] begins, as [`encode_noting`] says it.
///
/// # Errors
/// If the bytes are not records from the first to the last.
pub fn decode_noting(bytes: &Bytes) -> Result<(Vec<Record>, Vec<u32>), Malformed> {
    let mut reader = Reader { bytes, offset: 0, messages: Vec::new() };
    let mut records = Vec::new();
    while reader.offset < bytes.len() {
        let offset = reader.offset;
        records.push(reader.record(false).ok_or(Malformed { offset })?);
    }
    Ok((records, reader.messages))
}

/// Reads the one message record that `bytes` begin with, and how many bytes it takes. What is
/// behind it does not matter.
///
/// # Errors
/// If the bytes do not begin with a whole [`Enqueued`] record.
pub fn decode_message(bytes: &Bytes) -> Result<(Enqueued, usize), Malformed> {
    let mut reader = Reader { bytes, offset: 0, messages: Vec::new() };
    match reader.record(false) {
        Some(Record::Enqueued(enqueued)) => Ok((enqueued, reader.offset)),
        _ => Err(Malformed { offset: 0 }),
    }
}

pub(super) struct Reader<'a> {
    bytes: &'a Bytes,
    offset: usize,
    /// Where each message record begins.
    messages: Vec<u32>,
}

impl Reader<'_> {
    fn record(&mut self, inside: bool) -> Option<Record> {
        Some(match self.u8()? {
            TAG_STARTED => Record::Started { run: self.u32()? },
            TAG_DESTINATION_DEFINED => Record::DestinationDefined {
                id: DestinationId(self.u32()?),
                kind: self.kind()?,
                path: self.text()?,
            },
            TAG_DESTINATION_REMOVED => {
                Record::DestinationRemoved { id: DestinationId(self.u32()?) }
            }
            TAG_SUBSCRIPTION_DEFINED => Record::SubscriptionDefined {
                id: SubscriptionId(self.u32()?),
                client: self.text()?,
                name: self.text()?,
                path: self.text()?,
                selector: self.text()?,
            },
            TAG_SUBSCRIPTION_REMOVED => {
                Record::SubscriptionRemoved { id: SubscriptionId(self.u32()?) }
            }
            TAG_ENQUEUED => {
                self.messages.push(u32::try_from(self.offset - 1).ok()?);
                self.enqueued()?
            }
            TAG_REMOVED => {
                let from = self.key()?;
                Record::Removed(Removed { from, seqs: self.list(8, Reader::u64)? })
            }
            TAG_RETURNED => {
                let backlog = self.key()?;
                Record::Returned { backlog, attempts: self.list(16, Reader::attempt)? }
            }
            TAG_DISPATCHED => Record::Dispatched { backlog: self.key()?, up_to: self.u64()? },
            TAG_MOVED => Record::Moved(self.moved()?),
            TAG_TRANSACTION if !inside => {
                Record::Transaction(self.list(1, |reader| reader.record(true))?)
            }
            TAG_NUMBERED => {
                Record::Numbered { last_destination: self.u32()?, last_subscription: self.u32()? }
            }
            TAG_KEPT => Record::Kept(self.page()?),
            TAG_WAITING => Record::Waiting(self.waiting()?),
            TAG_PRODUCED => Record::Produced(self.produced()?),
            _ => return None,
        })
    }

    fn enqueued(&mut self) -> Option<Record> {
        let destination = DestinationId(self.u32()?);
        let seq = self.u64()?;
        let subscriptions = self.list(4, |reader| reader.u32().map(SubscriptionId))?;
        let message = Arc::new(self.envelope()?);
        Some(Record::Enqueued(Enqueued { destination, seq, subscriptions, message }))
    }

    fn envelope(&mut self) -> Option<Envelope> {
        let flags = self.u8()?;
        let priority = self.u8().filter(|priority| *priority <= PRIORITY_MAX)?;
        let (timestamp_ms, expires_ms) = (self.u64()?, self.u64()?);
        let producer = if flags & FLAG_PRODUCER == 0 { None } else { Some(self.producer()?) };
        let block_bytes = self.u32()?;
        let len = self.u32()? as usize;
        let start = self.offset;
        self.take(len)?;
        let content = self.bytes.slice(start..start + len);
        let block = content.get(..block_bytes as usize)?;
        if !Properties::new(block).is_valid() {
            return None;
        }
        let head = EnvelopeHead {
            persistent: flags & FLAG_PERSISTENT != 0,
            priority,
            timestamp_ms,
            expires_ms,
            body_kind: if flags & FLAG_TEXT == 0 { BodyKind::Bytes } else { BodyKind::Text },
            producer,
        };
        // The message outlives the batch it was read from and must not pin the whole of it.
        Some(Envelope::from_content(head, Bytes::copy_from_slice(&content), block_bytes))
    }

    fn producer(&mut self) -> Option<ProducerSeq> {
        let producer = u128::from_le_bytes(self.take(16)?.try_into().ok()?);
        Some(ProducerSeq { producer, seq: self.u64()? })
    }

    fn moved(&mut self) -> Option<Moved> {
        Some(Moved {
            from: self.key()?,
            seq: self.u64()?,
            to: self.key()?,
            to_seq: self.u64()?,
            reason: self.reason()?,
            moved_ms: self.u64()?,
            deliveries: self.u32()?,
        })
    }

    /// `None` for a byte that is no reason, `Some(None)` for the absence of one.
    pub(super) fn reason(&mut self) -> Option<Option<DeadLetterReason>> {
        match self.u8()? {
            0 => Some(None),
            1 => Some(Some(DeadLetterReason::Rejected)),
            2 => Some(Some(DeadLetterReason::DeliveryLimit)),
            3 => Some(Some(DeadLetterReason::Expired)),
            _ => None,
        }
    }

    fn attempt(&mut self) -> Option<Attempt> {
        Some(Attempt { seq: self.seq()?, deliveries: self.u32()?, failures: self.u32()? })
    }

    pub(super) fn seq(&mut self) -> Option<Seq> {
        self.u64()
    }

    pub(super) fn key(&mut self) -> Option<BacklogKey> {
        let destination = DestinationId(self.u32()?);
        Some(BacklogKey { destination, subscription: SubscriptionId(self.u32()?) })
    }

    pub(super) fn kind(&mut self) -> Option<Kind> {
        match self.u8()? {
            0 => Some(Kind::Queue),
            1 => Some(Kind::Topic),
            _ => None,
        }
    }

    pub(super) fn text(&mut self) -> Option<Box<str>> {
        let len = self.u32()? as usize;
        Some(std::str::from_utf8(self.take(len)?).ok()?.into())
    }

    /// A list whose items have at least `item_bytes` each, so that a wrong count is noticed
    /// before room is made for it.
    pub(super) fn list<T>(
        &mut self,
        item_bytes: usize,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let len = self.u32()? as usize;
        if len.checked_mul(item_bytes)? > self.bytes.len() - self.offset {
            return None;
        }
        (0..len).map(|_| item(self)).collect()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&[u8]> {
        let end = self.offset.checked_add(len)?;
        let taken = self.bytes.get(self.offset..end)?;
        self.offset = end;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::{decode_all, encode};
    use crate::destination::Kind;
    use crate::ids::{BacklogKey, DestinationId, SubscriptionId};
    use crate::message::{BodyKind, DeadLetterReason, Envelope, EnvelopeHead, ProducerSeq};
    use crate::property::{PropertyWriter, Value, WellKnown};
    use crate::record::{Attempt, Enqueued, Moved, Record, Removed};

    fn key(destination: u32, subscription: u32) -> BacklogKey {
        let destination = DestinationId(destination);
        BacklogKey { destination, subscription: SubscriptionId(subscription) }
    }

    fn enqueued() -> Record {
        let mut properties = PropertyWriter::default();
        properties.well_known(WellKnown::Type, "order");
        properties.own("n", Value::Int(5));
        let head = EnvelopeHead {
            persistent: true,
            priority: 9,
            timestamp_ms: 1,
            expires_ms: 2,
            body_kind: BodyKind::Bytes,
            producer: Some(ProducerSeq { producer: u128::MAX - 1, seq: 3 }),
        };
        Record::Enqueued(Enqueued {
            destination: DestinationId(7),
            seq: 1 << 44,
            subscriptions: vec![SubscriptionId(1), SubscriptionId(9)],
            message: Arc::new(Envelope::new(head, properties, b"body\0")),
        })
    }

    fn one_of_each() -> Vec<Record> {
        let moved = Moved {
            from: key(1, 2),
            seq: 3,
            to: key(4, 0),
            to_seq: 5,
            reason: Some(DeadLetterReason::DeliveryLimit),
            moved_ms: 6,
            deliveries: 7,
        };
        let removed = Record::Removed(Removed { from: key(1, 0), seqs: vec![1, 2, u64::MAX] });
        let attempt = Attempt { seq: 1, deliveries: 2, failures: 1 };
        vec![
            Record::Started { run: 3 },
            Record::DestinationDefined {
                id: DestinationId(1),
                kind: Kind::Topic,
                path: "a.驿".into(),
            },
            Record::DestinationRemoved { id: DestinationId(1) },
            Record::SubscriptionDefined {
                id: SubscriptionId(1),
                client: "c".into(),
                name: "n".into(),
                path: "a.>".into(),
                selector: "".into(),
            },
            Record::SubscriptionRemoved { id: SubscriptionId(1) },
            enqueued(),
            removed.clone(),
            Record::Returned { backlog: key(1, 0), attempts: vec![attempt] },
            Record::Dispatched { backlog: key(1, 0), up_to: 9 },
            Record::Moved(moved),
            Record::Transaction(vec![enqueued(), removed]),
        ]
    }

    #[test]
    fn every_record_reads_back_as_it_was_written() {
        let records = one_of_each();
        let mut bytes = Vec::new();
        records.iter().for_each(|record| encode(record, &mut bytes));
        let read = decode_all(&bytes.into()).expect("what was written can be read");
        assert_eq!(format!("{read:?}"), format!("{records:?}"));
    }

    /// Whatever the bytes are: no panic, and what can be read can be written and read again.
    fn fuzz_one(data: &[u8]) {
        let Ok(records) = decode_all(&Bytes::copy_from_slice(data)) else { return };
        let mut bytes = Vec::new();
        records.iter().for_each(|record| encode(record, &mut bytes));
        let again = decode_all(&bytes.into()).expect("what was written can be read");
        assert_eq!(format!("{again:?}"), format!("{records:?}"));
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_as_something_without_a_panic() {
        let mut bytes = Vec::new();
        one_of_each().iter().for_each(|record| encode(record, &mut bytes));
        for cut in 0..bytes.len() {
            fuzz_one(&bytes[..cut]);
        }
        let mut state = 0x5eed_u64;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as usize % below
        };
        for _ in 0..50_000 {
            let mut damaged = bytes.clone();
            for _ in 0..=random(3) {
                let (at, other) = (random(damaged.len()), random(damaged.len()));
                match random(4) {
                    0 => damaged[at] ^= 1 << random(8),
                    1 => damaged[at] = random(256) as u8,
                    2 => damaged.truncate(at.max(1)),
                    _ => damaged.extend_from_within(at.min(other)..at.max(other)),
                }
            }
            fuzz_one(&damaged);
        }
    }
}
