//! The house rules that a program can check. `STYLE.md` says what they are for.
//!
//! Every rule is a function from the text of files to problems, in a file of its own, and is
//! tested on small inputs there: a rule that cannot fail would be worse than none. Rules look at
//! text, not at syntax trees. That is enough for what they forbid, and it keeps this quick.

mod banned;
mod codes;
mod functions;
mod layout;
mod leftovers;
mod links;
mod mask;
mod ratchet;
mod tree;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use mask::Rust;
use ratchet::Ratchet;
use tree::File;

const RATCHET_PATH: &str = "xtask/tidy-ratchet.txt";

/// Where a house rule is broken, which one, and what to do instead.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    path: String,
    /// Counted from 1.
    line: usize,
    message: String,
}

impl Problem {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Problem {
        Problem { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Checks the workspace at `root` and prints every problem. Fails when there is one.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut problems = check(root)?;
    problems.sort();
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        count => bail!("{count} house rules are broken (see STYLE.md)"),
    }
}

/// Lowers the ratchet to what the code has reached. It never lets an exception in or grow.
pub(crate) fn update(root: &Path) -> Result<()> {
    let files = tree::read(root)?;
    let lowered = read_ratchet(root)?.lowered(&functions::long(&rust_files(&files)));
    let path = root.join(RATCHET_PATH);
    fs::write(&path, lowered.to_string()).with_context(|| format!("cannot write {RATCHET_PATH}"))
}

fn check(root: &Path) -> Result<Vec<Problem>> {
    let files = tree::read(root)?;
    let mut problems = Vec::new();
    for file in &files {
        problems.extend(layout::check(file));
    }
    let rust = rust_files(&files);
    for source in &rust {
        problems.extend(banned::check(source));
        problems.extend(leftovers::check(source));
    }
    problems.extend(read_ratchet(root)?.check(&functions::long(&rust)));
    problems.extend(codes::check(&files));
    problems.extend(links::check(&files));
    Ok(problems)
}

fn rust_files(files: &[File]) -> Vec<Rust> {
    let sources = files.iter().filter(|file| file.has_extension("rs"));
    sources.map(|file| Rust::new(&file.path, &file.text)).collect()
}

fn read_ratchet(root: &Path) -> Result<Ratchet> {
    let path = root.join(RATCHET_PATH);
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {RATCHET_PATH}"))?;
    Ratchet::parse(&text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_keeps_the_house_rules() -> anyhow::Result<()> {
        super::run(&crate::root_dir())
    }
}
