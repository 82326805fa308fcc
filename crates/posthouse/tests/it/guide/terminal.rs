//! A terminal in which a command goes on while the reader does something else.

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use super::likeness;
use super::walk::PATIENCE;
use crate::server::Process;

/// See the module. The command is killed when this goes out of scope.
pub(super) struct Terminal {
    process: Process,
    is_node: bool,
    lines: Receiver<String>,
    /// What it has printed and no guide has shown yet.
    rest: Vec<String>,
}

impl Terminal {
    /// Runs a command, whose standard output must be a pipe that its errors go into, too.
    pub(super) fn open(command: &mut Command, is_node: bool) -> Terminal {
        let (process, out) = Process::spawn_heard(command);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // Nobody listens any more when the guide has been walked.
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Terminal { process, is_node, lines, rest: Vec::new() }
    }

    /// Waits until these lines come next.
    pub(super) fn await_lines(&mut self, shown: &[&str]) {
        let until = Instant::now() + PATIENCE;
        let length = loop {
            if let Some(length) = likeness::length(shown, &self.rest) {
                break length;
            }
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let rest = || self.rest.join("\n");
            let line = line.unwrap_or_else(|_| panic!("{shown:?} does not come:\n{}", rest()));
            self.rest.push(line);
        };
        self.rest.drain(..length);
    }

    /// Ends the command as whoever sits before it would. A node gets another signal than that of
    /// the keyboard, to which processes in the background may be deaf; all else is killed.
    pub(super) fn interrupt(mut self) {
        if self.is_node {
            self.process.terminate();
        }
    }
}
