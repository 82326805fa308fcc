//! Consul, by its HTTP API (Consul documentation, "Health HTTP Endpoint", "Blocking Queries"). All
//! instances of a service are asked for, with their checks, so that those that fail are shown, too.

use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use hyper::header::HeaderMap;
use serde_json::Value;

use super::directory::Directory;
use super::http::{Servers, whole};
use super::instance::{Health, Instance};
use super::secret::Secret;
use super::service;
use super::settings::Web;

/// Tells how far an answer goes.
const INDEX: &str = "x-consul-index";

/// Shows the token.
const TOKEN: &str = "x-consul-token";

/// See the module.
#[derive(Debug)]
pub(super) struct Consul {
    web: Web,
    datacenter: Option<String>,
    token: Option<Secret>,
}

impl Consul {
    pub(super) fn new(web: Web, datacenter: Option<String>, token: Option<Secret>) -> Consul {
        Consul { web, datacenter, token }
    }

    /// Hands in a list whenever something about the service has changed, and from time to time.
    pub(super) async fn watch(&self, directory: &Directory) -> String {
        let service = directory.service();
        match self.watch_service(directory).await {
            Ok(never) => match never {},
            Err(problem) => format!("Consul, {service}: {problem}"),
        }
    }

    async fn watch_service(
        &self,
        directory: &Directory,
    ) -> Result<std::convert::Infallible, String> {
        let servers = Servers::new(&self.web)?;
        let token = self.token.as_ref().map(Secret::read).transpose()?;
        let mut index = 0;
        loop {
            let path = self.path(directory.service(), index);
            let request = |base: &str| {
                let mut request = Request::get(format!("{base}{path}"));
                if let Some(token) = &token {
                    request = request.header(TOKEN, token);
                }
                request.body(Bytes::new()).map_err(|error| error.to_string())
            };
            let stream = servers.open(self.wait(index), request).await?;
            index = next_index(index, &stream.headers);
            directory.heard(instances(&whole(stream).await?, directory)?);
            if index == 0 {
                // Without an index the next question would not wait for anything.
                tokio::time::sleep(Duration::from_millis(self.web.refresh_ms)).await;
            }
        }
    }

    fn path(&self, service: &str, index: u64) -> String {
        let service = service::escaped(service);
        let mut path = format!("/v1/health/service/{service}?index={index}");
        path.push_str(&format!("&wait={}ms", self.web.refresh_ms));
        if let Some(datacenter) = &self.datacenter {
            path.push_str(&format!("&dc={}", service::escaped(datacenter)));
        }
        path
    }

    /// How long an answer may be held back. Consul adds up to a sixteenth, so that not all ask
    /// again at once.
    fn wait(&self, index: u64) -> Duration {
        match index {
            0 => Duration::ZERO,
            _ => Duration::from_millis(self.web.refresh_ms + self.web.refresh_ms / 16),
        }
    }
}

/// An index that goes back must be begun anew, and what is none does not hold anything back.
fn next_index(index: u64, headers: &HeaderMap) -> u64 {
    let next = headers.get(INDEX).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
    if next < index { 0 } else { next }
}

fn instances(body: &[u8], directory: &Directory) -> Result<Vec<Instance>, String> {
    let answer: Value =
        serde_json::from_slice(body).map_err(|error| format!("its answer is not JSON: {error}"))?;
    let entries = answer.as_array().ok_or("its answer is not a list")?;
    let mut instances = Vec::new();
    for entry in entries {
        match instance(entry) {
            Some(instance) => instances.push(instance),
            None => {
                let id = entry["Service"]["ID"].as_str().unwrap_or("?");
                directory.misread(id, "it has no address or no port");
            }
        }
    }
    Ok(instances)
}

/// An instance without an address of its own is at that of its node.
fn instance(entry: &Value) -> Option<Instance> {
    let address = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let host =
        address(&entry["Service"]["Address"]).or_else(|| address(&entry["Node"]["Address"]))?;
    let port = u16::try_from(entry["Service"]["Port"].as_u64()?).ok().filter(|port| *port > 0)?;
    let (health, weight) = health(&entry["Checks"]);
    let weight = entry["Service"]["Weights"][weight].as_u64().unwrap_or(1);
    let instance = Instance::new(&host, port);
    match health {
        Health::Up => Some(instance.weighing(weight)),
        _ => Some(Instance { health, ..instance }),
    }
}

/// The worst check counts. Those of maintenance are somebody's wish, and have names of their own.
fn health(checks: &Value) -> (Health, &'static str) {
    let checks = checks.as_array().map_or(&[][..], Vec::as_slice);
    let is_wish = |check: &&Value| {
        let id = check["CheckID"].as_str().unwrap_or_default();
        id == "_node_maintenance" || id.starts_with("_service_maintenance:")
    };
    let has = |status: &str| checks.iter().any(|check| check["Status"] == status);
    match (checks.iter().find(is_wish), has("critical"), has("warning")) {
        (Some(_), _, _) => (Health::Disabled, "Passing"),
        (None, true, _) => (Health::Down, "Passing"),
        (None, false, true) => (Health::Up, "Warning"),
        (None, false, false) => (Health::Up, "Passing"),
    }
}
