//! The broker that the node is measured against.

use std::path::Path;

use crate::command;

/// The Debian packages to install before it can be started.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let has_broker = Path::new("/usr/share/activemq/bin/activemq.jar").exists();
    let has_java = command::succeeds(std::process::Command::new("java").arg("-version"));
    match has_broker && has_java {
        true => Vec::new(),
        false => vec!["activemq", "openjdk-17-jre-headless"],
    }
}
