//! The exceptions to the limit on functions: a committed list that may only shrink.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result};

use super::functions::{FUNCTION_LINES_MAX, Long};
use super::{Problem, RATCHET_PATH};

const HEADER: &str = "\
# Functions over the limit, as `path function lines`. No line may be added or grow;
# `cargo xtask tidy --update` takes off what has become shorter.
";

/// How long each excepted function may still be, by path and name.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ratchet {
    lines_max: BTreeMap<(String, String), usize>,
}

impl Ratchet {
    /// Reads the committed list. Fails with the line that is not an exception.
    pub(crate) fn parse(text: &str) -> Result<Ratchet> {
        let mut ratchet = Ratchet::default();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let (key, lines) = parse_line(line)
                .with_context(|| format!("{RATCHET_PATH}: not `path function lines`: {line}"))?;
            ratchet.lines_max.insert(key, lines);
        }
        Ok(ratchet)
    }

    /// What is too long and not excepted, and what the list still excepts without need.
    pub(crate) fn check(&self, found: &[Long]) -> Vec<Problem> {
        let too_long = found.iter().filter(|long| long.lines > self.allowed(long));
        let mut problems: Vec<Problem> = too_long.map(too_long_problem).collect();
        if self.lowered(found) != *self {
            let message = "lists more than is needed: run `cargo xtask tidy --update`";
            problems.push(Problem::new(RATCHET_PATH, 1, message));
        }
        problems
    }

    /// The list with every exception lowered to what was found, and those without need dropped.
    pub(crate) fn lowered(&self, found: &[Long]) -> Ratchet {
        let mut needed: BTreeMap<(String, String), usize> = BTreeMap::new();
        for long in found {
            let lines = needed.entry((long.path.clone(), long.name.clone())).or_default();
            *lines = long.lines.max(*lines);
        }
        let kept = self.lines_max.iter().filter_map(|(key, &lines)| {
            needed.get(key).map(|&needed| (key.clone(), lines.min(needed)))
        });
        Ratchet { lines_max: kept.collect() }
    }

    fn allowed(&self, long: &Long) -> usize {
        let key = (long.path.clone(), long.name.clone());
        self.lines_max.get(&key).copied().unwrap_or(FUNCTION_LINES_MAX)
    }
}

impl fmt::Display for Ratchet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HEADER)?;
        for ((path, name), lines) in &self.lines_max {
            writeln!(formatter, "{path} {name} {lines}")?;
        }
        Ok(())
    }
}

fn parse_line(line: &str) -> Option<((String, String), usize)> {
    let mut words = line.split_whitespace();
    let key = (words.next()?.to_owned(), words.next()?.to_owned());
    Some((key, words.next()?.parse().ok()?))
}

fn too_long_problem(long: &Long) -> Problem {
    let Long { path, name, line, lines } = long;
    let message = format!(
        "function `{name}` takes {lines} lines, {FUNCTION_LINES_MAX} are the most: split it up"
    );
    Problem::new(path, *line, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, found: &[(&str, usize)], problems: &[&str], lowered: &str) -> Result<()> {
        let long = |(name, lines): &(&str, usize)| Long {
            path: "a.rs".to_owned(),
            name: (*name).to_owned(),
            line: 1,
            lines: *lines,
        };
        let found: Vec<Long> = found.iter().map(long).collect();
        let ratchet = Ratchet::parse(list)?;
        let told: Vec<String> = ratchet.check(&found).iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), problems.len(), "{told:?}");
        assert!(told.iter().zip(problems).all(|(told, part)| told.contains(part)), "{told:?}");
        assert_eq!(ratchet.lowered(&found), Ratchet::parse(lowered)?);
        Ok(())
    }

    #[test]
    fn the_list_only_shrinks() -> Result<()> {
        check("", &[], &[], "")?;
        check("", &[("f", 71)], &["`f` takes 71"], "")?;
        check("a.rs f 80", &[("f", 80)], &[], "a.rs f 80")?;
        check("a.rs f 80", &[("f", 81)], &["`f` takes 81"], "a.rs f 80")?;
        check("a.rs f 80", &[("f", 75)], &["more than is needed"], "a.rs f 75")?;
        check("a.rs f 80", &[], &["more than is needed"], "")
    }

    #[test]
    fn the_list_survives_being_written() -> Result<()> {
        let ratchet = Ratchet::parse("a.rs f 80\nb.rs g 90\n")?;
        assert_eq!(Ratchet::parse(&ratchet.to_string())?, ratchet);
        assert!(Ratchet::parse("a.rs f many").is_err());
        Ok(())
    }
}
