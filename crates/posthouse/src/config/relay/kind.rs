//! Of which kind an endpoint is, which its address tells, and which keys mean something there.

use crate::config::raw::{Table, Value};
use crate::config::table::TableReader;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Called by HTTP.
    Http,
    /// A destination of this node.
    Destination,
    /// Called by the frame protocol.
    Frame,
    /// Called by gRPC.
    Grpc,
}

/// Keys that mean something only where HTTP is spoken.
const HTTP_KEYS: [&str; 6] =
    ["method", "success", "success_text", "success_field", "never", "http"];

/// Keys that mean something only where a call leaves this node.
const CALL_KEYS: [&str; 11] = [
    "discovery",
    "instances_of",
    "balance",
    "host",
    "allow",
    "content_type",
    "body",
    "signing_keys",
    "ca_file",
    "client_certificate_file",
    "client_key_file",
];

impl Kind {
    /// What an address says. What is no address of another kind is one of HTTP, and judged there.
    pub(super) fn of(url: &str) -> Kind {
        match url.split_once("://") {
            Some(("frame" | "frames", _)) => Kind::Frame,
            Some(("grpc" | "grpcs", _)) => Kind::Grpc,
            _ => Kind::Http,
        }
    }

    /// Notes every key that means nothing for an endpoint of this kind.
    pub(super) fn refuse_others(self, table: &Table, reader: &mut TableReader<'_>) {
        for key in HTTP_KEYS.into_iter().filter(|_| self != Kind::Http) {
            self.refuse_other(table, reader, key);
        }
        for key in CALL_KEYS.into_iter().filter(|_| self == Kind::Destination) {
            self.refuse_other(table, reader, key);
        }
    }

    /// What is there but empty says nothing.
    fn refuse_other(self, table: &Table, reader: &mut TableReader<'_>, key: &str) {
        let is_empty = |value: &Value| match value {
            Value::Text(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            _ => false,
        };
        if table.settings.get(key).is_some_and(|setting| !is_empty(&setting.value)) {
            let message = format!("it means nothing for {}", self.shown());
            reader.refuse(key, &message, "leave it out");
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Kind::Http => "an endpoint that is called by HTTP",
            Kind::Destination => "a destination of this node",
            Kind::Frame => "an endpoint that is called by the frame protocol",
            Kind::Grpc => "an endpoint that is called by gRPC",
        }
    }
}
