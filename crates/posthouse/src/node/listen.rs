//! Opens the listeners before anything is started, so that a taken port is told at once.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

use crate::broker_thread;
use crate::codes::Code;
use crate::failure::Failure;

/// Listens on every address of the setting `key`. A machine without IPv6 does without those, as
/// long as there is another.
///
/// # Errors
/// [`Code::AddressUnusable`].
pub(super) fn all(key: &str, addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::new();
    let mut missing = None;
    for address in addresses {
        match broker_thread::listen(*address) {
            Ok(listener) => listeners.push(listener),
            Err(error) if address.is_ipv6() && is_absent(&error) => {
                missing = Some(unusable(key, *address, &error));
            }
            Err(error) => return Err(unusable(key, *address, &error)),
        }
    }
    match missing {
        Some(failure) if listeners.is_empty() => Err(failure),
        Some(failure) => {
            tracing::debug!(reason = %failure.message, "does without IPv6");
            Ok(listeners)
        }
        None if listeners.is_empty() => Err(Failure::new(
            Code::AddressUnusable,
            format!("`{key}` names no address"),
            format!("--set {key}=127.0.0.1:0 takes a free port"),
        )),
        None => Ok(listeners),
    }
}

/// The address that others are told.
///
/// # Errors
/// When the system does not say.
pub(super) fn first_address(listeners: &[TcpListener]) -> Result<SocketAddr, Failure> {
    let first = listeners.first().ok_or_else(|| Failure::unexpected("no listener"))?;
    first.local_addr().map_err(|error| Failure::unexpected(error.to_string()))
}

/// The same listeners for tasks.
///
/// # Errors
/// When the runtime does not take them.
pub(super) fn to_tokio(
    listeners: Vec<TcpListener>,
) -> Result<Vec<tokio::net::TcpListener>, Failure> {
    let taken = listeners.into_iter().map(tokio::net::TcpListener::from_std);
    taken.collect::<io::Result<_>>().map_err(|error| Failure::unexpected(error.to_string()))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::Unsupported)
        || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn unusable(key: &str, address: SocketAddr, error: &io::Error) -> Failure {
    let why = match error.kind() {
        ErrorKind::AddrInUse => "another program listens there".to_owned(),
        _ => error.to_string(),
    };
    Failure::new(
        Code::AddressUnusable,
        format!("`{key}`: cannot listen on {address}: {why}"),
        format!("stop that program, or choose another address: --set {key}=127.0.0.1:0"),
    )
}
