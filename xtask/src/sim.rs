//! Runs seeds of the simulator. Its options are its own and are checked there.

use std::path::Path;

use anyhow::Result;

use crate::command;

const RUN: [&str; 8] =
    ["run", "--profile", "ci", "--package", "posthouse-sim", "--bin", "posthouse-sim", "--"];

/// Hands `options` (`--seeds N --from S [--bug NAME]`) to the simulator.
pub(crate) fn run(root: &Path, options: &[&str]) -> Result<()> {
    command::run(command::cargo(root, &RUN).args(options))
}
