//! Publishing into this node's own destinations, over its own STOMP listener.
//!
//! That way a request passes everything that any other producer's message passes: limits,
//! back-pressure, the journal, and the receipt that means durable.

use std::net::SocketAddr;

use posthouse_client::{Client, Error, Message};
use posthouse_relay::courier::{Publication, PublishError, Published, Publisher};
use tokio::sync::Mutex;

/// See the module. One connection, made when it is first needed, and made again whenever it ends:
/// the node ends it with every refusal. The client then sends again what was under way besides,
/// and the node knows it again, so that one refusal is nobody else's.
pub(super) struct NodePublisher {
    address: String,
    client: Mutex<Option<Client>>,
}

impl NodePublisher {
    pub(super) fn new(stomp: SocketAddr) -> NodePublisher {
        let address = format!("failover:(stomp://{stomp})?startupMaxReconnectAttempts=0");
        NodePublisher { address, client: Mutex::new(None) }
    }

    async fn client(&self) -> Result<Client, Error> {
        let mut known = self.client.lock().await;
        if let Some(client) = &*known {
            return Ok(client.clone());
        }
        let client = Client::connect(&self.address).await?;
        *known = Some(client.clone());
        Ok(client)
    }

    async fn send(&self, publication: Publication) -> Result<(), PublishError> {
        let client = self
            .client()
            .await
            .map_err(|error| PublishError::Unreachable { detail: error.to_string() })?;
        let confirmed = client.send(message_of(publication)).await;
        if let Err(error) = &confirmed
            && !matches!(error, Error::Refused(_) | Error::Invalid { .. })
        {
            // A client that has ended does not begin again.
            *self.client.lock().await = None;
        }
        confirmed.map_err(|error| refusal_of(&error))
    }
}

impl Publisher for NodePublisher {
    fn publish(&self, publication: Publication) -> Published<'_> {
        Box::pin(self.send(publication))
    }
}

fn message_of(publication: Publication) -> Message {
    let Publication { destination, is_persistent, content_type, headers, body } = publication;
    let message = Message::to(format!("/{destination}")).persistent(is_persistent).body(body);
    let content_type = content_type.map(|kind| ("content-type".to_owned(), kind));
    let headers = headers.into_iter().chain(content_type);
    headers.fold(message, |message, (name, value)| message.header(name, value))
}

fn refusal_of(error: &Error) -> PublishError {
    let detail = detail_of(error);
    match error {
        Error::Refused(refusal) => {
            PublishError::Refused { code: refusal.code.as_deref().map(str::to_owned), detail }
        }
        Error::Invalid { .. } => PublishError::Refused { code: None, detail },
        Error::Unreachable { .. } | Error::LoginRefused(_) | Error::Address { .. } => {
            PublishError::Unreachable { detail }
        }
        _ => PublishError::Unknown { detail },
    }
}

/// What went wrong, in one line, without the code that stands beside it and the advice for readers
/// of other manuals.
fn detail_of(error: &Error) -> String {
    match error {
        Error::Refused(refusal) => {
            let code = refusal.code.as_deref().unwrap_or_default();
            let message = refusal.message.strip_prefix(code).unwrap_or(&refusal.message);
            message.trim().to_owned()
        }
        _ => error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use posthouse_client::{Error, Refusal};

    use super::detail_of;

    fn check(code: Option<&str>, message: &str, expected: &str) {
        let detail = "advice\non two lines".into();
        let refusal = Refusal { code: code.map(Into::into), message: message.into(), detail };
        assert_eq!(detail_of(&Error::Refused(refusal)), expected);
    }

    #[test]
    fn refusals_are_told_in_one_line() {
        check(Some("PH1204"), "PH1204 /queue/a is full", "/queue/a is full");
        check(Some("PH1204"), "/queue/a is full", "/queue/a is full");
        check(None, "no", "no");
    }
}
