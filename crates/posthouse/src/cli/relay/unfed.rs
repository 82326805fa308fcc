//! Looking at rows of an adopted table that could not be fed.

use clap::Subcommand;

use super::look::put_time;
use super::of::Of;
use super::rows::{pages, show};
use crate::cli::Global;
use crate::cli::output::{Column, Format};
use crate::failure::Failure;

pub(super) const UNFED: [Column; 4] = [
    Column("row", "row"),
    Column("key", "key"),
    Column("reason", "reason"),
    Column("since", "since_ms"),
];

/// What is said where there is none.
pub(super) const NONE: &str = "every row could be fed";

/// What can be seen of them.
#[derive(Debug, Subcommand)]
pub(crate) enum Unfed {
    /// List them.
    List {
        #[command(flatten)]
        of: Of,
        /// Rows at most.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
}

impl Unfed {
    /// Shows what is asked for.
    ///
    /// # Errors
    /// What the node says, or that it cannot be reached.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let Unfed::List { of, limit } = self;
        let mut rows = pages(&of.find(global)?, "/unfed?", limit)?;
        if global.output == Format::Table {
            rows.iter_mut().for_each(|row| put_time(row, "since_ms"));
        }
        show(global, &UNFED, rows, limit, NONE)
    }
}
