//! Peers, sessions and one driver.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_core::command::Command as CoreCommand;
use posthouse_core::destination::Kind;
use posthouse_core::driver::Driver;
use posthouse_core::policy::{Policies, Policy, Rule};
use posthouse_core::time::Now;
use posthouse_store::memory::{Disk, MemoryStore};

use crate::stomp::session::{Session, SessionConfig};
use crate::stomp::{Command, FrameLimits, FrameWriter, HeartBeat, Inbox, Version};

/// Headers that are not shown: they differ from run to run, or are in every MESSAGE.
const HIDDEN: [&str; 7] =
    ["server", "session", "timestamp", "expires", "content-length", "content-type", "priority"];

struct Peer {
    session: Session,
    inbox: Inbox,
    version: Version,
    /// Bytes that the peer reads at a time; 0 while it stalls.
    reads: usize,
    is_closed: bool,
}

pub(super) struct World {
    now: Now,
    disk: Disk,
    driver: Driver,
    config: Arc<SessionConfig>,
    peers: BTreeMap<String, Peer>,
    syncs: bool,
}

impl World {
    pub(super) fn new() -> World {
        let disk = Disk::synced_by_hand();
        let policy = Policy { messages_max: 1, ..Policy::default() };
        let rule = Rule { kind: Some(Kind::Queue), path: "tight".into(), policy: Arc::new(policy) };
        let policies = Policies { rules: vec![rule], ..Policies::default() };
        let now = Now::at(1_000_000);
        let store = Box::new(MemoryStore::on(&disk));
        let driver = Driver::new(policies, store, now).expect("an empty disk");
        let config = SessionConfig {
            node: "n".into(),
            heart_beat: HeartBeat { send_ms: 1_000, want_ms: 1_000 },
            out_bytes_soft: 2_000,
            ..SessionConfig::default()
        };
        let config = Arc::new(config);
        World { now, disk, driver, config, peers: BTreeMap::new(), syncs: true }
    }

    pub(super) fn play(&mut self, line: &str) -> Vec<String> {
        let (who, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (what, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        match (who, what) {
            ("at", _) => {
                let ms: u64 = what.parse().expect("milliseconds");
                self.now = Now::at(1_000_000 + ms);
                let _ = self.driver.apply(self.now, CoreCommand::Tick);
                for peer in self.peers.values_mut() {
                    peer.session.on_timeout(self.now);
                }
            }
            ("sync", _) => self.syncs = what != "never",
            (_, "connect") => {
                self.open(who);
                self.feed(who, &frame(Version::V1_0, &format!("CONNECT {rest}")));
            }
            (_, "open") => self.open(who),
            (_, "cut") => self.cut(who),
            (_, "reads") => self.peer(who).reads = rest.parse().expect("bytes"),
            (_, "bytes") => {
                let bytes = rest.replace("\\n", "\n").replace("\\0", "\0").replace("\\r", "\r");
                self.feed(who, bytes.as_bytes());
            }
            _ => {
                let version = self.peer(who).version;
                self.feed(who, &frame(version, &format!("{what} {rest}")));
            }
        }
        self.run()
    }

    fn peer(&mut self, name: &str) -> &mut Peer {
        self.peers.get_mut(name).expect("an open peer")
    }

    fn open(&mut self, name: &str) {
        let peer = Peer {
            session: Session::new(self.config.clone(), self.now),
            inbox: Inbox::new(FrameLimits::AFTER_LOGIN, Version::V1_0),
            version: Version::V1_0,
            reads: usize::MAX,
            is_closed: false,
        };
        self.peers.insert(name.to_owned(), peer);
    }

    fn cut(&mut self, name: &str) {
        let mut peer = self.peers.remove(name).expect("an open peer");
        peer.session.on_closed(self.now, &mut self.driver);
    }

    fn feed(&mut self, name: &str, bytes: &[u8]) {
        let peer = self.peers.get_mut(name).expect("an open peer");
        peer.session.on_bytes(self.now, bytes, &mut self.driver);
    }

    /// Lets everything come to rest and tells what the peers have read.
    fn run(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            self.driver.turn(self.now);
            if self.syncs {
                self.disk.sync();
                self.driver.hear();
            }
            let mut is_quiet = !self.driver.has_work(self.now);
            while let Some((holder, effect)) = self.driver.next_effect() {
                is_quiet = false;
                let mut peers = self.peers.values_mut();
                if let Some(peer) = peers.find(|peer| peer.session.holder() == Some(holder)) {
                    peer.session.on_effect(self.now, effect, &mut self.driver);
                }
            }
            for (name, peer) in &mut self.peers {
                is_quiet &= !read(self.now, name, peer, &mut self.driver, &mut told);
            }
            if is_quiet {
                return told;
            }
        }
    }
}

/// Lets a peer read what is there for it; answers whether anything happened.
fn read(
    now: Now,
    name: &str,
    peer: &mut Peer,
    driver: &mut Driver,
    told: &mut Vec<String>,
) -> bool {
    let bytes = peer.session.output();
    let bytes = bytes[..bytes.len().min(peer.reads)].to_vec();
    if !bytes.is_empty() {
        peer.session.on_written(now, bytes.len(), driver);
        show(name, peer, &bytes, told);
        return true;
    }
    let is_done = peer.session.is_closing() && peer.session.output().is_empty();
    if is_done && !peer.is_closed {
        peer.is_closed = true;
        peer.session.on_closed(now, driver);
        told.push(format!("{name} closed"));
        return true;
    }
    false
}

fn show(name: &str, peer: &mut Peer, bytes: &[u8], told: &mut Vec<String>) {
    if bytes == b"\n" {
        told.push(format!("{name} heart-beat"));
    }
    let mut reading = peer.inbox.read(bytes);
    while let Some(frame) = reading.next_frame().expect("the server speaks STOMP") {
        let mut text = format!("{name} {}", frame.command().as_str());
        if frame.command() == Command::Connected {
            peer.version = Version::parse(&frame.header("version").expect("a version"))
                .expect("a version that we speak");
        }
        for header in frame.headers() {
            if !HIDDEN.contains(&&*header.name()) {
                text.push_str(&format!(" {}:{}", header.name(), visible(&header.value())));
            }
        }
        if frame.command() == Command::Message && !frame.body().is_empty() {
            text.push_str(&format!(" | {}", visible(&String::from_utf8_lossy(frame.body()))));
        }
        told.push(text);
        if frame.command() == Command::Connected {
            reading.set_version(peer.version);
        }
    }
}

fn visible(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r").replace('\0', "\\0")
}

/// Reads `COMMAND name:value ... | body`; `_` in a value stands for a space.
fn frame(version: Version, text: &str) -> Vec<u8> {
    let (head, body) = text.split_once(" | ").unwrap_or((text, ""));
    let mut words = head.split_whitespace();
    let name = words.next().expect("a command");
    let command = Command::parse(name.as_bytes()).expect("a STOMP command");
    let mut bytes = Vec::new();
    let mut writer = FrameWriter::new(&mut bytes, version, command);
    for word in words {
        let (name, value) = word.split_once(':').expect("name:value");
        let value = value.replace('_', " ").replace("\\n", "\n");
        writer.header(name, &value).expect("a header that can be written");
    }
    writer.body_without_length(body.as_bytes()).expect("a body that can be written");
    bytes
}
