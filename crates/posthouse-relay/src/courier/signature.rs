//! Signatures by the Standard Webhooks specification ("Signature scheme", symmetric).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The specification asks for keys of 24 to 64 bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What a key begins with.
pub(crate) const PREFIX: &str = "whsec_";

/// One signing key. It is never shown.
#[derive(Clone)]
pub(crate) struct Key(hmac::Key);

impl Key {
    /// Reads `whsec_` and base64.
    ///
    /// # Errors
    /// What is wrong with it, without showing it.
    pub(crate) fn parse(text: &str) -> Result<Key, String> {
        let encoded = text.trim().strip_prefix(PREFIX);
        let encoded = encoded.ok_or("the secret does not begin with \"whsec_\"")?;
        let bytes = STANDARD.decode(encoded).map_err(|_| "the secret is not base64")?;
        if !KEY_BYTES.contains(&bytes.len()) {
            return Err(format!("the secret has {} bytes instead of 24 to 64", bytes.len()));
        }
        Ok(Key(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// `v1,` and the signature over id, timestamp (Unix seconds) and body.
    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            context.update(part);
        }
        let mut signature = String::from("v1,");
        STANDARD.encode_string(context.sign(), &mut signature);
        signature
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// The `webhook-signature` header: one signature for each active key.
pub(crate) fn list(keys: &[Key], id: &str, timestamp: &str, body: &[u8]) -> String {
    let signatures: Vec<String> = keys.iter().map(|key| key.sign(id, timestamp, body)).collect();
    signatures.join(" ")
}
