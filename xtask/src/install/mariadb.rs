//! The other database server that the relay's tests start for themselves.

use std::path::Path;

/// The Debian packages to install before a server can be started.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let is_there = |path: &&str| Path::new(path).exists();
    match ["/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db"].iter().all(is_there) {
        true => Vec::new(),
        false => vec!["mariadb-server"],
    }
}
