//! What is random about a client.

use crate::error::Error;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    /// Its name as a producer.
    pub(crate) producer: u128,
    /// The seed of its pauses and of the order of its servers.
    pub(crate) pauses: u64,
}

impl Seed {
    /// Draws from the system's randomness.
    ///
    /// # Errors
    /// When the system has none.
    pub(crate) fn draw() -> Result<Self, Error> {
        let no_randomness = |error: getrandom::Error| {
            Error::invalid(format!("the system gives no random numbers: {error}"))
        };
        let mut producer = [0; 16];
        getrandom::fill(&mut producer).map_err(no_randomness)?;
        let pauses = getrandom::u64().map_err(no_randomness)?;
        Ok(Self { producer: u128::from_le_bytes(producer), pauses })
    }
}
