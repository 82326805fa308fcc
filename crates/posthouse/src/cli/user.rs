//! `posthouse user`: look after the users of the admin API.

use clap::Subcommand;
use serde_json::json;

use super::Global;
use super::output::{self, Column};
use crate::data_dir::{ADMIN, Users};
use crate::failure::Failure;

const SHOW: [Column; 2] = [Column("name", "name"), Column("password", "password")];

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Give a user a new password and print it.
    ///
    /// It holds at once, also on a running node. Tokens that were given for the old password stay
    /// valid until they expire, 12 hours after the login, or until the node restarts.
    Reset {
        /// The user's name.
        #[arg(default_value = ADMIN)]
        name: String,
    },
}

impl User {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        let User::Reset { name } = self;
        let password = Users::reset(&global.node_dir()?, &name)?.0;
        eprintln!("the new password is shown once and kept only as a hash");
        output::single(global.output, &SHOW, &json!({ "name": name, "password": password }))
    }
}
