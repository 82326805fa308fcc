//! The database server that the relay's tests start for themselves, in directories of their own.

use std::fs;

/// The oldest major version that the relay works with.
const MAJOR_MIN: u32 = 13;

/// The Debian packages to install before a server can be started.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut usable = versions.filter(|version| version.path().join("bin/postgres").exists());
    let is_usable = |name: &str| name.parse().is_ok_and(|major: u32| major >= MAJOR_MIN);
    match usable.any(|version| version.file_name().to_str().is_some_and(is_usable)) {
        true => Vec::new(),
        false => vec!["postgresql-15"],
    }
}
