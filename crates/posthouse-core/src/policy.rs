//! What a destination is allowed and how it behaves, chosen by patterns over its name.

use std::sync::Arc;

use crate::destination::{DestinationName, Kind, path_matches};

/// What happens to a send when its destination is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The producer waits. Its socket is not read meanwhile.
    Block,
    /// The send is refused.
    Reject,
    /// The oldest message that nobody is working on makes room.
    DropOldest,
}

/// What happens to a subscriber of a topic that does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenSlow {
    /// The topic's producers wait for it.
    Block,
    /// Its oldest waiting message is dropped, and it is told how many it missed.
    DropOldest,
    /// It is ended with an error.
    Disconnect,
}

/// Whether messages are kept through a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// As each message says.
    AsSent,
    /// All of them.
    Always,
    /// None of them.
    Never,
}

impl Persistence {
    /// Whether a message that was sent as `persistent` or not must survive.
    pub fn keeps(self, persistent: bool) -> bool {
        match self {
            Persistence::AsSent => persistent,
            Persistence::Always => true,
            Persistence::Never => false,
        }
    }
}

/// Which expired messages are kept in the dead-letter queue. The others are counted and gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepExpired {
    /// Those that were sent to be persistent, as ActiveMQ does.
    Persistent,
    /// All of them.
    All,
    /// None of them.
    None,
}

/// What a refusal by a consumer means when it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReject {
    /// The message goes to the dead-letter queue.
    DeadLetter,
    /// It goes back and is tried again.
    Requeue,
}

/// How often and how soon a message is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redelivery {
    /// Failed attempts after which the message is dead-lettered; 0 means never.
    pub attempts_max: u32,
    /// Wait before the second attempt, in milliseconds.
    pub delay_ms: u64,
    /// Factor by which the wait grows from one attempt to the next, in percent: 100 keeps it.
    pub growth_percent: u32,
    /// The longest wait, in milliseconds.
    pub delay_ms_max: u64,
}

impl Redelivery {
    /// The wait after `failed` failed attempts (1 or more), in milliseconds.
    pub fn delay_after(&self, failed: u32) -> u64 {
        let mut delay_ms = self.delay_ms;
        for _ in 1..failed.min(64) {
            delay_ms = delay_ms.saturating_mul(u64::from(self.growth_percent)) / 100;
            if delay_ms >= self.delay_ms_max {
                return self.delay_ms_max;
            }
        }
        delay_ms.min(self.delay_ms_max)
    }
}

/// Limits and behaviour of one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Messages that may wait; 0 means no limit.
    pub messages_max: u64,
    /// Bytes of messages that may wait; 0 means no limit.
    pub bytes_max: u64,
    /// What a full destination does.
    pub when_full: WhenFull,
    /// How long a blocked producer waits before it is refused, in milliseconds; 0 means for ever.
    pub block_ms_max: u64,
    /// Messages that one plain subscriber of a topic may have waiting beyond its credit.
    pub slow_messages_max: u64,
    /// Bytes that one plain subscriber of a topic may have waiting beyond its credit.
    pub slow_bytes_max: u64,
    /// What happens to a subscriber beyond that.
    pub when_slow: WhenSlow,
    /// Whether messages survive a crash.
    pub persistence: Persistence,
    /// How failed messages are tried again.
    pub redelivery: Redelivery,
    /// What a refusal means when it does not say.
    pub on_reject: OnReject,
    /// Name of the dead-letter queue; `{}` stands for the destination's own name. `None` discards.
    pub dead_letter: Option<Arc<str>>,
    /// Which expired messages are dead-lettered.
    pub keep_expired: KeepExpired,
    /// Whether the first send or subscription makes the destination.
    pub auto_create: bool,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            messages_max: 0,
            bytes_max: 0,
            when_full: WhenFull::Block,
            block_ms_max: 30_000,
            slow_messages_max: 100_000,
            slow_bytes_max: 64 << 20,
            when_slow: WhenSlow::DropOldest,
            persistence: Persistence::AsSent,
            redelivery: Redelivery {
                attempts_max: 6,
                delay_ms: 0,
                growth_percent: 200,
                delay_ms_max: 60_000,
            },
            on_reject: OnReject::DeadLetter,
            dead_letter: Some("DLQ.{}".into()),
            keep_expired: KeepExpired::Persistent,
            auto_create: true,
        }
    }
}

impl Policy {
    /// The name of the dead-letter queue for `path`, if there is one.
    pub fn dead_letter_path(&self, path: &str) -> Option<String> {
        self.dead_letter.as_deref().map(|template| template.replace("{}", path))
    }
}

/// A policy and the destinations that it is for.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Queues, topics, or both when absent.
    pub kind: Option<Kind>,
    /// Pattern over the dotted path.
    pub path: Arc<str>,
    /// What holds for them.
    pub policy: Arc<Policy>,
}

/// All rules of a node; the first one that matches holds.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// From the most particular to the most general.
    pub rules: Vec<Rule>,
    /// What holds where no rule matches.
    pub fallback: Arc<Policy>,
    /// Bytes of all messages that the node keeps in memory; producers wait beyond it.
    pub memory_bytes_max: u64,
    /// Bytes of messages that stay in memory although the store has them; 0 means no limit.
    pub resident_bytes_max: u64,
}

impl Policies {
    /// The policy of `name`.
    pub fn of(&self, name: &DestinationName) -> Arc<Policy> {
        let applies = |rule: &&Rule| {
            rule.kind.is_none_or(|kind| kind == name.kind) && path_matches(&rule.path, name.path())
        };
        self.rules.iter().find(applies).map_or_else(|| self.fallback.clone(), |r| r.policy.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::Redelivery;

    #[test]
    fn delays_grow_to_their_limit() {
        let policy =
            Redelivery { attempts_max: 0, delay_ms: 100, growth_percent: 200, delay_ms_max: 1000 };
        let delays: Vec<u64> = (1..=6).map(|failed| policy.delay_after(failed)).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1000, 1000]);
        let constant = Redelivery { growth_percent: 100, ..policy };
        assert_eq!(constant.delay_after(1_000_000), 100);
    }
}
