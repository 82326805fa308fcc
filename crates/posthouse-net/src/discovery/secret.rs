//! What a discovery is shown so that it answers. It is read when it is needed, so that it may be
//! changed while the node runs, and shown nowhere.

use std::env;
use std::fs;
use std::path::PathBuf;

/// Bytes of a file with a secret.
const FILE_BYTES_MAX: u64 = 4 << 10;

/// Where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In a file.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
}

/// A name and where its password stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub name: String,
    /// Its password.
    pub password: Secret,
}

impl Secret {
    /// Reads it.
    ///
    /// # Errors
    /// Why it cannot be read, for people. The name is not repeated: it may be the secret itself.
    pub fn read(&self) -> Result<String, String> {
        let text = match self {
            Secret::Environment(name) => {
                env::var(name).map_err(|_| "the variable that it names is not set".to_owned())?
            }
            Secret::File(path) => read_file(path)
                .map_err(|error| format!("the file that it names cannot be read: {error}"))?,
        };
        match text.trim() {
            "" => Err("what it names is empty".into()),
            text => Ok(text.to_owned()),
        }
    }
}

fn read_file(path: &PathBuf) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    fs::read_to_string(path)
}
