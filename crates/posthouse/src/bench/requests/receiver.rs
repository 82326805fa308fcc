//! The receiver: an HTTP server that does nothing but look at the bodies that are posted to it.
//!
//! It reads just as much HTTP/1.1 as the relay's courier speaks, so that it takes little of the
//! machine that it shares. It has a thread of its own, which ends when the receiver is dropped.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::STUCK;
use super::arrivals::Arrivals;
use crate::bench::clock::Clock;
use crate::failure::Failure;

const READ_BYTES: usize = 16 << 10;
/// A request with its headers; a longer one ends its connection.
const REQUEST_BYTES_MAX: usize = 16 << 20;
const DONE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const NEVER: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";

type Shared = Arc<Mutex<Arrivals>>;

/// See the module.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    arrivals: Shared,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Begins to listen on a free port.
    pub(super) fn start() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::unexpected(format!("no receiver: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.map_err(failed)?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let arrivals = Arc::new(Mutex::new(Arrivals::new(Clock::start(), 1, None)?));
        let (stop, stopped) = oneshot::channel();
        let shared = arrivals.clone();
        let thread = std::thread::Builder::new().name("receiver".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = listen(listener, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, arrivals, stop: Some(stop), thread: Some(thread.map_err(failed)?) })
    }

    /// Begins to count anew.
    pub(super) fn expect(&self, arrivals: Arrivals) {
        *self.arrivals() = arrivals;
    }

    /// What has come so far.
    pub(super) fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell that was not counted.
            let _ = thread.join();
        }
    }
}

async fn listen(listener: TcpListener, arrivals: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        // A connection that breaks is made again by the relay.
        let arrivals = arrivals.clone();
        tokio::spawn(async move { serve(stream, arrivals).await.ok() });
    }
}

async fn serve(mut stream: TcpStream, arrivals: Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input: Vec<u8> = Vec::with_capacity(READ_BYTES);
    while input.len() < REQUEST_BYTES_MAX {
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        while let Some(request) = parse(&input) {
            let answer = take(&request, &arrivals);
            let end = request.end;
            input.drain(..end);
            stream.write_all(answer).await?;
        }
    }
    Ok(())
}

fn take(request: &Posted<'_>, arrivals: &Mutex<Arrivals>) -> &'static [u8] {
    let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
    if request.path.ends_with(STUCK.as_bytes()) {
        arrivals.refused += 1;
        return NEVER;
    }
    arrivals.note(request.body);
    DONE
}

/// A whole request at the beginning of what was read.
#[derive(Debug, Eq, PartialEq)]
struct Posted<'i> {
    path: &'i [u8],
    body: &'i [u8],
    /// Where the next one begins.
    end: usize,
}

/// The first request, once it is there as a whole.
fn parse(input: &[u8]) -> Option<Posted<'_>> {
    let head_end = input.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let mut lines = input.get(..head_end)?.split(|byte| *byte == b'\n');
    let path = lines.next()?.split(|byte| *byte == b' ').nth(1)?;
    let body_bytes = lines.find_map(content_length).unwrap_or(0);
    let end = head_end.checked_add(body_bytes)?;
    Some(Posted { path, body: input.get(head_end..end)?, end })
}

fn content_length(line: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    let is_ours = name.eq_ignore_ascii_case(NAME);
    let value = std::str::from_utf8(value).ok().filter(|_| is_ours)?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// What was read; then the path, the body, and what is left.
    fn check(input: &str, expected: Option<(&str, &str, &str)>) {
        let found = parse(input.as_bytes());
        let rest = found.as_ref().and_then(|request| input.as_bytes().get(request.end..));
        let expected =
            expected.map(|(path, body, rest)| (path.as_bytes(), body.as_bytes(), rest.as_bytes()));
        let found = found.zip(rest).map(|(request, rest)| (request.path, request.body, rest));
        assert_eq!(found, expected, "{input}");
    }

    #[test]
    fn requests_are_read_when_they_are_whole() {
        check("", None);
        check("POST /a HTTP/1.1\r\ncontent-length: 3\r\n", None);
        check("POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nab", None);
        check("POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", Some(("/a", "abc", "")));
        check("POST /a HTTP/1.1\r\nhost: b\r\n\r\nPOST", Some(("/a", "", "POST")));
    }
}
