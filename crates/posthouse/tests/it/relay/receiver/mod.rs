//! A receiver of requests that misbehaves by a plan, and remembers every call.
//!
//! A thread accepts, and each connection has a thread of its own. What is done with a call follows
//! from the seed, the request and how often it has been called, so it does not depend on which
//! thread is quicker. A receiver keeps the highest fence of each business id and refuses lower
//! ones, and refuses what comes too late, as the manual asks of receivers.

mod call;
mod deed;
mod wire;

use std::collections::HashMap;
use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use posthouse_sim::random::{Random, Stream};

pub(super) use call::{Call, Refusal, Sender};
use deed::Deed;
use wire::Head;

use super::clock::{linger, now_us};
use super::config::kind_of;
use super::database::POISON;

/// Longest wait for a caller who says nothing more.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Of a hundred connections, so many are closed as soon as they are there.
const CLOSED_AT_ONCE_PERCENT: u64 = 2;

/// See the module. Stops when it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    seed: u64,
    book: Mutex<Book>,
    has_grown: Condvar,
    /// From now on it only takes what is not poison.
    is_kind: AtomicBool,
    is_over: AtomicBool,
}

#[derive(Default)]
struct Book {
    calls: Vec<Call>,
    fences: HashMap<String, i64>,
    times: HashMap<i64, u64>,
}

impl Receiver {
    /// Listens on a free port.
    pub(super) fn start(seed: u64) -> Receiver {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let shared = Arc::new(Shared {
            seed,
            book: Mutex::default(),
            has_grown: Condvar::new(),
            is_kind: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let theirs = shared.clone();
        thread::spawn(move || accept(&listener, &theirs));
        Receiver { address, shared }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes everything from now on but poison.
    pub(super) fn be_kind(&self) {
        self.shared.is_kind.store(true, Ordering::SeqCst);
    }

    /// Every call so far, in the order in which they began.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.shared.lock().calls.clone()
    }

    /// How many calls there were.
    pub(super) fn count(&self) -> usize {
        self.shared.lock().calls.len()
    }

    /// Waits for so many calls more. Fails if they do not come in time.
    pub(super) fn await_calls(&self, count: usize, patience: Duration) {
        let book = self.shared.lock();
        let wanted = book.calls.len() + count;
        let waited = self
            .shared
            .has_grown
            .wait_timeout_while(book, patience, |book| book.calls.len() < wanted);
        let timeout = waited.expect("nobody panics with the book").1;
        assert!(!timeout.timed_out(), "no {count} calls within {patience:?}");
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Whoever accepts looks around after the next connection.
        drop(TcpStream::connect(self.address));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut random = Random::new(shared.seed, Stream::Network);
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let is_closed = random.chance(CLOSED_AT_ONCE_PERCENT) && !shared.is_kind();
        if let (Ok(stream), false) = (stream, is_closed) {
            let shared = shared.clone();
            // A caller that breaks off has reasons of its own; the book says what was answered.
            thread::spawn(move || shared.serve(stream));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("nobody panics with the book")
    }

    fn is_kind(&self) -> bool {
        self.is_kind.load(Ordering::SeqCst)
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        while let Some(head) = Head::read(&mut reader)? {
            let Some((at, deed)) = self.begin(&head) else { return Ok(()) };
            if deed == Deed::CloseEarly {
                return Ok(());
            }
            head.read_body(&mut reader)?;
            if let Deed::TakeSlowly(wait) = deed {
                linger(wait);
            }
            if deed == Deed::Hang {
                wire::await_end(&mut reader);
            }
            let Some(status) = deed.status() else { return Ok(()) };
            self.end(at, status);
            if let Deed::TakeAndOverstate = deed {
                return wire::answer(&mut writer, status, "", 1_000);
            }
            let wait = if let Deed::Busy(seconds) = deed { Some(seconds) } else { None };
            let more =
                wait.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
            wire::answer(&mut writer, status, &more, 2)?;
        }
        Ok(())
    }

    /// Writes a call down and says what is done with it. `None`: that was no call of a relay.
    fn begin(&self, head: &Head) -> Option<(usize, Deed)> {
        let sender = Sender::read(head)?;
        let is_poison = head.get("x-method") == Some(POISON);
        let mut book = self.lock();
        // The time is taken under the lock, so that it never goes back within the book.
        let mut call = Call::begin(sender, now_us());
        let times = book.times.entry(call.sender.sequence).or_default();
        *times += 1;
        let deed = if is_poison { Deed::Reject } else { self.draw(&call.sender, *times) };
        let highest = match &call.sender.key {
            Some(key) => book.fences.entry(key.clone()).or_default(),
            None => &mut 0,
        };
        let deed = call.decide(deed, *highest);
        *highest = call.sender.fence.max(*highest);
        book.calls.push(call);
        self.has_grown.notify_all();
        Some((book.calls.len() - 1, deed))
    }

    fn draw(&self, sender: &Sender, times: u64) -> Deed {
        if self.is_kind() {
            return Deed::Take;
        }
        let mix = sender.sequence.unsigned_abs() << 16 ^ times;
        let mut random = Random::new(self.seed ^ mix, Stream::Network);
        Deed::draw(&mut random, kind_of(&sender.code).is_some_and(|kind| kind.gives_up))
    }

    fn end(&self, at: usize, status: u16) {
        let mut book = self.lock();
        let now_us = now_us();
        if let Some(call) = book.calls.get_mut(at) {
            call.ended_us = Some(now_us);
            call.status = Some(status);
        }
    }
}
