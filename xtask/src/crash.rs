//! Explores crashes of the node on a bad disk. The explorer's options are its own and are checked
//! there.

use std::path::Path;

use anyhow::Result;

use crate::command;

const RUN: [&str; 8] =
    ["run", "--profile", "ci", "--package", "posthouse-sim", "--bin", "posthouse-crash", "--"];

/// Hands `options` (`--images N --from S [--bug NAME]`) to the explorer.
pub(crate) fn run(root: &Path, options: &[&str]) -> Result<()> {
    command::run(command::cargo(root, &RUN).args(options))
}
