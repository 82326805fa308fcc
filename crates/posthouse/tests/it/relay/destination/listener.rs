//! A subscriber of one queue, over plain STOMP: takes messages one after the other, and remembers
//! them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::super::scene::PATIENCE;

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

    /// Takes messages over a new connection until it has heard enough. Fails if nothing comes for
    /// too long.
    pub(super) fn hear(&mut self, node: SocketAddr, is_enough: impl Fn(&[Heard]) -> bool) {
        let mut link = Link::open(node);
        link.say(&format!(
            "SUBSCRIBE\nid:1\nack:client-individual\ndestination:{}\n\n",
            self.destination
        ));
        while !is_enough(&self.heard) {
            let message = link.next().expect("the connection lasts");
            self.keep(&mut link, message);
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
        loop {
            let message = link.next().expect("the connection lasts");
            if message.body == "last" {
                return;
            }
            self.keep(&mut link, message);
        }
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
        stream.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
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
        while self.next().is_some_and(|frame| !frame.headers.contains_key("receipt-id")) {}
    }

    /// The next frame, of whatever kind; `None` at the end.
    fn next(&mut self) -> Option<Heard> {
        let mut buffer = [0; 4_096];
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == 0) {
                let frame: Vec<u8> = self.unread.drain(..=end).collect();
                return Some(parse(&String::from_utf8_lossy(&frame)));
            }
            let count = self.stream.read(&mut buffer).expect("something comes in time");
            if count == 0 {
                return None;
            }
            self.unread.extend(buffer.iter().take(count));
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
