//! Passwords: made at random, kept as Argon2id hashes. Hashing takes some ten milliseconds and
//! 19 MiB by intention, so nobody calls it on the broker thread.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};

/// Letters of generated passwords: those that are not taken for others. There are 32 of them, so
/// that every random byte chooses one evenly.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Letters of a generated password: a hundred random bits.
const LENGTH: usize = 20;

/// The hash of a password that nobody has, so that an unknown user takes as long as a known one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSByYW5kb20gc2FsdA$\
                      q3zJ0bYc0u3Jr0mJ0k2Yb8b7s6w0h0v0m9d8S1Yb2nE";

/// A new password.
///
/// # Panics
/// When the system has no randomness to give.
pub(crate) fn generate() -> String {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    bytes.into_iter().map(letter).collect()
}

/// The hash of a password, with its salt and its costs, as a PHC string.
///
/// # Panics
/// When the system has no randomness to give.
pub(crate) fn hash(password: &str) -> String {
    let hash: PasswordHash =
        Argon2::default().hash_password(password.as_bytes()).expect("the costs are right");
    hash.to_string()
}

/// Whether `password` is the one of `hash`. Without a hash the answer is no, and takes as long.
pub(crate) fn verify(password: &str, hash: Option<&str>) -> bool {
    let checked = Argon2::default().verify_password(password.as_bytes(), hash.unwrap_or(NOBODY));
    checked.is_ok() && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, NOBODY, generate, hash, verify};
    use argon2::password_hash::phc::PasswordHash;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let password = generate();
        assert_eq!(password.len(), LENGTH);
        assert_ne!(password, generate());
        let hashed = hash(&password);
        assert!(verify(&password, Some(&hashed)));
        assert!(!verify("guess", Some(&hashed)));
        assert!(!verify(&password, None));
    }

    #[test]
    fn the_stand_in_costs_as_much_as_a_real_hash() {
        let costs = |text: &str| PasswordHash::new(text).expect("a hash").params.to_string();
        assert_eq!(costs(NOBODY), costs(&hash("any")));
    }
}
