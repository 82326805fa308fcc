//! etcd, by its HTTP gateway (etcd documentation, "gRPC gateway"; version 3.4 and later). Every key
//! below the prefix of a service is an instance, by its value or by the end of its key.
//!
//! A watch only says that something has changed: then everything below the prefix is read anew. So
//! a watch that was lost, cancelled or compacted away costs nothing but that. The prefix is read
//! from time to time, too, because a connection that is cut off says nothing. Reads are
//! linearizable, so that a server without its majority does not answer instead of telling what
//! was.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::directory::Directory;
use super::entry::{self, Named};
use super::http::{Servers, whole};
use super::instance::Instance;
use super::secret::Login;
use super::service;
use super::settings::Web;
use crate::limits::INSTANCES_MAX;
use crate::open_answer::OpenAnswer;

/// See the module.
#[derive(Debug)]
pub(super) struct Etcd {
    web: Web,
    prefix: String,
    login: Option<Login>,
}

/// Somebody who may ask.
struct Caller {
    servers: Servers,
    token: Option<String>,
}

/// What a watch has said so far: each word is a line.
struct Changes {
    stream: OpenAnswer,
    words: usize,
}

impl Etcd {
    pub(super) fn new(web: Web, prefix: String, login: Option<Login>) -> Etcd {
        Etcd { web, prefix, login }
    }

    /// Hands in a list whenever something below the prefix of the service has changed, and from
    /// time to time. A login that has run out is a failure, after which there is a new one.
    pub(super) async fn watch(&self, directory: &Directory) -> String {
        let prefix = service::path_of(&self.prefix, directory.service());
        match self.watch_prefix(&prefix, directory).await {
            Ok(never) => match never {},
            Err(problem) => format!("etcd, {prefix}: {problem}"),
        }
    }

    async fn watch_prefix(
        &self,
        prefix: &str,
        directory: &Directory,
    ) -> Result<std::convert::Infallible, String> {
        let caller = self.log_in().await?;
        loop {
            let revision = self.read(&caller, prefix, directory).await?;
            let mut changes = caller.watch(prefix, revision + 1).await?;
            loop {
                tokio::select! {
                    () = changes.changed() => break,
                    () = sleep_until(self.next_read()) => {
                        self.read(&caller, prefix, directory).await?;
                    }
                }
            }
        }
    }

    fn next_read(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.web.refresh_ms)
    }

    async fn log_in(&self) -> Result<Caller, String> {
        let caller = Caller { servers: Servers::new(&self.web)?, token: None };
        let Some(Login { name, password }) = &self.login else { return Ok(caller) };
        let body = json!({ "name": name, "password": password.read()? });
        let answer = caller.call("/v3/auth/authenticate", &body).await?;
        let token = answer["token"].as_str().ok_or("the login brought no token")?;
        Ok(Caller { token: Some(token.to_owned()), ..caller })
    }

    /// Reads all instances, and says as of which revision.
    async fn read(
        &self,
        caller: &Caller,
        prefix: &str,
        directory: &Directory,
    ) -> Result<i64, String> {
        let mut range = range(prefix);
        range["limit"] = json!(INSTANCES_MAX + 1);
        let answer = caller.call("/v3/kv/range", &range).await?;
        let revision = number(&answer["header"]["revision"]).ok_or("it names no revision")?;
        let pairs = answer["kvs"].as_array().map_or(&[][..], Vec::as_slice);
        let mut instances = Vec::new();
        for pair in pairs {
            let key = String::from_utf8_lossy(&decoded(&pair["key"])).into_owned();
            match instance(&key, &decoded(&pair["value"])) {
                Ok(instance) => instances.push(instance),
                Err(problem) => directory.misread(&key, &problem),
            }
        }
        directory.heard(instances);
        Ok(revision)
    }
}

impl Caller {
    /// A question with one answer.
    async fn call(&self, path: &str, body: &Value) -> Result<Value, String> {
        let bytes = whole(self.open(path, body).await?).await?;
        serde_json::from_slice(&bytes).map_err(|error| format!("its answer is not JSON: {error}"))
    }

    /// Everything that changes below a prefix from a revision on. The head comes with the first
    /// word, which says that the watch is there.
    async fn watch(&self, prefix: &str, revision: i64) -> Result<Changes, String> {
        let mut body = range(prefix);
        body["start_revision"] = json!(revision.to_string());
        let stream = self.open("/v3/watch", &json!({ "create_request": body })).await?;
        Ok(Changes { stream, words: 0 })
    }

    async fn open(&self, path: &str, body: &Value) -> Result<OpenAnswer, String> {
        let body = Bytes::from(body.to_string());
        let request = |base: &str| {
            let mut request = Request::post(format!("{base}{path}"));
            request = request.header(CONTENT_TYPE, "application/json");
            if let Some(token) = &self.token {
                request = request.header(AUTHORIZATION, token);
            }
            request.body(body.clone()).map_err(|error| error.to_string())
        };
        self.servers.open(Duration::ZERO, request).await
    }
}

impl Changes {
    /// Waits for the word that comes after the first one, or for the end of the watch. Whatever it
    /// says, what is known may be old.
    async fn changed(&mut self) {
        let never = Instant::now() + Duration::from_secs(86_400);
        while self.words < 2 {
            match self.stream.piece(never).await {
                Ok(Some(piece)) => {
                    let ends = piece.iter().filter(|byte| **byte == b'\n');
                    self.words += ends.count();
                }
                _ => return,
            }
        }
    }
}

/// Everything that begins with `prefix`: up to the first key that does not.
fn range(prefix: &str) -> Value {
    let mut end = prefix.as_bytes().to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            break;
        }
    }
    json!({ "key": STANDARD.encode(prefix), "range_end": STANDARD.encode(end) })
}

fn instance(key: &str, value: &[u8]) -> Result<Instance, String> {
    if !value.is_empty() {
        return entry::from_bytes(value);
    }
    match entry::from_name(key.rsplit('/').next().unwrap_or(key), None) {
        Named::Yes(instance) => instance,
        _ => Err("it has no value, and its key does not end in host:port".into()),
    }
}

fn decoded(value: &Value) -> Vec<u8> {
    value.as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default()
}

/// The gateway writes 64-bit numbers as texts (Protocol Buffers, "JSON Mapping").
fn number(value: &Value) -> Option<i64> {
    value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok())
}
