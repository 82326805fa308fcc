//! Addresses of databases: which kind each is of, and whether it says what was meant.
//!
//! An address that is read otherwise than it was meant may put a password where a host or the name
//! of a database belongs, and then every error would tell it; and a setting that is not known would
//! stand in the log with its value. Both are refused, and neither is repeated.

use std::str::FromStr;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::source::error::SourceError;

/// An address that can be used.
pub(crate) enum Address {
    /// Of a PostgreSQL server.
    Postgres(PgConnectOptions),
    /// Of a server of MySQL or MariaDB.
    Mysql(MySqlConnectOptions),
    /// Of a SQLite file.
    Sqlite(SqliteConnectOptions),
}

/// What the address of a PostgreSQL database may say behind its question mark.
const SETTINGS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// The same for MySQL and MariaDB. Character sets and time zones are the relay's own affair.
const MYSQL_SETTINGS: [&str; 6] =
    ["socket", "ssl-ca", "ssl-cert", "ssl-key", "ssl-mode", "statement-cache-capacity"];

/// Reads an address. What it begins with says which kind it is of.
///
/// # Errors
/// What is wrong with it. Nothing of it is repeated.
pub(crate) fn read(url: &str) -> Result<Address, SourceError> {
    if let Some(rest) = url.strip_prefix("postgres:").or(url.strip_prefix("postgresql:")) {
        return read_postgres(url, rest).map(Address::Postgres);
    }
    if let Some(rest) = url.strip_prefix("mysql:").or(url.strip_prefix("mariadb:")) {
        return read_mysql(url, rest).map(Address::Mysql);
    }
    if let Some(file) = url.strip_prefix("sqlite:") {
        if file.contains("://") {
            return Err(SourceError::unfit(
                "the address of the database names another address in the place of a file: write \
                 it as sqlite:FILE",
            ));
        }
        let target = SqliteConnectOptions::from_str(url);
        return target.map(Address::Sqlite).map_err(|_| {
            SourceError::unfit(
                "the address of the database cannot be read: write it as sqlite:FILE, with at most \
                 ?mode=rw behind it",
            )
        });
    }
    Err(SourceError::unfit(
        "the address of a source must look like postgres://user@host/database, \
         mysql://user@host/database, mariadb://user@host/database or sqlite:/path/to/file.db",
    ))
}

fn read_postgres(url: &str, rest: &str) -> Result<PgConnectOptions, SourceError> {
    let form = "postgres://USER:PASSWORD@HOST:PORT/DATABASE";
    check_parts(rest, form, &SETTINGS)?;
    PgConnectOptions::from_str(url).map_err(|_| unreadable(form, "sslmode=require"))
}

fn read_mysql(url: &str, rest: &str) -> Result<MySqlConnectOptions, SourceError> {
    let form = "mysql://USER:PASSWORD@HOST:PORT/DATABASE";
    check_parts(rest, form, &MYSQL_SETTINGS)?;
    let target = MySqlConnectOptions::from_str(url);
    let target = target.map_err(|_| unreadable(form, "ssl-mode=REQUIRED"))?;
    match target.get_database() {
        Some(_) => Ok(target),
        None => Err(SourceError::unfit(format!(
            "the address of the database does not say which database of the server it is: write \
             it as {form}"
        ))),
    }
}

/// Whether what stands behind the kind of an address is where it was meant to be.
fn check_parts(rest: &str, form: &str, known: &[&str]) -> Result<(), SourceError> {
    let Some(rest) = rest.strip_prefix("//") else {
        return Err(SourceError::unfit(format!(
            "the address of the database lacks the // before its user or host: write it as {form}"
        )));
    };
    let behind = rest.find(['/', '?', '#']).and_then(|at| rest.get(at..)).unwrap_or_default();
    if behind.contains(['@', '#']) {
        return Err(SourceError::unfit(
            "the address of the database has an @ or a # behind its host: escape what is special \
             in a user's name or password, @ as %40, / as %2F, ? as %3F, # as %23",
        ));
    }
    let settings = behind.split_once('?').map_or("", |(_, settings)| settings);
    let names = settings.split('&').filter(|part| !part.is_empty());
    let mut names = names.map(|part| part.split_once('=').map_or(part, |(name, _)| name));
    let has_options = known.contains(&"options");
    let is_known = |name| known.contains(&name) || has_options && name.starts_with("options[");
    match names.all(is_known) {
        true => Ok(()),
        false => Err(SourceError::unfit(format!(
            "the address of the database has a setting behind its ? that is not known; those that \
             are: {}",
            known.join(", ")
        ))),
    }
}

fn unreadable(form: &str, setting: &str) -> SourceError {
    SourceError::unfit(format!(
        "the address of the database cannot be read: write it as {form}, each with what is special \
         in it as %XX; behind ? may stand {setting} and the like"
    ))
}

#[cfg(test)]
mod tests {
    use super::{Address, read};

    fn check(url: &str, expected: &str) {
        let told = match read(url) {
            Ok(Address::Postgres(_)) => "postgres".to_owned(),
            Ok(Address::Mysql(_)) => "mysql".to_owned(),
            Ok(Address::Sqlite(_)) => "sqlite".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(told.contains(expected), "{url}: {told}");
        assert!(!told.contains("secret"), "{told}");
    }

    #[test]
    fn addresses_are_read_as_they_are_meant() {
        check("sqlite:requests.db", "sqlite");
        check("sqlite:///data/requests.db?mode=ro", "sqlite");
        check("postgres://me@host/db", "postgres");
        check("postgresql://me:s%40cret@host:5432/db?sslmode=require", "postgres");
        check("postgres:///db?host=/run/postgresql&options[search_path]=a", "postgres");
        check("mysql://me:s%40cret@host:3306/db?ssl-mode=REQUIRED", "mysql");
        check("mariadb://me@localhost/db?socket=/run/mysqld/mysqld.sock", "mysql");
    }

    #[test]
    fn addresses_that_hide_a_password_elsewhere_are_refused() {
        check("postgres:me:secret@host/db", "lacks the //");
        check("postgresql:/me:secret@host/db", "lacks the //");
        check("postgres://me:1/secret@host/db", "as %2F");
        check("postgres://me:1?secret@host/db", "as %3F");
        check("postgres://me:1#secret@host/db", "as %23");
        check("postgres://me:1#secret", "as %23");
        check("postgres://me:secret/x", "cannot be read");
        check("postgres://host/db?sslpassword=secret", "that is not known");
        check("postgres://host/db?secret", "that is not known");
        check("postgres://host/db?sslmode=secret", "cannot be read");
        check("mysql:me:secret@host/db", "lacks the //");
        check("mariadb:/me:secret@host/db", "lacks the //");
        check("mysql://me:1/secret@host/db", "as %2F");
        check("mysql://me:secret@host", "which database");
        check("mysql://me:secret@host/?ssl-mode=DISABLED", "which database");
        check("mysql://host/db?password=secret", "that is not known");
        check("mysql://host/db?charset=secret", "that is not known");
        check("mysql://host/db?ssl-mode=secret", "cannot be read");
        check("mariadb://me:secret/x", "cannot be read");
        check("sqlite:a.db?secret=secret", "cannot be read");
        check("sqlite:postgres://me:secret@host/db", "in the place of a file");
        check("oracle://me:secret@host/db", "must look like");
        check("host=there password=secret", "must look like");
        check("", "must look like");
    }
}
