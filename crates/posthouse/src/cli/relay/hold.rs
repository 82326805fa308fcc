//! Holding business ids, codes and endpoints, and letting them go.

use clap::{Args, Subcommand};

use super::look::{HOLDS, Look};
use super::of::Of;
use crate::cli::Global;
use crate::cli::api::escape;
use crate::cli::output::{self, Column};
use crate::cli::rows::ListArgs;
use crate::failure::Failure;

const VERSION: [Column; 1] = [Column("control version", "version")];

/// What to hold.
#[derive(Debug, Subcommand)]
pub(crate) enum Hold {
    /// Hold a business id.
    Key(Name),
    /// Hold a request code.
    Code(Name),
    /// Hold an endpoint.
    Endpoint(Name),
    /// List what is held.
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        args: ListArgs,
    },
}

/// What to let go.
#[derive(Debug, Subcommand)]
pub(crate) enum Release {
    /// Let a business id go.
    Key(Name),
    /// Let a request code go.
    Code(Name),
    /// Let an endpoint go.
    Endpoint(Name),
}

/// Its name.
#[derive(Debug, Args)]
pub(crate) struct Name {
    #[command(flatten)]
    of: Of,
    /// Its name.
    name: String,
}

impl Hold {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let (kind, name) = match self {
            Hold::Key(name) => ("key", name),
            Hold::Code(name) => ("code", name),
            Hold::Endpoint(name) => ("endpoint", name),
            Hold::List { of, args } => return Look::List { of, args }.run(global, &HOLDS),
        };
        let answer = name.of.find(global)?.post(&name.below(kind))?;
        output::single(global.output, &VERSION, &answer)?;
        eprintln!("the {kind} \"{}\" is held; what runs of it ends by itself", name.name);
        Ok(())
    }
}

impl Release {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let (kind, name) = match self {
            Release::Key(name) => ("key", name),
            Release::Code(name) => ("code", name),
            Release::Endpoint(name) => ("endpoint", name),
        };
        let answer = name.of.find(global)?.delete(&name.below(kind))?;
        output::single(global.output, &VERSION, &answer)?;
        eprintln!("the {kind} \"{}\" goes on", name.name);
        Ok(())
    }
}

impl Name {
    fn below(&self, kind: &str) -> String {
        format!("/holds?kind={kind}&of={}", escape(&self.name))
    }
}
