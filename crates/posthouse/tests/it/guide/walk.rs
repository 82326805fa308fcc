//! The reader of a guide: a directory to begin with, a few terminals, and patience.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::likeness::are_alike;
use super::page::{Block, Purpose};
use super::terminal::Terminal;
use crate::server::{fresh_dir, target_dir};

/// How long it may take until something is there that is looked for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long one command may take, in seconds. Compilers are the slowest.
const COMMAND_S_MAX: u32 = 240;

/// The guides need compilers, drivers and an environment of Python.
const HOW_TO_INSTALL: &str = "`cargo xtask test` installs what the guides need";

const PROMPT: &str = "$ ";
/// Ends what goes on in a terminal.
const INTERRUPT: &str = "^C";

/// See the module.
pub(super) struct Walk {
    dir: PathBuf,
    terminals: BTreeMap<String, Terminal>,
    /// What the reader has exported so far; a shell begins with it.
    exports: String,
}

/// What a command has printed, and whether it succeeded.
struct Printed {
    lines: Vec<String>,
    is_success: bool,
}

impl Walk {
    /// Begins in an empty directory.
    pub(super) fn begin() -> Walk {
        let python = target_dir().join("venv/bin/python");
        assert!(python.exists(), "{} is missing: {HOW_TO_INSTALL}", python.display());
        Walk { dir: fresh_dir(), terminals: BTreeMap::new(), exports: String::new() }
    }

    /// Does what one block says.
    pub(super) fn step(&mut self, block: &Block) {
        println!("line {}: {:?}", block.line, block.purpose);
        match &block.purpose {
            Purpose::Show => {}
            Purpose::Save { name, is_added } => self.save(name, *is_added, &block.text),
            Purpose::Run { terminal: None } => self.run_all(&block.text),
            Purpose::Run { terminal: Some(name) } => self.go_on_in(name, &block.text),
        }
    }

    /// Ends what still goes on, nodes in good order.
    pub(super) fn end(self) {
        self.terminals.into_values().for_each(Terminal::interrupt);
        drop(fs::remove_dir_all(&self.dir));
    }

    fn save(&self, name: &str, is_added: bool, text: &str) {
        let mut options = fs::File::options();
        options.create(true).write(true).append(is_added).truncate(!is_added);
        let file = options.open(self.dir.join(name));
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    fn run_all(&mut self, text: &str) {
        for (command, shown) in commands(text) {
            match command.starts_with("export ") {
                true => self.exports.push_str(&format!("{command}\n")),
                false => self.run(command, &shown),
            }
        }
    }

    /// Runs a command until it prints what is shown: once, unless it only looks.
    pub(super) fn run(&self, command: &str, shown: &[&str]) {
        let until = Instant::now() + PATIENCE;
        loop {
            let printed = self.print_of(command);
            if are_alike(shown, &printed.lines) {
                let is_error = shown.iter().any(|line| line.to_lowercase().contains("error"));
                assert!(printed.is_success || is_error, "{command} fails without saying so");
                return;
            }
            let may_change = only_looks(command) && Instant::now() < until;
            let told = || format!("{}\ninstead of\n{}", printed.lines.join("\n"), shown.join("\n"));
            assert!(may_change, "$ {command}\nprints\n{}\n({HOW_TO_INSTALL})", told());
        }
    }

    fn print_of(&self, command: &str) -> Printed {
        let mut shell = Command::new("timeout");
        shell.arg(COMMAND_S_MAX.to_string()).arg("bash");
        let output = self.prepare(shell, command).output().expect("a shell starts");
        let text = String::from_utf8(output.stdout).expect("it prints text");
        let lines = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned);
        Printed { lines: lines.collect(), is_success: output.status.success() }
    }

    fn go_on_in(&mut self, name: &str, text: &str) {
        let mut shown = Vec::new();
        for line in text.lines() {
            if line == INTERRUPT {
                self.terminals.remove(name).expect("something goes on there").interrupt();
            } else if let Some(command) = line.strip_prefix(PROMPT) {
                let mut shell = self.prepare(Command::new("bash"), &format!("exec {command}"));
                let terminal = Terminal::open(&mut shell, command.starts_with("posthouse "));
                self.terminals.insert(name.to_owned(), terminal);
            } else {
                shown.push(line);
            }
        }
        if !shown.is_empty() {
            let terminal = self.terminals.get_mut(name).expect("something goes on there");
            terminal.await_lines(&shown);
        }
    }

    /// Gives a shell its script, and has its errors go where its output goes, as in a terminal.
    fn prepare(&self, mut command: Command, script: &str) -> Command {
        command.arg("-c").arg(format!("exec 2>&1\n{}{script}", self.exports));
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::piped());
        command.env("PATH", path()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("GOCACHE", target_dir().join("go"));
        command.env("POSTHOUSE_DATA_DIR", self.dir.join("data"));
        // Other nodes of this machine may have the ports that a node has by itself.
        command.env("POSTHOUSE__STOMP__LISTEN", "127.0.0.1:0");
        command.env("POSTHOUSE__HTTP__LISTEN", "127.0.0.1:0");
        command.env("POSTHOUSE__RELAY__CHECK_EVERY", "250ms");
        command
    }
}

/// The commands of a block, each with what it prints.
fn commands(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix(PROMPT), commands.last_mut()) {
            (Some(command), _) => commands.push((command, Vec::new())),
            (None, Some((_, shown))) => shown.push(line),
            (None, None) => panic!("no command prints {line:?}"),
        }
    }
    commands
}

/// Whether a command changes nothing, so that it may be run again.
fn only_looks(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    matches!(words[..], ["posthouse", "relay", _, "list" | "show", ..])
}

/// Where programs are looked for: this build of the node, then the Python of the tests.
fn path() -> std::ffi::OsString {
    let node = Path::new(env!("CARGO_BIN_EXE_posthouse")).parent().map(Path::to_owned);
    let python = target_dir().join("venv/bin");
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let dirs = node.into_iter().chain([python]).chain(std::env::split_paths(&inherited));
    std::env::join_paths(dirs).expect("no directory has a colon in its name")
}
