//! What is wrong with a source, told once: each trouble when it first comes, and never again before
//! the source has answered in between.

use std::collections::BTreeSet;

/// Troubles that are told before the source answers again; texts that differ each time must not
/// fill the log.
const TOLD_MAX: usize = 32;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    told: BTreeSet<String>,
    last: Option<String>,
}

impl Troubles {
    /// Takes note of what is wrong; whether it is to be told.
    pub(super) fn is_new(&mut self, trouble: &str) -> bool {
        self.last = Some(trouble.to_owned());
        self.told.len() < TOLD_MAX && self.told.insert(trouble.to_owned())
    }

    /// The source has answered; whether anything was wrong before.
    pub(super) fn end(&mut self) -> bool {
        self.told.clear();
        self.last.take().is_some()
    }

    /// What was wrong last, if it still is.
    pub(super) fn last(&self) -> Option<&String> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::{TOLD_MAX, Troubles};

    /// What is told of a sequence of rounds, in which `-` is a round that went well.
    fn check(rounds: &str, expected: &str) {
        let mut troubles = Troubles::default();
        let is_told = |round: &&str| match *round {
            "-" => troubles.end(),
            trouble => troubles.is_new(trouble),
        };
        let told: Vec<&str> = rounds.split(' ').filter(is_told).collect();
        assert_eq!(told.join(" "), expected, "{rounds}");
    }

    #[test]
    fn each_trouble_is_told_once() {
        check("- -", "");
        check("a a a -", "a -");
        check("a b a b - -", "a b -");
        check("a - a b", "a - a b");
    }

    #[test]
    fn there_is_a_limit_to_what_is_told() {
        let mut troubles = Troubles::default();
        let told = (0..100).filter(|number: &u32| troubles.is_new(&number.to_string())).count();
        assert_eq!(told, TOLD_MAX);
    }
}
