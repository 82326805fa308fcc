//! What to measure, how long and how often.

use anyhow::{Context, Result, bail};

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options<'a> {
    pub(super) rounds: usize,
    pub(super) seconds: u64,
    /// Only what contains this in its name.
    pub(super) only: &'a str,
}

impl<'a> Options<'a> {
    pub(super) fn parse(words: &[&'a str]) -> Result<Options<'a>> {
        let mut options = Options { rounds: 3, seconds: 10, only: "" };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} wants a value"))?;
            match *word {
                "--rounds" => options.rounds = value.parse().context("--rounds wants a number")?,
                "--seconds" => {
                    options.seconds = value.parse().context("--seconds wants a number")?;
                }
                "--only" => options.only = value,
                _ => bail!("no such option: {word}"),
            }
        }
        if options.rounds == 0 || options.seconds == 0 {
            bail!("--rounds and --seconds begin at 1");
        }
        Ok(options)
    }

    /// Fails where nothing is chosen.
    pub(super) fn check_only<T>(&self, first: Option<&T>) -> Result<()> {
        match first {
            Some(_) => Ok(()),
            None => bail!("nothing has {:?} in its name", self.only),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn check(words: &[&str], expected: Option<(usize, u64, &str)>) {
        let options = Options::parse(words).ok();
        let expected = expected.map(|(rounds, seconds, only)| Options { rounds, seconds, only });
        assert_eq!(options, expected, "{words:?}");
    }

    #[test]
    fn options_are_read() {
        check(&[], Some((3, 10, "")));
        check(&["--rounds", "5", "--seconds", "2"], Some((5, 2, "")));
        check(&["--only", "16 producers"], Some((3, 10, "16 producers")));
        check(&["--rounds"], None);
        check(&["--rounds", "0"], None);
        check(&["--rounds", "x"], None);
        check(&["--round", "1"], None);
    }
}
