//! Lines of settings, fit to be quoted in a report: what may be a secret is left out.
//!
//! A line is quoted as it is only if it sets a known key that never holds a secret. A misspelt key
//! may have been meant for an address with a password, and what stands on a line of its own may be
//! a part of anything.

use super::keys::{ENVIRONMENT_PREFIX, KEYS, LISTS};
use super::mask::MASK;
use super::source::Place;

/// Keys whose values may hold passwords or tokens, or may be taken for the place where a key itself
/// is to be written.
const SECRET: [&str; 11] = [
    "url",
    "url_file",
    "headers",
    "body",
    "allow",
    "signing_keys",
    "password",
    "token",
    "ca_file",
    "client_certificate_file",
    "client_key_file",
];

/// What gives an address with a user name or a value in its query away, or a comment, which may say
/// anything.
const SUSPICIOUS: [&str; 5] = ["://", "@", "=", "whsec_", "#"];

/// A line, and what of it is at fault, in characters.
pub(super) struct Quote {
    /// The line.
    pub(super) line: String,
    /// How many characters stand before what is at fault.
    pub(super) indent: usize,
    /// How many characters are at fault.
    pub(super) width: usize,
}

impl Quote {
    /// The line of `place`.
    pub(super) fn of(place: &Place) -> Quote {
        let (_, column) = place.position();
        let (shown, masked_from) = shown(place.line());
        let as_it_is = Quote { line: shown, indent: column - 1, width: place.width() };
        match masked_from {
            Some(from) if as_it_is.indent >= from => {
                Quote { indent: from, width: MASK.len(), ..as_it_is }
            }
            Some(from) => Quote { width: as_it_is.width.min(from - as_it_is.indent), ..as_it_is },
            None => as_it_is,
        }
    }
}

/// The line, and at which of its characters the mask begins, if there is one.
fn shown(line: &str) -> (String, Option<usize>) {
    if is_header(line) {
        return (line.to_owned(), None);
    }
    let Some((key, value)) = line.split_once('=').filter(|(key, value)| is_key(key, value)) else {
        return match line.trim().is_empty() || is_known(line.trim()) {
            true => (line.to_owned(), None),
            false => (MASK.to_owned(), Some(0)),
        };
    };
    if is_harmless(key.trim()) && !is_suspicious(value) {
        return (line.to_owned(), None);
    }
    let space = if value.starts_with(' ') { " " } else { "" };
    let before = format!("{key}={space}");
    let from = before.chars().count();
    (before + MASK, Some(from))
}

/// Whether it looks like an address, or holds keys of its own.
fn is_suspicious(value: &str) -> bool {
    let is_table = value.trim_start().starts_with(['[', '{']) && value.contains('{');
    is_table || SUSPICIOUS.iter().any(|sign| value.contains(sign))
}

/// Whether it is the head of a table, and not an entry of a list: made of small letters, as the
/// names of tables are, and hardly any secret is.
fn is_header(line: &str) -> bool {
    let line = line.trim();
    let path = line.trim_matches(['[', ']']);
    line.starts_with('[') && path.chars().all(|c| c.is_ascii_lowercase() || "_-. ".contains(c))
}

/// Whether what stands before the sign is a key, and not a secret that ends with such signs.
fn is_key(key: &str, value: &str) -> bool {
    is_bare(key.trim()) && (is_known(key.trim()) || !value.trim_matches(['=', ' ']).is_empty())
}

/// Whether it may be a key: letters of bare keys (TOML 1.0, section "Keys") and dots.
fn is_bare(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c))
}

/// Whether the key is known, and never holds a secret.
fn is_harmless(key: &str) -> bool {
    is_known(key) && !SECRET.contains(&last_of(key).as_str())
}

/// Whether there is such a key.
fn is_known(key: &str) -> bool {
    let last = last_of(key);
    let of_keys = KEYS.iter().filter_map(|key| key.path.rsplit('.').next());
    let of_lists = LISTS.iter().flat_map(|list| list.keys.iter().copied());
    of_keys.chain(of_lists).any(|known| known == last)
}

/// The last part of a key, however it is written.
fn last_of(key: &str) -> String {
    let path = match key.strip_prefix(ENVIRONMENT_PREFIX) {
        Some(name) => name.to_lowercase().replace("__", "."),
        None => key.to_owned(),
    };
    path.rsplit('.').next().unwrap_or_default().trim().to_owned()
}

/// A key that nobody knows, if it may be one.
pub(super) fn shown_key(path: &str) -> &str {
    if is_bare(path) { path } else { MASK }
}

#[cfg(test)]
mod tests {
    use super::shown;

    fn check(line: &str, expected: &str) {
        assert_eq!(shown(line).0, expected);
    }

    #[test]
    fn values_that_may_be_secret_are_not_quoted() {
        check("level = \"inof\"", "level = \"inof\"");
        check("[[relay.source]]", "[[relay.source]]");
        check("  [ stomp", "  [ stomp");
        check("url = \"postgres://me:secret@host/db\"", "url = ***");
        check("ulr=\"postgres://me:secret@host/db\"", "ulr=***");
        check("name = \"postgres://me:secret@host/db\"", "name = ***");
        check("relay.source = [{ url = \"postgres:me:secret@host\" }]", "relay.source = ***");
        check("password = \"secret\"", "password = ***");
        check("headers = [\"authorization: secret\"]", "headers = ***");
        check("  [\"authorization: secret\"],", "***");
        check("  \"authorization: secret\",", "***");
        check("http://me:secret@host/?a=b", "***");
        check("endpoint = [{ headers = [\"authorization: secret\"] }]", "endpoint = ***");
        check("POSTHOUSE__RELAY__URL=postgres://me:secret@host/db", "POSTHOUSE__RELAY__URL=***");
        check("POSTHOUSE__LIMITS__MEMORY=lots", "POSTHOUSE__LIMITS__MEMORY=lots");
        check("node.name", "node.name");
        check("", "");
        check("whsec_hunter2", "***");
        check("whsec_hunter2==", "***");
        check("[ whsec_hunter2 ]", "***");
        check("lease = 5 # was hunter2", "lease = ***");
    }
}
