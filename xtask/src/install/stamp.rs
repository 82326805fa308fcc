//! Remembers what was installed from which files, so that a second run has nothing to do.
//!
//! The stamp holds the text of those files itself: a digest would save nothing here, and this
//! way a person can read what is there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const FILE_NAME: &str = "installed-from.txt";

/// The state that a directory should be in, and where that it is so is written down.
pub(crate) struct Stamp {
    path: PathBuf,
    wanted: String,
}

impl Stamp {
    /// The stamp of `dir` for what `sources` ask for; an absent source counts as empty.
    pub(crate) fn new(dir: &Path, sources: &[PathBuf]) -> Stamp {
        let texts = sources.iter().map(|source| fs::read_to_string(source).unwrap_or_default());
        Stamp { path: dir.join(FILE_NAME), wanted: texts.collect() }
    }

    /// Whether the directory was finished from exactly these sources.
    pub(crate) fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|found| found == self.wanted)
    }

    /// Records that it is. Called last, so that an interrupted installation is done again.
    pub(crate) fn write(&self) -> Result<()> {
        fs::write(&self.path, &self.wanted)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_source_makes_the_stamp_stale() -> Result<()> {
        let dir = std::env::temp_dir().join(format!("posthouse-stamp-{}", std::process::id()));
        fs::create_dir_all(&dir)?;
        let source = dir.join("requirements.txt");
        fs::write(&source, "one==1\n")?;
        let stamp = Stamp::new(&dir, std::slice::from_ref(&source));
        assert!(!stamp.is_current());
        stamp.write()?;
        assert!(stamp.is_current());
        fs::write(&source, "one==2\n")?;
        assert!(!Stamp::new(&dir, &[source]).is_current());
        Ok(fs::remove_dir_all(&dir)?)
    }
}
