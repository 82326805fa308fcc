//! What a crash leaves of writes and names that were not synced.

use fastrand::Rng;

use super::content::{self, Change};
use super::medium::Medium;
use super::names;

/// Operations that survive alone in [`Fate::Latest`], at most.
const LATEST_MAX: usize = 3;

/// What happens to what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The power is cut, and all of it is lost.
    Lost,
    /// The power is cut, and all of it survives.
    Kept,
    /// The power is cut, and any of it survives, block by block and name by name.
    Some,
    /// The power is cut, and only the very last of it survives.
    Latest,
    /// The power is cut, and all of it up to some operation survives.
    Prefix,
    /// The power is cut in the midst of the last write: all before it survives, and any of its
    /// blocks.
    Torn,
    /// Only the program is killed. All of it can still be read, and none of it is durable.
    Killed,
}

impl Fate {
    /// All of them.
    pub const ALL: [Fate; 7] =
        [Fate::Lost, Fate::Kept, Fate::Some, Fate::Latest, Fate::Prefix, Fate::Torn, Fate::Killed];

    /// The disk as the next start finds it.
    pub fn befall(self, medium: &Medium, seed: u64) -> Medium {
        let mut chance = Rng::with_seed(seed);
        let pending = medium.pending_operations();
        match self {
            Fate::Killed => medium.clone(),
            Fate::Lost => keep(medium, |_| false),
            Fate::Kept => keep(medium, |_| true),
            Fate::Some => keep_some(medium, &mut chance),
            Fate::Latest => {
                let most = chance.usize(1..=LATEST_MAX);
                let first = pending.len().saturating_sub(most);
                let from = pending.get(first).copied().unwrap_or(0);
                keep(medium, |operation| operation >= from)
            }
            Fate::Prefix => {
                let cut = chance.choice(&pending);
                let end = cut.copied().unwrap_or(0);
                keep(medium, |operation| operation < end)
            }
            Fate::Torn => tear(medium, &mut chance),
        }
    }
}

fn keep(medium: &Medium, survives: impl Fn(usize) -> bool) -> Medium {
    let mut names = |pending: &names::Pending| survives(pending.operation);
    let mut writes = |pending: &content::Pending| survives(pending.operation);
    medium.settled(&mut names, &mut writes)
}

/// Names and writes survive with odds of their own, so that files without content, and content
/// without its file, come up as well.
fn keep_some(medium: &Medium, chance: &mut Rng) -> Medium {
    let mut draw = || chance.choice([0.1, 0.5, 0.9]).unwrap_or(0.5);
    let (names_odds, writes_odds) = (draw(), draw());
    let mut other = chance.fork();
    let mut names = |_: &names::Pending| other.f64() < names_odds;
    let mut writes = |_: &content::Pending| chance.f64() < writes_odds;
    medium.settled(&mut names, &mut writes)
}

fn tear(medium: &Medium, chance: &mut Rng) -> Medium {
    let torn = medium.last_write();
    let mut names = |_: &names::Pending| true;
    let mut writes = |pending: &content::Pending| {
        let is_torn = Some(pending.operation) == torn;
        !is_torn || matches!(pending.change, Change::Length(_)) || chance.bool()
    };
    medium.settled(&mut names, &mut writes)
}
