//! Disks that take nothing more: full, read-only, or somebody else's.

mod tmpfs;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use posthouse_client::{Ack, Client, Error, Message, Subscribe};

use crate::command::{http, posthouse, stomp};
use crate::load::check_store;
use crate::server::{Server, data_dir};
use tmpfs::{Tmpfs, where_mounting_is_allowed};

const QUEUE: &str = "/queue/pile";
const SMALL: [&str; 3] =
    ["journal.segment=1MiB", "journal.checkpoint=1MiB", "journal.resident=1MiB"];
const DISK: &str = "24m";
/// Of such messages a few hundred fit.
const BODY_BYTES: usize = 48 << 10;
/// How soon producers can go on when there is room again.
const RECOVERY_MAX: Duration = Duration::from_secs(10);
const NOBODY: u32 = 65_534;

#[test]
fn a_full_disk_stops_producers_and_nobody_else() {
    let test = "disk_full::a_full_disk_stops_producers_and_nobody_else";
    where_mounting_is_allowed(test, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be made").block_on(fill_and_drain());
    });
}

async fn fill_and_drain() {
    let disk = Tmpfs::mount(DISK);
    let mut server = Server::start_in(disk.dir(), &SMALL);
    let client = connect(&server).await;
    let confirmed = fill(&client).await;
    assert!(confirmed > 100, "only {confirmed} messages fitted");
    assert_eq!(metric(&server, "posthouse_journal_full"), 1);
    let fleeting = Message::to("/queue/fleeting").persistent(false).text("need not survive");
    client.send(fleeting).await.expect("what needs no disk is taken");
    drop(client);

    server.kill();
    server.start_elsewhere();
    let client = connect(&server).await;
    let mut consumed = consume(&client, confirmed / 2).await;
    let late = tokio::time::timeout(RECOVERY_MAX, send_at_last(&client, confirmed)).await;
    late.expect("producers go on by themselves");
    assert_eq!(metric(&server, "posthouse_journal_full"), 0);
    drop(client);

    server.kill();
    server.start_elsewhere();
    let client = connect(&server).await;
    consumed.extend(consume(&client, confirmed + 1 - confirmed / 2).await);
    let sent: Vec<u64> = (0..=confirmed).collect();
    assert_eq!(consumed, sent, "each confirmed message once and in order, and nothing else");
    client.close().await.expect("everything is confirmed");
    assert_eq!(metric(&server, "posthouse_messages"), 0);
    server.stop();
    check_store(&server.data_dir());
}

async fn connect(server: &Server) -> Client {
    let address = format!("failover:(stomp://{})", server.stomp());
    Client::connect(&address).await.expect("the server is there")
}

fn message(number: u64) -> Message {
    Message::to(QUEUE).text(format!("{number} {}", "x".repeat(BODY_BYTES)))
}

/// Sends until that is refused for want of room. Answers how many messages were confirmed.
async fn fill(client: &Client) -> u64 {
    for number in 0.. {
        match client.send(message(number)).await {
            Ok(()) => {}
            Err(error) => {
                expect_no_room(&error);
                return number;
            }
        }
    }
    unreachable!("the disk is small")
}

/// Sends until that is not refused any more.
async fn send_at_last(client: &Client, number: u64) {
    while let Err(error) = client.send(message(number)).await {
        expect_no_room(&error);
    }
}

fn expect_no_room(error: &Error) {
    let Error::Refused(refusal) = error else { panic!("{error}") };
    assert_eq!(refusal.code.as_deref(), Some("PH1219"), "{refusal}");
    assert!(refusal.is_retryable(), "it passes");
}

/// Takes so many messages and waits for the receipt of each acknowledgement. Answers the numbers.
async fn consume(client: &Client, count: u64) -> Vec<u64> {
    let subscribe = Subscribe::to(QUEUE).ack(Ack::Individual).prefetch(10);
    let mut subscription = client.subscribe(subscribe).await.expect("consumers are welcome");
    let mut numbers = Vec::new();
    for _ in 0..count {
        let delivery = subscription.next().await.expect("there is more").expect("it is delivered");
        let text = delivery.text().expect("it is text").to_owned();
        let (number, filling) = text.split_once(' ').expect("a number and its filling");
        assert_eq!(filling.len(), BODY_BYTES);
        numbers.push(number.parse().expect("a number"));
        delivery.ack_confirmed().await.expect("what frees room is written");
    }
    numbers
}

fn metric(server: &Server, name: &str) -> u64 {
    let (_, answer) = http(server.http(), "GET /metrics", &["Host: localhost"], "");
    let mut lines = answer.lines().filter_map(|line| line.split_once(' '));
    let value = lines.find(|(found, _)| *found == name).map(|(_, value)| value);
    let value = value.and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

#[test]
fn a_disk_without_any_room_is_told() {
    let test = "disk_full::a_disk_without_any_room_is_told";
    where_mounting_is_allowed(test, || {
        // Room for the lock, but not for the first file behind it.
        let disk = Tmpfs::mount("4k");
        let refused = posthouse(&data_dir(&disk.dir()), SERVE);
        assert_eq!(refused.code, 10, "{refused:?}");
        assert!(refused.err.contains("PH1315"), "{refused:?}");
    });
}

#[test]
fn a_read_only_disk_is_told_and_loses_nothing() {
    let test = "disk_full::a_read_only_disk_is_told_and_loses_nothing";
    where_mounting_is_allowed(test, || {
        let disk = Tmpfs::mount(DISK);
        let mut server = Server::start_in(disk.dir(), &SMALL);
        drop(stomp(server.stomp(), &["SEND\ndestination:/queue/pile\npersistent:true\n\nsafe"]));
        server.stop();
        disk.remount("ro");
        let refused = posthouse(&server.data_dir(), SERVE);
        assert_eq!(refused.code, 10, "{refused:?}");
        assert!(refused.err.contains("PH1314"), "{refused:?}");
        disk.remount("rw");
        server.start_elsewhere();
        assert_eq!(metric(&server, "posthouse_messages"), 1);
    });
}

const SERVE: &str = "serve --set stomp.listen=127.0.0.1:0 --set http.listen=127.0.0.1:0";

#[test]
fn a_directory_of_somebody_else_is_told() {
    let mut server = Server::start(&[]);
    server.stop();
    let dir = server.data_dir();
    let mut command = Command::new(env!("CARGO_BIN_EXE_posthouse"));
    command.args(SERVE.split(' ')).arg("--data-dir").arg(&dir).stdin(Stdio::null());
    let mode = |bits| fs::set_permissions(&dir, fs::Permissions::from_mode(bits));
    if rustix::process::getuid().is_root() {
        // Nothing is forbidden to root.
        command.uid(NOBODY).gid(NOBODY);
    } else {
        mode(0).expect("it is ours");
    }
    let output = command.output().expect("the binary runs");
    mode(0o700).expect("it is ours");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(10), "{told}");
    assert!(told.contains("PH1313"), "{told}");
}
