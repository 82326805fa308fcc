//! Looking at alarms, and at the rules behind them.

use clap::Subcommand;

use super::of::Of;
use crate::cli::Global;
use crate::cli::output::Column;
use crate::cli::rows::{ListArgs, list, list_from};
use crate::failure::Failure;

const ALARM: [Column; 9] = [
    Column("source", "source"),
    Column("severity", "severity"),
    Column("rule", "rule"),
    Column("kind", "kind"),
    Column("subject", "subject"),
    Column("since", "since_ms"),
    Column("value", "value"),
    Column("limit", "limit"),
    Column("detail", "detail"),
];

const PAST: [Column; 7] = [
    Column("at", "at_ms"),
    Column("edge", "edge"),
    Column("source", "source"),
    Column("severity", "severity"),
    Column("rule", "rule"),
    Column("subject", "subject"),
    Column("detail", "detail"),
];

const RULE: [Column; 9] = [
    Column("name", "name"),
    Column("active", "active"),
    Column("kind", "kind"),
    Column("subject", "subject"),
    Column("severity", "severity"),
    Column("limit", "limit"),
    Column("unit", "unit"),
    Column("for ms", "for_ms"),
    Column("clear ms", "clear_ms"),
];

/// What can be seen of alarms.
#[derive(Debug, Subcommand)]
pub(crate) enum Alarm {
    /// List the alarms that are on.
    List(ListArgs),
    /// List the alarms that have begun and ended, the newest first.
    Past(ListArgs),
}

/// What can be seen of health rules.
#[derive(Debug, Subcommand)]
pub(crate) enum Rule {
    /// List the rules of a source, with their limits.
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        args: ListArgs,
    },
}

impl Alarm {
    /// Shows what is asked for.
    ///
    /// # Errors
    /// What the node says, or that it cannot be reached.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Alarm::List(args) => {
                list(global, "/relay/alarms", &args, &ALARM, "there is no alarm: all is well")
            }
            Alarm::Past(args) => {
                list(global, "/relay/alarms/past", &args, &PAST, "there has been no alarm yet")
            }
        }
    }
}

impl Rule {
    /// Shows what is asked for.
    ///
    /// # Errors
    /// What the node says, or that it cannot be reached.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let Rule::List { of, args } = self;
        let at = of.find(global)?;
        let path = at.path("/rules");
        list_from(&at.api, global.output, &path, &args, &RULE, "there is no rule")
    }
}
