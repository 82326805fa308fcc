//! How many attempts a second an endpoint gets: a token bucket on the steady clock.
//!
//! It holds at most a tenth of a second's tokens, so that an endpoint that was idle is not hit by
//! a whole second's attempts at once.

/// Thousandths of a token that one attempt takes.
const TOKEN: u64 = 1_000;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    per_s: u32,
    tokens: u64,
    seen_mono_ms: u64,
}

impl Rate {
    /// Sets the rate; 0 means no limit.
    pub fn set(&mut self, per_s: u32, mono_ms: u64) {
        if self.per_s != per_s {
            *self = Rate { per_s, tokens: TOKEN, seen_mono_ms: mono_ms };
        }
    }

    /// The instant from which an attempt may be made, milliseconds of the steady clock; not after
    /// `mono_ms` if at once.
    pub fn free_at(&mut self, mono_ms: u64) -> u64 {
        self.refill(mono_ms);
        if self.per_s == 0 || self.tokens >= TOKEN {
            return mono_ms;
        }
        mono_ms + (TOKEN - self.tokens).div_ceil(u64::from(self.per_s))
    }

    /// Takes the token of one attempt.
    pub fn take(&mut self) {
        self.tokens = self.tokens.saturating_sub(TOKEN);
    }

    fn refill(&mut self, mono_ms: u64) {
        let passed = mono_ms.saturating_sub(self.seen_mono_ms);
        let full = TOKEN.max(u64::from(self.per_s) * TOKEN / 10);
        self.tokens = full.min(self.tokens + passed.saturating_mul(u64::from(self.per_s)));
        self.seen_mono_ms = mono_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(per_s: u32, for_ms: u64, expected: (u32, u32)) {
        let mut rate = Rate::default();
        rate.set(per_s, 0);
        let mut taken = 0;
        for mono_ms in 0..for_ms {
            while rate.free_at(mono_ms) <= mono_ms && taken < 100_000 {
                rate.take();
                taken += 1;
            }
        }
        assert!(expected.0 <= taken && taken <= expected.1, "{per_s} a second: {taken}");
    }

    #[test]
    fn attempts_keep_to_their_rate() {
        check(1, 10_000, (10, 11));
        check(50, 2_000, (100, 106));
        check(5_000, 1_000, (4_990, 5_510));
        check(0, 1, (100_000, 100_000));
    }
}
