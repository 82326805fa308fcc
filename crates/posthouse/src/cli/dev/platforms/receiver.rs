//! A platform's receiver: takes requests by HTTP POST, and says so on the terminal.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

/// Tries of an audit that its receiver lets fail: so many as the group allows before somebody has
/// to decide.
const AUDIT_FAILURES: u32 = 3;

/// How often each audit was tried.
#[derive(Debug, Default)]
pub(super) struct Seen {
    audits: Mutex<BTreeMap<String, u32>>,
}

#[derive(Clone)]
struct Receiver {
    platform: &'static str,
    seen: Arc<Seen>,
}

/// Receives until the node stops.
pub(super) async fn serve(platform: &'static str, listener: TcpListener, seen: Arc<Seen>) {
    let router = Router::new().route("/{code}", post(take)).with_state(Receiver { platform, seen });
    match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => drop(axum::serve(listener, router).await),
        Err(error) => tracing::debug!(%error, platform, "a receiver of the sample did not start"),
    }
}

async fn take(
    State(receiver): State<Receiver>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> StatusCode {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-");
    let (key, attempt) = (header("posthouse-key"), header("posthouse-attempt"));
    let platform = receiver.platform;
    if code == "AUDIT" && receiver.seen.fails(key) {
        println!("  {platform:13} does not take {code} of {key} (try {attempt})");
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    println!("  {platform:13} took {code} of {key}");
    StatusCode::OK
}

impl Seen {
    /// Whether this try of an audit is to fail.
    fn fails(&self, key: &str) -> bool {
        let mut audits = self.audits.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = audits.entry(key.to_owned()).or_default();
        *tries += 1;
        *tries <= AUDIT_FAILURES
    }
}
