//! Addresses without their passwords and headers without their values, for showing.

/// What stands for a secret.
const MASK: &str = "***";

/// A header of an endpoint, its value replaced: nobody can tell whether it is a secret.
pub(super) fn mask_header(line: &str) -> String {
    match line.split_once(':') {
        Some((name, _)) => format!("{name}: {MASK}"),
        None => MASK.to_owned(),
    }
}

/// The address of a database, its password replaced. Rather too much is replaced than too little:
/// a password may hold what should have been escaped in it.
pub(super) fn mask_url(url: &str) -> String {
    let (address, query) = match url.rsplit_once('?') {
        // A question mark before the last @ is part of the password.
        Some((address, query)) if !query.contains('@') => (address, Some(query)),
        _ => (url, None),
    };
    let address = mask_user(address);
    match query {
        Some(query) => {
            let settings: Vec<String> = query.split('&').map(mask_setting).collect();
            format!("{address}?{}", settings.join("&"))
        }
        None => address,
    }
}

fn mask_user(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return address.to_owned() };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:{MASK}@{host}"),
        None => address.to_owned(),
    }
}

fn mask_setting(setting: &str) -> String {
    match setting.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("password") => {
            format!("{name}={MASK}")
        }
        _ => setting.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{mask_header, mask_url};

    fn check(url: &str, expected: &str) {
        assert_eq!(mask_url(url), expected);
    }

    #[test]
    fn passwords_are_not_shown() {
        check("sqlite:/data/a@b.db", "sqlite:/data/a@b.db");
        check("postgres://host/db", "postgres://host/db");
        check("postgres://me@host/db", "postgres://me@host/db");
        check("postgres://me:secret@host:5432/db", "postgres://me:***@host:5432/db");
        check("postgres://me:s/e?c@r:e@t@host/db", "postgres://me:***@host/db");
        check("postgres://me:s?ecret@host/db?sslmode=x", "postgres://me:***@host/db?sslmode=x");
        check(
            "postgres://host/db?user=me&password=secret",
            "postgres://host/db?user=me&password=***",
        );
        check("postgres:///db?sslPassword=a&b=c", "postgres:///db?sslPassword=***&b=c");
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
}
