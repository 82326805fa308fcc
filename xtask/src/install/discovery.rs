//! The places to look services up that the tests start for themselves, in directories of their own.

use std::path::Path;

/// A file of each package, and the package. ZooKeeper brings its Java along.
const NEEDED: [(&str, &str); 2] =
    [("/usr/bin/etcd", "etcd-server"), ("/usr/share/java/zookeeper.jar", "zookeeperd")];

/// The Debian packages to install before they can be started.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let missing = NEEDED.into_iter().filter(|(path, _)| !Path::new(path).exists());
    missing.map(|(_, package)| package).collect()
}
