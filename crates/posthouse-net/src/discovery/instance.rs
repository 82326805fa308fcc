//! One running copy of a service.

use std::sync::Arc;

use crate::limits::WEIGHT_MAX;
use crate::origin::{HTTP, HttpVersion, Origin};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// What it is called: its host and port, as in `10.0.0.7:8080`.
    pub id: Arc<str>,
    /// A lower-case name, or an address without brackets.
    pub host: Arc<str>,
    /// Its port.
    pub port: u16,
    /// Its port for TLS, where that is another one.
    pub secure_port: Option<u16>,
    /// The name by which it wants to be called, where `host` is only an address.
    pub name: Option<Arc<str>>,
    /// How much of the work it should have, beside the others of its rank. From 1.
    pub weight: u32,
    /// Those of the lowest rank that can be called are (RFC 2782 calls it priority).
    pub rank: u16,
    /// Whether it may be called, as far as the discovery knows.
    pub health: Health,
}

/// Whether an instance may be called, as far as the discovery knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It may.
    Up,
    /// A health check says that it does not work.
    Down,
    /// Somebody has switched it off.
    Disabled,
}

impl Instance {
    /// A healthy one.
    pub fn new(host: &str, port: u16) -> Instance {
        let host = host.to_ascii_lowercase();
        Instance {
            id: authority(&host, port).into(),
            host: host.into(),
            port,
            secure_port: None,
            name: None,
            weight: 1,
            rank: 0,
            health: Health::Up,
        }
    }

    /// The same with another weight; none at all means that it gets nothing.
    pub(crate) fn weighing(mut self, weight: u64) -> Instance {
        match u32::try_from(weight).unwrap_or(WEIGHT_MAX).min(WEIGHT_MAX) {
            0 => self.health = Health::Disabled,
            weight => self.weight = weight,
        }
        self
    }

    /// Where it is called. It is addressed as `named`, or as it wants to be.
    pub fn origin(&self, is_tls: bool, version: HttpVersion, named: Option<&Arc<str>>) -> Origin {
        let port = self.secure_port.filter(|_| is_tls).unwrap_or(self.port);
        let own = self.name.as_ref().map(|name| authority(name, port).into());
        let (host, named) = (self.host.clone(), named.cloned().or(own));
        Origin { scheme: HTTP, is_tls, host, port, version, named }
    }
}

/// Host and port as they stand in an address.
pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
