//! `posthouse sub`: receive messages and print them as they come.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use posthouse_client::{Ack, Delivery, Options, Received, Subscribe as Request, Subscription};
use serde_json::{Map, Value, json};

use super::Global;
use super::broker::{block_on, connect, failure_of};
use super::output::{self, Format};
use crate::config::duration_ms;
use crate::failure::Failure;

/// What to receive.
#[derive(Debug, Args)]
pub(crate) struct Subscribe {
    /// Where from, such as /queue/orders, /topic/news or /topic/news.>
    destination: String,
    /// Only messages that this selector takes.
    #[arg(long)]
    selector: Option<String>,
    /// The name of a durable subscription; needs --client-id.
    #[arg(long, value_name = "NAME", requires = "client_id")]
    durable: Option<String>,
    /// The client's name.
    #[arg(long, value_name = "NAME")]
    client_id: Option<String>,
    /// End after so many messages.
    #[arg(long)]
    count: Option<u64>,
    /// End when nothing has come for so long, such as 2s.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<u64>,
    /// Print bodies only.
    #[arg(short, long)]
    raw: bool,
    /// Headers too.
    #[arg(long)]
    headers: bool,
}

impl Subscribe {
    /// Does it. A message is acknowledged after it was printed.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        block_on(async {
            let mut options = Options::new();
            if let Some(name) = &self.client_id {
                options = options.client_id(&**name);
            }
            let client = connect(global, options).await?;
            let subscribed = client.subscribe(self.request()).await;
            let mut subscription = subscribed.map_err(|error| failure_of(&error))?;
            eprintln!("waiting for messages of {}; Ctrl-C ends", self.destination);
            let received = tokio::select! {
                received = self.receive(global.output, &mut subscription) => received?,
                _ = tokio::signal::ctrl_c() => return Ok(()),
            };
            client.close().await.map_err(|error| failure_of(&error))?;
            eprintln!("received {received} {}", if received == 1 { "message" } else { "messages" });
            Ok(())
        })
    }

    fn request(&self) -> Request {
        let mut request = Request::to(&*self.destination).ack(Ack::Individual);
        if let Some(selector) = &self.selector {
            request = request.selector(&**selector);
        }
        if let Some(name) = &self.durable {
            request = request.durable(&**name);
        }
        if let Some(count) = self.count {
            // What is not printed should not be taken from others.
            request = request.prefetch(u32::try_from(count.clamp(1, 100)).unwrap_or(100));
        }
        request
    }

    async fn receive(
        &self,
        format: Format,
        subscription: &mut Subscription,
    ) -> Result<u64, Failure> {
        let mut received = 0;
        while self.count.is_none_or(|count| received < count) {
            let Some(delivery) = self.next(subscription).await else { break };
            let delivery = delivery?;
            output::write(&self.print(format, &delivery))?;
            delivery.ack().await.map_err(|error| failure_of(&error))?;
            received += 1;
        }
        Ok(received)
    }

    async fn next(&self, subscription: &mut Subscription) -> Option<Result<Delivery, Failure>> {
        let next = subscription.next();
        let next = match self.wait {
            Some(ms) => tokio::time::timeout(Duration::from_millis(ms), next).await.ok()?,
            None => next.await,
        };
        next.map(|delivery| delivery.map_err(|error| failure_of(&error)))
    }

    fn print(&self, format: Format, message: &Received) -> Vec<u8> {
        if self.raw {
            return [message.body(), &b"\n"[..]].concat();
        }
        if format != Format::Table {
            return format!("{}\n", describe(message)).into_bytes();
        }
        let again = if message.is_redelivered() { ", again" } else { "" };
        let mut text = format!("[{}{again}] ", message.destination());
        if self.headers {
            let lines = message.headers().map(|(name, value)| format!("\n  {name}: {value}"));
            text.extend(lines);
            text.push('\n');
        }
        text.push_str(&output::printable(&String::from_utf8_lossy(message.body())));
        text.push('\n');
        text.into_bytes()
    }
}

/// One JSON object; a body that is no text is base64.
fn describe(message: &Received) -> Value {
    let headers = message.headers().map(|(name, value)| (name.to_owned(), value.into()));
    let (body, encoding) = match message.text() {
        Ok(text) => (text.to_owned(), "text"),
        Err(_) => (STANDARD.encode(message.body()), "base64"),
    };
    json!({
        "destination": message.destination(),
        "message_id": message.message_id(),
        "redelivered": message.is_redelivered(),
        "headers": headers.collect::<Map<String, Value>>(),
        "body": body,
        "body_encoding": encoding,
    })
}

fn duration(text: &str) -> Result<u64, String> {
    duration_ms(text).ok_or_else(|| "write it as 500ms, 2s or 5m".into())
}
