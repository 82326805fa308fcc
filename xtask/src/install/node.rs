//! The JavaScript client, from the committed lock, beside nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::stamp::Stamp;
use crate::command;

/// The oldest major version of Node that the client and the scenarios run on.
const NODE_MAJOR_MIN: u32 = 18;
/// The oldest major version of npm that takes a lock without addresses in it.
const NPM_MAJOR_MIN: u32 = 8;
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// The Debian packages to install before [`install`] can work.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let wanted = [("node", NODE_MAJOR_MIN, "nodejs"), ("npm", NPM_MAJOR_MIN, "npm")];
    let missing = wanted
        .into_iter()
        .filter(|(program, major_min, _)| major(program).is_none_or(|major| major < *major_min));
    missing.map(|(_, _, package)| package).collect()
}

/// Makes `dir` hold exactly what the lock in `source` names.
pub(crate) fn install(source: &Path, dir: &Path) -> Result<()> {
    let stamp = Stamp::new(dir, &FILES.map(|name| source.join(name)));
    if stamp.is_current() {
        return Ok(());
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    for name in FILES {
        fs::copy(source.join(name), dir.join(name))
            .with_context(|| format!("cannot copy {name}"))?;
    }
    let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    command::run(Command::new("npm").args(ci).current_dir(dir))
        .context("npm packages could not be installed; is the package registry reachable?")?;
    stamp.write()
}

fn major(program: &str) -> Option<u32> {
    major_of(&command::output(Command::new(program).arg("--version"))?)
}

/// The first number of a version such as `v20.11.1` or `9.2.0`.
fn major_of(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(major_of("v20.11.1\n"), Some(20));
        assert_eq!(major_of("9.2.0"), Some(9));
        assert_eq!(major_of(""), None);
        assert_eq!(major_of("unknown"), None);
    }
}
