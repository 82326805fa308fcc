//! Large bodies and large transactions through a crash: they take segments of their own size.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::command::{posthouse, stomp};
use crate::server::Server;

/// With its headers it still fits into a frame of 16 MiB.
const LARGE_BYTES: usize = (16 << 20) - 1_024;

/// Segments far smaller than one message, and hardly anything in memory.
const SMALL: [&str; 3] =
    ["journal.segment=1MiB", "journal.checkpoint=1MiB", "journal.resident=1MiB"];

fn send(queue: &str, letter: &str, transaction: &str) -> String {
    let body = letter.repeat(LARGE_BYTES);
    format!("SEND\ndestination:{queue}\npersistent:true\n{transaction}\n{body}")
}

/// Reads `count` messages and answers the letter of which each consists.
fn receive(server: &Server, queue: &str, count: usize) -> String {
    let subscribe = format!("SUBSCRIBE\nid:1\ndestination:{queue}\nack:client-individual\n\n\0");
    let mut stream = stomp(server.stomp(), &[]);
    stream.write_all(subscribe.as_bytes()).expect("it is sent");
    (0..count).map(|_| read_body(&mut stream)).collect()
}

fn read_body(stream: &mut TcpStream) -> char {
    let mut byte = [0];
    let mut head = Vec::new();
    while !head.ends_with(b"\n\n") {
        stream.read_exact(&mut byte).expect("a message comes");
        // What ends the frame before this one is not part of it.
        if !(head.is_empty() && matches!(byte[0], b'\n' | b'\0')) {
            head.push(byte[0]);
        }
    }
    assert!(head.starts_with(b"MESSAGE\n"), "{}", String::from_utf8_lossy(&head));
    let mut body = vec![0; LARGE_BYTES];
    stream.read_exact(&mut body).expect("the whole body comes");
    assert!(body.iter().all(|one| *one == body[0]), "it is what was sent");
    stream.read_exact(&mut byte).expect("the frame ends");
    char::from(body[0])
}

#[test]
fn the_largest_message_survives_in_small_segments() {
    let mut server = Server::start(&SMALL);
    drop(stomp(server.stomp(), &[&send("/queue/large", "a", ""), &send("/queue/large", "b", "")]));
    server.kill();
    server.start_again();
    assert_eq!(receive(&server, "/queue/large", 2), "ab");
}

#[test]
fn a_large_transaction_survives_as_a_whole_or_not_at_all() {
    let mut server = Server::start(&SMALL);
    let frames = |name: &str| -> Vec<String> {
        let begin = [format!("BEGIN\ntransaction:{name}\n\n")];
        let sends = ["c", "d", "e"].map(|letter| {
            send(&format!("/queue/{name}"), letter, &format!("transaction:{name}\n"))
        });
        begin.into_iter().chain(sends).collect()
    };
    let commit = "COMMIT\ntransaction:whole\n\n".to_owned();
    let whole: Vec<String> = frames("whole").into_iter().chain([commit]).collect();
    drop(stomp(server.stomp(), &whole.iter().map(String::as_str).collect::<Vec<_>>()));
    let half = frames("half");
    let open = stomp(server.stomp(), &half.iter().map(String::as_str).collect::<Vec<_>>());
    server.kill();
    drop(open);
    server.start_again();
    assert_eq!(receive(&server, "/queue/whole", 3), "cde");
    let list = posthouse(&server.data_dir(), "queue list -o json").json();
    let names: Vec<&str> = list
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|queue| (queue["messages"] != 0).then(|| queue["name"].as_str()).flatten())
        .collect();
    assert_eq!(names, ["whole"], "of the other one nothing is left: {list}");
}
