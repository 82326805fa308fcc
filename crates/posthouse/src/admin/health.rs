//! Health, for whatever watches the process: the status decides, the text is for people.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;

use super::Admin;
use crate::broker_thread::Ask;

/// How long the broker thread may take to answer before the node does not count as ready.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Whether the process is alive.
pub(crate) async fn livez() -> &'static str {
    "ok\n"
}

/// Whether the node takes work.
pub(crate) async fn readyz(State(admin): State<Arc<Admin>>) -> (StatusCode, &'static str) {
    if !admin.is_ready.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready: starting or stopping\n");
    }
    match tokio::time::timeout(ANSWER_MAX, admin.asker.ask(Ask::Overview)).await {
        Ok(Ok(_)) => (StatusCode::OK, "ready\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready: the broker does not answer\n"),
    }
}
