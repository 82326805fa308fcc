//! The node as a whole.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Admin;
use super::destinations::Counts;
use super::problem::Problem;
use crate::broker_thread::Ask;
use crate::version::VERSION;

/// The node in figures.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Node {
    /// Its name.
    name: String,
    /// Its version.
    version: &'static str,
    /// Its process.
    pid: u32,
    /// When it started, in milliseconds since 1970.
    started_ms: u64,
    /// Messaging connections.
    connections: u64,
    /// Consumers.
    consumers: u64,
    /// Queues and topics.
    destinations: u64,
    /// Durable subscriptions.
    subscriptions: u64,
    /// Open transactions.
    transactions: u64,
    /// Messages kept.
    messages: u64,
    /// Bytes of the messages kept.
    bytes: u64,
    /// What has happened since it started.
    counters: Counts,
}

/// Show the node in figures.
#[utoipa::path(
    get, path = "/api/v1/node", tag = "node",
    responses((status = 200, body = Node), (status = "4XX", body = Problem))
)]
pub(crate) async fn show_node(State(admin): State<Arc<Admin>>) -> Result<Json<Node>, Problem> {
    let overview = admin.asker.ask(Ask::Overview).await?;
    let broker = overview.broker;
    Ok(Json(Node {
        name: admin.node_name.clone(),
        version: VERSION,
        pid: std::process::id(),
        started_ms: admin.started_ms,
        connections: overview.connections.open,
        consumers: broker.consumers,
        destinations: broker.destinations,
        subscriptions: broker.subscriptions,
        transactions: broker.transactions,
        messages: broker.messages,
        bytes: broker.bytes,
        counters: broker.counters.into(),
    }))
}
