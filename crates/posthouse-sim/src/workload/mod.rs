//! What clients do. Each kind of operation says how it is sampled and which refusals it may meet;
//! any other refusal is a defect.

mod browse;
mod consume;
mod leave;
mod send;
mod settle;
mod subscribe;
mod transact;

use posthouse_core::refusal::Code;

use crate::carrier;
use crate::client::Client;
use crate::history::{Call, Consumer, Key, Transaction};
use crate::plan::Plan;
use crate::random::Random;

pub use consume::{errand, next_errand, watch};
pub use leave::Leaving;

/// Where bodies are large: up to how many bytes, from the usual ones to the rare ones that no
/// segment of the simulation has room for.
const BODY_BYTES_MAX: [u64; 4] = [100, 4_000, 20_000, 90_000];

/// Numbers that are given out once in a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    last: u64,
}

impl Numbers {
    /// Numbers above `last`.
    pub fn after(last: u64) -> Numbers {
        Numbers { last }
    }

    /// The last number that was given out.
    pub fn last(self) -> u64 {
        self.last
    }

    /// The next number. Calls, messages, consumers and transactions share one row.
    pub fn take(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

/// What sampling may look at and draw from.
pub struct Scene<'w> {
    /// The time of the run.
    pub now_ms: u64,
    /// How the run is set up.
    pub plan: &'w Plan,
    /// The workload's chance.
    pub random: &'w mut Random,
    /// The run's numbers.
    pub numbers: &'w mut Numbers,
}

impl Scene<'_> {
    /// A key for a new message, which says how large it is.
    pub fn key(&mut self) -> Key {
        let number = self.numbers.take();
        if !self.plan.large_bodies {
            return number;
        }
        let bytes_max = BODY_BYTES_MAX.get(self.random.weighted(&[60, 28, 10, 2])).copied();
        carrier::large_key(number, self.random.below(bytes_max.unwrap_or(0)))
    }

    /// A number for a new consumer.
    pub fn consumer(&mut self) -> Consumer {
        self.numbers.take()
    }

    /// A number for a new transaction.
    pub fn transaction(&mut self) -> Transaction {
        self.numbers.take()
    }
}

/// What a client decides to do.
#[derive(Debug)]
pub enum Intent {
    /// Ask the node for something.
    Ask {
        /// What.
        call: Call,
        /// Whether a receipt is wanted.
        receipt: bool,
        /// How the node names the delivery that it is about.
        handle: u64,
    },
    /// Go away, in good order or not.
    Leave(Leaving),
    /// Stop reading until this time, in milliseconds.
    Stall(u64),
}

/// One kind of operation: how it is sampled.
pub struct Kind {
    /// Draws one for a client; `None` when it has no occasion.
    pub sample: fn(&mut Client, &mut Scene<'_>) -> Option<Intent>,
    /// How often clients do it, before their own leanings.
    pub weight: u64,
}

/// All kinds of operations.
pub const KINDS: [Kind; 9] = [
    Kind { sample: send::sample, weight: 40 },
    Kind { sample: settle::sample, weight: 40 },
    Kind { sample: subscribe::sample, weight: 8 },
    Kind { sample: subscribe::sample_end, weight: 2 },
    Kind { sample: subscribe::sample_forget, weight: 1 },
    Kind { sample: transact::sample_begin, weight: 6 },
    Kind { sample: transact::sample_end, weight: 10 },
    Kind { sample: browse::sample, weight: 2 },
    Kind { sample: leave::sample, weight: 2 },
];

/// How often a new client does what: everybody leans another way.
pub fn leanings(random: &mut Random) -> Vec<u64> {
    KINDS.iter().map(|kind| kind.weight * random.between(0, 3)).collect()
}

/// Draws what a client does next.
pub fn next(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    if let Some(intent) = send::again(client) {
        return Some(intent);
    }
    let index = scene.random.weighted(&client.weights);
    (KINDS.get(index)?.sample)(client, scene)
}

/// The refusals that a call may meet without anything being wrong.
pub fn predict(call: &Call) -> &'static [Code] {
    match call {
        Call::Send(_) => send::REFUSALS,
        Call::Subscribe(_) => subscribe::REFUSALS,
        Call::Forget(_) => subscribe::FORGET_REFUSALS,
        _ => &[],
    }
}

/// The refusals that may end a connection without a call of its own to blame.
const EVICTIONS: &[Code] = &[Code::BlockedTooLong, Code::SubscriberTooSlow];

/// Whether a refusal that named its call, or named none, was to be expected.
pub fn is_expected(call: Option<&Call>, code: &str) -> bool {
    let unnamed = [send::REFUSALS, subscribe::REFUSALS, subscribe::FORGET_REFUSALS].concat();
    let own = call.map_or(unnamed, |call| predict(call).to_vec());
    own.iter().chain(EVICTIONS).any(|expected| expected.as_str() == code)
}
