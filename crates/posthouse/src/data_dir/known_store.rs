//! `store.id`: which store the data directory has. It lies beside the journal's directory, so that
//! a directory that is lost, or not mounted, is not taken for a new one: an empty store in its
//! place would greet everybody as if nothing had ever been confirmed.

use std::fs;
use std::io;
use std::path::Path;

use super::private_file;
use crate::codes::Code;
use crate::failure::Failure;
use crate::store_failure::{JOURNAL_DIR, explained, of_error};

const NAME: &str = "store.id";

/// How the names of the files begin without which there is no store.
const MANIFEST: &str = "manifest.";

/// Looks whether the store is there that the data directory had, if it had one.
///
/// # Errors
/// [`Code::StoreLost`] if it is not, or what the system says.
pub(crate) fn check(data_dir: &Path) -> Result<(), Failure> {
    let journal = data_dir.join(JOURNAL_DIR);
    let known = known_in(data_dir)?;
    let is_there = has_manifest(&journal).map_err(|error| of_error(&journal, &error))?;
    match known {
        Some(id) if !is_there => {
            let (dir, file) = (journal.display(), data_dir.join(NAME));
            let message = format!(
                "the store {id} is no longer in {dir}: mount its disk or restore a backup, or \
                 remove {} to begin with an empty one",
                file.display()
            );
            Err(explained(Code::StoreLost, message))
        }
        _ => Ok(()),
    }
}

/// Takes note of the store that the data directory has.
///
/// # Errors
/// What the system says.
pub(crate) fn note(data_dir: &Path, store: &[u8]) -> Result<(), Failure> {
    let id: String = store.iter().map(|byte| format!("{byte:02x}")).collect();
    match known_in(data_dir)? {
        Some(known) if known == id => return Ok(()),
        Some(known) => tracing::warn!(known, found = id, "this is another store than before"),
        None => {}
    }
    let written = private_file::replace(data_dir, NAME, format!("{id}\n").as_bytes());
    written.map_err(|error| of_error(&data_dir.join(NAME), &error))
}

fn known_in(data_dir: &Path) -> Result<Option<String>, Failure> {
    let path = data_dir.join(NAME);
    match fs::read_to_string(&path) {
        Ok(id) => Ok(Some(id.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(of_error(&path, &error)),
    }
}

fn has_manifest(journal: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(journal) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    for entry in entries {
        if entry?.file_name().to_string_lossy().starts_with(MANIFEST) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{JOURNAL_DIR, NAME, check, note};

    #[test]
    fn a_store_that_is_lost_is_not_taken_for_a_new_one() {
        let temporary = tempfile::tempdir().expect("a directory");
        let dir = temporary.path();
        check(dir).expect("there was never any");
        note(dir, &[0xab, 1]).expect("it can be written");
        assert_eq!(fs::read_to_string(dir.join(NAME)).expect("it is there"), "ab01\n");
        let lost = check(dir).expect_err("it is lost");
        assert_eq!(lost.code, "PH1329");
        assert!(lost.message.contains("ab01") && lost.message.contains(NAME), "{lost}");
        let journal = dir.join(JOURNAL_DIR);
        fs::create_dir(&journal).expect("it can be made");
        check(dir).expect_err("an empty directory is no store");
        fs::write(journal.join("manifest.a"), "").expect("it can be written");
        check(dir).expect("whether it is sound is not said here");
        note(dir, &[0xab, 2]).expect("another one is only told");
        fs::remove_dir_all(&journal).expect("it is there");
        fs::remove_file(dir.join(NAME)).expect("it is there");
        check(dir).expect("somebody wants an empty one");
    }
}
