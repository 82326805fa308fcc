//! What is to be written to the peer, and which deliveries are wholly written when.

use std::collections::VecDeque;

use bytes::Bytes;
use posthouse_core::ids::{ConsumerId, DeliveryNo};

use super::fault::Fault;
use crate::stomp::{Command, FrameWriter, Version};

/// Tails of messages from this size on are shared with other subscribers and not copied.
const SHARED_BYTES_MIN: usize = 16 << 10;

/// Bytes that are written in one go.
#[derive(Debug)]
enum Part {
    Own(Vec<u8>),
    Shared(Bytes),
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match self {
            Part::Own(bytes) => bytes,
            Part::Shared(bytes) => bytes,
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// None but the last is empty.
    parts: VecDeque<Part>,
    /// Up to here the first part is written.
    start: usize,
    consumed: u64,
    deliveries: VecDeque<(u64, ConsumerId, DeliveryNo)>,
}

impl Output {
    /// The first unwritten bytes; none only when everything is written.
    pub(super) fn bytes(&self) -> &[u8] {
        let first = self.parts.front().map(Part::bytes).unwrap_or_default();
        first.get(self.start..).unwrap_or_default()
    }

    /// How many bytes are unwritten.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.bytes().len()).sum::<usize>() - self.start
    }

    /// Whether everything is written.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// A buffer to append whole frames to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        if !matches!(self.parts.back(), Some(Part::Own(_))) {
            self.parts.push_back(Part::Own(Vec::new()));
        }
        match self.parts.back_mut() {
            Some(Part::Own(bytes)) => bytes,
            _ => unreachable!("it was put there"),
        }
    }

    /// Appends what others may be sent, too.
    pub(super) fn share(&mut self, bytes: Bytes) {
        if bytes.len() < SHARED_BYTES_MIN {
            return self.buffer().extend_from_slice(&bytes);
        }
        self.parts.pop_back_if(|part| part.bytes().is_empty());
        self.parts.push_back(Part::Shared(bytes));
    }

    /// What was last appended ends this delivery.
    pub(super) fn mark_delivery(&mut self, consumer: ConsumerId, number: DeliveryNo) {
        let end = self.consumed + self.len() as u64;
        self.deliveries.push_back((end, consumer, number));
    }

    /// The first `bytes` are written.
    pub(super) fn consume(&mut self, bytes: usize) {
        assert!(bytes <= self.bytes().len(), "only what was there can have been written");
        self.start += bytes;
        self.consumed += bytes as u64;
        match self.parts.front_mut() {
            Some(part) if self.start == part.bytes().len() => {
                self.parts.pop_front();
                self.start = 0;
            }
            Some(Part::Own(part)) if self.start > part.len() / 2 => {
                part.drain(..self.start);
                self.start = 0;
            }
            _ => {}
        }
        // An idle session is not worth any memory.
        if self.parts.is_empty() {
            self.parts.shrink_to(0);
            self.deliveries.shrink_to(0);
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
        self.buffer().push(b'\n');
    }

    /// Appends a RECEIPT frame. A receipt's id that the version cannot write is one that the peer
    /// cannot have sent.
    pub(super) fn receipt(&mut self, version: Version, id: &str) {
        let mut frame = FrameWriter::new(self.buffer(), version, Command::Receipt);
        if frame.header("receipt-id", id).is_ok() {
            frame.finish();
        }
    }

    /// Appends an ERROR frame that says what was wrong and what to do.
    pub(super) fn error(&mut self, version: Version, fault: &Fault, receipt: Option<&str>) {
        let mut frame = FrameWriter::new(self.buffer(), version, Command::Error);
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
