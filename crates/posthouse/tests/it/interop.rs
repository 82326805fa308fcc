//! Scenarios that STOMP clients made by others play against the server.
//!
//! The scenarios themselves are scripts beside the clients' languages, under `tests/interop`. A
//! scenario plays in every protocol version that it concerns, against one server of its own. It
//! may ask for that server to be restarted or killed; see [`answer`].

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::server::{Server, target_dir};

/// Scripts have deadlines for each step; this is for one that hangs all the same.
const SILENCE_MAX: Duration = Duration::from_secs(60);
const HOW_TO_INSTALL: &str = "run `cargo xtask test`, which installs it";

/// A client packages made by others, and how its scenarios are run.
struct Client {
    /// The interpreter: a name to look up, or a path below the target directory.
    interpreter: &'static str,
    /// What must be there below the target directory; scripts run in its parent.
    packages: &'static str,
    /// Below `tests/interop`.
    script: &'static str,
}

const STOMP_PY: Client = Client {
    interpreter: "venv/bin/python",
    packages: "venv/bin",
    script: "stomp_py/scenarios.py",
};

const STOMPJS: Client =
    Client { interpreter: "node", packages: "node/node_modules", script: "stompjs/scenarios.mjs" };

/// Makes one test of each scenario.
macro_rules! scenarios {
    ($client:ident in $module:ident: $($scenario:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $scenario() {
                    super::play(&super::$client, stringify!($scenario));
                }
            )*
        }
    };
}

scenarios! { STOMP_PY in stomp_py:
    bodies headers repeated_header
    competing_consumers topic_fan_out topic_wildcards durable_subscription
    ack_auto ack_client ack_individual redelivery nack_dead_letters nack_requeue
    transaction_commit transaction_abort transaction_acks
    browse selectors expiry priority
    heart_beats heart_beat_silence receipts reconnect
    errors error_of_acknowledging_nothing error_of_a_second_subscription
    persistence_of_messages persistence_of_a_durable_subscription persistence_of_transactions
}

scenarios! { STOMPJS in stompjs:
    bodies headers
    competing_consumers topic_fan_out topic_wildcards durable_subscription
    ack_auto ack_client ack_individual redelivery nack_dead_letters nack_requeue
    transaction_commit transaction_abort transaction_acks
    browse selectors expiry priority
    heart_beats receipts reconnect
    errors error_of_a_second_subscription
    persistence_of_messages persistence_of_a_durable_subscription persistence_of_transactions
}

/// Plays `scenario` against a fresh server. Fails with everything that the script printed.
fn play(client: &Client, scenario: &str) {
    let mut server = Server::start(&[]);
    let mut script = Script::start(client, &server, scenario);
    while let Some(line) = script.next_line() {
        match line.strip_prefix('@') {
            Some(request) => {
                answer(&mut server, request);
                script.say("ready");
            }
            None => script.printed.push(line),
        }
    }
    script.expect_success();
    server.stop();
}

/// Does what a scenario asks of whoever runs it: `restart` or `kill`, on the same data and ports.
fn answer(server: &mut Server, request: &str) {
    match request {
        "restart" => server.stop(),
        "kill" => server.kill(),
        _ => panic!("the scenario asks for what nobody here does: {request}"),
    }
    server.start_again();
}

/// A running script.
struct Script {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    printed: Vec<String>,
}

impl Script {
    fn start(client: &Client, server: &Server, scenario: &str) -> Script {
        let (output, input) = io::pipe().expect("a pipe can be made");
        let mut child = client.command(server, scenario, input);
        let stdin = child.stdin.take().expect("its input is a pipe");
        Script { child, stdin, lines: lines_of(output), printed: Vec::new() }
    }

    /// The next line it prints, or `None` when it has ended.
    fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(SILENCE_MAX) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.child.kill().expect("a child can be killed");
                panic!("the scenario hangs after printing:\n{}", self.printed.join("\n"));
            }
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").expect("the script reads its answer");
    }

    fn expect_success(mut self) {
        let status = self.child.wait().expect("a child can be awaited");
        assert!(status.success(), "the scenario failed ({status}):\n{}", self.printed.join("\n"));
    }
}

impl Client {
    fn command(&self, server: &Server, scenario: &str, output: io::PipeWriter) -> Child {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
        let packages = target_dir().join(self.packages);
        assert!(packages.exists(), "{} is missing: {HOW_TO_INSTALL}", packages.display());
        let mut command = Command::new(self.interpreter());
        command.arg(scripts.join(self.script));
        command.arg(server.stomp().ip().to_string()).arg(server.stomp().port().to_string());
        command.arg(scenario).current_dir(packages.parent().unwrap_or(target_dir()));
        // Python would leave its compiled files beside the scripts.
        command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped());
        command.stderr(output.try_clone().expect("a pipe can be shared")).stdout(output);
        command.spawn().unwrap_or_else(|error| {
            panic!("{} does not start ({error}): {HOW_TO_INSTALL}", self.interpreter)
        })
    }

    fn interpreter(&self) -> PathBuf {
        if self.interpreter.contains('/') {
            return target_dir().join(self.interpreter);
        }
        PathBuf::from(self.interpreter)
    }
}

/// Hands on what a script prints, line by line, until it has closed its output.
fn lines_of(output: io::PipeReader) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody listens any more when the test has failed.
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
