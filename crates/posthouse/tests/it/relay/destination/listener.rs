//! A subscriber of one queue, over plain STOMP: takes messages one after the other, and remembers
//! them.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::super::scene::PATIENCE;

/// How long there may be nothing before it is asked whether enough has come.
const SILENCE_MAX: Duration = Duration::from_millis(100);

/// One message as it came.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Heard {
    /// A header that is a number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.headers.get(name)?.parse().ok()
    }

    /// The number of its request.
    pub(super) fn sequence(&self) -> i64 {
        self.number("posthouse-sequence").unwrap_or_else(|| panic!("no number: {self:?}"))
    }
}

/// See the module.
pub(super) struct Listener {
    destination: String,
    pub(super) heard: Vec<Heard>,
}

impl Listener {
    pub(super) fn new(destination: &str) -> Listener {
        Listener { destination: destination.to_owned(), heard: Vec::new() }
    }

    /// Takes messages over a new connection until it has heard enough. Fails if that takes too
    /// long.
    pub(super) fn hear(&mut self, node: SocketAddr, is_enough: impl Fn(&[Heard]) -> bool) {
        let mut link = Link::open(node);
        link.say(&format!(
            "SUBSCRIBE\nid:1\nack:client-individual\ndestination:{}\n\n",
            self.destination
        ));
        let until = Instant::now() + PATIENCE;
        while !is_enough(&self.heard) {
            assert!(Instant::now() < until, "not enough came: {:?}", self.heard.last());
            if let Some(message) = link.next() {
                self.keep(&mut link, message);
            }
        }
        link.end();
    }

    /// Takes what is left, which ends with a message of its own.
    pub(super) fn hear_rest(&mut self, node: SocketAddr) {
        let mut link = Link::open(node);
        link.say(&format!("SEND\ndestination:{}\nreceipt:last\n\nlast", self.destination));
        link.say(&format!(
            "SUBSCRIBE\nid:1\nack:client-individual\ndestination:{}\n\n",
            self.destination
        ));
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match link.next() {
                Some(message) if message.body == "last" => return,
                Some(message) => self.keep(&mut link, message),
                None => {}
            }
        }
        panic!("the last message did not come");
    }

    fn keep(&mut self, link: &mut Link, message: Heard) {
        if let Some(id) = message.headers.get("ack") {
            link.say(&format!("ACK\nid:{id}\n\n"));
            self.heard.push(message);
        }
    }
}

/// A connection, and what came over it that is not a whole frame yet.
struct Link {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Link {
    fn open(node: SocketAddr) -> Link {
        let stream = TcpStream::connect(node).expect("the node is there");
        stream.set_read_timeout(Some(SILENCE_MAX)).expect("a deadline can be set");
        let mut link = Link { stream, unread: Vec::new() };
        link.say("CONNECT\naccept-version:1.2\nhost:/\n\n");
        link
    }

    fn say(&mut self, frame: &str) {
        write!(self.stream, "{frame}\0").expect("the node reads");
    }

    /// Waits until the node has heard everything.
    fn end(mut self) {
        self.say("DISCONNECT\nreceipt:end\n\n");
        let until = Instant::now() + PATIENCE;
        let is_over = |frame: Heard| frame.headers.contains_key("receipt-id");
        while !self.next().is_some_and(is_over) {
            assert!(Instant::now() < until, "the node does not let go");
        }
    }

    /// The next frame, of whatever kind; `None` if there is none for a moment.
    fn next(&mut self) -> Option<Heard> {
        let mut buffer = [0; 4_096];
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == 0) {
                let frame: Vec<u8> = self.unread.drain(..=end).collect();
                return Some(parse(&String::from_utf8_lossy(&frame)));
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => panic!("the node has ended the connection"),
                Ok(count) => self.unread.extend(buffer.iter().take(count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => panic!("the connection broke: {error}"),
            }
        }
    }
}

/// A frame whose headers need no escapes, as those of this test do not.
fn parse(frame: &str) -> Heard {
    let (head, body) = frame.split_once("\n\n").unwrap_or((frame, ""));
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Heard { headers: headers.collect(), body: body.trim_end_matches('\0').to_owned() }
}
