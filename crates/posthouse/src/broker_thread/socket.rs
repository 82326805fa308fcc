//! Sockets, read and written when the system says that it can be done.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Silence after which the system asks whether the peer is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// Pause between such questions.
const KEEPALIVE_PAUSE: Duration = Duration::from_secs(15);

/// Listens on `address`. An address that an earlier process left a moment ago can be had at once.
///
/// # Errors
/// What the system says.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Messages leave at once, and a peer that is gone without a word is noticed some day.
///
/// # Errors
/// What the system says.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_PAUSE);
    socket.set_tcp_keepalive(&keepalive)
}

/// Reads what is there. When that is less than `buffer` takes, the socket is known to be empty,
/// and is not asked again before the system says that more has come: one call instead of two.
///
/// # Errors
/// `WouldBlock` when nothing is there; otherwise the connection is broken.
pub(super) fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut short = None;
    let whole = stream.try_io(Interest::READABLE, || {
        let count = (&*SockRef::from(stream)).read(buffer)?;
        if 0 < count && count < buffer.len() {
            short = Some(count);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(count)
    });
    short.map_or(whole, Ok)
}

/// Says that nothing more will be sent, so that the peer reads all of what was.
pub(super) fn finish(stream: &TcpStream) {
    // A peer that is gone already is no failure.
    let _ = SockRef::from(stream).shutdown(std::net::Shutdown::Write);
}
