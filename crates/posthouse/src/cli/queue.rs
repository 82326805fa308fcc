//! `posthouse queue`: look at queues, and purge, redrive or delete them.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Global;
use super::api::{Api, escape};
use super::confirm::confirm;
use super::output::{self, Column};
use super::rows::{ListArgs, list, tell_cut};
use crate::failure::Failure;

/// Messages that one answer of the API may hold.
const BROWSE_PAGE: usize = 1_000;

const LIST: [Column; 7] = [
    Column("name", "name"),
    Column("messages", "messages"),
    Column("ready", "ready"),
    Column("unacked", "unacknowledged"),
    Column("delayed", "delayed"),
    Column("bytes", "bytes"),
    Column("consumers", "consumers"),
];

/// What `show` tells of a queue or a topic.
pub(super) const SHOW: [Column; 16] = [
    Column("name", "name"),
    Column("messages", "messages"),
    Column("ready", "ready"),
    Column("unacked", "unacknowledged"),
    Column("delayed", "delayed"),
    Column("bytes", "bytes"),
    Column("consumers", "consumers"),
    Column("blocked producers", "blocked_producers"),
    Column("enqueued", "counters.enqueued"),
    Column("delivered", "counters.delivered"),
    Column("acknowledged", "counters.acknowledged"),
    Column("redelivered", "counters.redelivered"),
    Column("expired", "counters.expired"),
    Column("dead-lettered", "counters.dead_lettered"),
    Column("dropped", "counters.dropped"),
    Column("duplicates", "counters.duplicates"),
];

const BROWSE: [Column; 7] = [
    Column("id", "id"),
    Column("standing", "standing"),
    Column("priority", "priority"),
    Column("deliveries", "deliveries"),
    Column("bytes", "body_bytes"),
    Column("reason", "origin.reason"),
    Column("body", "body"),
];

/// What can be done with queues.
#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// List queues.
    List(ListArgs),
    /// Show one queue.
    Show {
        /// The queue's name.
        name: String,
    },
    /// Look at the messages of a queue, without taking any out.
    Browse(Browse),
    /// Drop every message that nobody is working on.
    Purge(Destructive),
    /// Move messages of a dead-letter queue back to where each came from.
    Redrive {
        /// The dead-letter queue's name.
        name: String,
        /// Messages at most.
        #[arg(long, default_value_t = 1_000)]
        limit: u64,
    },
    /// Remove a queue that nobody consumes from, with its messages.
    Delete(Destructive),
}

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct Browse {
    /// The queue's name.
    name: String,
    /// Only messages that this selector takes.
    #[arg(long)]
    selector: Option<String>,
    /// Messages at most.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// What to destroy.
#[derive(Debug, Args)]
pub(crate) struct Destructive {
    /// The queue's name.
    name: String,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl Queue {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Queue::List(args) => list(global, "/queues", &args, &LIST, "there are no queues yet"),
            Queue::Show { name } => {
                let queue = Api::find(global)?.get(&path(&name))?;
                output::single(global.output, &SHOW, &queue)
            }
            Queue::Browse(browse) => browse.run(global),
            Queue::Purge(which) => {
                which.confirm("purge")?;
                let purge = format!("{}/purge", path(&which.name));
                report(global, "dropped", &Api::find(global)?.post(&purge)?)
            }
            Queue::Redrive { name, limit } => {
                let redrive = format!("{}/redrive?limit={limit}", path(&name));
                report(global, "moved", &Api::find(global)?.post(&redrive)?)
            }
            Queue::Delete(which) => {
                which.confirm("delete")?;
                report(global, "dropped", &Api::find(global)?.delete(&path(&which.name))?)
            }
        }
    }
}

impl Browse {
    fn run(&self, global: &Global) -> Result<(), Failure> {
        let api = Api::find(global)?;
        let selector = self.selector.as_deref().map(escape);
        let selector = selector.map_or(String::new(), |text| format!("&selector={text}"));
        let mut rows: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        // One more than is shown tells whether there are more.
        let wanted = self.limit.saturating_add(1);
        while rows.len() < wanted {
            let limit = BROWSE_PAGE.min(wanted - rows.len());
            let query = format!("{}/messages?limit={limit}{selector}{cursor}", path(&self.name));
            let answer = api.get(&query)?;
            let items = answer.get("items").and_then(Value::as_array);
            rows.extend(items.into_iter().flatten().cloned());
            match answer.get("next").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={}", escape(next)),
                None => break,
            }
        }
        let is_cut = rows.len() > self.limit;
        rows.truncate(self.limit);
        output::rows(global.output, &BROWSE, &rows, "there are no such messages")?;
        tell_cut(is_cut, rows.len());
        Ok(())
    }
}

impl Destructive {
    fn confirm(&self, verb: &str) -> Result<(), Failure> {
        if self.yes { Ok(()) } else { confirm(verb, "queue", &self.name) }
    }
}

/// Tells how many messages it was about.
pub(super) fn report(global: &Global, verb: &str, answer: &Value) -> Result<(), Failure> {
    output::single(global.output, &[Column("messages", "messages")], answer)?;
    let count = answer.get("messages").and_then(Value::as_u64).unwrap_or(0);
    eprintln!("{verb} {count} {}", if count == 1 { "message" } else { "messages" });
    Ok(())
}

/// Names are taken as clients write them too.
fn path(name: &str) -> String {
    format!("/queues/{}", escape(name.strip_prefix("/queue/").unwrap_or(name)))
}
