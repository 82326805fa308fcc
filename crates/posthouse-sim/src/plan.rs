//! How one run is set up. Each seed switches on some features and some faults and leaves others
//! out, so that rare combinations come to the fore somewhere.

use std::sync::Arc;

use posthouse_core::broker::planted::PlantedBug;
use posthouse_core::destination::Kind;
use posthouse_core::policy::{
    OnReject, Persistence, Policies, Policy, Redelivery, Rule as PolicyRule, WhenFull, WhenSlow,
};

use crate::history::{Rule, Target, Terms};
use crate::random::{Random, Stream};

/// What carries requests and replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The values themselves, straight to the core.
    Values,
    /// The bytes of STOMP, through the real session.
    Stomp,
}

impl Carrier {
    /// The carrier of a seed when none is asked for: two of three seeds take the quick one.
    pub fn of(seed: u64) -> Carrier {
        if seed.is_multiple_of(3) { Carrier::Stomp } else { Carrier::Values }
    }

    /// Its name in commands.
    pub fn name(self) -> &'static str {
        match self {
            Carrier::Values => "values",
            Carrier::Stomp => "stomp",
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where all chance comes from.
    pub seed: u64,
    /// What carries requests and replies.
    pub carrier: Carrier,
    /// A bug on purpose.
    pub bug: Option<PlantedBug>,
    /// Whether invariants are looked at inside the node, and not only what clients see.
    pub looks_inside: bool,
    /// How many clients there are.
    pub clients: u32,
    /// How long disturbances last.
    pub busy_ms: u64,
    /// Longest pause between two doings of a client.
    pub think_ms_max: u64,
    /// Longest way of a parcel.
    pub latency_ms_max: u64,
    /// Parcels that a connection takes before its reader has read.
    pub window_parcels: usize,
    /// Longest time between two syncs.
    pub sync_ms_max: u64,
    /// Longest time from one crash to the next; 0 means none.
    pub crash_ms_max: u64,
    /// Longest time from one broken connection to the next; 0 means none.
    pub break_ms_max: u64,
    /// Whether broken connections may go unnoticed for long.
    pub half_open: bool,
    /// Whether clients stop reading at times.
    pub stalls: bool,
    /// Whether transactions are used.
    pub transactions: bool,
    /// Whether messages expire.
    pub expiry: bool,
    /// Whether producers number their messages and send again what was not confirmed.
    pub dedup: bool,
    /// Whether selectors are used.
    pub selectors: bool,
    /// Whether destinations with limits are used.
    pub limits: bool,
    /// Whether topics are used.
    pub topics: bool,
    /// Whether somebody purges and redrives.
    pub management: bool,
    /// Bytes of all messages that the node keeps; 0 means no limit.
    pub memory_bytes_max: u64,
    /// Whether some messages take many blocks of a disk, and a few more than a segment.
    pub large_bodies: bool,
}

/// How long a producer waits for room, in milliseconds.
const BLOCK_MS_MAX: u64 = 3_000;

/// The path of the queue whose consumers do not acknowledge.
pub const AUTOMATIC_QUEUE: &str = "auto";

/// How long the node takes to notice a broken connection at most.
const NOTICE_MS_MAX: u64 = 1_500;

/// The same when connections may be half open.
const NOTICE_MS_MAX_HALF_OPEN: u64 = 12_000;

impl Plan {
    /// The plan of a seed.
    pub fn new(seed: u64, carrier: Carrier) -> Plan {
        let mut random = Random::new(seed, Stream::Plan);
        let mut often = |percent| random.chance(percent);
        let (half_open, stalls) = (often(30), often(40));
        let (transactions, expiry, dedup) = (often(60), often(50), often(50));
        let (selectors, limits, topics) = (often(50), often(40), often(60));
        let (management, crashes, breaks) = (often(10), often(75), often(70));
        Plan {
            seed,
            carrier,
            bug: None,
            looks_inside: true,
            clients: random.between(3, 10) as u32,
            busy_ms: random.between(5_000, 40_000),
            think_ms_max: random.between(20, 400),
            latency_ms_max: random.between(0, 60),
            window_parcels: random.between(1, 40) as usize,
            sync_ms_max: random.between(1, 300),
            crash_ms_max: if crashes { random.between(1_000, 20_000) } else { 0 },
            break_ms_max: if breaks { random.between(500, 10_000) } else { 0 },
            half_open,
            stalls,
            transactions,
            expiry,
            dedup,
            selectors,
            limits,
            topics,
            management,
            memory_bytes_max: if random.chance(10) { random.between(4_000, 60_000) } else { 0 },
            large_bodies: false,
        }
    }

    /// How long the node takes to notice a broken connection at most.
    pub fn notice_ms_max(&self) -> u64 {
        if self.half_open { NOTICE_MS_MAX_HALF_OPEN } else { NOTICE_MS_MAX }
    }

    /// The queues that are used.
    pub fn queues(&self) -> Vec<Target> {
        let mut paths = vec!["a.plain", "a.retry", "bin", "memory", "kept"];
        if self.limits {
            paths.extend(["full.block", "full.reject", "full.drop"]);
        }
        paths.into_iter().map(Target::queue).collect()
    }

    /// The queue that only one client consumes from.
    pub fn lonely_queue(&self) -> Target {
        Target::queue("order")
    }

    /// The queue whose consumers do not acknowledge.
    pub fn automatic_queue(&self) -> Target {
        Target::queue(AUTOMATIC_QUEUE)
    }

    /// The topics that are used.
    pub fn topics(&self) -> Vec<Target> {
        let mut paths = Vec::new();
        if self.topics {
            paths.extend(["news.home", "news.away"]);
        }
        if self.topics && self.limits {
            paths.extend(["slow.skip", "slow.block", "slow.cut", "slow.full"]);
        }
        paths.into_iter().map(Target::topic).collect()
    }

    /// What the node is told about its destinations.
    pub fn policies(&self) -> Policies {
        let rules = RULES.iter().map(|(kind, path, policy)| PolicyRule {
            kind: Some(*kind),
            path: (*path).into(),
            policy: Arc::new(policy()),
        });
        Policies {
            rules: rules.collect(),
            fallback: Arc::new(Policy { block_ms_max: BLOCK_MS_MAX, ..Policy::default() }),
            memory_bytes_max: self.memory_bytes_max,
            resident_bytes_max: 0,
        }
    }

    /// What the checker is told about the same destinations.
    pub fn terms(&self) -> Terms {
        let rules = RULES.iter().map(|(kind, path, policy)| {
            let to = match kind {
                Kind::Queue => Target::queue(path),
                Kind::Topic => Target::topic(path),
            };
            rule_of(to, &policy(), self.has_tight_memory())
        });
        // When the memory is full, subscribers that lag behind lose before producers wait.
        let others = Rule { skips: true, ..Rule::new(Target::topic(">")) };
        let others = self.has_tight_memory().then_some(others);
        Terms {
            // What was handed out in time may lie before a client that stalls more than once.
            expiry_slack_ms: 10_000 + self.notice_ms_max(),
            progress_ms: 10_000,
            // What a held client says is not read before its send is admitted or refused.
            detach_ms: self.notice_ms_max() + BLOCK_MS_MAX + 1_000,
            rules: rules.chain(others).collect(),
        }
    }

    fn has_tight_memory(&self) -> bool {
        self.memory_bytes_max != 0
    }
}

/// A policy as clients notice it.
fn rule_of(to: Target, policy: &Policy, has_tight_memory: bool) -> Rule {
    Rule {
        attempts_max: policy.redelivery.attempts_max,
        delay_ms: policy.redelivery.delay_ms,
        drops: policy.when_full == WhenFull::DropOldest,
        skips: policy.when_slow == WhenSlow::DropOldest
            && (policy.slow_messages_max < 1_000 || has_tight_memory),
        discards: policy.dead_letter.is_none(),
        volatile: policy.persistence == Persistence::Never,
        ..Rule::new(to)
    }
}

type Named = (Kind, &'static str, fn() -> Policy);

/// The destinations that behave in ways of their own.
const RULES: [Named; 11] = [
    (Kind::Queue, "a.retry", retrying),
    (Kind::Queue, "bin", || Policy { dead_letter: None, ..quick() }),
    (Kind::Queue, "memory", || Policy { persistence: Persistence::Never, ..quick() }),
    (Kind::Queue, "kept", || Policy { persistence: Persistence::Always, ..quick() }),
    (Kind::Queue, "full.block", || full(WhenFull::Block)),
    (Kind::Queue, "full.reject", || full(WhenFull::Reject)),
    (Kind::Queue, "full.drop", || full(WhenFull::DropOldest)),
    (Kind::Topic, "slow.skip", || slow(WhenSlow::DropOldest)),
    (Kind::Topic, "slow.block", || slow(WhenSlow::Block)),
    (Kind::Topic, "slow.cut", || slow(WhenSlow::Disconnect)),
    (Kind::Topic, "slow.full", || full(WhenFull::DropOldest)),
];

fn quick() -> Policy {
    Policy { block_ms_max: BLOCK_MS_MAX, ..Policy::default() }
}

fn retrying() -> Policy {
    let redelivery =
        Redelivery { attempts_max: 3, delay_ms: 150, growth_percent: 200, delay_ms_max: 400 };
    Policy { redelivery, on_reject: OnReject::Requeue, ..quick() }
}

fn full(when_full: WhenFull) -> Policy {
    Policy { messages_max: 8, when_full, ..quick() }
}

fn slow(when_slow: WhenSlow) -> Policy {
    Policy { slow_messages_max: 4, when_slow, ..quick() }
}
