//! Messaging connections.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Admin;
use super::extract::Asked;
use super::page::{ListQuery, Page, Row, SortKey, page};
use super::problem::Problem;
use crate::broker_thread::ConnectionInfo;

/// A messaging connection as it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Connection {
    /// Counts the node's connections.
    id: String,
    /// The peer's address.
    address: String,
    /// When it came, in milliseconds since 1970.
    connected_ms: u64,
    /// Bytes that came in.
    bytes_in: u64,
    /// Bytes that went out.
    bytes_out: u64,
    /// Bytes that wait for the peer to read.
    output_bytes: usize,
    /// Its protocol and version; what was not agreed on yet counts as the oldest.
    protocol: String,
    /// The client's name, if it has one.
    client: Option<String>,
    /// The login that it gave, if any.
    login: Option<String>,
    /// Longest pause of heart-beats to the peer, in milliseconds; 0 for none.
    heart_beat_send_ms: u32,
    /// Longest pause of heart-beats from the peer, in milliseconds; 0 for none.
    heart_beat_want_ms: u32,
    /// Its subscriptions.
    subscriptions: usize,
    /// Its open transactions.
    transactions: usize,
    /// Frames that it has sent.
    frames_in: u64,
    /// Messages that it was sent.
    messages_out: u64,
    /// Whether a message of its waits for room.
    held: bool,
}

impl From<&ConnectionInfo> for Connection {
    fn from(info: &ConnectionInfo) -> Connection {
        let session = &info.session;
        Connection {
            id: info.id.to_string(),
            address: info.address.to_string(),
            connected_ms: info.connected_ms,
            bytes_in: info.bytes_in,
            bytes_out: info.bytes_out,
            output_bytes: info.output_bytes,
            protocol: format!("STOMP {}", session.version.as_str()),
            client: session.client.as_deref().map(str::to_owned),
            login: session.login.as_deref().map(str::to_owned),
            heart_beat_send_ms: session.heart_beat.send_ms,
            heart_beat_want_ms: session.heart_beat.want_ms,
            subscriptions: session.subscriptions,
            transactions: session.transactions,
            frames_in: session.frames_in,
            messages_out: session.messages_out,
            held: session.is_held,
        }
    }
}

impl Row for Connection {
    const SORTS: &'static [&'static str] = &["connected_ms", "address", "bytes_in", "bytes_out"];

    fn sort_key(&self, field: &str) -> SortKey {
        match field {
            "address" => SortKey::Text(self.address.clone()),
            "client" => SortKey::Text(self.client.clone().unwrap_or_default()),
            "messages_out" => SortKey::Number(self.messages_out),
            "bytes_in" => SortKey::Number(self.bytes_in),
            "bytes_out" => SortKey::Number(self.bytes_out),
            _ => SortKey::Number(self.connected_ms),
        }
    }

    fn contains(&self, text: &str) -> bool {
        let names = [Some(&self.address), self.client.as_ref(), self.login.as_ref()];
        names.into_iter().flatten().any(|name| name.contains(text))
    }
}

/// List messaging connections.
#[utoipa::path(
    get, path = "/api/v1/connections", tag = "connections", params(ListQuery),
    responses((status = 200, body = Page<Connection>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_connections(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<Connection>>, Problem> {
    let all = admin.asker.connections().await?;
    Ok(Json(page(all.iter().map(Connection::from).collect(), &query)?))
}
