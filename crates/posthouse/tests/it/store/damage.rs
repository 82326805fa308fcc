//! Stores on which a node must not start: damaged, of a later format, forbidden.

use serde_json::Value;

use super::{check, files, rows, stopped_server};
use crate::command::posthouse;
use crate::server::Server;

/// What `serve` needs so that it takes no port of anybody else.
const SERVE: &str = "serve --set stomp.listen=127.0.0.1:0 --set http.listen=127.0.0.1:0";

/// Flips a bit in the first message. Answers its file and block.
fn damage(server: &Server) -> (String, u64) {
    let dump = rows(server, "store dump");
    let is_message = |row: &&Value| row["text"].as_str().is_some_and(|t| t.starts_with("enqueued"));
    let row = dump.iter().find(is_message).expect("there is a message");
    let block = row["block"].as_u64().expect("a number");
    let name = format!("{:0>16}.segment", row["segment"].as_str().expect("a number"));
    (files::flip(&server.data_dir(), &name, block as usize), block)
}

#[test]
fn one_flipped_bit_is_found_by_whoever_reads() {
    let server = stopped_server();
    let (file, block) = damage(&server);
    let before = files::of(&server.data_dir());
    let done = posthouse(&server.data_dir(), "store check -o json");
    assert_eq!(done.code, 9, "{done:?}");
    assert!(done.err.contains("PH1308"), "{done:?}");
    let findings: Value = serde_json::from_str(&done.out).expect("it is JSON");
    assert_eq!(findings[0]["kind"], "damage", "{findings}");
    assert_eq!(
        (&findings[0]["file"], &findings[0]["block"]),
        (&file.as_str().into(), &block.into())
    );
    let refused = posthouse(&server.data_dir(), SERVE);
    assert_eq!(refused.code, 9, "{refused:?}");
    for word in ["PH1308", &file, &format!("(block {block})")] {
        assert!(refused.err.contains(word), "{word}: {refused:?}");
    }
    assert_eq!(files::of(&server.data_dir()), before, "what is damaged is left as it is");
}

#[test]
fn what_is_damaged_can_still_be_dumped() {
    let server = stopped_server();
    let (file, block) = damage(&server);
    let dump = posthouse(&server.data_dir(), "store dump").ok();
    let line = dump.lines().find(|line| line.contains("is damaged"));
    let line = line.expect("damage is a line");
    assert!(line.contains(&file) && line.contains(&format!("(block {block})")), "{line}");
    assert!(dump.contains("started run=1"), "{dump}");
}

#[test]
fn a_store_of_a_later_format_is_not_touched() {
    let server = stopped_server();
    files::make_newer(&server.data_dir());
    let before = files::of(&server.data_dir());
    for command in [SERVE, "store check", "store dump", "store stats"] {
        if command != "store dump" {
            check(&server, command, 9, "PH1312");
        }
        assert_eq!(files::of(&server.data_dir()), before, "{command}");
    }
}

#[test]
fn a_store_that_may_not_be_read_is_not_called_damaged() {
    let server = stopped_server();
    for (command, code) in [("store check", 10), ("store stats", 10), (SERVE, 10)] {
        let (found, told) = files::run_without_permission(&server.data_dir(), command);
        assert_eq!(found, code, "{command}: {told}");
        assert!(told.contains("PH1313"), "{command}: {told}");
    }
}
