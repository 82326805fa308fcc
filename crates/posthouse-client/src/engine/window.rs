//! Persistent messages that the server has not confirmed, and what is resent after a break.
//!
//! Messages are numbered upwards and kept, encoded, in the order of their numbers. The window
//! bounds the span from the oldest unconfirmed number to the newest, not their count: a server
//! remembers a range of numbers, and one below that range counts as a duplicate. That is why the
//! room of a confirmed message is given back only when all before it are confirmed.

use std::collections::VecDeque;

use crate::error::Error;
use crate::message::Message;
use crate::shared::{Permits, Reply, Shared};

use super::frames::{self, Number};

/// What receipts of numbered messages begin with.
pub(super) const RECEIPT_PREFIX: char = 's';

/// See the module.
#[derive(Debug)]
pub(super) struct Window {
    producer: String,
    /// The number of the first slot.
    first_seq: u64,
    slots: VecDeque<Slot>,
    /// How many slots are written to the connection at hand.
    written: usize,
}

#[derive(Debug)]
struct Slot {
    frame: Vec<u8>,
    permits: Permits,
    reply: Option<Reply>,
    is_settled: bool,
}

impl Window {
    pub(super) fn new(producer: u128) -> Self {
        let producer = format!("{producer:032x}");
        Self { producer, first_seq: 1, slots: VecDeque::new(), written: 0 }
    }

    /// Numbers a message and keeps it until it is confirmed.
    pub(super) fn push(&mut self, message: &Message, permits: Permits, reply: Option<Reply>) {
        let seq = self.first_seq + self.slots.len() as u64;
        let mut frame = Vec::with_capacity(message.size_bytes());
        let number = Number { producer: &self.producer, seq };
        match frames::numbered_send(&mut frame, number, message) {
            Ok(()) => self.slots.push_back(Slot { frame, permits, reply, is_settled: false }),
            // Messages are checked before they get here; the number goes to the next one.
            Err(error) => drop(reply.map(|reply| reply.send(Err(error)))),
        }
    }

    /// Appends the next message that the connection has not been given.
    pub(super) fn write_next(&mut self, out: &mut Vec<u8>) {
        if let Some(slot) = self.slots.get(self.written) {
            if !slot.is_settled {
                out.extend_from_slice(&slot.frame);
            }
            self.written += 1;
        }
    }

    /// Whether the connection has been given everything.
    pub(super) fn is_written(&self) -> bool {
        self.written == self.slots.len()
    }

    /// The connection has broken: what is not confirmed is written to the next one.
    pub(super) fn rewind(&mut self) {
        self.written = 0;
    }

    /// The server has confirmed or refused a message. Answers false when it does not wait.
    pub(super) fn settle(&mut self, seq: u64, result: Result<(), Error>, shared: &Shared) -> bool {
        let at = seq.checked_sub(self.first_seq).and_then(|at| usize::try_from(at).ok());
        let Some(slot) = at.and_then(|at| self.slots.get_mut(at)).filter(|slot| !slot.is_settled)
        else {
            return false;
        };
        slot.is_settled = true;
        slot.frame = Vec::new();
        slot.permits.memory = None;
        tell(slot.reply.take(), result, shared);
        while self.slots.front().is_some_and(|slot| slot.is_settled) {
            self.slots.pop_front();
            self.first_seq += 1;
            self.written = self.written.saturating_sub(1);
        }
        true
    }

    /// Tells all that wait how it ended.
    pub(super) fn end(&mut self, error: &Error) {
        for slot in self.slots.drain(..) {
            drop(slot.reply.map(|reply| reply.send(Err(error.clone()))));
        }
    }
}

/// Answers a request. A failure that nobody listens to is kept for the next flush.
pub(super) fn tell(reply: Option<Reply>, result: Result<(), Error>, shared: &Shared) {
    let unheard = match reply {
        Some(reply) => reply.send(result).err(),
        None => Some(result),
    };
    if let Some(Err(error)) = unheard {
        shared.note_unheard(error);
    }
}
