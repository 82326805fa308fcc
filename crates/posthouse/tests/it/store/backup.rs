//! Backups of running nodes, and what a restore makes of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

use super::{SMALL, THREE, check, files};
use crate::command::{http, posthouse, read_until, stomp};
use crate::server::Server;

/// So many bytes that a few dozen messages fill a segment.
const BODY_BYTES: usize = 20_000;

/// So many messages are confirmed before a backup begins.
const BEFORE: u64 = 150;

/// Where the backup of a server goes.
fn backup_dir(server: &Server) -> PathBuf {
    server.data_dir().with_file_name("backup")
}

fn back_up(server: &Server) -> Value {
    let dir = backup_dir(server);
    posthouse(&server.data_dir(), &format!("backup {} -o json", dir.display())).json()
}

fn restore(server: &Server) -> (i32, String) {
    let dir = backup_dir(server);
    let done = posthouse(&server.data_dir(), &format!("restore {}", dir.display()));
    (done.code, done.err)
}

/// Takes the store of a stopped server away, so that another one can take its place.
fn lose_store(server: &Server) {
    fs::remove_dir_all(server.data_dir().join("journal")).expect("it is there");
}

fn bodies(server: &Server, queue: &str) -> Vec<String> {
    let command = format!("queue browse {queue} --limit 100000 -o json");
    let rows = posthouse(&server.data_dir(), &command).json();
    let body = |row: &Value| row["body"].as_str().expect("a text").to_owned();
    rows.as_array().expect("a list").iter().map(body).collect()
}

/// Sends numbered messages one after the other, each confirmed before the next, until it is told
/// to stop.
struct Load {
    confirmed: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Load {
    fn start(server: SocketAddr) -> Load {
        let (confirmed, is_over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let thread = {
            let (confirmed, is_over) = (confirmed.clone(), is_over.clone());
            thread::spawn(move || send(server, &confirmed, &is_over))
        };
        Load { confirmed, is_over, thread }
    }

    fn wait_for(&self, count: u64) -> u64 {
        while self.confirmed.load(Ordering::SeqCst) < count {
            assert!(!self.thread.is_finished(), "the load goes on");
            thread::yield_now();
        }
        self.confirmed.load(Ordering::SeqCst)
    }

    fn stop(self) -> u64 {
        self.is_over.store(true, Ordering::SeqCst);
        self.thread.join().expect("everything was confirmed");
        self.confirmed.load(Ordering::SeqCst)
    }
}

fn send(server: SocketAddr, confirmed: &AtomicU64, is_over: &AtomicBool) {
    let mut peer = stomp(server, &[]);
    let padding = "x".repeat(BODY_BYTES);
    for number in 1.. {
        let head = format!("SEND\ndestination:/queue/load\npersistent:true\nreceipt:{number}\n\n");
        write!(peer, "{head}{number}:{padding}\0").expect("it is sent");
        let receipt = format!("receipt-id:{number}\n");
        assert!(read_until(&mut peer, &receipt).contains(&receipt));
        confirmed.store(number, Ordering::SeqCst);
        if is_over.load(Ordering::SeqCst) {
            break;
        }
    }
}

#[test]
fn what_was_confirmed_before_a_backup_under_load_is_restored() {
    let mut server = Server::start(&SMALL);
    let load = Load::start(server.stomp());
    let before = load.wait_for(BEFORE);
    let told = back_up(&server);
    let after = load.stop();
    assert!(after > before, "the node went on meanwhile");
    assert_eq!(told["node"], "posthouse", "{told}");
    let copy = posthouse(&backup_dir(&server), "store check");
    assert_eq!((copy.code, copy.out.as_str()), (0, ""), "{copy:?}");
    server.stop();
    lose_store(&server);
    assert_eq!(restore(&server).0, 0);
    server.start_again();
    let found = bodies(&server, "load");
    let number = |body: &String| body.split(':').next().and_then(|number| number.parse().ok());
    let found: BTreeSet<u64> = found.iter().filter_map(number).collect();
    let lost: Vec<u64> = (1..=before).filter(|number| !found.contains(number)).collect();
    assert_eq!(lost, [] as [u64; 0]);
    assert_eq!(found.len() as u64, *found.last().expect("there are some"), "without a gap");
}

#[test]
fn a_restored_node_goes_on_and_can_be_backed_up_again() {
    let mut server = Server::start(&SMALL);
    drop(stomp(server.stomp(), &THREE));
    back_up(&server);
    server.stop();
    lose_store(&server);
    assert_eq!(restore(&server).0, 0);
    server.start_again();
    drop(stomp(server.stomp(), &THREE));
    assert_eq!(bodies(&server, "orders"), ["espresso", "ristretto", "espresso", "ristretto"]);
    fs::remove_dir_all(backup_dir(&server)).expect("it is there");
    back_up(&server);
    check(&server, "store status", 0, "");
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let mut server = Server::start(&SMALL);
    drop(stomp(server.stomp(), &THREE));
    let dir = backup_dir(&server);
    fs::create_dir(&dir).expect("it can be made");
    back_up(&server);
    let backup = format!("backup {}", dir.display());
    check(&server, &backup, 6, "PH1316");
    server.stop();
    let before = files::of(&server.data_dir());
    let (code, told) = restore(&server);
    assert!(code == 6 && told.contains("PH1316"), "{code}: {told}");
    assert_eq!(files::of(&server.data_dir()), before);
}

#[test]
fn a_slash_behind_the_directory_changes_nothing() {
    let server = Server::start(&SMALL);
    let dir = backup_dir(&server);
    posthouse(&server.data_dir(), &format!("backup {}/", dir.display())).ok();
    assert!(dir.join("backup.json").exists());
    fs::remove_dir_all(&dir).expect("it is there");
    fs::create_dir(&dir).expect("it can be made");
    posthouse(&server.data_dir(), &format!("backup {}/.", dir.display())).ok();
    assert!(dir.join("backup.json").exists());
}

#[test]
fn what_an_interrupted_backup_has_left_is_not_taken_for_one() {
    let server = Server::start(&SMALL);
    let dir = backup_dir(&server);
    fs::create_dir(dir.with_extension("new")).expect("it can be made");
    check(&server, &format!("backup {}", dir.display()), 6, "backup.new");
    assert!(!dir.exists());
}

#[test]
fn an_altered_backup_is_not_restored() {
    let mut server = Server::start(&SMALL);
    drop(stomp(server.stomp(), &THREE));
    back_up(&server);
    server.stop();
    lose_store(&server);
    let dir = backup_dir(&server);
    let journal = dir.join("journal");
    let refused = |what: &str| {
        let (code, told) = restore(&server);
        assert!(code == 9 && told.contains("PH1317"), "{what}: {code}: {told}");
        assert!(!server.data_dir().join("journal").exists(), "{what}");
    };
    let segment = journal.join("0000000000000001.segment");
    let bytes = fs::read(&segment).expect("it is there");
    // A byte that no block needs: only the sum of the whole file tells.
    let mut altered = bytes.clone();
    altered[bytes.len() - 1] = 1;
    fs::write(&segment, altered).expect("it can be written");
    refused("a byte was changed");
    fs::write(&segment, &bytes).expect("it can be written");
    fs::write(journal.join("more"), "x").expect("it can be written");
    refused("a file was added");
    fs::remove_file(journal.join("more")).expect("it is there");
    fs::rename(dir.join("backup.json"), dir.join("b")).expect("it is there");
    refused("it says nothing about itself");
    let text = fs::read_to_string(dir.join("b")).expect("it is there");
    let mut description: Value = serde_json::from_str(&text).expect("it is JSON");
    description["files"] = json!([]);
    fs::write(dir.join("backup.json"), description.to_string()).expect("it can be written");
    refused("its list was emptied");
    fs::rename(&journal, dir.join("j")).expect("it is there");
    fs::create_dir(&journal).expect("it can be made");
    refused("its list was emptied, and the files are gone");
    fs::remove_dir(&journal).expect("it is empty");
    fs::rename(dir.join("j"), &journal).expect("it is there");
    fs::rename(dir.join("b"), dir.join("backup.json")).expect("it is there");
    assert_eq!(restore(&server).0, 0, "it is as it was");
}

#[test]
fn a_damaged_store_is_not_backed_up() {
    let server = Server::start(&SMALL);
    drop(stomp(server.stomp(), &THREE));
    files::flip(&server.data_dir(), "0000000000000001.segment", 1);
    let dir = backup_dir(&server);
    let done = posthouse(&server.data_dir(), &format!("backup {}", dir.display()));
    assert_eq!(done.code, 9, "{done:?}");
    assert!(done.err.contains("PH1308") && done.err.contains("(block 1)"), "{done:?}");
    assert!(!dir.exists() && !dir.with_extension("new").exists(), "nothing is left");
    let status = posthouse(&server.data_dir(), "store status -o json").json();
    assert_eq!(status["held"], false, "the node is not kept waiting");
}

#[test]
fn one_backup_at_a_time_holds_the_store() {
    let server = Server::start(&SMALL);
    let token = fs::read_to_string(server.data_dir().join("admin.token")).expect("a token");
    let bearer = format!("Authorization: Bearer {token}");
    let ask = |request: &str| {
        let (status, answer) = http(server.http(), request, &["Host: localhost", &bearer], "");
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned();
        (status, serde_json::from_str::<Value>(&body).expect("it is JSON"))
    };
    let (status, hold) = ask("POST /api/v1/store/holds");
    assert_eq!(status, 200, "{hold}");
    let names: Vec<&str> = hold["files"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| file["name"].as_str().expect("a name"))
        .collect();
    assert!(names.iter().any(|name| name.ends_with(".segment")), "{names:?}");
    check(&server, &format!("backup {}", backup_dir(&server).display()), 6, "PH1318");
    let path = format!("/api/v1/store/holds/{}", hold["id"]);
    assert_eq!(ask(&format!("POST {path}/renew")).0, 200);
    assert_eq!(ask(&format!("DELETE {path}")).0, 200);
    assert_eq!(ask(&format!("DELETE {path}")).0, 409);
    back_up(&server);
}
