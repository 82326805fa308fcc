//! A server that keeps to a script on every connection, and remembers what it was sent.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with a request.
#[derive(Clone, Copy)]
pub(super) enum Reply {
    /// Answers with this and waits for the next one.
    Answer(&'static str),
    /// Answers with this and closes without a word about it.
    AnswerAndClose(&'static str),
    /// Closes.
    Close,
    /// Says nothing.
    Hold,
}

/// A running server.
pub(super) struct Server {
    pub(super) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start(reply: Reply) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, reply, seen.clone()));
            }
        });
        Server { port, requests }
    }

    /// What was sent so far, in order.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().push(request);
        let (text, is_last) = match reply {
            Reply::Answer(text) => (text, false),
            Reply::AnswerAndClose(text) => (text, true),
            Reply::Close => return,
            Reply::Hold => continue,
        };
        if stream.write_all(text.as_bytes()).await.is_err() || is_last {
            return;
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
