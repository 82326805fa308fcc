//! An endpoint that has brought nothing but failures for a while, whoever is to blame: people are
//! told once, long before its breaker opens, or where it never will.

use crate::limits::FAILING_TOLD_MS;
use crate::time::Now;

/// The run of failures that an endpoint is in, if it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Failing {
    /// When it began.
    since: Option<Now>,
    is_told: bool,
}

impl Failing {
    /// An attempt has failed. For how long it has been so, if that is to be told now.
    pub fn fail(&mut self, now: Now) -> Option<u64> {
        let since = self.since.get_or_insert(now);
        let for_ms = now.mono_ms.saturating_sub(since.mono_ms);
        if self.is_told || for_ms < FAILING_TOLD_MS {
            return None;
        }
        self.is_told = true;
        Some(for_ms)
    }

    /// Since when it is in this run, Unix milliseconds of the source.
    pub fn since_ms(&self) -> Option<i64> {
        self.since.map(|since| since.source_ms)
    }

    /// Something worse is told.
    pub fn outdo(&mut self) {
        self.is_told = true;
    }

    /// An attempt has been answered. Whether people are to know that the run is over.
    pub fn succeed(&mut self) -> bool {
        std::mem::take(self).is_told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `f5` a failure at 5 s, `s` a success, `o` outdone; what is told is shown in seconds, and as
    /// `up`.
    fn check(script: &str, expected: &str) {
        let (mut failing, mut told) = (Failing::default(), Vec::new());
        for word in script.split(' ') {
            match word.strip_prefix('f') {
                Some(at_s) => {
                    let mono_ms = at_s.parse::<u64>().unwrap() * 1_000;
                    let for_ms = failing.fail(Now { mono_ms, ..Now::default() });
                    told.extend(for_ms.map(|ms| (ms / 1_000).to_string()));
                }
                None if word == "s" => told.extend(failing.succeed().then(|| "up".to_owned())),
                None => failing.outdo(),
            }
        }
        assert_eq!(told.join(" "), expected, "{script}");
    }

    #[test]
    fn a_run_of_failures_is_told_once() {
        check("f0 f1 f3 f7 f15 f31 s", "7 up");
        check("f0 f1 s f7 s f9", "");
        check("f0 f1 s f7 f12", "5");
        check("f0 o f20 s s", "up");
    }
}
