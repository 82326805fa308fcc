//! `posthouse topic`: look at topics.

use clap::Subcommand;

use super::Global;
use super::api::{Api, escape};
use super::output::{self, Column};
use super::queue::SHOW;
use super::rows::{ListArgs, list};
use crate::failure::Failure;

const LIST: [Column; 5] = [
    Column("name", "name"),
    Column("messages", "messages"),
    Column("bytes", "bytes"),
    Column("consumers", "consumers"),
    Column("enqueued", "counters.enqueued"),
];

/// What can be done with topics.
#[derive(Debug, Subcommand)]
pub(crate) enum Topic {
    /// List topics.
    List(ListArgs),
    /// Show one topic.
    Show {
        /// The topic's name.
        name: String,
    },
}

impl Topic {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Topic::List(args) => list(global, "/topics", &args, &LIST, "there are no topics yet"),
            Topic::Show { name } => {
                let name = name.strip_prefix("/topic/").unwrap_or(&name);
                let topic = Api::find(global)?.get(&format!("/topics/{}", escape(name)))?;
                output::single(global.output, &SHOW, &topic)
            }
        }
    }
}
