//! What a writer writes next, drawn from its seed.

use std::time::Duration;

use posthouse_sim::random::Random;

use super::Wish;
use crate::relay::config::{KINDS, Kind};

/// One transaction.
#[derive(Debug)]
pub(super) struct Script {
    /// What it inserts.
    pub(super) wishes: Vec<Wish>,
    /// How long it stays open before its end.
    pub(super) hold: Duration,
    /// Whether it is rolled back.
    pub(super) is_undone: bool,
    /// The pause after it.
    pub(super) rest: Duration,
}

/// Business ids of each family that one writer has to itself.
const KEYS: u64 = 2;

/// How long a transaction that is held open usually takes at most, in milliseconds.
const USUAL_HOLD_MS: u64 = 2_000;

/// Requests of a burst, at most.
const BURST_MAX: u64 = 24;

impl Script {
    /// The next transaction of the writer of this number, whose requests are numbered from `first`
    /// on.
    pub(super) fn draw(random: &mut Random, writer: usize, first: u64, hold_ms_max: u64) -> Script {
        let most = if random.chance(8) { BURST_MAX } else { 3 };
        let count = random.between(1, most);
        let wishes = (0..count).filter_map(|at| wish(random, writer, first + at)).collect();
        let hold_ms = if random.chance(7) { hold_ms(random, hold_ms_max) } else { 0 };
        Script {
            wishes,
            hold: Duration::from_millis(hold_ms),
            is_undone: random.chance(10),
            rest: Duration::from_millis(random.below(150)),
        }
    }
}

/// Most are short, so that writers get on; a few take as long as may be. There are never so many of
/// these that all writers stand still together.
fn hold_ms(random: &mut Random, most: u64) -> u64 {
    let is_short = most > USUAL_HOLD_MS && !random.chance(1);
    random.below(if is_short { USUAL_HOLD_MS } else { most })
}

fn wish(random: &mut Random, writer: usize, number: u64) -> Option<Wish> {
    let kind: &Kind = random.pick(&KINDS)?;
    let key = kind.family.map(|family| format!("{family}-{writer}-{}", random.below(KEYS)));
    let expires = !kind.has_poison && random.chance(8);
    let lives_ms = expires.then(|| random.between(50, 3_000));
    Some(Wish {
        request_id: format!("w{writer}-{number}"),
        code: kind.code,
        key,
        is_poison: kind.has_poison && random.chance(3),
        lives_ms,
    })
}
