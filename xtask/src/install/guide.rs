//! The languages in which the guide to the relay shows how a request is written, and the drivers
//! of PostgreSQL that Debian has for them. (That of Python comes with the Python packages.)
//!
//! Go and its driver are 88 MB to fetch and half a gigabyte on the disk, the driver of Java is one
//! megabyte, and neither needs anything else from the network afterwards.

use std::path::Path;

/// A file of each package, wherever Debian puts it, and the package.
const NEEDED: [(&str, &str); 4] = [
    ("/usr/bin/javac", "default-jdk-headless"),
    ("/usr/share/java/postgresql.jar", "libpostgresql-jdbc-java"),
    ("/usr/bin/go", "golang-go"),
    ("/usr/share/gocode/src/github.com/lib/pq", "golang-github-lib-pq-dev"),
];

/// The Debian packages to install before the guide can be walked.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let missing = NEEDED.into_iter().filter(|(path, _)| !Path::new(path).exists());
    missing.map(|(_, package)| package).collect()
}
