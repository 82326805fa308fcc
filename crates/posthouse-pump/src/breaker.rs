//! When to leave an endpoint alone, and when to see whether it is back.
//!
//! Closed, it counts failures in a row that are the endpoint's fault. Open, nothing goes until its
//! pause has passed; then one trial does, and what comes of that decides.

use crate::plan::Breaker;

/// The breaker of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct BreakerState {
    failures: u32,
    open: Option<Opened>,
}

#[derive(Clone, Debug)]
struct Opened {
    until_mono_ms: u64,
    pause_ms: u64,
    has_trial: bool,
}

/// What an answer did to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    None,
    /// It opened.
    Opened,
    /// It closed.
    Closed,
}

impl BreakerState {
    /// From when on an attempt may be made, milliseconds of the steady clock. `None` while a trial
    /// is on its way.
    pub fn free_at(&self) -> Option<u64> {
        match &self.open {
            None => Some(0),
            Some(opened) if opened.has_trial => None,
            Some(opened) => Some(opened.until_mono_ms),
        }
    }

    /// Whether it lets nothing through but trials.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// An attempt has been started; whether it is a trial.
    pub fn begin(&mut self) -> bool {
        self.open.as_mut().is_some_and(|opened| {
            opened.has_trial = true;
            true
        })
    }

    /// An attempt has been given back without having been made.
    pub fn give_back(&mut self, is_trial: bool) {
        if let (true, Some(opened)) = (is_trial, &mut self.open) {
            opened.has_trial = false;
        }
    }

    /// The endpoint has answered as it should. An answer to an attempt from before the breaker
    /// opened says nothing of now.
    pub fn succeed(&mut self, is_trial: bool) -> Turn {
        self.failures = 0;
        if !is_trial || self.open.take().is_none() {
            return Turn::None;
        }
        Turn::Closed
    }

    /// An attempt has failed by the endpoint's fault.
    pub fn fail(&mut self, rules: &Breaker, is_trial: bool, mono_ms: u64) -> Turn {
        if let Some(opened) = &mut self.open {
            if is_trial {
                let pause_ms = opened.pause_ms.saturating_mul(2).min(rules.pause_cap_ms).max(1);
                *opened = Opened { until_mono_ms: mono_ms + pause_ms, pause_ms, has_trial: false };
            }
            return Turn::None;
        }
        self.failures = self.failures.saturating_add(1);
        if rules.failures_max == 0 || self.failures < rules.failures_max {
            return Turn::None;
        }
        let pause_ms = rules.pause_ms.max(1);
        self.open = Some(Opened { until_mono_ms: mono_ms + pause_ms, pause_ms, has_trial: false });
        Turn::Opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a step: `f` failure, `s` success, `t` trial begins, `F` and `S` its failure and
    /// success, `b` given back.
    fn check(script: &str, expected: &str) {
        let rules = Breaker { failures_max: 3, pause_ms: 100, pause_cap_ms: 300 };
        let mut breaker = BreakerState::default();
        let mut seen = String::new();
        for (step, mono_ms) in script.chars().zip(0..) {
            match step {
                'f' | 'F' => _ = breaker.fail(&rules, step == 'F', mono_ms),
                's' | 'S' => _ = breaker.succeed(step == 'S'),
                't' => _ = breaker.begin(),
                _ => breaker.give_back(true),
            }
            let free = breaker.free_at().map_or("-".to_owned(), |at| at.to_string());
            seen.push_str(&free);
            seen.push(' ');
        }
        assert_eq!(seen.trim_end(), expected, "{script}");
    }

    #[test]
    fn failures_in_a_row_open_it_and_trials_close_it() {
        check("ffsff", "0 0 0 0 0");
        check("fff", "0 0 102");
        check("ffff", "0 0 102 102");
        check("ffftS", "0 0 102 - 0");
        check("ffftFtF", "0 0 102 - 204 - 306");
        check("fffs", "0 0 102 102");
        check("ffftb", "0 0 102 - 102");
    }
}
