//! The files of the project, read once and handed to every rule.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Directories that hold what is made or fetched, never what is written here.
const SKIPPED: [&str; 4] = [".git", "node_modules", "__pycache__", "target"];
/// Larger files are data: their path counts, their text does not.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// One file of the project.
pub(crate) struct File {
    /// Relative to the root, with `/` between the parts.
    pub(crate) path: String,
    /// Empty when the file is not text or is larger than a rule would look at.
    pub(crate) text: String,
}

impl File {
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// Every file below `root` in a fixed order, save what is made or fetched.
pub(crate) fn read(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    read_dir(root, "", &mut files)?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn read_dir(root: &Path, parent: &str, files: &mut Vec<File>) -> Result<()> {
    let dir = root.join(parent);
    let shown = dir.display().to_string();
    for entry in fs::read_dir(&dir).with_context(|| format!("cannot list {shown}"))? {
        let entry = entry.with_context(|| format!("cannot list {shown}"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if parent.is_empty() { name.clone() } else { format!("{parent}/{name}") };
        let kind = entry.file_type().with_context(|| format!("cannot look at {path}"))?;
        if kind.is_dir() && !is_skipped(&name) {
            read_dir(root, &path, files)?;
        } else if kind.is_file() {
            files.push(File { text: read_text(&root.join(&path))?, path });
        }
    }
    Ok(())
}

fn is_skipped(name: &str) -> bool {
    SKIPPED.contains(&name) || name.starts_with("target-")
}

fn read_text(path: &Path) -> Result<String> {
    let context = || format!("cannot read {}", path.display());
    if fs::metadata(path).with_context(context)?.len() > TEXT_BYTES_MAX {
        return Ok(String::new());
    }
    let bytes = fs::read(path).with_context(context)?;
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_skipped() {
        let skipped = ["target", "target-other", ".git", "node_modules"];
        assert!(skipped.into_iter().all(is_skipped));
        assert!(![".ci", "src", "targets"].into_iter().any(is_skipped));
    }
}
