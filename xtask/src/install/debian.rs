//! Debian packages, installed only where that is expected: as root, or in CI.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// The script that Debian's packages ask before they start a service (see `invoke-rc.d(8)`).
const POLICY_PATH: &str = "/usr/sbin/policy-rc.d";
/// Its answer for "no", by exit code.
const POLICY_SCRIPT: &str = "#!/bin/sh\nexit 101\n";
const INSTALL: [&str; 4] = ["apt-get", "install", "--yes", "--no-install-recommends"];

/// Installs `packages`, or fails with the one command that would.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let Some(prefix) = privilege() else {
        bail!(
            "programs are missing or too old; install them with\n  \
             sudo apt-get update && sudo apt-get install {}\nand run this again",
            packages.join(" ")
        );
    };
    let _policy = Policy::forbid_services(prefix);
    println!("installing {}", packages.join(" "));
    command::run_quietly(&mut privileged(prefix, &["apt-get", "update"]))?;
    command::run_quietly(privileged(prefix, &INSTALL).args(packages))
        .context("Debian packages could not be installed")
}

/// The words before a command that give it the right to install, or `None` where it has none.
fn privilege() -> Option<&'static [&'static str]> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if is_root {
        return Some(&[]);
    }
    let sudo: &[&str] = &["sudo", "--non-interactive"];
    std::env::var_os("CI").map(|_| sudo)
}

fn privileged(prefix: &[&str], words: &[&str]) -> Command {
    let mut command = Command::new("env");
    // A question on a terminal that nobody watches would wait for ever; `sudo` passes no variable
    // on by itself, so `env` sets this one behind it.
    command.args(prefix).args(["env", "DEBIAN_FRONTEND=noninteractive"]).args(words);
    command
}

/// While this lives, a package that brings a service does not start it.
struct Policy {
    prefix: &'static [&'static str],
    written: bool,
}

impl Policy {
    /// Leaves an existing policy alone, whatever it says.
    fn forbid_services(prefix: &'static [&'static str]) -> Policy {
        let script = format!(
            "test ! -e {POLICY_PATH} && printf '{POLICY_SCRIPT}' > {POLICY_PATH} && \
             chmod 755 {POLICY_PATH}"
        );
        let written = command::succeeds(&mut privileged(prefix, &["sh", "-c", &script]));
        Policy { prefix, written }
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        let remove = || command::succeeds(&mut privileged(self.prefix, &["rm", POLICY_PATH]));
        if self.written && !remove() {
            eprintln!("xtask: {POLICY_PATH} could not be removed; please remove it");
        }
    }
}
