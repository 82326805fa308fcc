//! What a broker costs that does nothing, and what a connection costs that does nothing.

use std::time::Duration;

use posthouse_wire::stomp::Command;

use super::login::await_frame;
use super::peer::{Peer, READ_BYTES};
use super::plan::Target;
use super::process::Process;
use super::report::Report;
use super::server::{Server, pause};
use crate::failure::Failure;
use crate::process::raise_open_files_max;

/// How long memory is given to come to rest.
const REST: Duration = Duration::from_secs(1);
/// Logins that are under way at the same time.
const LOGINS_MAX: usize = 100;
const MEBIBYTE: f64 = 1_048_576.0;

/// Measures the memory of a broker at rest.
///
/// # Errors
/// When the broker cannot be reached or started.
pub(crate) fn memory(target: &Target) -> Result<Report, Failure> {
    let server = Server::open(target)?;
    pause(REST);
    let mut report = Report::new("memory");
    put_memory(&mut report, "memory_mib", resident(&server));
    Ok(report)
}

/// Measures the memory that `connections` take that only log in.
///
/// # Errors
/// When the broker cannot be reached or started, or refuses a connection.
pub(crate) fn idle(target: &Target, connections: usize) -> Result<Report, Failure> {
    raise_open_files_max();
    let server = Server::open(target)?;
    pause(REST);
    let before = resident(&server);
    let peers = connect(&server, connections)?;
    pause(REST);
    let after = resident(&server);
    let mut report = Report::new("idle");
    report.put("connections", peers.len());
    put_memory(&mut report, "memory_before_mib", before);
    put_memory(&mut report, "memory_mib", after);
    let taken = after.zip(before).map(|(after, before)| after.saturating_sub(before));
    let each = taken.map(|bytes| bytes as f64 / peers.len().max(1) as f64);
    report.put_rounded("bytes_each", each);
    Ok(report)
}

fn connect(server: &Server, count: usize) -> Result<Vec<Peer>, Failure> {
    let mut scratch = vec![0; READ_BYTES];
    let mut peers: Vec<Peer> = Vec::with_capacity(count);
    while peers.len() < count {
        let first = peers.len();
        for _ in 0..LOGINS_MAX.min(count - first) {
            peers.push(server.access.begin()?);
        }
        for peer in peers.iter_mut().skip(first) {
            await_frame(peer, &mut scratch, Command::Connected)?;
        }
    }
    Ok(peers)
}

fn resident(server: &Server) -> Option<u64> {
    server.process.and_then(Process::resident_bytes)
}

fn put_memory(report: &mut Report, name: &str, bytes: Option<u64>) {
    report.put_rounded(name, bytes.map(|bytes| bytes as f64 / MEBIBYTE));
}
