//! Pages of the documentation that are made from what the program itself reads, so that they
//! cannot say anything else.

mod page;
mod settings;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Where every setting stands with its default and its explanation.
const SETTINGS_PATH: &str = "crates/posthouse/src/config/default.toml";
/// The page that is made from it.
const PAGE_PATH: &str = "docs/configuration.md";

/// Writes the pages anew.
pub(crate) fn run(root: &Path) -> Result<()> {
    let text = made(root)?;
    fs::write(root.join(PAGE_PATH), text).with_context(|| format!("cannot write {PAGE_PATH}"))
}

fn made(root: &Path) -> Result<String> {
    let text = fs::read_to_string(root.join(SETTINGS_PATH));
    let text = text.with_context(|| format!("cannot read {SETTINGS_PATH}"))?;
    Ok(page::of(&settings::read(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_up_to_date() -> Result<()> {
        let root = crate::root_dir();
        let there = fs::read_to_string(root.join(PAGE_PATH))?;
        assert!(there == made(&root)?, "{PAGE_PATH} is not up to date: run `cargo xtask docs`");
        Ok(())
    }
}
