//! How long to wait before the servers are tried again. Pure: randomness is an argument.

use std::time::Duration;

use fastrand::Rng;

/// How a lost connection is made again; ActiveMQ's fail-over options under nouns of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconnect {
    /// The pause before the first new round (`initialReconnectDelay`).
    pub initial_delay_ms: u32,
    /// The longest pause (`maxReconnectDelay`).
    pub delay_ms_max: u32,
    /// Whether pauses grow (`useExponentialBackOff`).
    pub is_exponential: bool,
    /// By what they grow, at least 1 (`backOffMultiplier`).
    pub multiplier: f64,
    /// How often in a row the whole list is tried; `None` is without end
    /// (`maxReconnectAttempts`).
    pub rounds_max: Option<u32>,
    /// The same before there has been a first connection; `None` is as
    /// [`Reconnect::rounds_max`] (`startupMaxReconnectAttempts`).
    pub startup_rounds_max: Option<u32>,
}

impl Reconnect {
    /// A connection that is lost stays lost.
    pub const NEVER: Self = Self {
        initial_delay_ms: 0,
        delay_ms_max: 0,
        is_exponential: false,
        multiplier: 1.0,
        rounds_max: Some(0),
        startup_rounds_max: Some(0),
    };
}

/// ActiveMQ's defaults.
impl Default for Reconnect {
    fn default() -> Self {
        Self {
            initial_delay_ms: 10,
            delay_ms_max: 30_000,
            is_exponential: true,
            multiplier: 2.0,
            rounds_max: None,
            startup_rounds_max: None,
        }
    }
}

/// Counts failed rounds and says how long to wait after each.
#[derive(Clone, Debug)]
pub struct Backoff {
    reconnect: Reconnect,
    rounds: u32,
    delay_ms: f64,
    has_connected: bool,
}

impl Backoff {
    /// A back-off that has seen neither failure nor success.
    pub fn new(reconnect: Reconnect) -> Self {
        let delay_ms = f64::from(reconnect.initial_delay_ms);
        Self { reconnect, rounds: 0, delay_ms, has_connected: false }
    }

    /// The pause before the next round, or `None` when there have been enough. It is drawn from the
    /// upper half of the nominal pause, so that clients that were cut off together do not come
    /// back together.
    pub fn next_delay(&mut self, random: &mut Rng) -> Option<Duration> {
        if self.rounds_max().is_some_and(|most| self.rounds >= most) {
            return None;
        }
        self.rounds = self.rounds.saturating_add(1);
        let nominal_ms = self.delay_ms.min(f64::from(self.reconnect.delay_ms_max));
        if self.reconnect.is_exponential {
            self.delay_ms = nominal_ms * self.reconnect.multiplier;
        }
        let share = 0.5 + random.f64() / 2.0;
        Some(Duration::from_micros((nominal_ms * share * 1_000.0) as u64))
    }

    /// The connection has proved to work: the next failure counts as the first.
    pub fn reset(&mut self) {
        self.rounds = 0;
        self.delay_ms = f64::from(self.reconnect.initial_delay_ms);
        self.has_connected = true;
    }

    /// How many rounds in a row have been granted.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    fn rounds_max(&self) -> Option<u32> {
        let Reconnect { rounds_max, startup_rounds_max, .. } = self.reconnect;
        if self.has_connected { rounds_max } else { startup_rounds_max.or(rounds_max) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nominal pauses, in milliseconds; the drawn ones must lie in their upper halves.
    fn check(reconnect: &Reconnect, is_first: bool, nominal: &[u64], goes_on: bool) {
        for seed in 0..50 {
            let mut random = Rng::with_seed(seed);
            let mut backoff = Backoff::new(reconnect.clone());
            if !is_first {
                backoff.reset();
            }
            for &expected in nominal {
                let drawn = backoff.next_delay(&mut random).expect("another round is granted");
                let range = Duration::from_millis(expected) / 2..=Duration::from_millis(expected);
                assert!(range.contains(&drawn), "{drawn:?} for {expected} ms, seed {seed}");
            }
            assert_eq!(backoff.next_delay(&mut random).is_some(), goes_on);
        }
    }

    #[test]
    fn pauses_grow_up_to_their_limit() {
        let grows =
            Reconnect { initial_delay_ms: 100, delay_ms_max: 1_000, ..Reconnect::default() };
        check(&grows, false, &[100, 200, 400, 800, 1_000, 1_000], true);
        check(
            &Reconnect { multiplier: 3.0, ..grows.clone() },
            false,
            &[100, 300, 900, 1_000],
            true,
        );
        check(&Reconnect { is_exponential: false, ..grows }, false, &[100, 100, 100], true);
        let above = Reconnect { initial_delay_ms: 50, delay_ms_max: 20, ..Reconnect::default() };
        check(&above, false, &[20, 20], true);
    }

    #[test]
    fn rounds_are_counted() {
        let base = Reconnect { initial_delay_ms: 1, delay_ms_max: 1, ..Reconnect::default() };
        let three = Reconnect { rounds_max: Some(3), ..base };
        check(&three, false, &[1, 1, 1], false);
        check(&three, true, &[1, 1, 1], false);
        let startup = Reconnect { startup_rounds_max: Some(1), ..three };
        check(&startup, true, &[1], false);
        check(&startup, false, &[1, 1, 1], false);
        check(&Reconnect::NEVER, true, &[], false);
        check(&Reconnect::NEVER, false, &[], false);
    }

    #[test]
    fn success_starts_over() {
        let reconnect = Reconnect { initial_delay_ms: 100, ..Reconnect::default() };
        let mut backoff = Backoff::new(reconnect);
        let mut random = Rng::with_seed(7);
        for _ in 0..5 {
            backoff.next_delay(&mut random);
        }
        backoff.reset();
        assert_eq!(backoff.rounds(), 0);
        let drawn = backoff.next_delay(&mut random).expect("another round is granted");
        assert!(drawn <= Duration::from_millis(100));
    }
}
