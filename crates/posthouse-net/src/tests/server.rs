//! A server that keeps to a script, one list of steps for each connection.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{Client, ClientSettings, HTTP, HttpVersion, Origin, Reach};

/// What a server does on a connection, in order. At the end it closes.
#[derive(Clone)]
pub(super) enum Step {
    /// Reads a request to its end.
    Read,
    /// Writes.
    Write(&'static str),
    /// Writes the same again and again, until the other side has gone.
    WriteOn(&'static str),
    /// Keeps still until the other side has gone.
    Hold,
}

/// A running server.
pub(super) struct Server {
    pub(super) origin: Origin,
    read: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

impl Server {
    /// Starts one that follows `scripts`; further connections follow the last.
    pub(super) async fn start(scripts: &[&[Step]]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = origin(listener.local_addr().unwrap().port());
        let server = Server { origin, read: Arc::default(), connections: Arc::default() };
        let scripts: Vec<Vec<Step>> = scripts.iter().map(|script| script.to_vec()).collect();
        let (read, connections) = (server.read.clone(), server.connections.clone());
        tokio::spawn(async move {
            for nth in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                *connections.lock().unwrap() += 1;
                let script = scripts[nth.min(scripts.len() - 1)].clone();
                tokio::spawn(follow(stream, script, read.clone()));
            }
        });
        server
    }

    /// The requests that were read.
    pub(super) fn requests(&self) -> Vec<String> {
        self.read.lock().unwrap().clone()
    }

    /// How many connections were made.
    pub(super) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

/// An origin on this machine.
pub(super) fn origin(port: u16) -> Origin {
    Origin {
        scheme: HTTP,
        is_tls: false,
        host: "127.0.0.1".into(),
        port,
        version: HttpVersion::Auto,
        named: None,
    }
}

/// A client that may call this machine, and nothing else.
pub(super) fn client() -> Client {
    Client::new(settings()).unwrap()
}

/// Its settings.
pub(super) fn settings() -> ClientSettings {
    let reach = Reach::parse(&["127.0.0.1"]).unwrap();
    ClientSettings { reach, ..ClientSettings::default() }
}

async fn follow(mut stream: TcpStream, script: Vec<Step>, read: Arc<Mutex<Vec<String>>>) {
    for step in script {
        match step {
            Step::Read => match read_request(&mut stream).await {
                Some(request) => read.lock().unwrap().push(request),
                None => return,
            },
            Step::Write(text) => {
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
            Step::WriteOn(text) => while stream.write_all(text.as_bytes()).await.is_ok() {},
            Step::Hold => {
                let _ = stream.read(&mut [0; 1]).await;
            }
        }
    }
}

/// Head and body, by `content-length`; `None` at the end of the connection.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
