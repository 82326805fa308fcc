//! `posthouse dev` as a newcomer sees it: what it prints, that what it says to paste works, and
//! what has become of every request at the end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::clock::await_until;
use super::scene::PATIENCE;
use crate::command::posthouse;
use crate::server::{Process, fresh_dir};

/// What the terminal shows, line by line, while the node runs.
struct Terminal {
    process: Process,
    lines: Receiver<String>,
    seen: Vec<String>,
    dir: PathBuf,
}

impl Terminal {
    fn open() -> Terminal {
        let dir = fresh_dir();
        let mut command = Command::new(env!("CARGO_BIN_EXE_posthouse"));
        command.arg("dev").arg("--data-dir").arg(&dir);
        command.args(["--set", "stomp.listen=127.0.0.1:0", "--set", "http.listen=127.0.0.1:0"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let (process, out) = Process::spawn_heard(&mut command);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Terminal { process, lines, seen: Vec::new(), dir }
    }

    /// Waits for a line that contains all these words. Answers it.
    fn expect(&mut self, words: &[&str]) -> String {
        let is_it = |line: &&String| words.iter().all(|word| line.contains(word));
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.seen.iter().find(is_it) {
                return line.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            let next = self.lines.recv_timeout(left.max(Duration::from_millis(1)));
            let shown = || self.seen.join("\n");
            let line = next.unwrap_or_else(|_| panic!("no line with {words:?}:\n{}", shown()));
            self.seen.push(line);
        }
    }

    /// Waits for these lines, and checks that they came in this order.
    fn expect_in_order(&mut self, lines: &[&[&str]]) {
        let mut last = 0;
        for words in lines {
            let line = self.expect(words);
            let at = self.seen.iter().position(|seen| *seen == line).unwrap_or(0);
            assert!(at >= last, "{words:?} came too early:\n{}", self.seen.join("\n"));
            last = at;
        }
    }

    /// Pastes the command of a line that contains all these words. Answers what it printed.
    fn paste(&mut self, words: &[&str]) -> String {
        let line = self.expect(words);
        let arguments = line.split_once(&self.dir.display().to_string());
        let (_, arguments) = arguments.expect("it names the data directory");
        posthouse(&self.dir, arguments).ok()
    }
}

/// The states of all requests of a code.
fn states(dir: &Path, code: &str) -> Vec<String> {
    let rows = posthouse(dir, &format!("relay row list --code {code} -o json")).json();
    let state = |row: &Value| row["state"].as_str().expect("it has a state").to_owned();
    rows.as_array().expect("a list").iter().map(state).collect()
}

#[test]
fn the_platforms_of_dev_exchange_requests() {
    let mut terminal = Terminal::open();
    terminal.expect(&["Posthouse", "is running"]);
    terminal.expect_in_order(&[
        &["participant", "writes ORDER.NEW, ORDER.PAY and ORDER.DONE of order-1"],
        &["collaboration", "took ORDER.NEW of order-1"],
        &["operation", "took ORDER.PAY of order-1"],
        &["participant", "took ORDER.DONE of order-1"],
    ]);
    terminal.expect(&["writes REPORT of report-1, whose window is shut"]);
    let report = terminal.paste(&["relay row show"]);
    assert!(report.contains("the window \"reports\" is shut until"), "{report}");
    terminal.expect_in_order(&[&["writes QUOTE"], &["QUOTE has expired; nobody was called"]]);
    terminal.expect_in_order(&[
        &["writes AUDIT of audit-1 twice"],
        &["operation", "does not take AUDIT of audit-1 (try 1)"],
        &["operation", "does not take AUDIT of audit-1 (try 2)"],
        &["operation", "does not take AUDIT of audit-1 (try 3)"],
        &["AUDIT was given up after three tries and holds audit-1"],
    ]);
    assert!(terminal.paste(&["relay blocked list"]).contains("audit-1"));
    terminal.paste(&["relay retry"]);
    terminal.expect(&["operation", "took AUDIT of audit-1"]);
    check_end(&mut terminal);
}

fn check_end(terminal: &mut Terminal) {
    let dir = terminal.dir.clone();
    let is_over = || states(&dir, "AUDIT") == ["done", "done"];
    await_until("both audits are done", PATIENCE, is_over);
    for (code, state) in [("REPORT", "ready"), ("QUOTE", "expired")] {
        assert_eq!(states(&dir, code), [state], "{code}");
    }
    // Another order may just have been written.
    for code in ["ORDER.NEW", "ORDER.PAY", "ORDER.DONE"] {
        let done = || states(&dir, code).iter().filter(|state| *state == "done").count();
        await_until(&format!("three of {code} are done"), PATIENCE, || done() >= 3);
    }
    terminal.process.terminate();
    let expired = terminal.seen.iter().any(|line| line.contains("took QUOTE"));
    assert!(!expired, "nobody was called for what had expired");
    drop(fs::remove_dir_all(&dir));
}
