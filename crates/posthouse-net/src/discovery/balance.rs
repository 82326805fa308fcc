//! Which instance is next. Pure.

use std::cmp::Ordering;

/// How work is shared among the instances of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// In turn, each as often as its weight says.
    #[default]
    RoundRobin,
    /// To the one with the fewest attempts under way for its weight.
    LeastBusy,
    /// The same key to the same one; when one goes, only its keys move. What has no key goes in
    /// turn.
    ByKey,
}

/// What is to be known of an instance that may be chosen.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) id: &'a str,
    pub(super) weight: u32,
    /// Attempts under way.
    pub(super) busy: u32,
    /// What it is owed of its turns; kept from one choice to the next.
    pub(super) credit: &'a mut i64,
}

impl Balance {
    /// The place in `candidates` of the one that is next.
    pub(super) fn choose(
        self,
        candidates: &mut [Candidate<'_>],
        key: Option<&str>,
    ) -> Option<usize> {
        match (self, key) {
            (Balance::ByKey, Some(key)) => by_key(candidates, key),
            (Balance::LeastBusy, _) => least_busy(candidates),
            _ => in_turn(candidates, |_| true),
        }
    }
}

/// Everybody earns its weight, and whoever has most pays for all: weights of 2 and 1 give a, b, a
/// and not a, a, b.
fn in_turn(
    candidates: &mut [Candidate<'_>],
    is_in: impl Fn(&Candidate<'_>) -> bool,
) -> Option<usize> {
    let mut total = 0;
    let mut best: Option<(usize, i64)> = None;
    for (at, candidate) in candidates.iter_mut().enumerate() {
        if !is_in(candidate) {
            continue;
        }
        let weight = i64::from(candidate.weight);
        total += weight;
        *candidate.credit = candidate.credit.saturating_add(weight);
        if best.is_none_or(|(_, most)| *candidate.credit > most) {
            best = Some((at, *candidate.credit));
        }
    }
    let (at, _) = best?;
    let chosen = candidates.get_mut(at)?;
    *chosen.credit -= total;
    Some(at)
}

/// Those that are equally busy go in turn, or the first would get everything while all are idle.
fn least_busy(candidates: &mut [Candidate<'_>]) -> Option<usize> {
    let least = candidates.iter().map(|one| (one.busy, one.weight)).min_by(by_load)?;
    in_turn(candidates, |one| by_load(&(one.busy, one.weight), &least).is_eq())
}

fn by_load(one: &(u32, u32), other: &(u32, u32)) -> Ordering {
    let load = |of: u32, weight: u32| u64::from(of) * u64::from(weight);
    load(one.0, other.1).cmp(&load(other.0, one.1))
}

/// Weighted rendezvous hashing: each instance draws a lot for the key, and the best one wins. The
/// lots of the others stay the same whoever comes or goes.
fn by_key(candidates: &[Candidate<'_>], key: &str) -> Option<usize> {
    let lot = |one: &Candidate<'_>| {
        let drawn = (hash(one.id, key) >> 11) as f64 + 0.5;
        let fraction = drawn / (1_u64 << 53) as f64;
        f64::from(one.weight) / -fraction.ln()
    };
    let lots = candidates.iter().map(lot).enumerate();
    lots.max_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(at, _)| at)
}

/// FNV-1a over both texts, and the last steps of SplitMix64, because lots need good upper bits.
/// Nodes of different versions must agree, so this never changes.
fn hash(id: &str, key: &str) -> u64 {
    let bytes = id.bytes().chain([0]).chain(key.bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
