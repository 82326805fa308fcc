//! Between two reads: what a connection keeps of a frame that has not fully arrived.
//!
//! Frames are parsed straight from the caller's read buffer. Only the unfinished frame at its end
//! is copied, and when the next bytes come, only those that complete it. A connection between two
//! frames holds no memory but a few header positions.

use std::ops::Range;

use posthouse_core::limits::STOMP_HEADER_IDLE_COUNT_MAX;

use super::decode::{Decoder, Step};
use super::error::DecodeError;
use super::frame::FrameRef;
use super::limits::FrameLimits;
use super::version::Version;

/// The receiving half of a connection.
///
/// Each read is one `let mut reading = inbox.read(bytes)` and one loop,
/// `while let Some(frame) = reading.next_frame()?`. Leaving the loop early is how a session stops a
/// peer: what was not read stays here, and `inbox.read(&[])` goes on later without new input. To
/// keep the bound of one frame and one read, a stopped session MUST NOT read from its peer
/// meanwhile.
#[derive(Debug)]
pub struct Inbox {
    decoder: Decoder,
    tail: Vec<u8>,
    /// Up to here the tail is consumed.
    tail_start: usize,
    has_failed: bool,
}

/// One pass over newly read bytes. What is left when it is dropped goes into the inbox.
#[derive(Debug)]
pub struct Reading<'i> {
    inbox: &'i mut Inbox,
    rest: &'i [u8],
}

/// Where a frame was found.
enum Place<'i> {
    Tail(Range<usize>),
    Read(&'i [u8]),
}

impl Inbox {
    /// An inbox at the border between two frames.
    pub fn new(limits: FrameLimits, version: Version) -> Self {
        let decoder = Decoder::new(limits, version);
        Self { decoder, tail: Vec::new(), tail_start: 0, has_failed: false }
    }

    /// Changes the version from the next frame on.
    pub fn set_version(&mut self, version: Version) {
        self.decoder.set_version(version);
    }

    /// Changes the limits from the next frame on.
    pub fn set_limits(&mut self, limits: FrameLimits) {
        self.decoder.set_limits(limits);
    }

    /// Begins a pass over `bytes`, which follow all that was given before.
    pub fn read<'i>(&'i mut self, bytes: &'i [u8]) -> Reading<'i> {
        Reading { inbox: self, rest: bytes }
    }

    /// How many bytes wait here: of an unfinished frame, or behind the frame that a session
    /// stopped at.
    pub fn held_bytes(&self) -> usize {
        self.tail.len() - self.tail_start
    }

    /// The memory taken for waiting bytes; at most one frame by the limits and one read.
    pub fn capacity_bytes(&self) -> usize {
        self.tail.capacity()
    }

    /// Appends to the tail, which grows by doubling but not beyond the frame that it waits for, so
    /// that memory follows what was received and not what was announced.
    fn hold(&mut self, bytes: &[u8]) {
        self.tail.drain(..self.tail_start);
        self.tail_start = 0;
        let needed = self.tail.len() + bytes.len();
        if needed > self.tail.capacity() {
            let doubled = self.tail.capacity().saturating_mul(2);
            let target = needed.max(doubled.min(self.decoder.bytes_expected()));
            self.tail.reserve_exact(target - self.tail.len());
        }
        self.tail.extend_from_slice(bytes);
    }

    fn release(&mut self) {
        self.tail = Vec::new();
        self.tail_start = 0;
        self.decoder.shrink(STOMP_HEADER_IDLE_COUNT_MAX);
    }
}

impl<'i> Reading<'i> {
    /// The next frame, or `None` when the rest has to come first. Heart-beats are passed over: that
    /// bytes came at all is what keeps a connection alive.
    ///
    /// # Errors
    /// Any violation of the protocol or the limits. The connection has to be closed: after an
    /// error nothing is handed out or kept any more.
    pub fn next_frame(&mut self) -> Result<Option<FrameRef<'_>>, DecodeError> {
        if self.inbox.has_failed {
            return Ok(None);
        }
        // Both steps below may leave early; only when neither has is this taken back.
        self.inbox.has_failed = true;
        let place = self.find()?;
        let Inbox { decoder, tail, has_failed, .. } = &mut *self.inbox;
        let frame = match place {
            None => None,
            Some(Place::Read(bytes)) => Some(decoder.frame(bytes)?),
            Some(Place::Tail(range)) => Some(decoder.frame(tail.get(range).unwrap_or_default())?),
        };
        *has_failed = false;
        Ok(frame)
    }

    /// Changes the version from the next frame on.
    pub fn set_version(&mut self, version: Version) {
        self.inbox.set_version(version);
    }

    /// Changes the limits from the next frame on.
    pub fn set_limits(&mut self, limits: FrameLimits) {
        self.inbox.set_limits(limits);
    }

    /// Finds the next frame and steps behind it.
    fn find(&mut self) -> Result<Option<Place<'i>>, DecodeError> {
        loop {
            let in_tail = self.inbox.held_bytes() > 0;
            let held = self.inbox.tail.get(self.inbox.tail_start..).unwrap_or_default();
            let input = if in_tail { held } else { self.rest };
            match self.inbox.decoder.advance(input)? {
                Step::Frame { consumed } => return Ok(Some(self.take(in_tail, consumed))),
                Step::HeartBeat { consumed } => drop(self.take(in_tail, consumed)),
                Step::Incomplete if in_tail && !self.rest.is_empty() => self.refill(),
                Step::Incomplete => return Ok(None),
            }
        }
    }

    /// Consumes bytes of the tail or, when that was empty, of the read buffer.
    fn take(&mut self, in_tail: bool, consumed: usize) -> Place<'i> {
        if in_tail {
            let start = self.inbox.tail_start;
            self.inbox.tail_start = start + consumed;
            return Place::Tail(start..start + consumed);
        }
        let (taken, rest) = self.rest.split_at_checked(consumed).unwrap_or_default();
        self.rest = rest;
        Place::Read(taken)
    }

    /// Moves what brings the unfinished frame further from the read buffer to the tail.
    fn refill(&mut self) {
        let wanted = self.inbox.decoder.wanted(self.inbox.held_bytes(), self.rest);
        let (wanted, rest) = self.rest.split_at_checked(wanted).unwrap_or_default();
        self.inbox.hold(wanted);
        self.rest = rest;
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if self.inbox.has_failed {
            self.inbox.release();
            return;
        }
        if !self.rest.is_empty() {
            self.inbox.hold(self.rest);
        }
        if self.inbox.held_bytes() == 0 {
            self.inbox.release();
        }
    }
}
