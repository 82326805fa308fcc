//! The Python clients and servers in a virtual environment of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::stamp::Stamp;
use crate::command;

/// Debian's own interpreter comes second: another one that stands first in the path may lack the
/// parts that make an environment, and the packages of Debian mend only Debian's.
const INTERPRETERS: [&str; 2] = ["python3", "/usr/bin/python3"];
/// Exits with 0 where an environment can be made and the packages run (they need Python 3.10).
const PROBE: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))";

/// The Debian packages to install before [`install`] can work.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    match interpreter() {
        Some(_) => Vec::new(),
        None => vec!["python3-venv", "python3-pip"],
    }
}

/// Makes `venv` hold exactly what the files `requirements.txt` of all `sources` name.
pub(crate) fn install(sources: &[PathBuf], venv: &Path) -> Result<()> {
    let requirements: Vec<PathBuf> =
        sources.iter().map(|source| source.join("requirements.txt")).collect();
    let stamp = Stamp::new(venv, &requirements);
    let python = venv.join("bin/python");
    if stamp.is_current() && command::succeeds(Command::new(&python).arg("--version")) {
        return Ok(());
    }
    let interpreter = interpreter().context("no Python 3.10 or later with venv and ensurepip")?;
    command::run(Command::new(interpreter).args(["-m", "venv", "--clear"]).arg(venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let named = requirements.iter().map(|file| format!("--requirement={}", file.display()));
    command::run(Command::new(&python).args(pip).args(named))
        .context("Python packages could not be installed; is the package index reachable?")?;
    stamp.write()
}

fn interpreter() -> Option<&'static str> {
    let usable = |name: &&str| command::succeeds(Command::new(name).args(["-c", PROBE]));
    INTERPRETERS.into_iter().find(usable)
}
