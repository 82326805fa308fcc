//! Which table an address leads to, as far as the address itself says.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::base::{Address, read_address};

/// The same text for addresses of the same table, and nothing that is secret; `None` for what is no
/// address. Hosts may have several names, and users several schemas, so that texts that differ
/// prove nothing.
pub fn table_of(url: &str) -> Option<String> {
    Some(match read_address(url).ok()? {
        Address::Postgres(target) => postgres_table(&target),
        Address::Mysql(target) => mysql_table(&target),
        Address::Sqlite(target) => format!("sqlite:{}", file_of(target.get_filename())),
    })
}

fn postgres_table(target: &PgConnectOptions) -> String {
    let host = host_of(target.get_host(), target.get_socket());
    let user = target.get_username();
    let database = target.get_database().unwrap_or(user);
    let options = target.get_options().unwrap_or_default();
    format!("postgres://{user}@{host}:{}/{database} {options}", target.get_port())
}

/// Here a database has one table of each name, whoever asks.
fn mysql_table(target: &MySqlConnectOptions) -> String {
    let host = host_of(target.get_host(), target.get_socket());
    let database = target.get_database().unwrap_or_default();
    format!("mysql://{host}:{}/{database}", target.get_port())
}

fn host_of(host: &str, socket: Option<&PathBuf>) -> String {
    match socket {
        Some(socket) => socket.display().to_string(),
        None => host.to_lowercase(),
    }
}

/// A file that is there by its number, for it may have several names; else its path.
fn file_of(path: &Path) -> String {
    match path.metadata() {
        Ok(found) => format!("{}:{}", found.dev(), found.ino()),
        Err(_) => whole(path).display().to_string(),
    }
}

/// The one path of a file, also of one that is not there yet.
fn whole(path: &Path) -> PathBuf {
    let beside = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.canonicalize().ok().or_else(beside).unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    use super::table_of;

    fn check(one: &str, other: &str, is_same: bool) {
        let (one, other) = (table_of(one).unwrap(), table_of(other).unwrap());
        assert_eq!(one == other, is_same, "{one} {other}");
        assert!(!one.contains("secret"), "{one}");
    }

    #[test]
    fn the_same_table_has_one_text() {
        let shop = "postgres://me:secret@db/shop";
        check(shop, "postgresql://me@DB:5432/shop?sslmode=disable", true);
        check(shop, "postgres://me:secret@db/bank", false);
        check(shop, "postgres://me:secret@db:5433/shop", false);
        check(shop, "postgres://me:secret@db/shop?options[search_path]=other", false);
        check("postgres://me@db/me", "postgres://me@db", true);
        let shop = "mysql://me:secret@db/shop";
        check(shop, "mariadb://other:secret@DB:3306/shop?ssl-mode=DISABLED", true);
        check(shop, "mysql://me:secret@db/bank", false);
        check(shop, "mysql://me:secret@db:3307/shop", false);
        check(shop, "postgres://me:secret@db:3306/shop", false);
    }

    #[test]
    fn a_file_has_one_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        std::fs::create_dir(path.join("below")).unwrap();
        let url = |file: &str| format!("sqlite:{}/{file}", path.display());
        check(&url("a.db"), &url("below/../a.db"), true);
        check(&url("a.db"), &url("b.db"), false);
        std::fs::write(path.join("a.db"), "").unwrap();
        std::os::unix::fs::symlink(path.join("a.db"), path.join("link.db")).unwrap();
        check(&url("a.db"), &url("link.db?mode=rw"), true);
        std::fs::hard_link(path.join("a.db"), path.join("hard.db")).unwrap();
        check(&url("a.db"), &url("hard.db"), true);
    }

    #[test]
    fn what_is_no_address_leads_nowhere() {
        assert_eq!(table_of("oracle://root@host/db"), None);
        assert_eq!(table_of("mysql://root@host"), None);
        assert_eq!(table_of("postgres://host:port/db"), None);
    }
}
