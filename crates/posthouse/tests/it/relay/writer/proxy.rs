//! A way to the database that breaks when it is told to: right before a statement, or right before
//! its answer.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where the way breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Cut {
    /// The next statement does not arrive.
    Before = 1,
    /// The next statement arrives, its answer does not.
    After = 2,
}

/// See the module. Nothing new goes through when it is dropped.
pub(super) struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    upstream: SocketAddr,
    /// The next cut, or 0.
    cut: AtomicU8,
    is_over: AtomicBool,
}

/// Both ends of one connection.
struct Pair {
    client: TcpStream,
    server: TcpStream,
    /// What the server says is not passed on any more. Held while something is passed on.
    is_silent: Mutex<bool>,
}

impl Proxy {
    /// Listens on a free port for connections to `upstream`.
    pub(super) fn start(upstream: SocketAddr) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let state = State { upstream, cut: AtomicU8::new(0), is_over: AtomicBool::new(false) };
        let state = Arc::new(state);
        let theirs = state.clone();
        thread::spawn(move || accept(&listener, &theirs));
        Proxy { address, state }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks the way at the next statement.
    pub(super) fn cut(&self, cut: Cut) {
        self.state.cut.store(cut as u8, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for client in listener.incoming() {
        if state.is_over.load(Ordering::SeqCst) {
            return;
        }
        // A database that is not there is no concern of ours: the client sees the end.
        let server = TcpStream::connect(state.upstream);
        if let (Ok(client), Ok(server)) = (client, server) {
            let pair = Arc::new(Pair { client, server, is_silent: Mutex::new(false) });
            let (state, back) = (state.clone(), pair.clone());
            thread::spawn(move || pass_on(&pair, &state));
            thread::spawn(move || pass_back(&back));
        }
    }
}

fn pass_on(pair: &Pair, state: &State) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = (&pair.client).read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        match state.cut.swap(0, Ordering::SeqCst) {
            0 => {}
            cut => {
                pair.silence();
                if cut == Cut::After as u8 {
                    drop((&pair.server).write_all(bytes));
                }
                break;
            }
        }
        if (&pair.server).write_all(bytes).is_err() {
            break;
        }
    }
    pair.close();
}

fn pass_back(pair: &Pair) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = (&pair.server).read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        let is_silent = pair.is_silent.lock().expect("nobody panics while passing on");
        if *is_silent || (&pair.client).write_all(bytes).is_err() {
            break;
        }
    }
    pair.close();
}

impl Pair {
    fn silence(&self) {
        *self.is_silent.lock().expect("nobody panics while passing on") = true;
    }

    /// An end that is closed already needs nothing more. What was written still arrives.
    fn close(&self) {
        drop(self.client.shutdown(Shutdown::Both));
        drop(self.server.shutdown(Shutdown::Write));
    }
}
