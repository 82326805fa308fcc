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

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether it is `https`.
    pub is_tls: bool,
    /// A lower-case name, or an address without brackets.
    pub host: Arc<str>,
    /// The port, given or usual for the scheme.
    pub port: u16,
    /// Which HTTP is spoken.
    pub version: HttpVersion,
}

impl Origin {
    /// The origin of an absolute `http` or `https` URL.
    ///
    /// # Errors
    /// [`Error::Url`] if it is not one, or holds a user name.
    pub fn of(url: &Uri, version: HttpVersion) -> Result<Origin, Error> {
        let wrong = |problem: &'static str| Error::Url { problem };
        let is_tls = match url.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it does not begin with http:// or https://")),
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
            None => usual_port(is_tls),
        };
        Ok(Origin { is_tls, host: host.to_ascii_lowercase().into(), port, version })
    }

    /// The host if it is an address.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// What the `Host` header says.
    pub(crate) fn authority(&self) -> String {
        let host = &self.host;
        let is_bracketed = host.contains(':');
        let host = if is_bracketed { format!("[{host}]") } else { host.to_string() };
        if self.port == usual_port(self.is_tls) { host } else { format!("{host}:{}", self.port) }
    }
}

fn usual_port(is_tls: bool) -> u16 {
    if is_tls { 443 } else { 80 }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}
