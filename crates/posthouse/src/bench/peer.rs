//! One non-blocking socket: frames in, bytes out.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use posthouse_wire::stomp::{Command, Decoded, Decoder, FrameLimits, FrameRef, Version};
use rustix::event::{PollFd, PollFlags};

use crate::codes::Code;
use crate::failure::Failure;

/// Bytes that are read at once.
pub(super) const READ_BYTES: usize = 256 << 10;

/// What takes the frames of a peer.
pub(super) trait Receiver {
    /// Takes a frame that it knows by its looks from the beginning of `input`, and answers how many
    /// bytes that was; 0 when it has to be decoded.
    fn skim(&mut self, input: &[u8]) -> Result<usize, Failure>;

    /// Takes a decoded frame that took `consumed` bytes, and appends what it answers to `out`.
    fn take(
        &mut self,
        frame: &FrameRef<'_>,
        consumed: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure>;
}

/// See the module.
#[derive(Debug)]
pub(super) struct Peer {
    stream: TcpStream,
    decoder: Decoder,
    /// The beginning of a frame, until the rest of it comes.
    tail: Vec<u8>,
    /// To be appended to by whoever has frames to send.
    pub(super) out: Vec<u8>,
    written: usize,
    /// Whether the system takes no more for now.
    is_full: bool,
}

impl Peer {
    /// Connects, and blocks until that is done.
    pub(super) fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let unreachable = |error: std::io::Error| {
            let what = format!("{address} cannot be reached: {error}");
            Failure::new(Code::NodeUnreachable, what, "check that the broker listens there")
        };
        let stream = TcpStream::connect(address).map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        stream.set_nonblocking(true).map_err(unreachable)?;
        let decoder = Decoder::new(FrameLimits::AFTER_LOGIN, Version::V1_2);
        let (tail, out) = (Vec::new(), Vec::new());
        Ok(Self { stream, decoder, tail, out, written: 0, is_full: false })
    }

    /// What to wait for.
    pub(super) fn interest(&self) -> PollFd<'_> {
        let writing = if self.is_full { PollFlags::OUT } else { PollFlags::empty() };
        PollFd::new(&self.stream, PollFlags::IN | writing)
    }

    /// Bytes that wait to be written.
    pub(super) fn pending(&self) -> usize {
        self.out.len() - self.written
    }

    /// The system takes bytes again.
    pub(super) fn on_writable(&mut self) {
        self.is_full = false;
    }

    /// Writes what the system takes.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        while !self.is_full && self.pending() > 0 {
            let rest = self.out.get(self.written..).unwrap_or_default();
            match (&self.stream).write(rest) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_full = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(&error.to_string())),
            }
        }
        if self.pending() == 0 {
            self.out.clear();
            self.written = 0;
        }
        Ok(())
    }

    /// Reads once into `scratch` and hands on every frame. An ERROR frame ends the run.
    pub(super) fn read(
        &mut self,
        scratch: &mut Vec<u8>,
        receiver: &mut impl Receiver,
    ) -> Result<(), Failure> {
        let held = self.tail.len();
        scratch.resize(scratch.len().max(held + READ_BYTES), 0);
        let (start, space) = scratch.split_at_mut(held);
        let count = match (&self.stream).read(space) {
            Ok(0) => return Err(lost("it was closed by the other side")),
            Ok(count) => count,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Ok(());
            }
            Err(error) => return Err(lost(&error.to_string())),
        };
        start.copy_from_slice(&self.tail);
        self.tail.clear();
        let input = scratch.get(..held + count).unwrap_or_default();
        let consumed = self.hand_on(input, held > 0, receiver)?;
        self.tail.extend_from_slice(input.get(consumed..).unwrap_or_default());
        Ok(())
    }

    /// Hands on the frames of `input`, of which the decoder may have seen the first before. Answers
    /// how many bytes they took.
    fn hand_on(
        &mut self,
        input: &[u8],
        is_begun: bool,
        receiver: &mut impl Receiver,
    ) -> Result<usize, Failure> {
        let (mut rest, mut may_skim) = (input, !is_begun);
        loop {
            let skimmed = if may_skim { receiver.skim(rest)? } else { 0 };
            may_skim = true;
            let consumed = if skimmed > 0 { skimmed } else { self.decode(rest, receiver)? };
            if consumed == 0 {
                return Ok(input.len() - rest.len());
            }
            rest = rest.get(consumed..).unwrap_or_default();
        }
    }

    /// Hands on one frame; answers with 0 when it is not whole.
    fn decode(&mut self, input: &[u8], receiver: &mut impl Receiver) -> Result<usize, Failure> {
        match self.decoder.decode(input) {
            Ok(Decoded::Incomplete) => Ok(0),
            Ok(Decoded::HeartBeat { consumed }) => Ok(consumed),
            Ok(Decoded::Frame { frame, .. }) if frame.command() == Command::Error => {
                Err(refused(&frame))
            }
            Ok(Decoded::Frame { frame, consumed }) => {
                receiver.take(&frame, consumed, &mut self.out)?;
                Ok(consumed)
            }
            Err(error) => Err(Failure::new(Code::AnswerInvalid, error.to_string(), "")),
        }
    }
}

fn lost(reason: &str) -> Failure {
    let what = format!("a connection was lost during the run: {reason}");
    Failure::new(Code::NodeUnreachable, what, "look into the broker's log")
}

fn refused(frame: &FrameRef<'_>) -> Failure {
    let message = frame.header("message").unwrap_or_default();
    let body = String::from_utf8_lossy(frame.body()).trim().to_owned();
    let what = format!("the broker refused: {message} {body}");
    Failure::new(Code::AnswerInvalid, what, "")
}
