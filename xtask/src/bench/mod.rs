//! Measures Posthouse beside others, in turn, so that all meet the same machine: the broker beside
//! ActiveMQ, and the relay beside what else takes requests from a database.

mod broker;
mod options;
mod relay;

use std::path::Path;

use anyhow::Result;

/// The program that is measured, and measures.
const BUILD: [&str; 5] = ["build", "--quiet", "--release", "--package", "posthouse"];

/// Measures the relay if the first word says so, and otherwise the broker.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    match words {
        ["relay", options @ ..] => relay::run(root, options),
        options => broker::run(root, options),
    }
}
