//! What is looked after before a node starts: its directory, its first user, its open files.

use std::io::{self, IsTerminal};

use crate::config::{Config, LimitsConfig};
use crate::data_dir::{self, ADMIN, DataDir, FirstPassword, Users};
use crate::failure::Failure;
use crate::process;

/// Open files that a node needs beside its connections.
const OPEN_FILES_BESIDE: u64 = 512;

/// Takes the data directory over and makes the first user.
///
/// # Errors
/// When it cannot be used, or somebody else uses it.
pub(super) fn open_data_dir(config: &Config) -> Result<DataDir, Failure> {
    let path = match &config.data_dir {
        Some(path) => path.clone(),
        None => data_dir::default_path()?,
    };
    let dir = DataDir::open(&path)?;
    if let Some(password) = Users::open(dir.path())? {
        show_once(&password);
    }
    Ok(dir)
}

/// A password goes to a terminal and nowhere else: what is not a terminal may be a log.
fn show_once(FirstPassword(password): &FirstPassword) {
    if io::stderr().is_terminal() {
        eprintln!("The user \"{ADMIN}\" was made for the admin API. Its password is shown once:\n");
        eprintln!("    {password}\n");
        eprintln!("`posthouse user reset` makes another.\n");
    } else {
        tracing::info!("made the user \"{ADMIN}\"; `posthouse user reset` gives it a password");
    }
}

/// Raises the number of open files, and says when it is too low for the connections allowed.
pub(super) fn check_open_files(limits: LimitsConfig) {
    let allowed = process::raise_open_files_max();
    let needed = limits.connections_max as u64 + OPEN_FILES_BESIDE;
    if allowed < needed {
        tracing::warn!(
            allowed,
            needed,
            "too few open files for all connections; raise `ulimit -n`"
        );
    }
}
