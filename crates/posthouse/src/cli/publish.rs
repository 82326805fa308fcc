//! `posthouse pub`: send messages.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::PathBuf;

use clap::Args;
use posthouse_client::{Client, Message, Options};

use super::Global;
use super::broker::{block_on, connect, failure_of};
use super::receipts::Receipts;
use crate::config::duration_ms;
use crate::failure::Failure;

/// Bytes that are read for one message.
const BODY_BYTES_MAX: u64 = 256 << 20;

/// What to send.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// Where to, such as /queue/orders or /topic/news.
    destination: String,
    /// The message; - reads it from standard input, and @FILE from a file.
    body: Option<String>,
    /// A header, such as colour:red. May be given many times.
    #[arg(short = 'H', long = "header", value_name = "NAME:VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// 0 to 9; higher goes first.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: Option<u8>,
    /// How long it is worth anything, such as 30s or 5m.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires_in: Option<u64>,
    /// It need not survive a crash.
    #[arg(long)]
    transient: bool,
    /// How often to send it.
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// Send each line of standard input as a message of its own.
    #[arg(long, conflicts_with_all = ["body", "count"])]
    lines: bool,
}

impl Publish {
    /// Does it. When it succeeds every message was confirmed.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        block_on(async {
            let client = connect(global, Options::new()).await?;
            let mut receipts = Receipts::default();
            let result = self.send_all(&client, &mut receipts).await;
            let sent = receipts.count().await;
            if result.is_err() && (self.lines || self.count > 1) {
                eprintln!("{}", self.describe_failure(sent));
            }
            result?;
            client.close().await.map_err(|error| failure_of(&error))?;
            eprintln!("sent {sent} {}", if sent == 1 { "message" } else { "messages" });
            Ok(())
        })
    }

    /// How far it came. A receipt may be lost with the connection, so the rest is not known.
    fn describe_failure(&self, sent: u64) -> String {
        let verb = if self.transient { "sent" } else { "confirmed" };
        let total = if self.lines { String::new() } else { format!(" of {}", self.count) };
        format!("{verb} {sent}{total} messages before it failed; others may have arrived too")
    }

    async fn send_all(&self, client: &Client, receipts: &mut Receipts) -> Result<(), Failure> {
        if self.lines {
            self.send_lines(client, receipts).await?;
        } else {
            self.send(client, receipts).await?;
        }
        receipts.settle_all().await.map_err(|error| failure_of(&error))?;
        client.flush().await.map_err(|error| failure_of(&error))
    }

    async fn send(&self, client: &Client, receipts: &mut Receipts) -> Result<(), Failure> {
        let body = read_body(self.body.as_deref())?;
        for _ in 0..self.count {
            self.send_one(client, receipts, body.clone()).await?;
        }
        Ok(())
    }

    async fn send_lines(&self, client: &Client, receipts: &mut Receipts) -> Result<(), Failure> {
        for line in io::stdin().lock().lines() {
            let line = line.map_err(|error| unreadable("standard input", &error))?;
            self.send_one(client, receipts, line.into_bytes()).await?;
        }
        Ok(())
    }

    async fn send_one(
        &self,
        client: &Client,
        receipts: &mut Receipts,
        body: Vec<u8>,
    ) -> Result<(), Failure> {
        let mut message = Message::to(&*self.destination).body(body).persistent(!self.transient);
        for (name, value) in &self.headers {
            message = message.header(&**name, &**value);
        }
        if let Some(priority) = self.priority {
            message = message.priority(priority);
        }
        if let Some(ms) = self.expires_in {
            message = message.expires_at_ms(crate::broker_thread::wall_ms().saturating_add(ms));
        }
        let receipt = client.send_nowait(message).await.map_err(|error| failure_of(&error))?;
        receipts.add(receipt).await.map_err(|error| failure_of(&error))
    }
}

/// Reads a body: as it stands, from standard input, or from a file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read_body(body: Option<&str>) -> Result<Vec<u8>, Failure> {
    match body {
        Some("-") => read("standard input", io::stdin().lock()),
        None if !io::stdin().is_terminal() => read("standard input", io::stdin().lock()),
        None => Ok(Vec::new()),
        Some(text) => match text.strip_prefix('@') {
            Some(path) => read_file(&PathBuf::from(path)),
            None => Ok(text.as_bytes().to_vec()),
        },
    }
}

fn read_file(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| unreadable(&name, &error))?;
    read(&name, file)
}

fn read(name: &str, source: impl Read) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let read = source.take(BODY_BYTES_MAX).read_to_end(&mut body);
    read.map(|_| body).map_err(|error| unreadable(name, &error))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::unexpected(format!("{name} cannot be read: {error}"))
}

/// Reads a header as it stands on a command line.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME:VALUE".into()),
    }
}

/// Reads a duration as it stands on a command line, in milliseconds.
pub(super) fn duration(text: &str) -> Result<u64, String> {
    duration_ms(text).ok_or_else(|| "write it as 30s, 5m or 2h".into())
}
