//! Why a call has no answer, and whether the other side may have seen it.

use std::fmt;

use crate::reach::Refusal;

/// What the other side may have seen of a request that has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing: not a byte of the request was written.
    No,
    /// Perhaps all of it.
    Unknown,
}

/// Why a call has no answer. Its text is one sentence for people, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The URL cannot be called.
    Url {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The guard did not let the call out.
    Refused(Refusal),
    /// The name has no address.
    Unresolved {
        /// The host.
        host: String,
        /// What the name service said.
        reason: String,
    },
    /// No connection could be made.
    Unreachable {
        /// The origin.
        origin: String,
        /// What the system said.
        reason: String,
    },
    /// The TLS handshake failed.
    Tls {
        /// The origin.
        origin: String,
        /// What was wrong.
        reason: String,
    },
    /// Resolving, connecting and the handshake took too long.
    ConnectTimeout {
        /// The origin.
        origin: String,
    },
    /// As many calls as allowed were under way to this host until it was too late.
    Busy {
        /// The origin.
        origin: String,
    },
    /// The connection was closed before the request was written.
    Stale {
        /// Whether the connection had served a call before: a fresh one may well work.
        is_reused: bool,
    },
    /// The connection broke after the request was written, at least in part, and before the answer
    /// came.
    Broken {
        /// How it broke.
        reason: String,
    },
    /// What came is not an answer in HTTP, or its head is too long.
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The answer did not come in time.
    Timeout,
}

impl Error {
    /// Whether the other side may have seen the request.
    pub fn sent(&self) -> Sent {
        match self {
            Error::Broken { .. } | Error::Malformed { .. } | Error::Timeout => Sent::Unknown,
            _ => Sent::No,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Url { problem } => write!(f, "the URL cannot be called: {problem}"),
            Error::Refused(refusal) => refusal.fmt(f),
            Error::Unresolved { host, reason } => {
                write!(f, "the name {host} cannot be resolved: {reason}")
            }
            Error::Unreachable { origin, reason } => {
                write!(f, "{origin} cannot be reached: {reason}")
            }
            Error::Tls { origin, reason } => write!(f, "no TLS with {origin}: {reason}"),
            Error::ConnectTimeout { origin } => {
                write!(f, "{origin} did not take a connection in time")
            }
            Error::Busy { origin } => write!(f, "too many calls to {origin} are under way"),
            Error::Stale { .. } => {
                f.write_str("the connection was closed before the request was sent")
            }
            Error::Broken { reason } => write!(
                f,
                "the connection broke before the answer came, and nobody knows whether the request \
                 was handled: {reason}"
            ),
            Error::Malformed { reason } => write!(
                f,
                "what came back is not an answer in HTTP, and nobody knows whether the request was \
                 handled: {reason}"
            ),
            Error::Timeout => {
                f.write_str("no answer in time, and nobody knows whether the request was handled")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::Refused(refusal)
    }
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
