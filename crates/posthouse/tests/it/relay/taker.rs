//! A receiver that takes every request, or refuses it, as a test wants it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long a caller may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Takes every request, or refuses it. It ends with the process.
pub(super) struct Taker {
    address: String,
    refuses: Arc<AtomicBool>,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Taker {
    /// Listens on a free port.
    pub(super) fn start() -> Taker {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has one").to_string();
        let refuses = Arc::new(AtomicBool::new(false));
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let (is_refusing, taken) = (refuses.clone(), bodies.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A peer that breaks off has had no answer, and tries again.
                drop(answer(stream, &is_refusing, &taken));
            }
        });
        Taker { address, refuses, bodies }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Refuses everything from now on, or takes it.
    pub(super) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    /// The bodies that it has taken.
    pub(super) fn bodies(&self) -> Vec<String> {
        self.bodies.lock().expect("nobody panics with it").clone()
    }
}

/// Answers one call on one connection.
fn answer(
    mut stream: TcpStream,
    refuses: &AtomicBool,
    taken: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    let body = loop {
        if let Some(body) = whole_body(&text) {
            break body.to_owned();
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => text.push_str(&String::from_utf8_lossy(&buffer[..count])),
        }
    };
    let status = if refuses.load(Ordering::Relaxed) {
        "500 Broken"
    } else {
        taken.lock().expect("nobody panics with it").push(body);
        "200 Fine"
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn whole_body(text: &str) -> Option<&str> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
    });
    (body.len() >= length.unwrap_or(0)).then_some(body)
}
