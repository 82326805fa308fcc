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

/// Variables whose names begin so are settings.
pub(crate) const ENVIRONMENT_PREFIX: &str = "POSTHOUSE__";

/// Every setting outside of rules, in the order of the default file.
pub(crate) const KEYS: [Key; 22] = [
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
    live("relay.check_every"),
];

/// A list of tables, each of which may be written any number of times as `[[path]]`.
#[derive(Debug)]
pub(crate) struct List {
    /// Its dotted path.
    pub(crate) path: &'static str,
    /// What one of its tables is, for people.
    pub(crate) what: &'static str,
    /// Every key that such a table may have.
    pub(crate) keys: &'static [&'static str],
    /// What it takes to change it.
    pub(crate) change: Change,
}

/// Rules for destinations.
pub(crate) const RULES: &str = "destination";
/// Request tables.
pub(crate) const RELAY_SOURCES: &str = "relay.source";
/// Request groups.
pub(crate) const RELAY_GROUPS: &str = "relay.group";
/// Request codes.
pub(crate) const RELAY_CODES: &str = "relay.code";
/// Where requests go.
pub(crate) const RELAY_ENDPOINTS: &str = "relay.endpoint";
/// Who knows where receivers are.
pub(crate) const RELAY_DISCOVERIES: &str = "relay.discovery";
/// Processing windows.
pub(crate) const RELAY_WINDOWS: &str = "relay.window";

/// Limits of health rules.
pub(crate) const RELAY_RULES: &str = "relay.rule";
/// Where alarms go.
pub(crate) const RELAY_ALARMS: &str = "relay.alarm";

/// Every list.
pub(crate) const LISTS: [List; 9] = [
    List { path: RULES, what: "a rule", keys: &RULE_KEYS, change: Change::Restart },
    List { path: RELAY_SOURCES, what: "a source", keys: &SOURCE_KEYS, change: Change::Restart },
    List { path: RELAY_GROUPS, what: "a request group", keys: &GROUP_KEYS, change: Change::Live },
    List { path: RELAY_CODES, what: "a request code", keys: &CODE_KEYS, change: Change::Live },
    List { path: RELAY_ENDPOINTS, what: "an endpoint", keys: &ENDPOINT_KEYS, change: Change::Live },
    List {
        path: RELAY_DISCOVERIES,
        what: "a discovery",
        keys: &DISCOVERY_KEYS,
        change: Change::Live,
    },
    List { path: RELAY_WINDOWS, what: "a window", keys: &WINDOW_KEYS, change: Change::Live },
    List {
        path: RELAY_RULES,
        what: "a health rule",
        keys: &HEALTH_RULE_KEYS,
        change: Change::Live,
    },
    List { path: RELAY_ALARMS, what: "an alarm target", keys: &ALARM_KEYS, change: Change::Live },
];

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

const SOURCE_KEYS: [&str; 16] = [
    "name",
    "url",
    "url_file",
    "region",
    "lease",
    "round",
    "settle",
    "body_max",
    "keep_done",
    "keep_failed",
    "keep_rejected",
    "keep_expired",
    "keep_cancelled",
    "archive",
    "keep_archive",
    "adopt",
];

const GROUP_KEYS: [&str; 12] = [
    "name",
    "source",
    "region",
    "active",
    "order",
    "claim",
    "on_failure",
    "on_expired",
    "attempts_max",
    "backoff",
    "backoff_max",
    "window",
];

const CODE_KEYS: [&str; 4] = ["name", "group", "endpoint", "window"];

const ENDPOINT_KEYS: [&str; 29] = [
    "name",
    "url",
    "discovery",
    "instances_of",
    "balance",
    "host",
    "destination",
    "allow",
    "method",
    "service",
    "service_method",
    "headers",
    "content_type",
    "body",
    "success",
    "success_text",
    "success_field",
    "never",
    "signing_keys",
    "ca_file",
    "client_certificate_file",
    "client_key_file",
    "http",
    "concurrency",
    "rate",
    "timeout",
    "breaker_failures",
    "breaker_pause",
    "breaker_pause_max",
];

const DISCOVERY_KEYS: [&str; 16] = [
    "name",
    "kind",
    "keep",
    "file",
    "servers",
    "path",
    "protocol",
    "session",
    "refresh",
    "datacenter",
    "user",
    "password",
    "token",
    "ca_file",
    "client_certificate_file",
    "client_key_file",
];

const WINDOW_KEYS: [&str; 7] =
    ["name", "zone", "weekly", "dates", "valid_until", "after_valid_until", "margin_before_close"];

const HEALTH_RULE_KEYS: [&str; 7] = ["name", "of", "source", "limit", "for", "clear", "active"];

const ALARM_KEYS: [&str; 2] = ["endpoint", "severity"];

/// The list of this dotted path, if there is one.
pub(crate) fn find_list(path: &str) -> Option<&'static List> {
    LISTS.iter().find(|list| list.path == path)
}

/// The setting of this dotted path, if there is one.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Whether some setting lies below this dotted path.
pub(crate) fn is_section(path: &str) -> bool {
    let paths = KEYS.iter().map(|key| key.path).chain(LISTS.iter().map(|list| list.path));
    let mut below = paths.filter_map(|whole| whole.strip_prefix(path));
    below.any(|rest| rest.starts_with('.'))
}
