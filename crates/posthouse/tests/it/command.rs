//! Runs the commands of the real binary, and says a few words of STOMP and HTTP by hand: what is
//! tested here is the outside, so nothing of the inside is used.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long a peer may take for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `posthouse` with `arguments`, parted by spaces, on a data directory.
pub(crate) fn posthouse(dir: &Path, arguments: &str) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posthouse"));
    command.args(arguments.split_whitespace()).arg("--data-dir").arg(dir);
    command.env_remove("POSTHOUSE_DATA_DIR").stdin(Stdio::null());
    let output = command.output().expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is text");
    Done {
        code: output.status.code().expect("it ends by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

impl Done {
    /// The output of a command that succeeded.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// The output of a command that succeeded, as JSON.
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).expect("the output is JSON")
    }
}

/// Says each of `frames` to a STOMP server and has each confirmed: what is persistent is durable
/// then. Answers the connection, so that what it holds lives as long as the caller wants.
pub(crate) fn stomp(server: SocketAddr, frames: &[&str]) -> TcpStream {
    let mut stream = TcpStream::connect(server).expect("the server is there");
    stream.set_read_timeout(Some(ANSWER_MAX)).expect("a deadline can be set");
    write!(stream, "CONNECT\naccept-version:1.2\nhost:/\nclient-id:tests\n\n\0")
        .expect("it is sent");
    for (number, frame) in frames.iter().enumerate() {
        let (command, rest) = frame.split_once('\n').expect("a frame has a command and headers");
        let (head, body) = rest.split_once("\n\n").unwrap_or((rest, ""));
        write!(stream, "{command}\nreceipt:frame-{number}\n{head}\n\n{body}\0")
            .expect("it is sent");
    }
    write!(stream, "BEGIN\ntransaction:last\nreceipt:done\n\n\0").expect("it is sent");
    let answer = read_until(&mut stream, "receipt-id:done");
    assert!(answer.contains("receipt-id:done"), "{answer}");
    stream
}

/// Reads until `wanted` has come, or the peer closes.
pub(crate) fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    while !text.contains(wanted) {
        let count = stream.read(&mut buffer).expect("an answer comes in time");
        if count == 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    text
}

/// Sends one HTTP request, whose further head lines are `lines`. Answers status and text.
pub(crate) fn http(server: SocketAddr, request: &str, lines: &[&str], body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server).expect("the server is there");
    stream.set_read_timeout(Some(ANSWER_MAX)).expect("a deadline can be set");
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    write!(
        stream,
        "{request} HTTP/1.1\r\n{lines}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer comes in time");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("an HTTP answer"), answer)
}
