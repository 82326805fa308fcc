//! What had been agreed with the node before a history began: the checker measures by it.

use crate::history::Target;

/// How the destinations of a pattern behave, as far as clients notice.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which destinations.
    pub to: Target,
    /// Failed attempts after which a message is set aside; 0 means never.
    pub attempts_max: u32,
    /// Least wait before another attempt, in milliseconds.
    pub delay_ms: u64,
    /// Whether a full destination drops messages that were confirmed.
    pub drops: bool,
    /// Whether a slow subscriber misses messages.
    pub skips: bool,
    /// Whether what cannot be delivered is dropped, for there is no dead-letter queue.
    pub discards: bool,
    /// Whether nothing survives a crash, whatever the messages say.
    pub volatile: bool,
}

impl Rule {
    /// How a destination behaves by default.
    pub fn new(to: Target) -> Rule {
        Rule {
            to,
            attempts_max: 6,
            delay_ms: 0,
            drops: false,
            skips: false,
            discards: false,
            volatile: false,
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// How long after its expiry a message may still arrive: what was handed out in time may take
    /// this long on its way.
    pub expiry_slack_ms: u64,
    /// How long everything may take to be consumed after the last disturbance.
    pub progress_ms: u64,
    /// How long the node may take to notice that a connection is over.
    pub detach_ms: u64,
    /// The first rule that takes a destination in holds for it.
    pub rules: Vec<Rule>,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { expiry_slack_ms: 5_000, progress_ms: 10_000, detach_ms: 60_000, rules: Vec::new() }
    }
}

impl Terms {
    /// What holds for `destination`.
    pub fn rule(&self, destination: &Target) -> Rule {
        let found = self.rules.iter().find(|rule| rule.to.takes_in(destination));
        found.cloned().unwrap_or_else(|| Rule::new(destination.clone()))
    }
}
