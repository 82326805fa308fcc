//! A server that plays a script, one step a line:
//!
//! * `accept NAME:VALUE..` takes a connection and its CONNECT, and answers CONNECTED with these
//!   headers;
//! * `accept-only` takes a connection and its CONNECT, and answers nothing;
//! * `< COMMAND NAME:VALUE.. | BODY` expects a frame with at least these headers (`NAME:-` is a
//!   header that must be missing);
//! * `> COMMAND NAME:VALUE.. | BODY` sends a frame;
//! * `raw TEXT` sends bytes, with Rust's escapes for those that cannot be seen;
//! * `beat` expects a heart-beat; `wait` waits for the test; `eof` expects the end; `close` ends.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use posthouse_wire::stomp::{Command, FrameLimits, FrameWriter, Inbox, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Waits for what must happen soon.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let deadline = Duration::from_secs(20);
    tokio::time::timeout(deadline, future).await.expect("it happens within the deadline")
}

/// A frame that the client has sent.
#[derive(Debug)]
pub(crate) struct Frame {
    command: Command,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Frame {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// See the module.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    go: Arc<Notify>,
    play: JoinHandle<Vec<Frame>>,
}

impl Fake {
    /// Listens on a free port and plays `script`.
    pub(crate) async fn play(script: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let go = Arc::new(Notify::new());
        let script = script.to_owned();
        let stage = Stage { listener, peer: None, go: Arc::clone(&go), frames: Vec::new() };
        let play = tokio::spawn(stage.play(script));
        Self { address, go, play }
    }

    pub(crate) fn url(&self) -> String {
        format!("stomp://{}", self.address)
    }

    /// Lets the script go on after `wait`.
    pub(crate) fn go(&self) {
        self.go.notify_one();
    }

    /// Waits for the end of the script; answers with the frames that it expected.
    pub(crate) async fn end(self) -> Vec<Frame> {
        match soon(self.play).await {
            Ok(frames) => frames,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// A list of servers, tried in order and without much ado.
pub(crate) fn failover(servers: &[&Fake]) -> String {
    let urls: Vec<String> = servers.iter().map(|server| server.url()).collect();
    let options = "randomize=false&initialReconnectDelay=1&maxReconnectDelay=5";
    format!("failover:({})?{options}", urls.join(","))
}

struct Stage {
    listener: TcpListener,
    peer: Option<Peer>,
    go: Arc<Notify>,
    frames: Vec<Frame>,
}

impl Stage {
    async fn play(mut self, script: String) -> Vec<Frame> {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            soon(self.step(line)).await;
        }
        self.frames
    }

    async fn step(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "accept" => {
                self.accept().await;
                self.peer().send(&format!("CONNECTED version:1.2 {rest}")).await;
            }
            "accept-only" => self.accept().await,
            "wait" => self.go.notified().await,
            "close" => self.peer = None,
            "<" => {
                let frame = self.peer().receive(line).await;
                check(&frame, rest, line);
                self.frames.push(frame);
            }
            ">" => self.peer().send(rest).await,
            "raw" => self.peer().send_raw(rest).await,
            "beat" => self.peer().expect_beat().await,
            "eof" => self.peer().expect_end().await,
            _ => panic!("the script has an unknown step: {line}"),
        }
    }

    async fn accept(&mut self) {
        let (stream, _) = self.listener.accept().await.expect("a client comes");
        let mut peer = Peer {
            stream,
            inbox: Inbox::new(FrameLimits::AFTER_LOGIN, Version::V1_2),
            frames: VecDeque::new(),
        };
        self.frames.push(peer.receive("CONNECT").await);
        self.peer = Some(peer);
    }

    fn peer(&mut self) -> &mut Peer {
        self.peer.as_mut().expect("the script has accepted a connection")
    }
}

struct Peer {
    stream: TcpStream,
    inbox: Inbox,
    frames: VecDeque<Frame>,
}

impl Peer {
    async fn receive(&mut self, line: &str) -> Frame {
        while self.frames.is_empty() {
            let bytes = self.read().await;
            assert!(!bytes.is_empty(), "the client has closed the connection before: {line}");
            let mut reading = self.inbox.read(&bytes);
            while let Some(frame) = reading.next_frame().expect("the client speaks STOMP") {
                let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                self.frames.push_back(Frame {
                    command: frame.command(),
                    headers: frame.headers().map(|h| pair((&h.name(), &h.value()))).collect(),
                    body: frame.body().to_vec(),
                });
            }
        }
        self.frames.pop_front().expect("it is not empty")
    }

    async fn read(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 4_096];
        // A client that is cut off may reset the connection.
        let count = self.stream.read(&mut buffer).await.unwrap_or(0);
        buffer.truncate(count);
        buffer
    }

    async fn send(&mut self, text: &str) {
        let (command, headers, body) = parse(text);
        let mut bytes = Vec::new();
        let mut frame = FrameWriter::new(&mut bytes, Version::V1_2, command);
        for (name, value) in headers {
            frame.header(name, value).expect("the script's headers can be written");
        }
        match body {
            Some(body) => frame.body(body.as_bytes()).expect("the frame may have a body"),
            None => frame.finish(),
        }
        self.stream.write_all(&bytes).await.expect("the client listens");
    }

    async fn send_raw(&mut self, text: &str) {
        let bytes = text.replace("\\n", "\n").replace("\\0", "\0");
        self.stream.write_all(bytes.as_bytes()).await.expect("the client listens");
    }

    async fn expect_beat(&mut self) {
        assert_eq!(self.stream.read_u8().await.expect("the client sends"), b'\n');
    }

    async fn expect_end(&mut self) {
        assert!(self.frames.is_empty(), "frames before the end: {:?}", self.frames);
        let rest = self.read().await;
        assert!(rest.is_empty(), "bytes before the end: {}", rest.escape_ascii());
    }
}

type Line<'l> = (Command, Vec<(&'l str, &'l str)>, Option<&'l str>);

fn parse(text: &str) -> Line<'_> {
    let (head, body) = match text.split_once(" | ") {
        Some((head, body)) => (head, Some(body)),
        None => (text, None),
    };
    let mut words = head.split_whitespace();
    let command = words.next().and_then(|word| Command::parse(word.as_bytes()));
    let headers = words.map(|word| word.split_once(':').expect("a header has a colon"));
    (command.expect("a line begins with a command"), headers.collect(), body)
}

fn check(frame: &Frame, expected: &str, line: &str) {
    let (command, headers, body) = parse(expected);
    assert_eq!(frame.command, command, "{line}: {frame:?}");
    for (name, value) in headers {
        let value = Some(value).filter(|value| *value != "-");
        assert_eq!(frame.header(name), value, "{line}: {frame:?}");
    }
    if let Some(body) = body {
        assert_eq!(frame.body, body.as_bytes(), "{line}: {frame:?}");
    }
}
