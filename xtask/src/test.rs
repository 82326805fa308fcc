//! The whole check: install, format, lint, tidy, build, test, cheapest first.
//!
//! Lint, build and test share the `ci` profile, so that what macros and build scripts need is
//! compiled once for all of them. The tests come last and print last, so that whoever reads the
//! output finds the runner's own closing lines at its end.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::power_cut::{CUTS, CUTS_VARIABLE};
use crate::{command, install, tidy};

const LINT: [&str; 8] =
    ["clippy", "--workspace", "--all-targets", "--profile", "ci", "--", "-D", "warnings"];
const TEST: [&str; 4] = ["test", "--workspace", "--profile", "ci"];

/// What `cargo xtask test` was asked to do.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options<'a> {
    /// Also run what takes too long for every change; tests see it as `POSTHOUSE_TEST_LONG=1`.
    long: bool,
    /// Run only the tests whose names contain this, and skip format, lint and tidy.
    filter: Option<&'a str>,
}

impl<'a> Options<'a> {
    /// Reads `[--long] [FILTER]`; anything else is refused with what was not understood.
    pub(crate) fn parse(words: &[&'a str]) -> Result<Self> {
        let mut options = Options::default();
        for &word in words {
            match word {
                "--long" => options.long = true,
                _ if word.starts_with('-') => bail!("no such option: {word} (there is --long)"),
                _ if options.filter.is_some() => bail!("more than one FILTER: {word}"),
                _ => options.filter = Some(word),
            }
        }
        Ok(options)
    }
}

/// Runs every step in order and stops at the first that fails.
pub(crate) fn run(root: &Path, options: &Options<'_>) -> Result<()> {
    command::step("install", || install_for(root, options))?;
    if options.filter.is_none() {
        check_source(root)?;
    }
    command::step("build tests", || command::run(command::cargo(root, &TEST).arg("--no-run")))?;
    println!("== test");
    remove_leftovers(root)?;
    command::run(&mut test_command(root, options))
}

fn install_for(root: &Path, options: &Options<'_>) -> Result<()> {
    install::run(root)?;
    if options.long { install::machine() } else { Ok(()) }
}

/// Servers of failed tests leave their data for a look; the next run is the end of that.
fn remove_leftovers(root: &Path) -> Result<()> {
    let dir = command::target_dir(root).join("tmp");
    match fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

fn check_source(root: &Path) -> Result<()> {
    command::step("tidy", || tidy::run(root))?;
    let format = ["fmt", "--all", "--check"];
    step_if_installed(root, "format", "fmt", "rustfmt", &format)?;
    step_if_installed(root, "lint", "clippy", "clippy", &LINT)
}

/// A toolchain without the component can still test; but nobody may take that for a full check.
fn step_if_installed(
    root: &Path,
    name: &str,
    subcommand: &str,
    component: &str,
    arguments: &[&str],
) -> Result<()> {
    if command::succeeds(&mut command::cargo(root, &[subcommand, "--version"])) {
        return command::step(name, || command::run(&mut command::cargo(root, arguments)));
    }
    println!("!!");
    println!("!! {name} NOT CHECKED: this Rust has no `{component}` component.");
    println!("!! Add it with `rustup component add {component}`, then run this again.");
    println!("!!");
    Ok(())
}

fn test_command(root: &Path, options: &Options<'_>) -> std::process::Command {
    let mut command = command::cargo(root, &TEST);
    command.args(options.filter);
    if options.long {
        command.env("POSTHOUSE_TEST_LONG", "1").env(CUTS_VARIABLE, CUTS);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<(bool, Option<&str>)>) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let found = Options::parse(&words).ok().map(|options| (options.long, options.filter));
        assert_eq!(found, expected, "{line:?}");
    }

    #[test]
    fn options_are_read() {
        check("", Some((false, None)));
        check("--long", Some((true, None)));
        check("stomp", Some((false, Some("stomp"))));
        check("stomp --long", Some((true, Some("stomp"))));
        check("--short", None);
        check("stomp mqtt", None);
    }
}
