//! Cuts the power of an emulated machine that runs the node under load, as often as is asked for.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{command, install};

/// So many cuts if nobody says how many.
pub(crate) const CUTS: &str = "20";
const TEST: [&str; 7] = ["test", "--package", "posthouse", "--profile", "ci", "--test", "it"];
const KEEPS_ITS_WORD: &str = "power_cut::a_machine_without_power_keeps_its_word";
const IS_FOUND_OUT: &str = "power_cut::a_node_that_does_not_sync_is_found_out";

/// By this variable the tests hear how many cuts are wanted; without it there are none.
pub(crate) const CUTS_VARIABLE: &str = "POSTHOUSE_TEST_POWER_CUTS";

/// What `cargo xtask power-cut` was asked to do.
#[derive(Debug, PartialEq)]
struct Options<'a> {
    cuts: &'a str,
    /// Have the node confirm before it syncs, which must be found out.
    without_sync: bool,
}

impl<'a> Options<'a> {
    fn parse(mut words: &[&'a str]) -> Result<Self> {
        let mut options = Options { cuts: CUTS, without_sync: false };
        loop {
            words = match words {
                [] => return Ok(options),
                ["--cuts", cuts, rest @ ..] => {
                    cuts.parse::<u32>().with_context(|| format!("{cuts} is no number of cuts"))?;
                    options.cuts = cuts;
                    rest
                }
                ["--without-sync", rest @ ..] => {
                    options.without_sync = true;
                    rest
                }
                [word, ..] => bail!("no such option: {word} (there are --cuts N, --without-sync)"),
            }
        }
    }
}

/// Installs what is missing and runs the test with `options` (`[--cuts N] [--without-sync]`).
pub(crate) fn run(root: &Path, options: &[&str]) -> Result<()> {
    let options = Options::parse(options)?;
    command::step("install", install::machine)?;
    let mut test = command::cargo(root, &TEST);
    if options.without_sync {
        test.args(["--features", "planted-bugs", IS_FOUND_OUT]);
    } else {
        test.arg(KEEPS_ITS_WORD);
    }
    test.args(["--", "--exact", "--nocapture"]);
    command::run(test.env(CUTS_VARIABLE, options.cuts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<(&str, bool)>) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let found = Options::parse(&words).ok().map(|found| (found.cuts, found.without_sync));
        assert_eq!(found, expected, "{line:?}");
    }

    #[test]
    fn options_are_read() {
        check("", Some(("20", false)));
        check("--cuts 7", Some(("7", false)));
        check("--without-sync --cuts 40", Some(("40", true)));
        check("--cuts", None);
        check("--cuts many", None);
        check("7", None);
    }
}
