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
use crate::broker_thread::{Ask, ConnectionInfo};

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
}

impl From<&ConnectionInfo> for Connection {
    fn from(info: &ConnectionInfo) -> Connection {
        Connection {
            id: info.id.to_string(),
            address: info.address.to_string(),
            connected_ms: info.connected_ms,
            bytes_in: info.bytes_in,
            bytes_out: info.bytes_out,
        }
    }
}

impl Row for Connection {
    const SORTS: &'static [&'static str] = &["connected_ms", "address", "bytes_in", "bytes_out"];

    fn sort_key(&self, field: &str) -> SortKey {
        match field {
            "address" => SortKey::Text(self.address.clone()),
            "bytes_in" => SortKey::Number(self.bytes_in),
            "bytes_out" => SortKey::Number(self.bytes_out),
            _ => SortKey::Number(self.connected_ms),
        }
    }

    fn contains(&self, text: &str) -> bool {
        self.address.contains(text)
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
    let all = admin.asker.ask(Ask::Connections).await?;
    Ok(Json(page(all.iter().map(Connection::from).collect(), &query)?))
}
