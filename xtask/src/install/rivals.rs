//! What the relay is measured beside, each in a directory of its own at the versions that the files
//! in `xtask/rivals` name.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::stamp::Stamp;
use super::{node, python};
use crate::command;

/// What is installed, with the files that it is run with.
const OUTBOX: (&str, &[&str]) = ("outbox-pattern-processor", &["rival.toml"]);
const GRAPHILE: (&str, &[&str]) = ("graphile-worker", &["rival.toml", "worker.mjs"]);
const PROCRASTINATE: (&str, &[&str]) = ("procrastinate", &["rival.toml", "worker.py"]);

/// Brings all of them to `dir`.
pub(crate) fn install(root: &Path, dir: &Path) -> Result<()> {
    let source = root.join("xtask/rivals");
    for (name, files) in [OUTBOX, GRAPHILE, PROCRASTINATE] {
        let own = dir.join(name);
        fs::create_dir_all(&own).with_context(|| format!("cannot make {}", own.display()))?;
        for file in files {
            fs::copy(source.join(name).join(file), own.join(file))
                .with_context(|| format!("cannot copy {file} of {name}"))?;
        }
    }
    node::install(&source.join(GRAPHILE.0), &dir.join(GRAPHILE.0))?;
    python::install(&[source.join(PROCRASTINATE.0)], &dir.join(PROCRASTINATE.0).join("venv"))?;
    build(&source.join(OUTBOX.0), &dir.join(OUTBOX.0))
}

/// Built once for its sources: cargo would build the crate's many dependencies anew whenever it is
/// started in another way.
fn build(source: &Path, dir: &Path) -> Result<()> {
    let files = ["Cargo.toml", "Cargo.lock", "src/main.rs"].map(|file| source.join(file));
    let stamp = Stamp::new(dir, &files);
    if stamp.is_current() {
        return Ok(());
    }
    let mut cargo = command::cargo(source, &["build", "--quiet", "--release", "--locked"]);
    command::run(cargo.arg("--target-dir").arg(dir.join("target")))?;
    stamp.write()
}
