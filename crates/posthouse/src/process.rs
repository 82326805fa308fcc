//! What the operating system knows about this process.

use std::fs;

/// Memory in use, in bytes; 0 where the system does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1_024)
}

/// Open files and sockets; 0 where the system does not tell.
pub(crate) fn open_files() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}

/// Asks for as many open files as the system allows, for every connection is one. Answers how
/// many there may be now.
pub(crate) fn raise_open_files_max() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limits.maximum, maximum: limits.maximum };
    let holds = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limits };
    holds.current.unwrap_or(u64::MAX)
}
