//! `users.toml`: who may log in to the admin API. Passwords are kept only as Argon2id hashes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{private_file, unusable};
use crate::codes::Code;
use crate::failure::Failure;
use crate::password;

const NAME: &str = "users.toml";

/// The name of the user that is made at the first start.
pub(crate) const ADMIN: &str = "admin";

/// Bytes of the file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A password that was just made, to be shown once.
#[derive(Debug)]
pub(crate) struct FirstPassword(pub(crate) String);

/// All users.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Users {
    #[serde(default)]
    users: BTreeMap<String, User>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    password_hash: String,
}

impl Users {
    /// Reads the users of `dir`, and makes the first one when there are none.
    ///
    /// # Errors
    /// [`Code::UsersInvalid`], or that the file cannot be written.
    pub(crate) fn open(dir: &Path) -> Result<Option<FirstPassword>, Failure> {
        let users = Users::read(dir)?;
        if users.users.is_empty() { users.renew(dir, ADMIN).map(Some) } else { Ok(None) }
    }

    /// Gives `name` a new password.
    ///
    /// # Errors
    /// [`Code::UserUnknown`] when there is no such user, [`Code::UsersInvalid`], or that the file
    /// cannot be written.
    pub(crate) fn reset(dir: &Path, name: &str) -> Result<FirstPassword, Failure> {
        let users = Users::read(dir)?;
        if users.users.contains_key(name) { users.renew(dir, name) } else { Err(users.lack(name)) }
    }

    /// Gives `name` a new password, whether or not it is a user yet, and writes the file.
    fn renew(mut self, dir: &Path, name: &str) -> Result<FirstPassword, Failure> {
        let password = password::generate();
        let password_hash = password::hash(&password);
        self.users.insert(name.to_owned(), User { password_hash });
        let text = toml::to_string(&self).map_err(|error| invalid(dir, &error))?;
        let text = format!("# Users of the admin API. `posthouse user reset` writes it.\n\n{text}");
        let written = private_file::replace(dir, NAME, text.as_bytes());
        written.map_err(|error| unusable(&dir.join(NAME), &error))?;
        Ok(FirstPassword(password))
    }

    fn lack(&self, name: &str) -> Failure {
        let known = self.users.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let help = match known.is_empty() {
            true => format!("there are no users yet: the first start of a node makes \"{ADMIN}\""),
            false => format!("the users here are: {known}"),
        };
        Failure::new(Code::UserUnknown, format!("there is no user \"{name}\""), help)
    }

    /// Reads the users of `dir`; none when there is no file.
    ///
    /// # Errors
    /// [`Code::UsersInvalid`].
    pub(crate) fn read(dir: &Path) -> Result<Users, Failure> {
        let text = match read_bounded(&dir.join(NAME)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Users::default()),
            Err(error) => return Err(invalid(dir, &error)),
        };
        toml::from_str(&text).map_err(|error| invalid(dir, &error))
    }

    /// The hash of a user's password.
    pub(crate) fn password_hash(&self, name: &str) -> Option<&str> {
        self.users.get(name).map(|user| user.password_hash.as_str())
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let length = std::fs::metadata(path)?.len();
    if length > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    std::fs::read_to_string(path)
}

fn invalid(dir: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Code::UsersInvalid,
        format!("the users file {} cannot be used: {error}", dir.join(NAME).display()),
        "mend it, or move it away and start again: a new administrator is made then",
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{ADMIN, Users};
    use crate::password;

    #[test]
    fn the_first_start_makes_an_administrator_and_keeps_only_a_hash() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Users::open(dir.path()).expect("it can be written").expect("it is new").0;
        assert!(Users::open(dir.path()).expect("it can be read").is_none(), "not made again");
        let path = dir.path().join("users.toml");
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).expect("it can be read");
        assert!(text.contains("$argon2id$") && !text.contains(&first), "{text}");

        let second = Users::reset(dir.path(), ADMIN).expect("it can be written").0;
        let users = Users::read(dir.path()).expect("it can be read");
        let hash = users.password_hash(ADMIN);
        assert!(password::verify(&second, hash) && !password::verify(&first, hash));
        assert!(!password::verify(&second, users.password_hash("nobody")));
    }

    #[test]
    fn a_user_that_does_not_exist_is_not_made() {
        let dir = tempfile::tempdir().expect("a directory");
        let failure = Users::reset(dir.path(), ADMIN).expect_err("there are no users yet");
        assert_eq!(failure.code, "PH1311");
        Users::open(dir.path()).expect("it can be written");
        let failure = Users::reset(dir.path(), "adnim").expect_err("there is no such user");
        assert!(failure.help.contains(ADMIN), "{failure}");
        let users = Users::read(dir.path()).expect("it can be read");
        assert_eq!(users.password_hash("adnim"), None);
    }

    #[test]
    fn a_damaged_file_is_not_taken_for_an_empty_one() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("users.toml"), "users = 3").expect("it can be written");
        let failure = Users::open(dir.path()).expect_err("it is damaged");
        assert_eq!(failure.code, "PH1310");
    }
}
