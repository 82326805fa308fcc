//! Looking at alarms, and at the rules behind them.

use clap::Subcommand;
use serde_json::Value;

use super::look::put_time;
use super::of::Of;
use crate::cli::Global;
use crate::cli::output::Column;
use crate::cli::rows::{ListArgs, list_from, list_in_words};
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
                let hint = "there is no alarm: all is well";
                let since = |alarm: &mut Value| put_time(alarm, "since_ms");
                list_in_words(global, "/relay/alarms", &args, &ALARM, hint, since)
            }
            Alarm::Past(args) => {
                let hint = "there has been no alarm yet";
                let at = |past: &mut Value| put_time(past, "at_ms");
                list_in_words(global, "/relay/alarms/past", &args, &PAST, hint, at)
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
