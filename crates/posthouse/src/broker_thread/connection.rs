//! One messaging connection: what the broker thread keeps about it, and the task that waits for
//! its socket. The task owns no buffer; between messages a connection costs only its session.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use posthouse_core::ids::{HolderId, Key};
use posthouse_wire::stomp::session::Session;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::hub::Hub;
use super::socket;

/// How long a connection that was ended is kept for its peer to read why.
const LINGER: Duration = Duration::from_secs(2);

/// What a peer may go on sending meanwhile, in bytes.
const LINGER_BYTES_MAX: usize = 1 << 20;

/// What the broker thread keeps about a connection.
pub(super) struct Connection {
    /// Counts connections from 1.
    pub(super) id: u64,
    /// The peer.
    pub(super) address: SocketAddr,
    /// When it came, in wall milliseconds.
    pub(super) connected_ms: u64,
    /// Its socket.
    pub(super) stream: Rc<TcpStream>,
    /// Tells its task that what it waits for has changed.
    pub(super) wake: Rc<Notify>,
    /// Its protocol.
    pub(super) session: Session,
    /// Whom the broker knows it as.
    pub(super) holder: Option<HolderId>,
    /// Bytes that came in.
    pub(super) bytes_in: u64,
    /// Bytes that went out.
    pub(super) bytes_out: u64,
    /// Since when the socket takes nothing although there is something, in monotonic
    /// milliseconds.
    pub(super) blocked_since_ms: Option<u64>,
    /// Whether it waits to be written in this turn.
    pub(super) is_dirty: bool,
    /// What holds for it among the deadlines.
    pub(super) armed_ms: Option<u64>,
    /// What its task waits for.
    pub(super) waits_for: Wanted,
}

/// What a connection's task is to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Until something can be read.
    pub(super) input: bool,
    /// Until something can be written.
    pub(super) output: bool,
}

impl Wanted {
    fn interest(self) -> Option<Interest> {
        match (self.input, self.output) {
            (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::WRITABLE),
            (false, false) => None,
        }
    }
}

impl Connection {
    /// What its task is to wait for.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted { input: self.session.wants_input(), output: self.blocked_since_ms.is_some() }
    }
}

/// Serves a connection until it is gone from the hub.
pub(super) async fn run(hub: &RefCell<Hub>, key: Key, stream: &TcpStream, wake: &Notify) {
    loop {
        let Some(wanted) = hub.borrow_mut().wait(key) else { break };
        if !ready(stream, wake, wanted).await {
            continue;
        }
        let more = hub.borrow_mut().serve(key, wanted);
        if more {
            tokio::task::yield_now().await;
        }
    }
    socket::finish(stream);
    // Closing with something unread would make the system drop what was written last.
    let _ = tokio::time::timeout(LINGER, linger(hub, stream)).await;
}

/// Waits for the socket. Answers whether it is ready, or what is to be waited for has changed.
async fn ready(stream: &TcpStream, wake: &Notify, wanted: Wanted) -> bool {
    let Some(interest) = wanted.interest() else {
        wake.notified().await;
        return false;
    };
    tokio::select! {
        _ = stream.ready(interest) => true,
        () = wake.notified() => false,
    }
}

async fn linger(hub: &RefCell<Hub>, stream: &TcpStream) {
    let mut bytes = 0;
    while bytes < LINGER_BYTES_MAX && stream.readable().await.is_ok() {
        match hub.borrow_mut().discard(stream) {
            Some(count) => bytes += count,
            None => return,
        }
    }
}
