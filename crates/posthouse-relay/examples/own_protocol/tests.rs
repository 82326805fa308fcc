//! The protocol between the real pump, on a file of SQLite, and a receiver that puts off, refuses,
//! hangs up, and takes.

use std::collections::BTreeMap;
use std::time::Duration;

use posthouse_relay::source::NewRequest;
use posthouse_relay::source::look::{Answer, Filter, Query};
use posthouse_relay::source::{AnySource, Source};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::*;

/// What the receiver has heard: the request id, and its body.
type Heard = (String, String);

const PATIENCE: Duration = Duration::from_secs(30);

/// Does what the body says, the first time; takes everything the second time.
async fn play(listener: TcpListener, heard: mpsc::UnboundedSender<Heard>) {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    while let Ok((stream, _)) = listener.accept().await {
        // It hangs up in the middle, or is hung up on.
        _ = converse(BufReader::new(stream), &heard, &mut times).await;
    }
}

async fn converse(
    mut stream: BufReader<TcpStream>,
    heard: &mpsc::UnboundedSender<Heard>,
    times: &mut BTreeMap<String, u32>,
) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, number, id, length] = words[..] else { panic!("{line:?} is no request") };
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await?;
        let body = String::from_utf8(body).unwrap();
        heard.send((id.to_owned(), body.clone())).unwrap();
        let count = times.entry(id.to_owned()).or_default();
        *count += 1;
        let answer = match (body.as_str(), *count) {
            ("hang up", 1) => return Ok(()),
            ("later", 1) => format!("LATER {number} 50\n"),
            ("never", _) => format!("NO {number} not here\n"),
            _ => format!("OK {number}\n"),
        };
        stream.get_mut().write_all(answer.as_bytes()).await?;
    }
}

async fn submit(source: &AnySource, id: &str, key: &str, body: &str) {
    let request = NewRequest {
        code: "LINE".into(),
        body: body.into(),
        request_id: Some(id.into()),
        key: Some(key.into()),
        ..NewRequest::default()
    };
    source.submit(&request).await.unwrap();
}

/// How many requests stand in this state.
async fn count(source: &AnySource, state: u8) -> usize {
    let filter = Filter { states: vec![state], rows_max: 100, ..Filter::default() };
    match source.look(&Query::Rows(filter)).await.unwrap() {
        Answer::Rows { rows, .. } => rows.len(),
        other => panic!("{other:?} is no answer"),
    }
}

async fn await_count(source: &AnySource, state: u8, wanted: usize) {
    let until = Instant::now() + PATIENCE;
    while count(source, state).await != wanted {
        assert!(Instant::now() < until, "not {wanted} requests in state {state}");
    }
}

#[tokio::test]
async fn the_pump_carries_lines() {
    let folder = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("requests.db").display());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = format!("line://{}", listener.local_addr().unwrap());
    let (sender, mut heard) = mpsc::unbounded_channel();
    tokio::spawn(play(listener, sender));
    let relay = start(&url, &receiver).await.unwrap();
    let source = connect(&url, Options::default()).unwrap();
    for (id, body) in [("a1", "take"), ("a2", "later"), ("a3", "hang up"), ("a4", "take")] {
        submit(&source, id, "a", body).await;
    }
    submit(&source, "b1", "b", "never").await;
    submit(&source, "b2", "b", "take").await;
    let mut of_a = Vec::new();
    while of_a.last().is_none_or(|id| id != "a4") {
        let (id, _) = timeout(PATIENCE, heard.recv()).await.unwrap().unwrap();
        assert_ne!(id, "b2", "what was refused holds its business id");
        of_a.extend(Some(id).filter(|id| id.starts_with('a')));
    }
    assert_eq!(of_a, ["a1", "a2", "a2", "a3", "a3", "a4"], "in order, and again where asked");
    let (ready, blocked, done) = (0, 2, 3);
    await_count(&source, done, 4).await;
    await_count(&source, blocked, 1).await;
    await_count(&source, ready, 1).await;
    relay.stop().await;
}
