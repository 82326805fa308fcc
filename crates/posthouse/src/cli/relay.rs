//! `posthouse relay`: set request tables up, look at them, and decide what becomes of requests.

mod setup;

use clap::Subcommand;

use super::Global;
use crate::failure::Failure;

/// What can be done with the relay.
#[derive(Debug, Subcommand)]
pub(crate) enum Relay {
    /// Make the relay's tables in a database. What is there stays as it is.
    Init(setup::Init),
    /// Print the statements that make the relay's tables.
    Ddl(setup::Ddl),
}

impl Relay {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, _global: &Global) -> Result<(), Failure> {
        match self {
            Relay::Init(init) => init.run(),
            Relay::Ddl(ddl) => ddl.run(),
        }
    }
}
