//! `posthouse connection`: look at messaging connections.

use clap::Subcommand;

use super::Global;
use super::output::Column;
use super::rows::{ListArgs, list};
use crate::failure::Failure;

const LIST: [Column; 9] = [
    Column("id", "id"),
    Column("address", "address"),
    Column("protocol", "protocol"),
    Column("client", "client"),
    Column("login", "login"),
    Column("subscriptions", "subscriptions"),
    Column("messages out", "messages_out"),
    Column("in", "bytes_in"),
    Column("out", "bytes_out"),
];

/// What can be done with connections.
#[derive(Debug, Subcommand)]
pub(crate) enum Connection {
    /// List messaging connections.
    List(ListArgs),
}

impl Connection {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        let Connection::List(args) = self;
        list(global, "/connections", &args, &LIST, "nobody is connected")
    }
}
