//! `backup.json`: what a backup is, and what its files must be.

use std::fs;
use std::io;
use std::path::Path;

use posthouse_store::backup::Copied;
use serde::{Deserialize, Serialize};

use crate::admin::StoreHold;
use crate::codes::Code;
use crate::data_dir::private_file;
use crate::failure::Failure;
use crate::store_failure::{explained, of_error};

const NAME: &str = "backup.json";

/// The number of this form. A higher one is refused.
const FORMAT: u32 = 1;

/// Bytes of a description.
const BYTES_MAX: u64 = 64 << 20;

/// What a backup is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Description {
    format: u32,
    /// The name of the node that it is of.
    pub(in super::super) node: String,
    /// The version of that node.
    pub(in super::super) version: String,
    /// When it was copied, in milliseconds since 1970.
    pub(in super::super) created_ms: u64,
    /// Which store it is of.
    pub(in super::super) store: String,
    /// The last batch that is in it.
    pub(in super::super) batch: u64,
    /// Its files.
    pub(in super::super) files: Vec<FileDescription>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct FileDescription {
    /// Its name below `journal`.
    pub(in super::super) name: String,
    /// Its length.
    pub(in super::super) bytes: u64,
    /// The CRC-32C of all of it.
    pub(in super::super) crc32c: u32,
}

impl Description {
    /// Describes what was copied during a hold.
    pub(super) fn new(hold: &StoreHold, copied: Vec<Copied>, created_ms: u64) -> Description {
        let file = |Copied { name, bytes, crc32c }| FileDescription { name, bytes, crc32c };
        Description {
            format: FORMAT,
            node: hold.node.clone(),
            version: hold.version.clone(),
            created_ms,
            store: hold.store.clone(),
            batch: hold.batch,
            files: copied.into_iter().map(file).collect(),
        }
    }

    /// Writes it into a backup's directory, durably but for its name.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        private_file::replace(dir, NAME, format!("{}\n", serde_json::to_string(self)?).as_bytes())
    }

    /// Reads it from a backup's directory.
    ///
    /// # Errors
    /// [`Code::BackupInvalid`] if it is not there or makes no sense, or that it may not be read.
    pub(in super::super) fn read(dir: &Path) -> Result<Description, Failure> {
        let path = dir.join(NAME);
        let invalid = |why: &str| {
            explained(Code::BackupInvalid, format!("{} is no backup: {why}", dir.display()))
        };
        let text = match fs::metadata(&path).map(|data| data.len()) {
            Ok(bytes) if bytes > BYTES_MAX => return Err(invalid("its backup.json is too long")),
            Ok(_) => fs::read(&path),
            Err(error) => Err(error),
        };
        let text = match text {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(invalid("it has no backup.json"));
            }
            Err(error) => return Err(of_error(&path, &error)),
        };
        let description: Description = serde_json::from_slice(&text)
            .map_err(|error| invalid(&format!("its backup.json cannot be read: {error}")))?;
        if description.format > FORMAT {
            return Err(invalid("a newer version of Posthouse has made it"));
        }
        Ok(description)
    }

    /// The files as the copying knows them.
    pub(in super::super) fn copied(&self) -> Vec<Copied> {
        let copied = |file: &FileDescription| Copied {
            name: file.name.clone(),
            bytes: file.bytes,
            crc32c: file.crc32c,
        };
        self.files.iter().map(copied).collect()
    }
}
