//! One TCP connection to one server: bytes, frames and heart-beats, but no meaning.

use std::future::pending;
use std::io;

use posthouse_wire::stomp::{FrameLimits, FrameRef, HeartBeat, Inbox, Version};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use crate::error::Error;
use crate::heart::{Due, Heart};

/// Bytes waiting to be written at which no more requests are taken.
const OUT_BYTES_SOFT: usize = 256 << 10;
/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// See the module. A link holds at most one frame of what came in, and of what goes out
/// `OUT_BYTES_SOFT` and one frame.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    inbox: Inbox,
    buffer: Box<[u8]>,
    /// To be appended to by whoever has frames to send.
    pub(crate) out: Vec<u8>,
    written: usize,
    heart: Heart,
}

impl Link {
    pub(crate) fn new(stream: TcpStream, now: Instant) -> Self {
        Self {
            stream,
            inbox: Inbox::new(FrameLimits::AFTER_LOGIN, Version::V1_2),
            buffer: vec![0; READ_BYTES].into(),
            out: Vec::new(),
            written: 0,
            heart: Heart::new(now, HeartBeat::NONE),
        }
    }

    /// Sets the heart-beats that were agreed on.
    pub(crate) fn set_heart_beat(&mut self, now: Instant, agreed: HeartBeat) {
        self.heart = Heart::new(now, agreed);
    }

    /// Whether more may be appended to the output.
    pub(crate) fn has_room(&self) -> bool {
        self.out.len() - self.written < OUT_BYTES_SOFT
    }

    /// Waits until there is something to be done by [`Link::turn`]. May be dropped at any time.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) async fn ready(&self) -> io::Result<()> {
        let is_writing = self.written < self.out.len();
        let writable = if is_writing { Interest::WRITABLE } else { Interest::READABLE };
        let deadline = async {
            match self.heart.deadline() {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        tokio::select! {
            ready = self.stream.ready(Interest::READABLE | writable) => ready.map(drop),
            () = deadline => Ok(()),
        }
    }

    /// Reads once, hands every frame to `on_frame`, and beats when that is due.
    ///
    /// # Errors
    /// Those of `on_frame`, broken frames, and the end of the connection.
    pub(crate) fn turn(
        &mut self,
        now: Instant,
        on_frame: impl FnMut(&FrameRef<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.read(now, on_frame)?;
        match self.heart.due(now) {
            Due::Nothing => {}
            // What waits to be written says it as well, as soon as the server reads.
            Due::Beat if self.written < self.out.len() => self.heart.on_sent(now),
            Due::Beat => self.out.push(b'\n'),
            Due::Dead => {
                return Err(Error::connection_lost("the server has sent no heart-beats"));
            }
        }
        self.flush(now)
    }

    fn read(
        &mut self,
        now: Instant,
        mut on_frame: impl FnMut(&FrameRef<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let bytes = match self.stream.try_read(&mut self.buffer) {
            Ok(0) => return Err(Error::connection_lost("the server has closed it")),
            Ok(count) => self.buffer.get(..count).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(Error::connection_lost(error)),
        };
        self.heart.on_received(now);
        let mut reading = self.inbox.read(bytes);
        loop {
            match reading.next_frame() {
                Ok(Some(frame)) => on_frame(&frame)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(Error::protocol(error.to_string())),
            }
        }
    }

    /// Writes what the system takes.
    ///
    /// # Errors
    /// The end of the connection.
    pub(crate) fn flush(&mut self, now: Instant) -> Result<(), Error> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.try_write(rest) {
                Ok(count) => {
                    self.written += count;
                    self.heart.on_sent(now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(Error::connection_lost(error)),
            }
        }
        self.drop_written();
        Ok(())
    }

    fn drop_written(&mut self) {
        if self.written == self.out.len() {
            self.out.clear();
            self.out.shrink_to(OUT_BYTES_SOFT);
            self.written = 0;
        } else if self.written > self.out.len() / 2 {
            self.out.drain(..self.written);
            self.written = 0;
        }
    }
}
