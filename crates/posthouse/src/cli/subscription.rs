//! `posthouse subscription`: look at durable subscriptions and remove them.

use clap::Subcommand;

use super::Global;
use super::api::{Api, escape};
use super::confirm::confirm;
use super::output::Column;
use super::queue::report;
use super::rows::{ListArgs, list};
use crate::failure::Failure;

const LIST: [Column; 6] = [
    Column("client", "client"),
    Column("name", "name"),
    Column("pattern", "pattern"),
    Column("active", "active"),
    Column("pending", "pending"),
    Column("unacked", "unacknowledged"),
];

/// What can be done with durable subscriptions.
#[derive(Debug, Subcommand)]
pub(crate) enum Subscription {
    /// List durable subscriptions.
    List(ListArgs),
    /// Remove one that nobody consumes from, with the messages that wait for it.
    Delete {
        /// The client's name.
        client: String,
        /// The subscription's name.
        name: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
}

impl Subscription {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Subscription::List(args) => {
                let hint = "there are no durable subscriptions yet";
                list(global, "/subscriptions", &args, &LIST, hint)
            }
            Subscription::Delete { client, name, yes } => {
                if !yes {
                    confirm("delete", "subscription", &name)?;
                }
                let path = format!("/subscriptions/{}/{}", escape(&client), escape(&name));
                report(global, "dropped", &Api::find(global)?.delete(&path)?)
            }
        }
    }
}
