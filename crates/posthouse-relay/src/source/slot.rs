//! The slot of a request: a hash value that never changes, so that buckets may.

use md5::{Digest, Md5};
use posthouse_pump::request::{SLOTS, Slot};

/// The slot of a business id: the first 16 bits of the MD5 of its UTF-8 bytes, as a big-endian
/// number, modulo [`SLOTS`].
///
/// Every database and every language that writers use can compute it. It spreads; it protects
/// nothing. A request without a business id gets the slot of its request id where its writer has
/// not drawn one.
pub fn slot_of(text: &str) -> Slot {
    let digest = Md5::digest(text.as_bytes());
    let [high, low, ..] = digest.0;
    Slot(u16::from_be_bytes([high, low]) % SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values are those of `('x' || substr(md5(k), 1, 4))::bit(16)::int % 1024` in
    /// PostgreSQL.
    fn check(text: &str, expected: u16) {
        assert_eq!(slot_of(text), Slot(expected), "{text:?}");
    }

    #[test]
    fn agrees_with_the_databases() {
        check("", 0xd41d % 1024);
        check("a", 0x0cc1 % 1024);
        check("message digest", 0xf96b % 1024);
    }
}
