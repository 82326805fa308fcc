//! Kills the node under load, again and again, and has the checker look whether it kept its word.
//!
//! The moments are random: after so many events as a seed draws. What the clients do comes from
//! the same seed, but not in the same order every time, because this is a real machine; so a
//! failure leaves its history behind, and the checker finds the same in it as often as one likes.

use std::io::Write;
use std::time::{Duration, Instant};

use posthouse_sim::random::{Random, Stream};
use rustix::process::Signal;

use crate::command::{posthouse, read_until, stomp};
use crate::load::{CONFIG, Load, SETTINGS, check_store, expect_kept, seed};
use crate::server::Server;

/// Kills between two times at which everything is drained and checked.
const KILLS_PER_CHAPTER: u32 = 30;
const CHAPTERS: u32 = 1;
const CHAPTERS_LONG: u32 = 34;
/// Events of all clients between a start and a kill.
const EVENTS_MIN: u64 = 50;
const EVENTS_MAX: u64 = 6_000;
/// How long a stopped process stands still: longer than anything but a deadline would be.
const STANDSTILL: Duration = Duration::from_secs(3);

/// What happens to the node.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// SIGKILL.
    Kill,
    /// SIGTERM, after which it has to end in order.
    Terminate,
    /// SIGSTOP, and SIGCONT some time later.
    Pause,
}

#[test]
fn a_node_that_is_killed_keeps_its_word() {
    let seed = seed();
    let is_long = std::env::var_os("POSTHOUSE_TEST_LONG").is_some();
    let chapters = if is_long { CHAPTERS_LONG } else { CHAPTERS };
    println!("seed {seed}, {chapters} times {KILLS_PER_CHAPTER} kills");
    let mut random = Random::new(seed, Stream::Faults);
    let mut server = Server::start_with(CONFIG, &SETTINGS);
    let mut load = Load::new("kill", seed);
    load.started(server.stomp());
    for _ in 0..chapters {
        play_chapter(&mut server, &mut load, &mut random);
        expect_kept(&load.drain(server.stomp(), server.http()));
    }
    drop(load);
    server.stop();
    check_store(&server.data_dir());
}

fn play_chapter(server: &mut Server, load: &mut Load, random: &mut Random) {
    for _ in 0..KILLS_PER_CHAPTER {
        play(Fault::Kill, server, load, random);
    }
    play(Fault::Terminate, server, load, random);
    play(Fault::Pause, server, load, random);
}

fn play(fault: Fault, server: &mut Server, load: &mut Load, random: &mut Random) {
    let events = random.between(EVENTS_MIN, EVENTS_MAX);
    load.await_events(usize::try_from(events).expect("it is small"));
    match fault {
        Fault::Kill => server.kill(),
        Fault::Terminate => server.stop(),
        Fault::Pause => return stand_still(server),
    }
    load.crashed();
    server.start_elsewhere();
    load.started(server.stomp());
}

/// Nobody can be told when a process that stands still has done so for long enough.
fn stand_still(server: &mut Server) {
    server.signal(Signal::STOP);
    let until = Instant::now() + STANDSTILL;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(left);
    }
    server.signal(Signal::CONT);
}

#[test]
fn what_was_acknowledged_without_a_receipt_survives_an_orderly_stop() {
    let mut server = Server::start(&[]);
    drop(stomp(server.stomp(), &["SEND\ndestination:/queue/orders\npersistent:true\n\none"; 20]));
    // Only now is subscribed: what comes beside a receipt would be read with it and be lost here.
    let mut peer = stomp(server.stomp(), &[]);
    write!(peer, "SUBSCRIBE\nid:1\ndestination:/queue/orders\nack:client\n\n\0")
        .expect("it is sent");
    let mut text = String::new();
    while text.matches("\nack:").count() < 20 {
        text.push_str(&read_until(&mut peer, "\0"));
    }
    let last = text.lines().filter_map(|line| line.strip_prefix("ack:")).next_back();
    write!(peer, "ACK\nid:{}\n\n\0", last.expect("an ack id")).expect("it is sent");
    let kept = |server: &Server| {
        let queue = posthouse(&server.data_dir(), "queue show orders -o json").json();
        queue["messages"].as_u64().expect("a number")
    };
    while kept(&server) > 0 {}
    server.stop();
    server.start_elsewhere();
    assert_eq!(kept(&server), 0);
}
