//! Tokens that stand for a login, and the file with the one for commands on the same machine.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::private_file;

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

const NAME: &str = "admin.token";

/// A secret that stands for a login. It cannot be guessed, and it is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Token(String);

impl Token {
    /// A new token.
    ///
    /// # Panics
    /// When the system has no randomness to give.
    pub(crate) fn random() -> Token {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        Token(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A token as somebody presents it.
    pub(crate) fn presented(text: &str) -> Token {
        Token(text.to_owned())
    }

    /// The token as it is presented.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Leaves the token for commands of the same user.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        private_file::replace_anyhow(dir, NAME, self.0.as_bytes())
    }

    /// Reads a token from a file.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn read(path: &Path) -> io::Result<Token> {
        Ok(Token(std::fs::read_to_string(path)?.trim().to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The token file of a data directory.
pub(crate) fn token_file(dir: &Path) -> PathBuf {
    dir.join(NAME)
}
