//! What is to be written to the peer, and which deliveries are wholly written when.

use std::collections::VecDeque;

use posthouse_core::ids::{ConsumerId, DeliveryNo};

use super::fault::Fault;
use crate::stomp::{Command, FrameWriter, Version};

/// Memory that an output without bytes may keep: a busy session reuses it, and an idle one is not
/// worth more.
const IDLE_CAPACITY: usize = 0;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Output {
    buffer: Vec<u8>,
    start: usize,
    consumed: u64,
    deliveries: VecDeque<(u64, ConsumerId, DeliveryNo)>,
}

impl Output {
    /// The unwritten bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// How many bytes are unwritten.
    pub(super) fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Whether everything is written.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The buffer, to append whole frames to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// What was last appended ends this delivery.
    pub(super) fn mark_delivery(&mut self, consumer: ConsumerId, number: DeliveryNo) {
        let end = self.consumed + self.len() as u64;
        self.deliveries.push_back((end, consumer, number));
    }

    /// The first `bytes` are written.
    pub(super) fn consume(&mut self, bytes: usize) {
        assert!(bytes <= self.len(), "only what was there can have been written");
        self.start += bytes;
        self.consumed += bytes as u64;
        if self.is_empty() {
            self.start = 0;
            self.buffer.clear();
            self.buffer.shrink_to(IDLE_CAPACITY);
            if self.deliveries.capacity() > 0 {
                self.deliveries.shrink_to(0);
            }
        } else if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }

    /// The next consumer of which deliveries are wholly written, and the last of these. Neighbours
    /// of one consumer are told together.
    pub(super) fn next_written(&mut self) -> Option<(ConsumerId, DeliveryNo)> {
        let mut written: Option<(ConsumerId, DeliveryNo)> = None;
        while let Some((end, consumer, number)) = self.deliveries.front().copied() {
            let is_neighbour = written.is_none_or(|(first, _)| first == consumer);
            if end > self.consumed || !is_neighbour {
                break;
            }
            self.deliveries.pop_front();
            written = Some((consumer, number));
        }
        written
    }

    /// Appends a line feed, which says that this side is alive.
    pub(super) fn heart_beat(&mut self) {
        self.buffer.push(b'\n');
    }

    /// Appends a RECEIPT frame. A receipt's id that the version cannot write is one that the peer
    /// cannot have sent.
    pub(super) fn receipt(&mut self, version: Version, id: &str) {
        let mut frame = FrameWriter::new(&mut self.buffer, version, Command::Receipt);
        if frame.header("receipt-id", id).is_ok() {
            frame.finish();
        }
    }

    /// Appends an ERROR frame that says what was wrong and what to do.
    pub(super) fn error(&mut self, version: Version, fault: &Fault, receipt: Option<&str>) {
        let mut frame = FrameWriter::new(&mut self.buffer, version, Command::Error);
        let line = fault.to_string().replace(['\n', '\r', '\0'], " ");
        let mut put = |name: &str, value: &str| drop(frame.header(name, value));
        put("message", &line);
        put("content-type", "text/plain");
        if let Some(receipt) = receipt {
            put("receipt-id", receipt);
        }
        let Fault { code, what, advice } = fault;
        let body = format!("{what}.\n{advice}.\nMore: posthouse explain {code}\n");
        frame.body(body.as_bytes()).expect("an ERROR frame may have a body");
    }
}
