//! How a discovery is configured.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::secret::{Login, Secret};
use super::service;
use super::zookeeper;
use crate::discovery::http;
use crate::limits::DISCOVERY_SERVERS_MAX;
use crate::tls::TlsSettings;

/// See the module. Two that are equal share their connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoverySettings {
    /// Its name.
    pub name: Arc<str>,
    /// How long the last list of a service is kept while there is no other, in milliseconds.
    pub keep_ms: u64,
    /// What it is.
    pub kind: Kind,
}

/// What a discovery is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file with the instances of each service, in TOML or JSON.
    File {
        /// Its name.
        path: PathBuf,
    },
    /// The name service. A service is `_service._tcp.name`, or `name:port`.
    Dns {
        /// Whom to ask; nobody means whom the system asks.
        servers: Vec<SocketAddr>,
    },
    /// ZooKeeper. Every child of a node is an instance.
    ZooKeeper {
        /// Its servers, as `host:port`.
        servers: Vec<String>,
        /// The node, with `{service}` in it.
        path: String,
        /// Of URLs of Dubbo's providers, which protocol counts; without it all do.
        protocol: Option<String>,
        /// How long its servers may be silent before the session ends, in milliseconds.
        session_ms: u64,
        /// Whom to log in as, by the scheme `digest`.
        login: Option<Login>,
    },
    /// etcd, version 3. Every key below a prefix is an instance.
    Etcd {
        /// How it is reached.
        web: Web,
        /// The prefix, with `{service}` in it.
        prefix: String,
        /// Whom to log in as.
        login: Option<Login>,
    },
    /// Consul.
    Consul {
        /// How it is reached.
        web: Web,
        /// The data centre, if it is not that of the server.
        datacenter: Option<String>,
        /// The token.
        token: Option<Secret>,
    },
}

/// A discovery that speaks HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Web {
    /// Its servers, as `http://host:port`.
    pub servers: Vec<String>,
    /// Whom to trust.
    pub tls: TlsSettings,
    /// How often it is asked even though nothing seems to have changed, in milliseconds. A server
    /// that is cut off is noticed after that.
    pub refresh_ms: u64,
}

/// What is wrong with a discovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFault {
    /// The setting.
    pub field: &'static str,
    /// What is wrong with it, and what to write.
    pub problem: String,
}

impl DiscoverySettings {
    /// What is wrong, all of it.
    pub fn faults(&self) -> Vec<SettingsFault> {
        let mut faults = Vec::new();
        let mut note = |field, checked: Result<(), String>| {
            if let Err(problem) = checked {
                faults.push(SettingsFault { field, problem });
            }
        };
        match &self.kind {
            Kind::File { .. } => {}
            Kind::Dns { servers } => note("servers", check_count(servers.len())),
            Kind::ZooKeeper { servers, path, login, .. } => {
                note("servers", check_servers(servers, zookeeper::check_server));
                note("path", check_path(path).and_then(|()| check_node(path)));
                note("password", check_login(login.as_ref()));
            }
            Kind::Etcd { web, prefix, login } => {
                note("servers", check_servers(&web.servers, http::check_server));
                note("tls", http::check_tls(web));
                note("path", check_path(prefix));
                note("password", check_login(login.as_ref()));
            }
            Kind::Consul { web, token, .. } => {
                note("servers", check_servers(&web.servers, http::check_server));
                note("tls", http::check_tls(web));
                note("token", check_secret(token.as_ref()));
            }
        }
        faults
    }
}

fn check_servers(
    servers: &[String],
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<(), String> {
    if servers.is_empty() {
        return Err("it has none".into());
    }
    check_count(servers.len())?;
    servers.iter().try_for_each(|server| check(server))
}

fn check_count(servers: usize) -> Result<(), String> {
    match servers <= DISCOVERY_SERVERS_MAX {
        true => Ok(()),
        false => Err(format!("there are more than {DISCOVERY_SERVERS_MAX}")),
    }
}

fn check_login(login: Option<&Login>) -> Result<(), String> {
    check_secret(login.map(|login| &login.password))
}

fn check_secret(secret: Option<&Secret>) -> Result<(), String> {
    secret.map_or(Ok(()), |secret| secret.read().map(drop))
}

fn check_path(path: &str) -> Result<(), String> {
    match service::has_field(path) {
        true => Ok(()),
        false => {
            Err("it does not say where the name of the service stands; write {service}".into())
        }
    }
}

fn check_node(path: &str) -> Result<(), String> {
    match path.starts_with('/') && !path.ends_with('/') && !path.contains("//") {
        true => Ok(()),
        false => Err("it is not the path of a node, such as /services/{service}".into()),
    }
}
