//! Freeing what a store does not need any more while no node runs.

use std::fs;
use std::path::PathBuf;

use super::{SMALL, THREE, check};
use crate::command::{posthouse, stomp};
use crate::server::Server;

/// Messages of which every eighth stays, spread over several segments.
const MESSAGES: usize = 160;
const BODY_BYTES: usize = 40_000;

#[test]
fn what_is_dead_goes_and_what_is_wanted_stays() {
    let mut server = Server::start(&[SMALL[0]]);
    let padding = "x".repeat(BODY_BYTES);
    let frame = |number: usize| {
        let queue = if number.is_multiple_of(8) { "kept" } else { "gone" };
        format!("SEND\ndestination:/queue/{queue}\npersistent:true\n\n{number}:{padding}")
    };
    let frames: Vec<String> = (0..MESSAGES).map(frame).collect();
    drop(stomp(server.stomp(), &frames.iter().map(String::as_str).collect::<Vec<_>>()));
    posthouse(&server.data_dir(), "queue purge gone --yes").ok();
    server.stop();
    let set = format!("store compact --set {}", SMALL[0].replace(' ', ""));
    let done = posthouse(&server.data_dir(), &format!("{set} -o json")).json();
    let figure = |name: &str| done[name].as_u64().expect("a number");
    assert!(figure("after_bytes") < figure("before_bytes") * 3 / 4, "{done}");
    assert!(figure("moved_messages") > 0 && figure("freed_segments") > 2, "{done}");
    check(&server, "store check", 0, "read ");
    server.start_again();
    let kept = posthouse(&server.data_dir(), "queue browse kept --limit 1000 -o jsonl").ok();
    assert_eq!(kept.lines().count(), MESSAGES / 8);
    check(&server, &set, 6, "PH1306");
}

#[test]
fn no_more_room_is_set_aside_than_before() {
    let mut server = Server::start(&[SMALL[0]]);
    drop(stomp(server.stomp(), &THREE));
    server.stop();
    let journal = server.data_dir().join("journal");
    let spares = || {
        let entries = fs::read_dir(&journal).expect("there is a store");
        let paths = entries.map(|entry| entry.expect("it can be listed").path());
        let is_spare = |path: &PathBuf| path.extension().is_some_and(|end| end == "spare");
        // The one with the number 0 is for the next checkpoint.
        paths.filter(is_spare).filter(|path| !path.ends_with("0000000000000000.spare"))
    };
    let compact = format!("store compact --set {}", SMALL[0].replace(' ', ""));
    let before = spares().count();
    posthouse(&server.data_dir(), &compact).ok();
    assert!(spares().count() <= before, "{before} before");
    spares().for_each(|path| fs::remove_file(path).expect("it is there"));
    posthouse(&server.data_dir(), &compact).ok();
    assert_eq!(spares().count(), 0);
    server.start_again();
    assert_eq!(
        posthouse(&server.data_dir(), "queue browse orders -o jsonl").ok().lines().count(),
        2
    );
}

#[test]
fn nothing_is_made_where_nothing_is() {
    let server = Server::start(&[]);
    let other = server.data_dir().join("other");
    let done = posthouse(&other, "store compact");
    assert!(done.code == 4 && done.err.contains("PH1319"), "{done:?}");
    assert!(!other.exists());
}
