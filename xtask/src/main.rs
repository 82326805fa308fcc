//! The project's chores in plain cargo: `cargo xtask` needs no other tool to be there first.
//!
//! Nothing here links the server, so that a change of the server never rebuilds the chores.

mod bench;
mod command;
mod crash;
mod docs;
mod install;
mod power_cut;
mod sim;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage:
  cargo xtask tidy [--update]          check the house rules; --update lowers the ratchet
  cargo xtask docs                     make docs/configuration.md from the default configuration
  cargo xtask test [--long] [FILTER]   install what is missing, then format, lint, tidy and test;
                                       with FILTER only the tests whose names contain it
  cargo xtask bench [--rounds N] [--seconds S] [--only NAME]
                                       measure the node beside ActiveMQ, in turn: 3 rounds of 10 s
                                       by default
  cargo xtask bench relay [--rounds N] [--seconds S] [--only NAME]
                                       measure the relay beside others that post what is in a
                                       database, in turn
  cargo xtask sim --seeds N --from S [--bug NAME]
                                       run N seeds of the simulator, beginning with seed S
  cargo xtask crash --images N --from S [--bug NAME]
                                       crash the node N times on a bad disk, and as many errors,
                                       flipped bits and full disks as go with that
  cargo xtask power-cut [--cuts N] [--without-sync]
                                       cut the power of an emulated machine that runs the node N
                                       times, with 20 as N by default; a node without sync must
                                       be found out";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["tidy"] => tidy::run(&root_dir()),
        ["tidy", "--update"] => tidy::update(&root_dir()),
        ["test", options @ ..] => test::run(&root_dir(), &test::Options::parse(options)?),
        ["bench", options @ ..] => bench::run(&root_dir(), options),
        ["docs"] => docs::run(&root_dir()),
        ["crash", options @ ..] => crash::run(&root_dir(), options),
        ["sim", options @ ..] => sim::run(&root_dir(), options),
        ["power-cut", options @ ..] => power_cut::run(&root_dir(), options),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("no such task: {}\n\n{USAGE}", words.join(" ")),
    }
}

/// The directory of the workspace, wherever the task was started from.
fn root_dir() -> PathBuf {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir.parent().unwrap_or(manifest_dir).to_path_buf()
}
