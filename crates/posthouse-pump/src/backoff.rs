//! How long to wait after a failure.

use crate::dice::Dice;
use crate::plan::Backoff;

/// What a receiver asks for with "retry after" is granted up to this: a day.
pub const RETRY_AFTER_MS_MAX: u64 = 24 * 3_600_000;

/// The wait after the `failures`-th failure in a row (from 1), in milliseconds: the doubled base
/// with its random factor, or what the receiver asked for if that is longer.
pub fn wait_ms(
    backoff: &Backoff,
    failures: u32,
    retry_after_ms: Option<u64>,
    dice: &mut Dice,
) -> u64 {
    let doublings = failures.saturating_sub(1).min(40);
    let full = backoff.base_ms.saturating_mul(1 << doublings).min(backoff.cap_ms);
    let half = full / 2;
    let wait = half + dice.below(full - half + 1);
    wait.max(retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MS_MAX))
}

/// How long it takes at least until the try after so many failures in a row, in milliseconds.
pub fn elapsed_ms_min(backoff: &Backoff, failures: u32) -> u64 {
    let (mut elapsed_ms, mut full_ms) = (0_u64, backoff.base_ms.min(backoff.cap_ms));
    for done in 0..failures {
        if full_ms >= backoff.cap_ms || full_ms == 0 {
            let rest = u64::from(failures - done);
            return elapsed_ms.saturating_add((full_ms / 2).saturating_mul(rest));
        }
        elapsed_ms = elapsed_ms.saturating_add(full_ms / 2);
        full_ms = full_ms.saturating_mul(2).min(backoff.cap_ms);
    }
    elapsed_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(failures: u32, retry_after_ms: Option<u64>, expected: (u64, u64)) {
        let backoff = Backoff { base_ms: 100, cap_ms: 5_000 };
        let mut dice = Dice::new(3);
        for _ in 0..200 {
            let wait = wait_ms(&backoff, failures, retry_after_ms, &mut dice);
            assert!(expected.0 <= wait && wait <= expected.1, "{failures}: {wait} {expected:?}");
        }
    }

    #[test]
    fn waits_double_up_to_their_cap() {
        check(1, None, (50, 100));
        check(2, None, (100, 200));
        check(6, None, (1_600, 3_200));
        check(7, None, (2_500, 5_000));
        check(u32::MAX, None, (2_500, 5_000));
    }

    #[test]
    fn waits_add_up() {
        let backoff = Backoff { base_ms: 100, cap_ms: 5_000 };
        let check = |failures, expected| assert_eq!(elapsed_ms_min(&backoff, failures), expected);
        check(0, 0);
        check(1, 50);
        check(3, 350);
        check(6, 50 + 100 + 200 + 400 + 800 + 1_600);
        check(9, 3_150 + 3 * 2_500);
        check(u32::MAX, 3_150 + u64::from(u32::MAX - 6) * 2_500);
        assert_eq!(elapsed_ms_min(&Backoff { base_ms: 0, cap_ms: 0 }, u32::MAX), 0);
    }

    #[test]
    fn receivers_may_ask_for_more_but_not_for_ever() {
        check(1, Some(10), (50, 100));
        check(1, Some(9_000), (9_000, 9_000));
        check(1, Some(86_400_000), (86_400_000, 86_400_000));
        check(1, Some(u64::MAX), (RETRY_AFTER_MS_MAX, RETRY_AFTER_MS_MAX));
    }
}
