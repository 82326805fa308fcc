//! A disk that fails or hangs while the node runs (P10): the node stops at the first error, says
//! why, and has confirmed nothing that it cannot show after the next start.
//!
//! The error comes from a small library that is loaded before the C library and answers one call
//! in its place. A device of the kernel's that fails would be closer to the truth, but takes root,
//! kernel modules and a mount; and the simulation has such disks already. What is left to show is
//! that the real binary, with its real threads and files, does the same. The library is not Rust
//! because exporting a C function takes `unsafe`.

mod library;

use std::fs;
use std::io::Write;
use std::path::Path;

use posthouse_client::{Ack, Client, Message, Subscribe};
use rustix::process::Signal;

use crate::command::{posthouse, stomp};
use crate::load::check_store;
use crate::server::{Server, fresh_dir};

const QUEUE: &str = "/queue/fragile";
const SMALL: [&str; 3] =
    ["journal.segment=1MiB", "journal.checkpoint=1MiB", "journal.resident=1MiB"];
const BODY_BYTES: usize = 48 << 10;
/// What is confirmed while the disk is still well.
const BEFORE: u64 = 10;
/// Of such messages a checkpoint is made about every twenty, each with all that can fail.
const SENDS_MAX: u64 = 300;

#[test]
fn an_error_of_the_disk_stops_the_node() {
    let library = library::build(&fresh_dir());
    for (call, ending) in [
        ("sync", ".segment"),
        ("write", ".segment"),
        ("sync", ".checkpoint.new"),
        ("write", ".checkpoint.new"),
        ("sync", "/manifest.b"),
        ("write", "/manifest.b"),
        ("sync", "/journal"),
    ] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be made").block_on(check(&library, call, ending));
    }
}

/// Has one call fail whose file's path ends so.
async fn check(library: &Path, call: &str, ending: &str) {
    let dir = fresh_dir();
    let fault = dir.join("fault");
    let variables = [("LD_PRELOAD", library), ("POSTHOUSE_TEST_FAULT", &*fault)];
    let mut server = Server::start_with_variables(dir.clone(), &SMALL, &variables);
    let client = connect(&server).await;
    for number in 0..BEFORE {
        client.send(message(number)).await.expect("the disk is well");
    }
    order(&fault, &format!("{call} {ending}"));
    let confirmed = send_until_it_ends(&client).await;

    let (code, log) = server.ended();
    assert_eq!(code, Some(10), "{call} {ending}: {log}");
    for word in ["error[PH1309]", &format!("cannot {call}"), "os error 5"] {
        assert!(log.contains(word), "{call} {ending}: no {word} in {log}");
    }
    assert!(!fault.exists(), "the call was made");

    server.start_elsewhere();
    let client = connect(&server).await;
    let kept = drain(&client).await;
    // The one that was under way may be there, too.
    let expected: Vec<u64> = (0..confirmed.max(kept.len() as u64)).collect();
    assert_eq!(kept, expected, "{call} {ending}: {confirmed} were confirmed");
    assert!(kept.len() as u64 <= confirmed + 1, "{call} {ending}: {confirmed} were confirmed");
    client.close().await.expect("everything is confirmed");
    server.stop();
    check_store(&server.data_dir());
}

#[test]
fn a_disk_that_hangs_makes_no_orderly_stop() {
    let dir = fresh_dir();
    let (library, fault) = (library::build(&dir), dir.join("fault"));
    let variables = [("LD_PRELOAD", &*library), ("POSTHOUSE_TEST_FAULT", &*fault)];
    let mut server = Server::start_with_variables(dir.clone(), &SMALL, &variables);
    let send = format!("SEND\ndestination:{QUEUE}\npersistent:true\n\nespresso");
    let mut stream = stomp(server.stomp(), &[&send]);
    order(&fault, "hang .segment");
    write!(stream, "{send}\0").expect("it is sent");
    while fault.exists() {}
    server.signal(Signal::TERM);
    let (code, log) = server.ended();
    assert_eq!(code, Some(10), "{log}");
    assert!(log.contains("error[PH1309]: the disk has not taken"), "{log}");
    server.start_elsewhere();
    let queues = posthouse(&server.data_dir(), "queue list -o json").json();
    assert!(queues[0]["messages"].as_u64() >= Some(1), "what was confirmed is there: {queues}");
}

#[test]
fn what_is_changed_by_hand_is_confirmed_when_it_is_durable() {
    let dir = fresh_dir();
    let (library, fault) = (library::build(&dir), dir.join("fault"));
    let variables = [("LD_PRELOAD", &*library), ("POSTHOUSE_TEST_FAULT", &*fault)];
    let mut server = Server::start_with_variables(dir.clone(), &SMALL, &variables);
    let send = format!("SEND\ndestination:{QUEUE}\npersistent:true\n\nespresso");
    drop(stomp(server.stomp(), &[&send]));
    order(&fault, "sync .segment");
    let done = posthouse(&server.data_dir(), "queue purge fragile --yes");
    assert_ne!(done.code, 0, "{done:?}");
    let (code, log) = server.ended();
    assert_eq!(code, Some(10), "{log}");
}

/// Tells the library, which must never see half of it.
fn order(fault: &Path, text: &str) {
    let growing = fault.with_extension("new");
    fs::write(&growing, text).expect("it can be written");
    fs::rename(&growing, fault).expect("it can be renamed");
}

async fn connect(server: &Server) -> Client {
    let address = format!("stomp://{}", server.stomp());
    Client::connect(&address).await.expect("the server is there")
}

fn message(number: u64) -> Message {
    Message::to(QUEUE).text(format!("{number} {}", "x".repeat(BODY_BYTES)))
}

/// Answers how many messages were confirmed.
async fn send_until_it_ends(client: &Client) -> u64 {
    for number in BEFORE..SENDS_MAX {
        if client.send(message(number)).await.is_err() {
            return number;
        }
    }
    panic!("the node goes on after {SENDS_MAX} messages")
}

/// Takes everything and answers the numbers.
async fn drain(client: &Client) -> Vec<u64> {
    let subscribe = Subscribe::to(QUEUE).ack(Ack::Individual);
    let mut subscription = client.subscribe(subscribe).await.expect("consumers are welcome");
    client.send(Message::to(QUEUE).text("end")).await.expect("the disk is well again");
    let mut numbers = Vec::new();
    loop {
        let delivery = subscription.next().await.expect("there is more").expect("it is delivered");
        let text = delivery.text().expect("it is text").to_owned();
        delivery.ack_confirmed().await.expect("the disk is well again");
        let Some((number, filling)) = text.split_once(' ') else { return numbers };
        assert_eq!(filling.len(), BODY_BYTES);
        numbers.push(number.parse().expect("a number"));
    }
}
