//! Who knows where receivers are.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use posthouse_net::TlsSettings;
use posthouse_net::discovery::{DiscoverySettings, Kind, Login, Secret, SettingsFault, Web};

use super::DURATION_MS_MAX;
use super::access::{certificate, roots};
use super::endpoints::filled;
use crate::config::keys::RELAY_DISCOVERIES;
use crate::config::raw::{Raw, Table};
use crate::config::report::Report;
use crate::config::table::TableReader;

/// How long the last good list is kept when nothing is said, in milliseconds.
const KEEP_MS: u64 = 600_000;

/// How long servers of ZooKeeper may be silent when nothing is said, in milliseconds.
const SESSION_MS: u64 = 6_000;

/// How often etcd and Consul are asked when nothing is said, in milliseconds.
const REFRESH_MS: u64 = 10_000;

/// The longest of both that may be configured, in milliseconds.
const SILENCE_MS_MAX: u64 = 300_000;

/// The usual port of a name service.
const DNS_PORT: u16 = 53;

/// The discoveries by name.
pub(super) type ByName = BTreeMap<Arc<str>, DiscoverySettings>;

/// Each kind, and the keys that mean something for it beside those of all.
const KINDS: [(&str, &[&str]); 5] = [
    ("file", &["file"]),
    ("dns", &["servers"]),
    ("zookeeper", &["servers", "path", "protocol", "session", "user", "password"]),
    ("etcd", &["servers", "path", "refresh", "user", "password", "ca_file", CHAIN, KEY]),
    ("consul", &["servers", "refresh", "datacenter", "token", "ca_file", CHAIN, KEY]),
];

const CHAIN: &str = "client_certificate_file";
const KEY: &str = "client_key_file";

/// What every kind has.
const COMMON: [&str; 3] = ["name", "kind", "keep"];

/// Reads all of them; what is wrong goes to `report`.
pub(super) fn read(raw: &Raw, report: &mut Report) -> ByName {
    let mut discoveries = ByName::new();
    for table in raw.list(RELAY_DISCOVERIES) {
        let Some(settings) = read_one(table, report) else { continue };
        let name = settings.name.clone();
        if discoveries.insert(name, settings).is_some() {
            let mut reader = TableReader::new(table, report);
            reader.refuse("name", "there are two discoveries of this name", "rename one");
        }
    }
    discoveries
}

fn read_one(table: &Table, report: &mut Report) -> Option<DiscoverySettings> {
    let mut reader = TableReader::new(table, report);
    let name = reader.name("name", "a discovery")?;
    reader.name("kind", "a discovery")?;
    let kinds = KINDS.map(|(word, _)| (word, Some(word)));
    let kind = reader.word("kind", None, &kinds)?;
    refuse_strangers(&mut reader, table, kind);
    let keep_ms = reader.duration("keep", KEEP_MS, 0..=DURATION_MS_MAX);
    let kind = read_kind(&mut reader, kind)?;
    let settings = DiscoverySettings { name: name.into(), keep_ms, kind };
    for SettingsFault { field, problem } in settings.faults() {
        reader.refuse(if field == "tls" { "ca_file" } else { field }, &problem, "");
    }
    Some(settings)
}

/// A key of another kind would do nothing, and nobody would notice.
fn refuse_strangers(reader: &mut TableReader<'_>, table: &Table, kind: &str) {
    let own = KINDS.iter().find(|(word, _)| *word == kind).map_or(&[][..], |(_, keys)| keys);
    let strangers = table.settings.keys().filter(|key| !COMMON.contains(key) && !own.contains(key));
    for key in strangers {
        let message = format!("it means nothing for kind = \"{kind}\"");
        reader.refuse(key, &message, "leave it out");
    }
}

fn read_kind(reader: &mut TableReader<'_>, kind: &str) -> Option<Kind> {
    Some(match kind {
        "file" => Kind::File { path: reader.name("file", "a discovery by file")?.into() },
        "dns" => Kind::Dns { servers: name_servers(reader) },
        "zookeeper" => Kind::ZooKeeper {
            servers: reader.texts("servers"),
            path: filled(reader, "path").unwrap_or_default(),
            protocol: filled(reader, "protocol"),
            session_ms: reader.duration("session", SESSION_MS, 1_000..=SILENCE_MS_MAX),
            login: login(reader),
        },
        "etcd" => Kind::Etcd {
            prefix: filled(reader, "path").unwrap_or_default(),
            login: login(reader),
            web: web(reader)?,
        },
        _ => Kind::Consul {
            datacenter: filled(reader, "datacenter"),
            token: filled(reader, "token").map(|text| secret(&text)),
            web: web(reader)?,
        },
    })
}

fn web(reader: &mut TableReader<'_>) -> Option<Web> {
    let files = (filled(reader, CHAIN).map(Into::into), filled(reader, KEY).map(Into::into));
    let client = match certificate(files.0.as_ref(), files.1.as_ref()) {
        Ok(client) => client,
        Err(problem) => {
            reader.refuse(CHAIN, &problem, "");
            return None;
        }
    };
    Some(Web {
        servers: reader.texts("servers"),
        tls: TlsSettings { roots: roots(filled(reader, "ca_file").map(Into::into)), client },
        refresh_ms: reader.duration("refresh", REFRESH_MS, 100..=SILENCE_MS_MAX),
    })
}

fn name_servers(reader: &mut TableReader<'_>) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for text in reader.texts("servers") {
        let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DNS_PORT));
        match address.or_else(|_| text.parse()) {
            Ok(server) => servers.push(server),
            Err(_) => {
                let message = "one of them is not the address of a name server";
                reader.refuse("servers", message, "write it as 10.0.0.53 or 10.0.0.53:5353");
            }
        }
    }
    servers
}

fn login(reader: &mut TableReader<'_>) -> Option<Login> {
    match (filled(reader, "user"), filled(reader, "password")) {
        (Some(name), Some(password)) => Some(Login { name, password: secret(&password) }),
        (None, None) => None,
        _ => {
            let message = "a login needs both `user` and `password`";
            reader.refuse("user", message, "password = \"FILE\" or \"env:NAME\"");
            None
        }
    }
}

fn secret(text: &str) -> Secret {
    match text.strip_prefix("env:") {
        Some(name) => Secret::Environment(name.to_owned()),
        None => Secret::File(text.into()),
    }
}
