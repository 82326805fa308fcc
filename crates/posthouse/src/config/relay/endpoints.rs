//! Endpoints: what they can bear, which the pump looks at, and how they are reached, which is the
//! couriers' business.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_net::HttpVersion;
use posthouse_net::discovery::Balance;
use posthouse_pump::plan::{Breaker, Endpoint};
use posthouse_relay::courier::Fault;

use super::DURATION_MS_MAX;
use super::access::Access;
use super::call::Call;
use super::discoveries;
use super::kind::Kind;
use super::route::{self, Route};
use crate::config::keys::RELAY_ENDPOINTS;
use crate::config::raw::{Raw, Table};
use crate::config::report::Report;
use crate::config::table::TableReader;

/// Attempts at a time that may be configured.
const CONCURRENCY_MAX: u64 = 10_000;

/// Attempts a second that may be configured.
const RATE_MAX: u64 = 1_000_000;

/// Failures in a row that may be configured.
const FAILURES_MAX: u64 = 1_000_000;

/// How long one attempt may take when nothing is said, in milliseconds.
const TIMEOUT_MS: u64 = 30_000;

/// Longest time-out that may be configured, in milliseconds: an hour.
const TIMEOUT_MS_MAX: u64 = 3_600_000;

/// Something of each endpoint, by its name.
type ByName<T> = BTreeMap<Arc<str>, T>;

/// Reads all of them; what is wrong goes to `report`.
pub(super) fn read(
    raw: &Raw,
    discoveries: &discoveries::ByName,
    report: &mut Report,
) -> (ByName<Route>, ByName<Endpoint>) {
    let mut routes = BTreeMap::new();
    let mut endpoints = BTreeMap::new();
    for table in raw.list(RELAY_ENDPOINTS) {
        let mut reader = TableReader::new(table, report);
        let Some(name) = reader.name("name", "an endpoint") else { continue };
        let name: Arc<str> = name.into();
        let endpoint = read_limits(&mut reader);
        let timeout_ms = endpoint.timeout_ms;
        if endpoints.insert(name.clone(), endpoint).is_some() {
            reader.refuse("name", "there are two endpoints of this name", "rename one");
        }
        if let Some(route) = read_route(table, timeout_ms, discoveries, report) {
            routes.insert(name, route);
        }
    }
    (routes, endpoints)
}

fn read_limits(reader: &mut TableReader<'_>) -> Endpoint {
    let mut count = |key, default, range| {
        u32::try_from(reader.integer(key, default, range)).unwrap_or(u32::MAX)
    };
    let concurrency_max = count("concurrency", 32, 1..=CONCURRENCY_MAX);
    let rate_per_s = count("rate", 0, 0..=RATE_MAX);
    let failures_max = count("breaker_failures", 10, 0..=FAILURES_MAX);
    Endpoint {
        concurrency_max,
        rate_per_s,
        timeout_ms: reader.duration("timeout", TIMEOUT_MS, 1..=TIMEOUT_MS_MAX),
        breaker: Breaker {
            failures_max,
            pause_ms: reader.duration("breaker_pause", 1_000, 1..=DURATION_MS_MAX),
            pause_cap_ms: reader.duration("breaker_pause_max", 60_000, 1..=DURATION_MS_MAX),
        },
    }
}

fn read_route(
    table: &Table,
    timeout_ms: u64,
    discoveries: &discoveries::ByName,
    report: &mut Report,
) -> Option<Route> {
    let mut reader = TableReader::new(table, report);
    let headers = headers(&mut reader);
    let (kind, route) = match (filled(&mut reader, "url"), filled(&mut reader, "destination")) {
        (Some(url), None) => {
            let kind = Kind::of(&url);
            (kind, read_call(&mut reader, kind, (url, headers), timeout_ms, discoveries))
        }
        (None, Some(destination)) => {
            let service = filled(&mut reader, "service");
            let service_method = filled(&mut reader, "service_method");
            let route =
                route::Destination { destination, headers, service, service_method, timeout_ms };
            (Kind::Destination, Route::Destination(route))
        }
        _ => {
            let help = "give url = \"https://...\", or destination = \"queue/PATH\"";
            reader.refuse("url", "an endpoint needs one of `url` and `destination`", help);
            return None;
        }
    };
    kind.refuse_others(table, &mut reader);
    for Fault { field, problem } in route.faults() {
        reader.refuse(key_of(&field), &problem, "");
    }
    Some(route)
}

fn read_call(
    reader: &mut TableReader<'_>,
    kind: Kind,
    (url, headers): (String, Vec<(String, String)>),
    timeout_ms: u64,
    discoveries: &discoveries::ByName,
) -> Route {
    let instances = read_instances(reader, discoveries);
    match kind {
        Kind::Frame => {
            Route::Frame(Box::new(Call::read(reader, url, headers, timeout_ms, instances)))
        }
        Kind::Grpc => {
            Route::Grpc(Box::new(Call::read(reader, url, headers, timeout_ms, instances)))
        }
        Kind::Http | Kind::Destination => {
            let http = read_http(reader, url, headers);
            Route::Http(Box::new(route::Http { timeout_ms, instances, ..http }))
        }
    }
}

fn read_http(
    reader: &mut TableReader<'_>,
    url: String,
    headers: Vec<(String, String)>,
) -> route::Http {
    const VERSIONS: [(&str, HttpVersion); 3] =
        [("auto", HttpVersion::Auto), ("1.1", HttpVersion::Http1), ("2", HttpVersion::Http2)];
    route::Http {
        access: Access::read(reader, url),
        headers,
        service: filled(reader, "service"),
        service_method: filled(reader, "service_method"),
        method: filled(reader, "method"),
        content_type: filled(reader, "content_type"),
        body: filled(reader, "body"),
        success: filled(reader, "success"),
        success_text: filled(reader, "success_text"),
        success_field: success_field(reader),
        never: reader.text("never"),
        version: reader.word("http", HttpVersion::Auto, &VERSIONS),
        ..route::Http::default()
    }
}

/// Whom to ask where the receiver is.
fn read_instances(
    reader: &mut TableReader<'_>,
    discoveries: &discoveries::ByName,
) -> Option<route::Instances> {
    const BALANCES: [(&str, Balance); 3] = [
        ("round-robin", Balance::RoundRobin),
        ("least-busy", Balance::LeastBusy),
        ("by-key", Balance::ByKey),
    ];
    let balance = reader.word("balance", Balance::RoundRobin, &BALANCES);
    let host = filled(reader, "host");
    let (name, service) = match (filled(reader, "discovery"), filled(reader, "instances_of")) {
        (Some(name), Some(service)) => (name, service),
        (None, None) => return None,
        _ => {
            let message = "instances are found by both `discovery` and `instances_of`";
            reader.refuse("discovery", message, "give the discovery and the name of the service");
            return None;
        }
    };
    reader.resolve("discovery", &name, discoveries.keys().map(|name| &**name));
    let discovery = discoveries.get(name.as_str())?.clone();
    Some(route::Instances { discovery, service, balance, host })
}

/// A JSON pointer and the value that must stand there; what is no JSON is a string.
fn success_field(reader: &mut TableReader<'_>) -> Option<(String, serde_json::Value)> {
    let text = filled(reader, "success_field")?;
    let Some((pointer, value)) = text.split_once('=') else {
        let help = "write it as \"/result/code=0\"";
        reader.refuse("success_field", "it names no value", help);
        return None;
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Some((pointer.to_owned(), value))
}

fn headers(reader: &mut TableReader<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for line in reader.texts("headers") {
        match line.split_once(':') {
            Some((name, value)) => headers.push((name.trim().into(), value.trim().into())),
            None => reader.refuse(
                "headers",
                "one of them has no colon, and is not shown, for it may be a secret",
                "write each as \"Name: value\"",
            ),
        }
    }
    headers
}

/// A string that is there and not empty.
pub(super) fn filled(reader: &mut TableReader<'_>, key: &str) -> Option<String> {
    reader.text(key).filter(|text| !text.is_empty())
}

/// The key that a courier's field was read from.
fn key_of(field: &str) -> &'static str {
    let field = field.split('.').next().unwrap_or(field);
    match field {
        "url" => "url",
        "instances_of" => "instances_of",
        "host" => "host",
        "method" => "method",
        "headers" => "headers",
        "content_type" => "content_type",
        "body" => "body",
        "success" => "success",
        "success_body" => "success_field",
        "never" => "never",
        "signing_keys" => "signing_keys",
        "allow" => "allow",
        "tls" => "ca_file",
        "destination" => "destination",
        "timeout_ms" => "timeout",
        _ => "name",
    }
}
