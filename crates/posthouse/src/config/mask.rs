//! Addresses without their passwords and headers without their values, for showing.

use posthouse_relay::courier::looks_like_key;

/// What stands for a secret.
pub(super) const MASK: &str = "***";

/// Settings of a database's address that are no secrets.
const PLAIN: [&str; 20] = [
    "application_name",
    "cache",
    "dbname",
    "host",
    "hostaddr",
    "immutable",
    "mode",
    "port",
    "socket",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
    "vfs",
];

/// A header of an endpoint, its value replaced: nobody can tell whether it is a secret.
pub(super) fn mask_header(line: &str) -> String {
    match line.split_once(':') {
        Some((name, _)) => format!("{name}: {MASK}"),
        None => MASK.to_owned(),
    }
}

/// A text of which nobody can tell where in it a secret is.
pub(super) fn mask_all(text: &str) -> String {
    if text.is_empty() { String::new() } else { MASK.to_owned() }
}

/// Where a secret is read from; replaced if it is the secret itself, put there by mistake.
pub(super) fn mask_place(text: &str) -> String {
    let has_sign = ["-----", "://", "@", "=", "\n"].iter().any(|sign| text.contains(sign));
    if has_sign || looks_like_key(text) { MASK.to_owned() } else { text.to_owned() }
}

/// The address of an endpoint: without a password, and without what its query says, which may be a
/// token.
pub(super) fn mask_endpoint(url: &str) -> String {
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (url, None),
    };
    let address = mask_user(address);
    let mask = |setting: &str| match setting.split_once('=') {
        Some((_, value)) if value.starts_with('{') && value.ends_with('}') => setting.to_owned(),
        Some((name, _)) => format!("{name}={MASK}"),
        None => MASK.to_owned(),
    };
    match query {
        Some(query) => {
            let settings: Vec<String> = query.split('&').map(mask).collect();
            format!("{address}?{}", settings.join("&"))
        }
        None => address,
    }
}

/// The address of a database, its password replaced. Rather too much is replaced than too little:
/// a password may hold what should have been escaped in it, and what begins like no address that is
/// known is not shown at all.
pub(super) fn mask_database(url: &str) -> String {
    let is_file = url.starts_with("sqlite:");
    let servers = ["postgres:", "postgresql:", "mysql:", "mariadb:"];
    if !is_file && !servers.iter().any(|known| url.starts_with(known)) {
        return mask_all(url);
    }
    let parted = if is_file { url.split_once('?') } else { url.rsplit_once('?') };
    let (address, query) = match parted {
        Some((address, query)) if is_file => (address, Some(query)),
        // A question mark before the last @ is part of the password.
        Some((address, query)) if !query.contains('@') => (address, Some(query)),
        _ => (url, None),
    };
    let address = if is_file { address.to_owned() } else { mask_user(address) };
    match query {
        Some(query) => {
            let settings: Vec<String> = query.split('&').map(mask_setting).collect();
            format!("{address}?{}", settings.join("&"))
        }
        None => address,
    }
}

/// A password goes as far as the last @. Settings that stand behind the address without the
/// question mark that they need are not shown.
fn mask_user(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => match address.split_once(':') {
            Some((scheme, rest)) => (format!("{scheme}:"), rest),
            None => (String::new(), address),
        },
    };
    let (user, host) = match rest.rsplit_once('@') {
        // An @ in a setting makes what stands before it look like a user.
        Some((user, _)) if user.contains('?') && !user.contains(':') => {
            return format!("{scheme}{MASK}");
        }
        Some((user, host)) => (format!("{}@", mask_password(user)), host),
        None => (String::new(), rest),
    };
    match host.split_once(['=', ' ', '#']) {
        Some(_) => format!("{scheme}{user}{MASK}"),
        None => format!("{scheme}{user}{host}"),
    }
}

fn mask_password(user: &str) -> String {
    match user.split_once(':') {
        Some((name, _)) => format!("{name}:{MASK}"),
        None => user.to_owned(),
    }
}

fn mask_setting(setting: &str) -> String {
    match setting.split_once('=') {
        Some((name, _)) if PLAIN.contains(&name) => setting.to_owned(),
        Some((name, _)) => format!("{name}={MASK}"),
        None => mask_all(setting),
    }
}

#[cfg(test)]
mod tests {
    use super::{mask_database, mask_endpoint, mask_header, mask_place};

    fn check(url: &str, expected: &str) {
        assert_eq!(mask_database(url), expected);
    }

    #[test]
    fn passwords_are_not_shown() {
        check("sqlite:/data/a@b.db", "sqlite:/data/a@b.db");
        check("sqlite:a.db?key=s@cret", "sqlite:a.db?key=***");
        check("sqlite://a.db?mode=ro&key=secret", "sqlite://a.db?mode=ro&key=***");
        check("postgres://host/db", "postgres://host/db");
        check("postgres://me@host/db", "postgres://me@host/db");
        check("postgres://me:secret@host:5432/db", "postgres://me:***@host:5432/db");
        check("postgres://me:s/e?c@r:e@t@host/db", "postgres://me:***@host/db");
        check("postgres://me:s?ecret@host/db?sslmode=x", "postgres://me:***@host/db?sslmode=x");
        check(
            "postgres://host/db?user=me&password=secret",
            "postgres://host/db?user=me&password=***",
        );
        check("mysql://me:secret@host:3306/db", "mysql://me:***@host:3306/db");
        check("mariadb://me:s/e?c@r@host/db?ssl-mode=x", "mariadb://me:***@host/db?ssl-mode=x");
        check(
            "mysql://me@host/db?socket=/a&password=b",
            "mysql://me@host/db?socket=/a&password=***",
        );
        check("postgres:///db?sslPassword=a&host=c", "postgres:///db?sslPassword=***&host=c");
        check("postgres:///db?%70assword=secret&secret", "postgres:///db?%70assword=***&***");
        check("postgres:me:secret@host/db", "postgres:me:***@host/db");
        check("postgresql:/me:secret@host/db", "postgresql:/me:***@host/db");
        check("postgres://host/db&password=secret", "postgres://***");
        check("postgres://host/db?password=s@cret", "postgres://***");
        check("host=there user=me password=secret", "***");
        check("me:secret@host/db", "***");
        check("", "");
    }

    #[test]
    fn values_of_headers_are_not_shown() {
        for (line, expected) in [
            ("Authorization: Bearer secret", "Authorization: ***"),
            ("x-key:a:b", "x-key: ***"),
            ("secret", "***"),
        ] {
            assert_eq!(mask_header(line), expected);
        }
    }

    #[test]
    fn tokens_in_the_address_of_an_endpoint_are_not_shown() {
        for (url, expected) in [
            ("https://host/{code}?key={key}", "https://host/{code}?key={key}"),
            ("https://host/a?token=secret&b", "https://host/a?token=***&***"),
            ("https://me:secret@host/a", "https://me:***@host/a"),
            ("{header.target}", "{header.target}"),
        ] {
            assert_eq!(mask_endpoint(url), expected);
        }
    }

    #[test]
    fn a_secret_in_the_place_of_its_file_is_not_shown() {
        for (text, expected) in [
            ("keys/warehouse", "keys/warehouse"),
            ("env:WAREHOUSE_KEY", "env:WAREHOUSE_KEY"),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "***"),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "***"),
            ("postgres://me:secret@host/db", "***"),
        ] {
            assert_eq!(mask_place(text), expected);
        }
    }
}
