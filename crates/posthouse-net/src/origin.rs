//! Where a call goes: scheme, host, port and protocol version. Connections are shared by origin.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::Uri;

use crate::error::Error;

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// HTTP/2 if the server chooses it in the TLS handshake (ALPN), HTTP/1.1 otherwise.
    #[default]
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only; without TLS by prior knowledge (RFC 9113, section 3.3).
    Http2,
}

/// How addresses of one protocol begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scheme {
    /// Without TLS.
    pub plain: &'static str,
    /// With TLS.
    pub tls: &'static str,
    /// The usual ports without and with TLS, if there are any.
    pub ports: Option<(u16, u16)>,
    /// What is said of an address that begins otherwise.
    pub complaint: &'static str,
}

/// `http` and `https`.
pub const HTTP: Scheme = Scheme {
    plain: "http",
    tls: "https",
    ports: Some((80, 443)),
    complaint: "it does not begin with http:// or https://",
};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// How its addresses begin.
    pub scheme: Scheme,
    /// Whether it is called with TLS.
    pub is_tls: bool,
    /// A lower-case name, or an address without brackets.
    pub host: Arc<str>,
    /// The port, given or usual for the scheme.
    pub port: u16,
    /// Which HTTP is spoken.
    pub version: HttpVersion,
    /// What stands in the `Host` header, and before the port is the name that TLS asks for, if it
    /// is something else than `host`. The guard does not look at it: it leads nowhere.
    pub named: Option<Arc<str>>,
}

impl Origin {
    /// The origin of an absolute `http` or `https` URL.
    ///
    /// # Errors
    /// [`Error::Url`] if it is not one, or holds a user name.
    pub fn of(url: &Uri, version: HttpVersion) -> Result<Origin, Error> {
        Origin::with_scheme(url, HTTP, version)
    }

    /// The origin of an absolute URL of this scheme.
    ///
    /// # Errors
    /// [`Error::Url`] if it is not one, or holds a user name.
    pub fn with_scheme(url: &Uri, scheme: Scheme, version: HttpVersion) -> Result<Origin, Error> {
        let wrong = |problem: &'static str| Error::Url { problem };
        let is_tls = match url.scheme_str() {
            Some(name) if name == scheme.tls => true,
            Some(name) if name == scheme.plain => false,
            _ => return Err(wrong(scheme.complaint)),
        };
        let authority = url.authority().ok_or(wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it holds a user name or password, which belong into a header"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None => scheme.usual_port(is_tls).ok_or(wrong("it has no port"))?,
        };
        let host = host.to_ascii_lowercase().into();
        Ok(Origin { scheme, is_tls, host, port, version, named: None })
    }

    /// The host if it is an address.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// What the `Host` header says.
    pub fn authority(&self) -> String {
        match &self.named {
            Some(named) => named.to_string(),
            None => self.place(),
        }
    }

    /// The name that the server's certificate must be for.
    pub(crate) fn tls_name(&self) -> &str {
        self.named.as_deref().map_or(&self.host, host_of)
    }

    /// Host and port, the port only if it is not the usual one.
    fn place(&self) -> String {
        let host = &self.host;
        let is_bracketed = host.contains(':');
        let host = if is_bracketed { format!("[{host}]") } else { host.to_string() };
        if Some(self.port) == self.scheme.usual_port(self.is_tls) {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

impl Scheme {
    fn usual_port(&self, is_tls: bool) -> Option<u16> {
        self.ports.map(|(plain, tls)| if is_tls { tls } else { plain })
    }
}

/// The host of what stands in a `Host` header.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { self.scheme.tls } else { self.scheme.plain };
        write!(f, "{scheme}://{}", self.place())
    }
}
