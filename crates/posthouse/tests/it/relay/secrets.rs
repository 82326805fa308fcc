//! Secrets that stand where they should not, or that somebody else repeats: no command and no log
//! shows them.

use std::fs;

use crate::command::posthouse;
use crate::server::{data_dir, fresh_dir};

const SECRET: &str = "hunter2";

/// Addresses of databases that cannot be used, each with a password somewhere in it.
const ADDRESSES: [&str; 6] = [
    "postgres:me:hunter2@127.0.0.1:1/db",
    "postgres://me:hunter2@127.0.0.1:port/db",
    "postgres://me:1#hunter2@127.0.0.1/db",
    "postgres://me@127.0.0.1:1/db?sslpassword=hunter2",
    "postgres://me:hunter2@127.0.0.1:1/db",
    "oracle://me:hunter2@127.0.0.1/db",
];

/// Each command fails, and says nothing of the secret.
fn check_untold(arguments: &str) {
    let done = posthouse(&data_dir(&fresh_dir()), arguments);
    assert_ne!(done.code, 0, "{arguments}: {done:?}");
    let told = format!("{}{}", done.out, done.err);
    assert!(!told.contains(SECRET), "{arguments}: {told}");
}

#[test]
fn no_command_shows_the_password_of_an_address() {
    for address in ADDRESSES {
        check_untold(&format!("relay init --url {address}"));
        check_untold(&format!("relay submit CODE x --url {address}"));
        let config = fresh_dir().join("posthouse.toml");
        let text = format!("[[relay.source]]\nname = \"platform\"\nurl = \"{address}\"\n");
        fs::write(&config, text).expect("it can be written");
        check_untold(&format!("relay check --config {}", config.display()));
    }
}
