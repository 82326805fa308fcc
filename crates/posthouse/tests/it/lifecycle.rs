//! A node from start to stop: what it leaves in its directory, where it listens, and how it ends.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::command::{posthouse, read_until, stomp};
use crate::server::Server;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[test]
fn the_directory_is_private_and_tells_where_the_node_is() {
    let mut server = Server::start(&[]);
    let dir = server.data_dir();
    assert_eq!(mode(&dir), 0o700);
    for name in ["admin.token", "endpoints.json", "users.toml", "lock"] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
    let users = fs::read_to_string(dir.join("users.toml")).expect("it is there");
    assert!(users.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{users}");
    let first = fs::read(dir.join("admin.token")).expect("it is there");
    server.stop();
    assert!(!dir.join("endpoints.json").exists(), "nobody is to be found any more");
    server.start_again();
    assert_ne!(fs::read(dir.join("admin.token")).expect("it is there"), first, "renewed");
}

#[test]
fn only_loopback_is_listened_on() {
    let server = Server::start(&[]);
    assert!(server.stomp().ip().is_loopback() && server.http().ip().is_loopback());
    let fresh = server.data_dir().join("other");
    for setting in ["stomp.listen=0.0.0.0:0", "http.listen=[::]:0", "stomp.listen=192.0.2.1:0"] {
        let refused = posthouse(&fresh, &format!("serve --set {setting}"));
        assert_eq!(refused.code, 8, "{setting}: {refused:?}");
        assert!(refused.err.contains("PH1304"), "{setting}: {refused:?}");
    }
    assert!(!fresh.exists(), "a configuration with mistakes touches nothing");
}

#[test]
fn a_node_that_still_reads_its_store_ends_at_once() {
    let mut server = Server::start(&[]);
    server.stop();
    // A pipe in the place of a file stands for a disk that does not answer.
    let slow = server.data_dir().join("store.id");
    fs::remove_file(&slow).expect("it is there");
    let made = Command::new("mkfifo").arg(&slow).status().expect("there is a mkfifo");
    assert!(made.success());
    let free = ["--set", "stomp.listen=127.0.0.1:0", "--set", "http.listen=127.0.0.1:0"];
    let mut node = Command::new(env!("CARGO_BIN_EXE_posthouse"))
        .args(["serve", "--data-dir"])
        .arg(server.data_dir())
        .args(free)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    // This waits until the node has opened its end; what is not written keeps it there.
    let pipe = fs::File::options().write(true).open(&slow).expect("the node reads it");
    let pid = Pid::from_child(&node);
    kill_process(pid, Signal::TERM).expect("it runs");
    let mut said = String::new();
    let mut errors = node.stderr.take().expect("it is piped");
    errors.read_to_string(&mut said).expect("it ends");
    assert_eq!(node.wait().expect("it has ended").code(), Some(0), "{said}");
    assert!(said.contains("while the store was being read"), "{said}");
    drop(pipe);
}

#[test]
fn a_directory_has_one_node_and_an_address_too() {
    let server = Server::start(&[]);
    let any = "--set http.listen=127.0.0.1:0";
    let second =
        posthouse(&server.data_dir(), &format!("serve {any} --set stomp.listen=127.0.0.1:0"));
    assert_eq!(second.code, 6, "{second:?}");
    assert!(
        second.err.contains("PH1306") && second.err.contains("in use by process"),
        "{second:?}"
    );
    assert!(server.data_dir().join("endpoints.json").exists(), "the first one is not disturbed");
    let other = server.data_dir().join("other");
    let taken = posthouse(&other, &format!("serve {any} --set stomp.listen={}", server.stomp()));
    assert_eq!(taken.code, 6, "{taken:?}");
    assert!(taken.err.contains("another program listens there"), "{taken:?}");
}

#[test]
fn a_node_that_stops_answers_and_closes() {
    let mut server = Server::start(&[]);
    let mut peer = stomp(server.stomp(), &["SUBSCRIBE\nid:1\ndestination:/queue/a\n\n"]);
    server.stop();
    let last = read_until(&mut peer, "anything");
    assert!(!last.contains("ERROR"), "the peer did nothing wrong: {last:?}");
}

#[test]
fn one_bad_peer_ends_alone() {
    let server = Server::start(&["stomp.frame_bytes_max=64 KiB"]);
    let mut good = stomp(server.stomp(), &["SUBSCRIBE\nid:1\ndestination:/queue/a\n\n"]);
    for bad in [
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "CONNECT\naccept-version:9\n\n\0".to_owned(),
        "SEND\ndestination:/queue/a\n\nbefore login\0".to_owned(),
        "CONNECT\naccept-version:1.2\n\n\0SEND\ncontent-length:-1\n\n\0".to_owned(),
        "CONNECT\naccept-version:1.2\n\n\0SEND\ncontent-length:99999999999999999999\n\n".to_owned(),
        format!("CONNECT\n{}", "name:value\n".repeat(50_000)),
        format!("CONNECT\naccept-version:1.2\n\n\0SEND\n\n{}", "x".repeat(100_000)),
    ] {
        let mut peer = std::net::TcpStream::connect(server.stomp()).expect("the server is there");
        // The server may have heard enough before it is all sent.
        let _ = peer.write_all(bad.as_bytes());
        let answer = read_until(&mut peer, "there is nothing more");
        assert!(answer.contains("ERROR\n"), "{bad:.60}: {answer:?}");
    }
    drop(stomp(server.stomp(), &["SEND\ndestination:/queue/a\n\nstill here"]));
    assert!(read_until(&mut good, "still here").contains("MESSAGE"));
}

#[test]
fn connections_are_limited_from_one_address() {
    let server = Server::start(&["limits.connections_per_address=2"]);
    let first = stomp(server.stomp(), &[]);
    let _second = stomp(server.stomp(), &[]);
    let mut third = std::net::TcpStream::connect(server.stomp()).expect("it is accepted");
    assert_eq!(read_until(&mut third, "anything"), "", "and closed at once");
    drop(first);
    while posthouse(&server.data_dir(), "connection list -o jsonl").ok().lines().count() > 1 {}
    let _fourth = stomp(server.stomp(), &[]);
}

#[test]
fn a_peer_that_takes_nothing_ends_alone() {
    let server = Server::start(&["stomp.write_timeout=300ms"]);
    let stuck = stomp(server.stomp(), &["SUBSCRIBE\nid:1\ndestination:/topic/a\n\n"]);
    let mut good = stomp(server.stomp(), &["SUBSCRIBE\nid:1\ndestination:/queue/a\n\n"]);
    let much = format!("SEND\ndestination:/topic/a\n\n{}", "x".repeat(1 << 20));
    drop(stomp(server.stomp(), &[much.as_str(); 16]));
    let is_there = |client: &str| {
        let rows = posthouse(&server.data_dir(), "connection list -o json").json();
        rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["address"] == client))
    };
    let address = stuck.local_addr().expect("it has an address").to_string();
    while is_there(&address) {}
    drop(stomp(server.stomp(), &["SEND\ndestination:/queue/a\n\nstill here"]));
    assert!(read_until(&mut good, "still here").contains("MESSAGE"));
}

#[test]
fn a_full_queue_holds_its_producer_and_nobody_else() {
    let server = Server::start_with_config(FULL);
    let mut producer = stomp(server.stomp(), &["SEND\ndestination:/queue/full\n\none"]);
    let two = "SEND\ndestination:/queue/full\nreceipt:two\n\ntwo\0";
    producer.write_all(two.as_bytes()).expect("it is sent");
    let held = || {
        let rows = posthouse(&server.data_dir(), "connection list -o json").json();
        rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["held"] == true))
    };
    while !held() {}
    drop(stomp(server.stomp(), &["SEND\ndestination:/queue/other\n\nnot held"]));
    let mut consumer = stomp(server.stomp(), &[]);
    let subscribe = "SUBSCRIBE\nid:1\ndestination:/queue/full\n\n\0";
    consumer.write_all(subscribe.as_bytes()).expect("it is sent");
    assert!(read_until(&mut consumer, "two").contains("one"), "both come, in order");
    assert!(read_until(&mut producer, "receipt-id:two").contains("receipt-id:two"));
}

#[test]
fn live_settings_follow_the_file() {
    let server = Server::start_with_config("[limits]\nconnections_per_address = 100\n");
    let config = server.data_dir().with_file_name("posthouse.toml");
    let endpoints =
        fs::read_to_string(server.data_dir().join("endpoints.json")).expect("it is there");
    let endpoints: serde_json::Value = serde_json::from_str(&endpoints).expect("it is JSON");
    let pid = endpoints["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
    let pid = Pid::from_raw(pid.expect("a process")).expect("a process");
    let _first = stomp(server.stomp(), &[]);
    let is_refused = || {
        let mut peer = std::net::TcpStream::connect(server.stomp()).expect("it is accepted");
        // A peer that was closed before it has written hears of it now or when it reads.
        let _ = peer.write_all(b"CONNECT\naccept-version:1.2\n\n\0");
        let mut byte = [0];
        std::io::Read::read(&mut peer, &mut byte).map_or(true, |count| count == 0)
    };
    assert!(!is_refused());
    fs::write(&config, "[limits]\nconnections_per_address = 1\n").expect("it can be written");
    kill_process(pid, Signal::HUP).expect("the server is there");
    while !is_refused() {}
}

const FULL: &str = "[[destination]]\npattern = \"queue/full\"\nmessages_max = 1\n";
