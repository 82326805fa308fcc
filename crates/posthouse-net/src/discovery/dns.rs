//! The name service. `_service._tcp.name` asks for SRV records (RFC 2782) and then for the
//! addresses of their targets; `name:port` asks for addresses only.
//!
//! Every address is an instance of its own, called under the name that led to it. Answers hold for
//! as long as they say, within bounds. That there is no such name is an answer, too: nobody is
//! there.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::SRV;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::time::{sleep_until, timeout};

use super::directory::Directory;
use super::instance::Instance;
use crate::limits::ADDRESSES_MAX;

/// How long an answer holds at least, in milliseconds.
const TTL_MS_MIN: u64 = 1_000;

/// How long at most, in milliseconds, whatever it says: a name that moves should be noticed.
const TTL_MS_MAX: u64 = 60_000;

/// How long an answer that nobody is there holds, in milliseconds.
const NOBODY_MS: u64 = 5_000;

/// How long one question may take with all its tries, in milliseconds.
const QUESTION_MS_MAX: u64 = 8_000;

/// Targets of one service whose addresses are asked for.
const TARGETS_MAX: usize = 256;

/// See the module.
#[derive(Debug)]
pub(super) struct Dns {
    servers: Vec<SocketAddr>,
}

/// A list, and until when it holds.
struct Found {
    instances: Vec<Instance>,
    until: Instant,
}

impl Dns {
    pub(super) fn new(servers: Vec<SocketAddr>) -> Dns {
        Dns { servers }
    }

    /// Asks again whenever an answer has run out. The system's settings are read anew after a
    /// failure.
    pub(super) async fn watch(&self, directory: &Directory) -> String {
        let resolver = match self.resolver() {
            Ok(resolver) => resolver,
            Err(error) => return format!("the name service cannot be asked: {error}"),
        };
        loop {
            let found = match ask(&resolver, directory.service()).await {
                Ok(found) => found,
                Err(problem) => return problem,
            };
            let now = Instant::now();
            let (least, most) =
                (Duration::from_millis(TTL_MS_MIN), Duration::from_millis(TTL_MS_MAX));
            let until = found.until.clamp(now + least, now + most);
            directory.heard(found.instances);
            sleep_until(until.into()).await;
        }
    }

    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let mut builder = match self.servers.as_slice() {
            [] => TokioResolver::builder_tokio()?,
            servers => {
                let servers = servers.iter().map(server).collect();
                let config = ResolverConfig::from_parts(None, Vec::new(), servers);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        options.cache_size = 0;
        options.timeout = Duration::from_secs(2);
        options.attempts = 2;
        builder.build()
    }
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

async fn ask(resolver: &TokioResolver, service: &str) -> Result<Found, String> {
    if let Some((name, port)) = service.rsplit_once(':') {
        let port = port.parse().ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| format!("{service} does not end in a port"))?;
        return addresses(resolver, name, port).await;
    }
    if !service.starts_with('_') {
        return Err(format!("{service} is neither _service._tcp.name nor name:port"));
    }
    let Some((records, until)) = records(resolver, service, RecordType::SRV).await? else {
        return Ok(Found::nobody());
    };
    let mut all = Found { instances: Vec::new(), until };
    for record in records.iter().filter_map(srv).take(TARGETS_MAX) {
        let name = record.target.to_utf8();
        let name = name.trim_end_matches('.');
        // A target of "." says that the service is not there (RFC 2782).
        if name.is_empty() {
            continue;
        }
        let found = addresses(resolver, name, record.port).await?;
        all.until = all.until.min(found.until);
        all.instances.extend(found.instances.into_iter().map(|one| ranked(one, record)));
    }
    Ok(all)
}

fn srv(data: &RData) -> Option<&SRV> {
    match data {
        RData::SRV(record) => Some(record),
        _ => None,
    }
}

/// A weight of 0 is a small one here, and not none at all.
fn ranked(instance: Instance, record: &SRV) -> Instance {
    let instance = instance.weighing(u64::from(record.weight.max(1)));
    Instance { rank: record.priority, ..instance }
}

async fn addresses(resolver: &TokioResolver, name: &str, port: u16) -> Result<Found, String> {
    let mut all = Found::nobody();
    for kind in [RecordType::A, RecordType::AAAA] {
        let Some((records, until)) = records(resolver, name, kind).await? else { continue };
        let addresses = records.iter().filter_map(|data| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        });
        let before = all.instances.len();
        let named = |address: IpAddr| Instance {
            name: Some(name.to_ascii_lowercase().into()),
            ..Instance::new(&address.to_string(), port)
        };
        all.instances.extend(addresses.take(ADDRESSES_MAX).map(named));
        all.until = if before == 0 { until } else { all.until.min(until) };
    }
    Ok(all)
}

/// The records, and until when they hold; `None` if there are none.
async fn records(
    resolver: &TokioResolver,
    name: &str,
    kind: RecordType,
) -> Result<Option<(Vec<RData>, Instant)>, String> {
    let failed = |error: String| format!("the name {name} cannot be resolved: {error}");
    let question = resolver.lookup(format!("{}.", name.trim_end_matches('.')), kind);
    match timeout(Duration::from_millis(QUESTION_MS_MAX), question).await {
        Ok(Ok(found)) => {
            let data = found.answers().iter().map(|record| record.data.clone()).collect();
            Ok(Some((data, found.valid_until())))
        }
        Ok(Err(error)) if error.is_no_records_found() && is_answer(&error) => Ok(None),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("no answer in time".into())),
    }
}

/// A server that refuses or fails says nothing about the name.
fn is_answer(error: &NetError) -> bool {
    use hickory_resolver::net::{DnsError, NoRecords};
    use hickory_resolver::proto::op::ResponseCode;
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. })) => {
            matches!(response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        }
        _ => false,
    }
}

impl Found {
    fn nobody() -> Found {
        let until = Instant::now() + Duration::from_millis(NOBODY_MS);
        Found { instances: Vec::new(), until }
    }
}
