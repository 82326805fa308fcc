//! The signing keys of a target: the current one and, while keys are changed, the one before.
//!
//! A file may hold several keys, one a line, the current one first. Files are read again when they
//! change, so that keys are changed by writing a file. If the new file cannot be used the keys that
//! were read last go on signing, and an error is logged.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::limits::{KEY_FILE_BYTES_MAX, KEY_FILE_LOOK_MS, SIGNING_KEYS_MAX};
use super::signature::{Key, PREFIX};

/// Where a secret stands. Secrets themselves never stand in a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In an environment variable of the node.
    Environment(String),
    /// In a file, one secret a line.
    File(PathBuf),
}

/// What is known of a file without reading it.
type Stamp = Option<(SystemTime, u64)>;

/// See the module.
#[derive(Debug)]
pub(crate) struct KeyRing {
    sources: Vec<SecretSource>,
    has_files: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    keys: Arc<[Key]>,
    stamps: Vec<Stamp>,
    looked_mono_ms: u64,
}

impl KeyRing {
    /// Reads all keys.
    ///
    /// # Errors
    /// The first source that cannot be used.
    pub(crate) fn load(sources: Vec<SecretSource>) -> Result<Arc<KeyRing>, String> {
        let has_files = sources.iter().any(|source| matches!(source, SecretSource::File(_)));
        let stamps = stamps(&sources);
        let keys = read_all(&sources)?;
        let state = Mutex::new(State { keys, stamps, looked_mono_ms: 0 });
        Ok(Arc::new(KeyRing { sources, has_files, state }))
    }

    /// The keys of now. Looks at the files if nobody has for a while, on a thread for blocking
    /// work.
    pub(crate) async fn current(self: &Arc<KeyRing>, mono_ms: u64) -> Arc<[Key]> {
        if self.has_files && self.is_time_to_look(mono_ms) {
            let ring = self.clone();
            let looked = tokio::task::spawn_blocking(move || ring.look()).await;
            if let Err(error) = looked {
                tracing::error!(%error, "signing keys could not be looked at");
            }
        }
        self.lock().keys.clone()
    }

    /// Only one attempt looks; the others sign with what is there.
    fn is_time_to_look(&self, mono_ms: u64) -> bool {
        let mut state = self.lock();
        let is_time = mono_ms.saturating_sub(state.looked_mono_ms) >= KEY_FILE_LOOK_MS;
        if is_time {
            state.looked_mono_ms = mono_ms;
        }
        is_time
    }

    fn look(&self) {
        let stamps = stamps(&self.sources);
        if self.lock().stamps == stamps {
            return;
        }
        match read_all(&self.sources) {
            Ok(keys) => {
                let mut state = self.lock();
                state.keys = keys;
                state.stamps = stamps;
            }
            Err(error) => {
                tracing::error!(%error, "changed signing keys cannot be used; the old ones stay");
                self.lock().stamps = stamps;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamps(sources: &[SecretSource]) -> Vec<Stamp> {
    let stamp = |source: &SecretSource| match source {
        SecretSource::Environment(_) => None,
        SecretSource::File(path) => stamp(path).ok(),
    };
    sources.iter().map(stamp).collect()
}

fn stamp(path: &Path) -> io::Result<(SystemTime, u64)> {
    let metadata = path.metadata()?;
    Ok((metadata.modified()?, metadata.len()))
}

fn read_all(sources: &[SecretSource]) -> Result<Arc<[Key]>, String> {
    let mut keys = Vec::new();
    for source in sources {
        read(source, &mut keys)?;
    }
    if keys.len() > SIGNING_KEYS_MAX {
        return Err(format!("there are more than {SIGNING_KEYS_MAX} signing keys"));
    }
    Ok(keys.into())
}

fn read(source: &SecretSource, keys: &mut Vec<Key>) -> Result<(), String> {
    if is_secret_itself(source) {
        return Err("a key stands where its file is to be named; write it into a file or an \
                    environment variable, and the name of that here"
            .into());
    }
    let (text, place) = match source {
        SecretSource::Environment(name) => {
            let text = std::env::var(name);
            let missing = |_| format!("the environment variable {name} is not set, or not text");
            (text.map_err(missing)?, format!("environment variable {name}"))
        }
        SecretSource::File(path) => {
            let place = path.display().to_string();
            (read_file(path).map_err(|error| format!("{place} cannot be read: {error}"))?, place)
        }
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let before = keys.len();
    for line in lines {
        keys.push(Key::parse(line).map_err(|problem| format!("{place}: {problem}"))?);
    }
    if keys.len() == before { Err(format!("{place} holds no secret")) } else { Ok(()) }
}

/// Whether somebody has put a key where its place belongs. It must not be repeated.
fn is_secret_itself(source: &SecretSource) -> bool {
    match source {
        SecretSource::Environment(name) => name.contains(PREFIX),
        SecretSource::File(path) => looks_like_key(&path.to_string_lossy()),
    }
}

/// Whether a text may be a signing key: it has the mark of one (Standard Webhooks), or is what
/// stands behind that mark, base64 of 18 bytes at least (RFC 4648, section 4). Names of files have
/// dots, dashes or slashes.
pub fn looks_like_key(text: &str) -> bool {
    let is_base64 = text.chars().all(|c| c.is_ascii_alphanumeric() || "+=".contains(c));
    let is_mixed = text.contains(char::is_uppercase) && text.contains(char::is_numeric);
    text.contains(PREFIX) || (text.len() >= 24 && is_base64 && is_mixed)
}

fn read_file(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}
