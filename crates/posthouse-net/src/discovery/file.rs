//! Instances that stand in a file: a table in TOML, or an object in JSON, with a list for each
//! service.
//!
//! ```toml
//! orders = ["10.0.0.7:8080", { host = "10.0.0.8", port = 8080, weight = 2 }]
//! ```
//!
//! The file is read again and again, because its time and length need not show that it was changed.
//! A broken one is a failure, so that the last good list is kept.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::sleep;

use super::directory::Directory;
use super::entry;
use super::instance::Instance;
use crate::limits::DISCOVERY_BYTES_MAX;

/// How often it is looked at, in milliseconds.
const LOOK_MS: u64 = 500;

/// See the module.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
}

impl File {
    pub(super) fn new(path: PathBuf) -> File {
        File { path }
    }

    /// Hands in a list whenever the file has become another one, and from time to time.
    pub(super) async fn watch(&self, directory: &Directory) -> String {
        let mut last = None;
        loop {
            let path = self.path.clone();
            let text = tokio::task::spawn_blocking(move || read(&path)).await;
            let text = match text.map_err(|error| error.to_string()).flatten() {
                Ok(text) => text,
                Err(problem) => return problem,
            };
            if last.as_ref() != Some(&text) {
                match list(&text, directory.service()) {
                    Ok(instances) => directory.heard(instances),
                    Err(problem) => return format!("{}: {problem}", self.path.display()),
                }
                last = Some(text);
            }
            sleep(Duration::from_millis(LOOK_MS)).await;
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let file = std::fs::File::open(path).map_err(|error| format!("{shown}: {error}"))?;
    let mut text = String::new();
    let bytes_max = DISCOVERY_BYTES_MAX as u64;
    let read = file.take(bytes_max + 1).read_to_string(&mut text);
    read.map_err(|error| format!("{shown}: {error}"))?;
    match text.len() <= DISCOVERY_BYTES_MAX {
        true => Ok(text),
        false => Err(format!("{shown}: it has more than {DISCOVERY_BYTES_MAX} bytes")),
    }
}

/// The instances of one service. A service that does not stand in the file has none.
///
/// # Errors
/// What is wrong with the file, or with the list of this service. Nothing is left out silently:
/// whoever writes the file can mend it.
pub(super) fn list(text: &str, service: &str) -> Result<Vec<Instance>, String> {
    let Some(entries) = parse(text)?.remove(service) else { return Ok(Vec::new()) };
    let Value::Array(entries) = entries else {
        return Err(format!("{service} is not a list"));
    };
    let wrong = |(at, problem): (usize, String)| format!("{service}, entry {}: {problem}", at + 1);
    let entries = entries.iter().enumerate();
    entries.map(|(at, one)| entry::from_value(one).map_err(|why| wrong((at, why)))).collect()
}

fn parse(text: &str) -> Result<Map<String, Value>, String> {
    match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}")),
        false => {
            toml::from_str(text).map_err(|error| format!("it is not TOML: {}", error.message()))
        }
    }
}
