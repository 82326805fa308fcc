//! The records that only checkpoints have, as bytes.

use std::sync::Arc;

use super::codec::{Reader, put_key, put_len, put_reason, put_text, put_u32, put_u64};
use crate::destination::DestinationName;
use crate::ids::{DestinationId, MessageId};
use crate::message::{PRIORITY_MAX, Provenance};
use crate::record::{BitPages, KeptMessage, KeptPage, ProducedNumbers, WaitingPages};
use crate::store::Locator;

/// Sizes take the lower bits of a message's word.
const UNITS_MASK: u32 = (1 << 21) - 1;
const PRIORITY_SHIFT: u32 = 21;
const PERSISTENT: u32 = 1 << 25;
/// Expiry, waiting backlogs or provenance follow.
const HAS_MORE: u32 = 1 << 26;

pub fn put_page(out: &mut Vec<u8>, page: &KeptPage) {
    put_u32(out, page.destination.0);
    put_u64(out, page.number);
    put_len(out, page.messages.len());
    page.messages.iter().for_each(|message| put_message(out, message));
}

fn put_message(out: &mut Vec<u8>, message: &KeptMessage) {
    let provenance = message.provenance.as_ref();
    let has_more = message.expires_ms != 0 || message.waiting != 1 || provenance.is_some();
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    out.push(message.index);
    put_u32(
        out,
        message.units.min(UNITS_MASK)
            | u32::from(message.priority) << PRIORITY_SHIFT
            | flag(message.persistent, PERSISTENT)
            | flag(has_more, HAS_MORE),
    );
    put_u64(out, message.locator.0);
    if has_more {
        put_u64(out, message.expires_ms);
        put_u32(out, message.waiting);
        out.push(u8::from(provenance.is_some()));
        if let Some(provenance) = provenance {
            put_provenance(out, provenance);
        }
    }
}

fn put_provenance(out: &mut Vec<u8>, provenance: &Provenance) {
    put_u32(out, provenance.first_id.destination.0);
    put_u32(out, provenance.first_id.origin);
    put_u64(out, provenance.first_id.seq);
    put_key(out, provenance.source);
    out.push(provenance.destination.kind as u8);
    put_text(out, provenance.destination.path());
    put_reason(out, provenance.reason);
    put_u32(out, provenance.deliveries);
    put_u64(out, provenance.moved_ms);
}

pub fn put_waiting(out: &mut Vec<u8>, waiting: &WaitingPages) {
    put_key(out, waiting.backlog);
    out.push(waiting.priority);
    put_bits(out, &waiting.pages);
}

pub fn put_produced(out: &mut Vec<u8>, produced: &ProducedNumbers) {
    out.extend_from_slice(&produced.producer.to_le_bytes());
    put_u64(out, produced.floor);
    put_bits(out, &produced.seen);
}

fn put_bits(out: &mut Vec<u8>, pages: &BitPages) {
    put_len(out, pages.len());
    for (number, words) in pages {
        put_u64(out, *number);
        words.iter().for_each(|word| put_u64(out, *word));
    }
}

impl Reader<'_> {
    pub(super) fn page(&mut self) -> Option<KeptPage> {
        let destination = DestinationId(self.u32()?);
        let number = self.u64()?;
        let messages = self.list(13, Reader::kept_message)?;
        let is_ascending = messages.is_sorted_by(|a: &KeptMessage, b| a.index < b.index);
        is_ascending.then_some(KeptPage { destination, number, messages })
    }

    fn kept_message(&mut self) -> Option<KeptMessage> {
        let index = self.u8()?;
        let word = self.u32()?;
        let locator = Locator(self.u64()?);
        let priority = (word >> PRIORITY_SHIFT & 0xf) as u8;
        let mut message = KeptMessage {
            index,
            units: word & UNITS_MASK,
            priority,
            persistent: word & PERSISTENT != 0,
            locator,
            expires_ms: 0,
            waiting: 1,
            provenance: None,
        };
        if word & HAS_MORE != 0 {
            message.expires_ms = self.u64()?;
            message.waiting = self.u32()?;
            message.provenance = match self.u8()? {
                0 => None,
                _ => Some(Arc::new(self.provenance()?)),
            };
        }
        (priority <= PRIORITY_MAX && locator.is_placed()).then_some(message)
    }

    fn provenance(&mut self) -> Option<Provenance> {
        let destination = DestinationId(self.u32()?);
        let first_id = MessageId { destination, origin: self.u32()?, seq: self.u64()? };
        let source = self.key()?;
        let kind = self.kind()?;
        let name = DestinationName::new(kind, &self.text()?).ok()?;
        Some(Provenance {
            first_id,
            source,
            destination: Arc::new(name),
            reason: self.reason()?,
            deliveries: self.u32()?,
            moved_ms: self.u64()?,
        })
    }

    pub(super) fn waiting(&mut self) -> Option<WaitingPages> {
        let backlog = self.key()?;
        let priority = self.u8().filter(|priority| *priority <= PRIORITY_MAX)?;
        Some(WaitingPages { backlog, priority, pages: self.bits()? })
    }

    pub(super) fn produced(&mut self) -> Option<ProducedNumbers> {
        let producer = u128::from_le_bytes(self.take(16)?.try_into().ok()?);
        Some(ProducedNumbers { producer, floor: self.u64()?, seen: self.bits()? })
    }

    fn bits(&mut self) -> Option<BitPages> {
        self.list(40, |reader| {
            let number = reader.u64()?;
            let words = [reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?];
            Some((number, words))
        })
    }
}
