//! Where receivers are, as the discoveries of a node tell it, and draining them by hand.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::Global;
use crate::cli::api::{Api, escape};
use crate::cli::output::{self, Column};
use crate::cli::rows::{ListArgs, list};
use crate::codes::Code;
use crate::failure::Failure;

const DISCOVERY: [Column; 8] = [
    Column("name", "name"),
    Column("state", "state"),
    Column("for ms", "state_ms"),
    Column("age ms", "age_ms"),
    Column("instances", "instances"),
    Column("up", "up"),
    Column("failures", "failures"),
    Column("problem", "problem"),
];

const INSTANCE: [Column; 9] = [
    Column("name", "name"),
    Column("discovery", "discovery"),
    Column("service", "service"),
    Column("state", "state"),
    Column("in flight", "in_flight"),
    Column("weight", "weight"),
    Column("rank", "rank"),
    Column("aside ms", "aside_ms"),
    Column("standing", "standing"),
];

const DRAINED: [Column; 2] = [Column("services", "services"), Column("changed", "changed")];

/// What can be seen of discoveries.
#[derive(Debug, Subcommand)]
pub(crate) enum Discovery {
    /// List the services whose instances are followed.
    List(ListArgs),
    /// Show one.
    Show {
        /// The discovery and the service, parted by a slash.
        name: String,
    },
}

/// What can be done with instances.
#[derive(Debug, Subcommand)]
pub(crate) enum Instance {
    /// List all of them.
    List(ListArgs),
    /// Show what a host and port is an instance of.
    Show(Whom),
    /// Give one nothing new; what is under way ends by itself. Holds at this node, until `undrain`
    /// or its next start.
    Drain(Whom),
    /// Let one work again.
    Undrain(Whom),
}

/// Which instance.
#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// Its host and port, as in 10.0.0.7:8080.
    name: String,
    /// Only as an instance of this discovery.
    #[arg(long)]
    discovery: Option<String>,
    /// Only as an instance of this service.
    #[arg(long)]
    service: Option<String>,
}

impl Discovery {
    /// Shows what is asked for.
    ///
    /// # Errors
    /// What the node says, or that there is none of this name.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let path = "/relay/discoveries";
        match self {
            Discovery::List(args) => {
                list(global, path, &args, &DISCOVERY, "no endpoint asks a discovery")
            }
            Discovery::Show { name } => {
                let found = rows(global, path, &name)?.into_iter().find(|row| row["name"] == name);
                let found = found.ok_or_else(|| unknown("service", &name, "discovery"))?;
                output::single(global.output, &DISCOVERY, &found)
            }
        }
    }
}

impl Instance {
    /// Does it.
    ///
    /// # Errors
    /// What the node says, or that there is none of this name.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let path = "/relay/instances";
        match self {
            Instance::List(args) => list(global, path, &args, &INSTANCE, "no instance is known"),
            Instance::Show(whom) => {
                let mut found = rows(global, path, &whom.name)?;
                found.retain(|row| whom.is(row));
                if found.is_empty() {
                    return Err(unknown("instance", &whom.name, "instance"));
                }
                output::rows(global.output, &INSTANCE, &found, "")
            }
            Instance::Drain(whom) => {
                let answer = Api::find(global)?.post(&whom.path())?;
                output::single(global.output, &DRAINED, &answer)?;
                eprintln!("{} gets nothing new; what is under way ends by itself", whom.name);
                Ok(())
            }
            Instance::Undrain(whom) => {
                let answer = Api::find(global)?.delete(&whom.path())?;
                output::single(global.output, &DRAINED, &answer)?;
                eprintln!("{} works again", whom.name);
                Ok(())
            }
        }
    }
}

impl Whom {
    fn path(&self) -> String {
        let mut path = format!("/relay/instances/{}/drain", escape(&self.name));
        let mut sign = '?';
        for (key, value) in [("discovery", &self.discovery), ("service", &self.service)] {
            if let Some(value) = value {
                path.push_str(&format!("{sign}{key}={}", escape(value)));
                sign = '&';
            }
        }
        path
    }

    fn is(&self, row: &Value) -> bool {
        let fits = |wanted: &Option<String>, key: &str| {
            wanted.as_deref().is_none_or(|wanted| row[key] == wanted)
        };
        row["name"] == self.name.as_str()
            && fits(&self.discovery, "discovery")
            && fits(&self.service, "service")
    }
}

/// Those whose name contains this.
fn rows(global: &Global, path: &str, name: &str) -> Result<Vec<Value>, Failure> {
    let query = format!("{path}?page_size=1000&filter={}", escape(name));
    let answer = Api::find(global)?.get(&query)?;
    Ok(answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default())
}

fn unknown(what: &str, name: &str, command: &str) -> Failure {
    let help = format!("`posthouse relay {command} list` shows all");
    Failure::new(Code::RelayNameUnknown, format!("there is no {what} \"{name}\""), help)
}
