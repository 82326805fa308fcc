//! How nodes are configured: groups that differ in what becomes of failures, short leases, and a
//! window that a new configuration opens and shuts.

use std::net::SocketAddr;

/// How long leases last, in milliseconds.
pub(super) const LEASE_MS: i64 = 1_000;

/// How long one call may take, in milliseconds.
pub(super) const TIMEOUT_MS: i64 = 500;

/// What a kind of requests is called, and what may become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The request code.
    pub(super) code: &'static str,
    /// What its business ids begin with. Requests without one have none.
    pub(super) family: Option<&'static str>,
    /// Whether its group gives requests up.
    pub(super) gives_up: bool,
    /// Whether some of its requests are never taken, and hold their business id.
    pub(super) has_poison: bool,
}

/// The code whose window is shut and opened.
pub(super) const WINDOWED: &str = "WINDOWED";

/// The group that is switched, and the code of the same name.
pub(super) const SWITCHED: &str = "SWITCHED";

/// Every kind. The first two share their business ids.
pub(super) const KINDS: [Kind; 7] = [
    kind("ORDER.NEW", Some("order")),
    kind("ORDER.CANCEL", Some("order")),
    kind(SWITCHED, Some("switched")),
    kind(WINDOWED, Some("windowed")),
    kind("PLAIN", None),
    Kind { gives_up: true, ..kind("LOOSE", Some("loose")) },
    Kind { has_poison: true, ..kind("STRICT", Some("strict")) },
];

const fn kind(code: &'static str, family: Option<&'static str>) -> Kind {
    Kind { code, family, gives_up: false, has_poison: false }
}

/// The kind of a code.
pub(super) fn kind_of(code: &str) -> Option<Kind> {
    KINDS.into_iter().find(|kind| kind.code == code)
}

/// The configuration of a node.
pub(super) fn text(url: &str, receiver: SocketAddr, is_open: bool) -> String {
    let window = if is_open { "always" } else { "never" };
    let codes: String = KINDS.iter().map(code).collect();
    format!(
        r#"
[[relay.source]]
name = "platform"
url = "{url}"
lease = "{LEASE_MS}ms"
round = "100ms"

[[relay.endpoint]]
name = "receiver"
url = "http://{receiver}/{{code}}"
headers = ["x-method: {{method}}"]
timeout = "{TIMEOUT_MS}ms"
breaker_pause = "100ms"
breaker_pause_max = "300ms"

[[relay.window]]
name = "hours"
weekly = ["{window}"]
{codes}"#
    )
}

/// Each code has a group of its own but the two that share business ids.
fn code(kind: &Kind) -> String {
    let Kind { code, gives_up, .. } = kind;
    let group = code.split('.').next().unwrap_or(code);
    let policy = if *gives_up { "on_failure = \"skip\"\nattempts_max = 3" } else { "" };
    let group_table = format!(
        "\n[[relay.group]]\nname = \"{group}\"\nbackoff = \"30ms\"\nbackoff_max = \"200ms\"\n\
         {policy}\n"
    );
    let is_first = *code != "ORDER.CANCEL";
    let window = if *code == WINDOWED { "window = \"hours\"" } else { "" };
    let code_table = format!(
        "\n[[relay.code]]\nname = \"{code}\"\ngroup = \"{group}\"\nendpoint = \"receiver\"\n\
         {window}\n"
    );
    format!("{}{code_table}", if is_first { group_table } else { String::new() })
}
