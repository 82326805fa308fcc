//! What operators decide: about requests, groups and buckets.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::look::{BUCKETS, GROUPS, Look};
use super::of::{At, Of};
use crate::cli::Global;
use crate::cli::api::escape;
use crate::cli::confirm::confirm_loss;
use crate::cli::output::{self, Column};
use crate::codes::Code;
use crate::exit::Exit;
use crate::failure::Failure;

const CHANGED: [Column; 3] = [
    Column("changed", "changed"),
    Column("unchanged", "unchanged"),
    Column("control version", "version"),
];

/// Which requests, or which business id.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Their numbers.
    #[arg(allow_negative_numbers = true)]
    ids: Vec<i64>,
    /// All of this business id that are blocked.
    #[arg(long)]
    key: Option<String>,
}

/// Try again.
#[derive(Debug, Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    which: Which,
    /// At once, even if their writers want them to be sent later, or somebody is sending them.
    #[arg(long, conflicts_with = "key")]
    now: bool,
}

/// Give up.
#[derive(Debug, Args)]
pub(crate) struct Skip {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    which: Which,
    /// All of the business id that are open, and not only those that are blocked.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Cancel.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    of: Of,
    /// The numbers of the requests.
    #[arg(required = true, allow_negative_numbers = true)]
    ids: Vec<i64>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Send once more.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    of: Of,
    /// The numbers of the requests.
    #[arg(required = true, allow_negative_numbers = true)]
    ids: Vec<i64>,
}

/// Which source to poke.
#[derive(Debug, Args)]
pub(crate) struct Poke {
    #[command(flatten)]
    of: Of,
}

/// What can be done with request groups.
#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    #[command(flatten)]
    Look(Look),
    /// Switch a group on: its requests are sent.
    On(GroupName),
    /// Switch a group off: its requests wait.
    Off(GroupName),
    /// Leave a group to the configuration again.
    Reset(GroupName),
}

/// Which group.
#[derive(Debug, Args)]
pub(crate) struct GroupName {
    #[command(flatten)]
    of: Of,
    /// The group.
    group: String,
}

/// What can be done with buckets.
#[derive(Debug, Subcommand)]
pub(crate) enum Bucket {
    #[command(flatten)]
    Look(Look),
    /// Divide the slots into another number of buckets. Order is kept.
    Set {
        #[command(flatten)]
        of: Of,
        /// 1 to 1024.
        count: u32,
    },
}

impl Retry {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done, or not to all of them.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let at = self.of.find(global)?;
        match &self.which.key {
            Some(key) => of_key(global, &at, ("retry", "retried"), key, ""),
            None => {
                let also = if self.now { "&now=true" } else { "" };
                of_ids(global, &at, ("retry", "retried"), &self.which.ids, also)
            }
        }
    }
}

impl Skip {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done, or not to all of them.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let at = self.of.find(global)?;
        let words = ("skip", "skipped");
        match &self.which.key {
            Some(key) => {
                let (what, also) = match self.all {
                    true => ("all open requests of the business id", "&all=true"),
                    false => ("blocked requests of the business id", ""),
                };
                ask(self.yes, "skip", what, key)?;
                of_key(global, &at, words, key, also)
            }
            None => {
                ask(self.yes, "skip", "request numbers", &numbers(&self.which.ids))?;
                of_ids(global, &at, words, &self.which.ids, "")
            }
        }
    }
}

impl Cancel {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done, or not to all of them.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let at = self.of.find(global)?;
        ask(self.yes, "cancel", "request numbers", &numbers(&self.ids))?;
        of_ids(global, &at, ("cancel", "cancelled"), &self.ids, "")
    }
}

impl Replay {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done, or not to all of them.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        of_ids(global, &self.of.find(global)?, ("replay", "replayed"), &self.ids, "")
    }
}

impl Poke {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let answer = self.of.find(global)?.post("/poke")?;
        output::single(global.output, &[Column("source", "source")], &answer)
    }
}

impl Group {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Group::Look(look) => look.run(global, &GROUPS),
            Group::On(group) => group.switch(global, "on", "switched on"),
            Group::Off(group) => group.switch(global, "off", "switched off"),
            Group::Reset(group) => group.switch(global, "configured", "reset"),
        }
    }
}

impl GroupName {
    fn switch(&self, global: &Global, to: &str, done: &str) -> Result<(), Failure> {
        let below = format!("/groups/{}/switch?to={to}", escape(&self.group));
        let answer = self.of.find(global)?.post(&below)?;
        output::single(global.output, &CHANGED, &answer)?;
        eprintln!("{done} the group \"{}\"", self.group);
        if let Some(note) = answer["note"].as_str() {
            eprintln!("{note}");
        }
        Ok(())
    }
}

impl Bucket {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let (of, count) = match self {
            Bucket::Look(look) => return look.run(global, &BUCKETS),
            Bucket::Set { of, count } => (of, count),
        };
        let answer = of.find(global)?.post(&format!("/buckets?count={count}"))?;
        output::single(global.output, &CHANGED, &answer)?;
        eprintln!("there are to be {count} buckets; they change hands within a lease");
        Ok(())
    }
}

fn ask(is_sure: bool, verb: &str, kind: &str, name: &str) -> Result<(), Failure> {
    if is_sure { Ok(()) } else { confirm_loss("requests", verb, kind, name) }
}

fn numbers(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// Does something to requests, and says to which it could not be done.
fn of_ids(
    global: &Global,
    at: &At,
    (verb, past): (&str, &str),
    ids: &[i64],
    also: &str,
) -> Result<(), Failure> {
    let answer = at.post(&format!("/rows/{verb}?ids={}{also}", escape(&numbers(ids))))?;
    output::single(global.output, &CHANGED, &answer)?;
    tell(past, count(&answer, "changed"));
    match count(&answer, "unchanged") {
        0 => Ok(()),
        unchanged => Err(partial(&answer, unchanged)),
    }
}

fn partial(answer: &Value, unchanged: usize) -> Failure {
    let reasons = answer["reasons"].as_array().map_or(&[][..], Vec::as_slice);
    let told: Vec<&str> = reasons.iter().filter_map(Value::as_str).collect();
    let more = match unchanged.saturating_sub(told.len()) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let message = format!("{}{more}", told.join("; "));
    let failure = Failure::new(Code::RequestStanding, message, "`posthouse relay row show ID`");
    Failure { exit: Exit::Partial, ..failure }
}

/// Does something to all requests of a business id, however many actions that takes.
fn of_key(
    global: &Global,
    at: &At,
    (verb, past): (&str, &str),
    key: &str,
    also: &str,
) -> Result<(), Failure> {
    let path = format!("/keys/{verb}?key={}{also}", escape(key));
    let mut answer = at.post(&path)?;
    let mut total = count(&answer, "changed");
    while answer["has_more"] == true {
        match at.post(&path) {
            Ok(next) => answer = next,
            // Exactly as many as one action changes were left.
            Err(failure) if failure.exit == Exit::NotFound => break,
            Err(failure) => return Err(failure),
        }
        total += count(&answer, "changed");
    }
    output::single(global.output, &CHANGED, &answer)?;
    tell(past, total);
    Ok(())
}

fn count(answer: &Value, field: &str) -> usize {
    answer.get(field).and_then(Value::as_array).map_or(0, Vec::len)
}

fn tell(past: &str, count: usize) {
    eprintln!("{past} {count} {}", if count == 1 { "request" } else { "requests" });
}
