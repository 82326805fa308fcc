//! The Python client in a virtual environment of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::stamp::Stamp;
use crate::command;

/// Debian's own interpreter comes second: another one that stands first in the path may lack the
/// parts that make an environment, and the packages of Debian mend only Debian's.
const INTERPRETERS: [&str; 2] = ["python3", "/usr/bin/python3"];
/// Exits with 0 where an environment can be made and the client runs (it needs Python 3.9).
const PROBE: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))";

/// The Debian packages to install before [`install`] can work.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    match interpreter() {
        Some(_) => Vec::new(),
        None => vec!["python3-venv", "python3-pip"],
    }
}

/// Makes `venv` hold exactly what `source/requirements.txt` names.
pub(crate) fn install(source: &Path, venv: &Path) -> Result<()> {
    let requirements = source.join("requirements.txt");
    let stamp = Stamp::new(venv, std::slice::from_ref(&requirements));
    let python = venv.join("bin/python");
    if stamp.is_current() && command::succeeds(Command::new(&python).arg("--version")) {
        return Ok(());
    }
    let interpreter = interpreter().context("no Python 3.9 or later with venv and ensurepip")?;
    command::run(Command::new(interpreter).args(["-m", "venv", "--clear"]).arg(venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    command::run(Command::new(&python).args(pip).arg(&requirements))
        .context("Python packages could not be installed; is the package index reachable?")?;
    stamp.write()
}

fn interpreter() -> Option<&'static str> {
    let usable = |name: &&str| command::succeeds(Command::new(name).args(["-c", PROBE]));
    INTERPRETERS.into_iter().find(usable)
}
