//! One real connection: what is to be written, and the replies that come in.
//!
//! Reading and writing never wait for each other: a node that does not read for a while because
//! this end does not read would otherwise wait for ever.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use posthouse_sim::carrier::StompPeer;
use posthouse_sim::port::{Reply, Request};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::settings::FILLING_BYTES;

/// Longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Beyond so many bytes that are not written yet nothing is asked.
const OUT_BYTES_MAX: usize = 64 << 10;
const READ_BYTES: usize = 64 << 10;

/// See the module.
pub(super) struct Link {
    stream: TcpStream,
    peer: StompPeer,
    out: Vec<u8>,
    buffer: Vec<u8>,
}

impl Link {
    /// Connects. `choice` picks the version of the protocol.
    pub(super) fn open(node: SocketAddr, choice: u64) -> io::Result<Link> {
        let stream = TcpStream::connect_timeout(&node, CONNECT_MAX)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let peer = StompPeer::new(choice).filling(FILLING_BYTES);
        Ok(Link { stream, peer, out: Vec::new(), buffer: vec![0; READ_BYTES] })
    }

    /// Whether something may be asked now.
    pub(super) fn has_room(&self) -> bool {
        self.out.len() < OUT_BYTES_MAX
    }

    /// Puts a request behind what is to be written.
    pub(super) fn ask(&mut self, request: &Request) {
        self.out.extend(self.peer.encode(request));
    }

    /// Writes what can be written and reads what has come; waits a little if that is nothing.
    /// Fails when the connection is over; before that, everything that came over it was answered.
    pub(super) fn exchange(&mut self, patience: Duration) -> io::Result<Vec<Reply>> {
        self.write();
        let replies = self.read()?;
        if replies.is_empty() {
            self.wait(patience)?;
            self.write();
            return self.read();
        }
        Ok(replies)
    }

    /// Writes what can be written at once.
    pub(super) fn write(&mut self) {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(written) => drop(self.out.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // What came in before the end is still to be read, and reading tells of the end.
                Err(_) => self.out.clear(),
            }
        }
    }

    fn read(&mut self) -> io::Result<Vec<Reply>> {
        loop {
            return match self.stream.read(&mut self.buffer) {
                Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    let bytes = self.buffer.get(..count).unwrap_or_default();
                    Ok(self.peer.decode(bytes))
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Vec::new()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    fn wait(&self, patience: Duration) -> io::Result<()> {
        let writes = if self.out.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        let timeout = Timespec::try_from(patience).map_err(|_| ErrorKind::InvalidInput)?;
        poll(&mut [PollFd::new(&self.stream, PollFlags::IN | writes)], Some(&timeout))?;
        Ok(())
    }
}
