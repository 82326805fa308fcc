//! A receiver in another language: a script that says where it listens, and then one line of JSON
//! for each request that it was sent.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::clock::await_until;
use super::scene::PATIENCE;
use crate::server::Process;

/// See the module. It is stopped when it goes out of scope.
pub(super) struct Peer {
    _process: Process,
    said: Arc<Mutex<Vec<Value>>>,
    pub(super) port: u64,
}

/// Where the scripts are.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

impl Peer {
    /// Starts a script, and waits until it listens.
    pub(super) fn start(command: &mut Command) -> Peer {
        // Python would leave its compiled files beside the scripts.
        command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null()).stdout(Stdio::piped());
        let (process, out) = Process::spawn_heard(command);
        let said = Arc::<Mutex<Vec<Value>>>::default();
        let heard = said.clone();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                heard.lock().expect("nobody panics with it").push(line);
            }
        });
        let mut peer = Peer { _process: process, said, port: 0 };
        await_until("the script listens", PATIENCE, || peer.said().iter().any(has_port));
        let port = peer.said().iter().find_map(|line| line["port"].as_u64());
        peer.port = port.expect("it was there just now");
        peer
    }

    fn said(&self) -> Vec<Value> {
        self.said.lock().expect("nobody panics with it").clone()
    }

    /// Every request so far, in the order in which they came.
    pub(super) fn requests(&self) -> Vec<Value> {
        self.said().into_iter().filter(|line| line["id"].is_string()).collect()
    }

    /// The requests of this id.
    pub(super) fn tries(&self, id: &str) -> Vec<Value> {
        self.requests().into_iter().filter(|line| line["id"] == *id).collect()
    }
}

fn has_port(line: &Value) -> bool {
    line["port"].is_u64()
}
