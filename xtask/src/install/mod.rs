//! What the tests need beyond Rust: an interpreter each for Python and Node, STOMP clients and gRPC
//! servers made by others, two database servers, ZooKeeper and etcd, and the languages of the
//! guides.
//!
//! Programs come from the system's package manager, client libraries go under the target
//! directory at the versions that the committed files name. A run with nothing to do takes no
//! network and well under a second.

mod activemq;
mod debian;
mod discovery;
mod guide;
mod machine;
mod mariadb;
mod node;
mod postgres;
mod python;
mod rivals;
mod stamp;

use std::path::Path;

use anyhow::Result;

use crate::command;

/// Brings everything up to date for the workspace at `root`.
pub(crate) fn run(root: &Path) -> Result<()> {
    debian::install(&missing_packages())?;
    let target = command::target_dir(root);
    let interop = root.join("crates/posthouse/tests/interop");
    let python = ["stomp_py", "grpc", "guide"].map(|name| interop.join(name));
    python::install(&python, &target.join("venv"))?;
    node::install(&interop.join("stompjs"), &target.join("node"))
}

/// Brings what emulates a machine, which only long runs need.
pub(crate) fn machine() -> Result<()> {
    debian::install(&machine::missing_packages())
}

/// Brings the broker to measure against, which nothing else needs.
pub(crate) fn activemq() -> Result<()> {
    debian::install(&activemq::missing_packages())
}

/// Brings what the relay is measured beside to `dir`, and the databases, which nothing else needs.
pub(crate) fn rivals(root: &Path, dir: &Path) -> Result<()> {
    let mut packages = python::missing_packages();
    packages.extend(node::missing_packages());
    packages.extend(postgres::missing_packages());
    packages.extend(mariadb::missing_packages());
    debian::install(&packages)?;
    rivals::install(root, dir)
}

fn missing_packages() -> Vec<&'static str> {
    let mut packages = python::missing_packages();
    packages.extend(node::missing_packages());
    packages.extend(postgres::missing_packages());
    packages.extend(discovery::missing_packages());
    packages.extend(mariadb::missing_packages());
    packages.extend(guide::missing_packages());
    packages
}
