//! The guides, walked as their readers would: every file that a guide has them save is saved, every
//! command is run, and what it prints is compared with what the guide shows.
//!
//! What a fenced block is for stands behind its language, where readers do not see it:
//!
//! | info string | what is done |
//! |---|---|
//! | `LANGUAGE FILE` | the block is saved as this file |
//! | `LANGUAGE >> FILE` | it is added to the end of this file |
//! | `console` | each line after `$ ` is run; what follows it is what it prints |
//! | `console NAME` | the same in a terminal of its own, where it goes on; `^C` ends it |
//! | `sh` | nothing: the text above must say that it is not run by the tests |
//! | `text` | nothing: it is a picture |
//!
//! In what is printed, `…` stands for anything in a line, and alone for any lines; blanks count
//! as one. Ports are replaced by free ones.

mod likeness;
mod page;
mod terminal;
mod walk;

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use posthouse_relay::fixture::PostgresServer;

use page::Page;
use walk::Walk;

/// The ports that the guide names, but for that of PostgreSQL.
const PORTS: [&str; 3] = ["9000", "8162", "61614"];
const POSTGRES_PORT: &str = "5432";

/// Each takes a port that is free now; all are held until the last is found.
fn free_ports() -> Vec<String> {
    let listeners = PORTS.map(|_| TcpListener::bind("127.0.0.1:0").expect("a port is free"));
    let port = |listener: &TcpListener| listener.local_addr().expect("it has an address").port();
    listeners.iter().map(|listener| port(listener).to_string()).collect()
}

/// The blocks of the guide to the relay, with free ports.
fn relay_guide(postgres_port: &str) -> (Page, Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/relay.md");
    let mut text = fs::read_to_string(path).expect("the guide is there");
    let free = free_ports();
    let ports = PORTS.into_iter().zip(free.iter().map(String::as_str));
    for (named, port) in ports.chain([(POSTGRES_PORT, postgres_port)]) {
        assert!(text.contains(named), "the guide no longer names the port {named}");
        text = text.replace(named, port);
    }
    (Page::read(&text), free)
}

#[test]
fn the_guide_to_the_relay_does_what_it_says() {
    let database = PostgresServer::start().expect("PostgreSQL starts");
    let address = database.url();
    let port = address.rsplit(':').next().and_then(|rest| rest.split('/').next());
    let (page, _) = relay_guide(port.expect("the address has a port"));
    let mut walk = Walk::begin();
    page.blocks.iter().for_each(|block| walk.step(block));
    walk.end();
}

/// The guide says three things of its receiver that no honest node can show.
#[test]
fn the_receiver_of_the_guide_refuses_what_it_should() {
    let (page, ports) = relay_guide(POSTGRES_PORT);
    let mut walk = Walk::begin();
    let until_open = page.blocks.iter().take_while(|block| !block.text.contains("relay.source"));
    until_open.for_each(|block| walk.step(block));
    let calls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/guide/calls.py");
    walk.run(&format!("python3 '{}' {} shop.key", calls.display(), ports[0]), &[]);
    walk.end();
}
