//! What a receiver may do with a call: what good ones do, and what bad ones and bad networks do.

use std::time::Duration;

use posthouse_sim::random::Random;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Takes it and says so.
    Take,
    /// Takes it and says so after a while.
    TakeSlowly(Duration),
    /// Takes it and closes without a word.
    TakeSilently,
    /// Takes it, says so, promises a longer body than it writes, and closes.
    TakeAndOverstate,
    /// Answers 500.
    Fail,
    /// Answers 429 and when to come back, in seconds.
    Busy(u32),
    /// Answers 400: never.
    Reject,
    /// Answers 409, because the call is too old to begin with.
    Refuse,
    /// Says nothing until the caller gives up.
    Hang,
    /// Reads everything and closes.
    Close,
    /// Closes before it has read the body.
    CloseEarly,
}

const WEIGHTS: [u64; 10] = [70, 6, 4, 3, 6, 2, 0, 3, 3, 3];
const WEIGHTS_REJECTING: [u64; 10] = [60, 6, 4, 3, 8, 2, 8, 3, 3, 3];

impl Deed {
    /// One by chance. Some codes are rejected now and then.
    pub(super) fn draw(random: &mut Random, rejects: bool) -> Deed {
        let slow = Duration::from_millis(random.between(20, 300));
        let seconds = u32::try_from(random.below(2)).unwrap_or(0);
        let deeds = [
            Deed::Take,
            Deed::TakeSlowly(slow),
            Deed::TakeSilently,
            Deed::TakeAndOverstate,
            Deed::Fail,
            Deed::Busy(seconds),
            Deed::Reject,
            Deed::Hang,
            Deed::Close,
            Deed::CloseEarly,
        ];
        let weights = if rejects { &WEIGHTS_REJECTING } else { &WEIGHTS };
        deeds.get(random.weighted(weights)).copied().unwrap_or(Deed::Take)
    }

    /// Whether it does what the request asks for.
    pub(super) fn takes(self) -> bool {
        matches!(
            self,
            Deed::Take | Deed::TakeSlowly(_) | Deed::TakeSilently | Deed::TakeAndOverstate
        )
    }

    /// The status that it answers, if it answers.
    pub(super) fn status(self) -> Option<u16> {
        match self {
            Deed::Take | Deed::TakeSlowly(_) | Deed::TakeAndOverstate => Some(200),
            Deed::Fail => Some(500),
            Deed::Busy(_) => Some(429),
            Deed::Reject => Some(400),
            Deed::Refuse => Some(409),
            Deed::TakeSilently | Deed::Hang | Deed::Close | Deed::CloseEarly => None,
        }
    }
}
