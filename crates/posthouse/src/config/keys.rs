//! The names of all settings. A key that is not here is a mistake; one that is here has its
//! default and its explanation in `default.toml`.

/// What it takes for a changed setting to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A reload.
    Live,
    /// A restart.
    Restart,
}

impl Change {
    /// The word that users see.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Change::Live => "live",
            Change::Restart => "restart",
        }
    }
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its dotted path.
    pub(crate) path: &'static str,
    /// What it takes to change it.
    pub(crate) change: Change,
}

const fn live(path: &'static str) -> Key {
    Key { path, change: Change::Live }
}

const fn restart(path: &'static str) -> Key {
    Key { path, change: Change::Restart }
}

/// Every setting outside of rules, in the order of the default file.
pub(crate) const KEYS: [Key; 21] = [
    restart("data_dir"),
    restart("node.name"),
    restart("stomp.listen"),
    restart("stomp.plaintext"),
    restart("stomp.heart_beat_send"),
    restart("stomp.heart_beat_want"),
    restart("stomp.frame_bytes_max"),
    restart("stomp.login_timeout"),
    restart("stomp.write_timeout"),
    restart("http.listen"),
    live("limits.connections"),
    live("limits.connections_per_address"),
    restart("limits.memory"),
    restart("journal.enabled"),
    restart("journal.resident"),
    restart("journal.segment"),
    restart("journal.checkpoint"),
    restart("journal.spares"),
    restart("journal.spool"),
    restart("log.format"),
    live("log.level"),
];

/// The array of tables that holds the rules for destinations.
pub(crate) const RULES: &str = "destination";

/// Every key of a rule.
pub(crate) const RULE_KEYS: [&str; 17] = [
    "pattern",
    "messages_max",
    "bytes_max",
    "when_full",
    "block_time_max",
    "slow_messages_max",
    "slow_bytes_max",
    "when_slow",
    "persistence",
    "attempts_max",
    "redelivery_delay",
    "redelivery_growth_percent",
    "redelivery_delay_max",
    "on_reject",
    "dead_letter",
    "keep_expired",
    "auto_create",
];

/// The setting of this dotted path, if there is one.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Whether some setting lies below this dotted path.
pub(crate) fn is_section(path: &str) -> bool {
    KEYS.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}
