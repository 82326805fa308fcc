//! What is on a node's disk, from outside: looked into, damaged, backed up and restored.

mod backup;
mod compact;
mod damage;
mod files;

use serde_json::Value;

use crate::command::{posthouse, stomp};
use crate::server::Server;

/// Segments and checkpoints so small that a few messages make many.
const SMALL: [&str; 2] = ["journal.segment=1 MiB", "journal.checkpoint=1 MiB"];

const THREE: [&str; 3] = [
    "SEND\ndestination:/queue/orders\npersistent:true\n\nespresso",
    "SEND\ndestination:/queue/orders\npersistent:true\n\nristretto",
    "SEND\ndestination:/queue/answers\npersistent:true\n\nthanks",
];

/// A server that was stopped with three messages in its store.
fn stopped_server() -> Server {
    let mut server = Server::start(&SMALL);
    drop(stomp(server.stomp(), &THREE));
    server.stop();
    server
}

/// The rows that a command prints.
fn rows(server: &Server, arguments: &str) -> Vec<Value> {
    let rows = posthouse(&server.data_dir(), &format!("{arguments} -o json")).json();
    rows.as_array().expect("a list").clone()
}

fn check(server: &Server, arguments: &str, code: i32, word: &str) {
    let done = posthouse(&server.data_dir(), arguments);
    assert_eq!(done.code, code, "{arguments}: {done:?}");
    assert!(done.err.contains(word), "{arguments}: {done:?}");
}

#[test]
fn a_sound_store_is_told_to_be_sound() {
    let server = stopped_server();
    let before = files::of(&server.data_dir());
    let done = posthouse(&server.data_dir(), "store check");
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{done:?}");
    assert!(done.err.contains("nothing is out of order"), "{done:?}");
    check(&server, "store check", 0, "; the last batch is ");
    assert_eq!(rows(&server, "store check"), [] as [Value; 0]);
    assert_eq!(files::of(&server.data_dir()), before, "looking changes nothing");
}

#[test]
fn a_dump_shows_what_is_wanted() {
    let server = stopped_server();
    let texts = |arguments: &str| -> Vec<String> {
        let rows = rows(&server, &format!("store dump {arguments}"));
        rows.iter().map(|row| row["text"].as_str().expect("a text").to_owned()).collect()
    };
    let is_message = |text: &&String| text.starts_with("enqueued ");
    let all = texts("");
    assert_eq!(all.iter().filter(is_message).count(), 3, "{all:?}");
    assert!(all.iter().all(|text| !text.contains("espresso")), "bodies are not shown unasked");
    let orders = texts("--destination /queue/orders --bodies");
    let messages: Vec<&String> = orders.iter().filter(is_message).collect();
    assert!(messages[0].ends_with("content=\"espresso\""), "{messages:?}");
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(texts("--destination nothing").is_empty());
    assert_eq!(texts("--from-batch 1 --to-batch 1")[1], "started run=1");
    let lines = posthouse(&server.data_dir(), "store dump").ok();
    assert!(lines.starts_with("1 1:1+0 batch in=journal "), "{lines}");
    let csv = posthouse(&server.data_dir(), "store dump -o csv").ok();
    assert!(csv.starts_with("batch,segment,block,offset,text\n1,1,1,0,\"batch"), "{csv}");
    check(&server, "store dump --destination a..b", 2, "PH1326");
}

#[test]
fn figures_say_what_takes_the_room_and_what_waits() {
    let server = stopped_server();
    let rows = rows(&server, "store stats");
    let row = |part: &str, name: &str| {
        let found = rows.iter().find(|row| row["part"] == part && row["name"] == name);
        found.unwrap_or_else(|| panic!("{part} {name}: {rows:?}")).clone()
    };
    assert_eq!(row("records", "enqueued")["count"], 3);
    assert_eq!(row("waiting", "/queue/orders")["count"], 2);
    assert_eq!(row("waiting", "/queue/answers")["count"], 1);
    assert_eq!(row("segment", "0000000000000001.segment")["bytes"], 1 << 20);
    // Two are kept back for the log, and there is room for the next checkpoint.
    assert!(row("files", "spares")["count"].as_u64().is_some_and(|count| count >= 2));
    assert!(row("batches", "with padding")["ratio"].as_f64().is_some_and(|ratio| ratio > 0.5));
}

#[test]
fn a_running_node_is_not_looked_into_but_asked() {
    let server = Server::start(&SMALL);
    drop(stomp(server.stomp(), &THREE));
    for command in ["store check", "store dump", "restore /nowhere"] {
        let done = posthouse(&server.data_dir(), command);
        assert_eq!(done.code, 6, "{command}: {done:?}");
    }
    check(&server, "store check", 6, "PH1306");
    check(&server, "store stats", 0, "in use by process");
    let status = posthouse(&server.data_dir(), "store status -o json").json();
    assert_eq!((&status["full"], &status["held"]), (&false.into(), &false.into()), "{status}");
    assert!(status["batches"].as_u64().is_some_and(|batches| batches > 0), "{status}");
    assert!(status["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{status}");
    check(&server, "store status", 0, "");
}

#[test]
fn where_nothing_is_on_disk_that_is_said() {
    let server = Server::start(&["journal.enabled=false"]);
    check(&server, "store status", 4, "PH1319");
    check(&server, "backup /nowhere", 4, "PH1319");
    let nowhere = server.data_dir().join("other");
    let done = posthouse(&nowhere, "store check");
    assert!(done.code == 4 && done.err.contains("PH1319"), "{done:?}");
    assert!(!nowhere.exists(), "looking makes nothing");
}
