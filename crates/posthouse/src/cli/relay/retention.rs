//! How long finished requests stay, and what has been removed.

use clap::Args;
use serde_json::Value;

use super::look::put_time;
use super::of::Of;
use crate::cli::Global;
use crate::cli::output::{self, Column, Format};
use crate::config::duration_text;
use crate::failure::Failure;

const RETENTION: [Column; 9] = [
    Column("source", "source"),
    Column("keep", "keep"),
    Column("archive", "archive"),
    Column("keep archive ms", "keep_archive_ms"),
    Column("walking", "walking"),
    Column("last walk ended", "ended_ms"),
    Column("archived", "archived"),
    Column("deleted", "deleted"),
    Column("forgotten", "forgotten"),
];

/// Shows it.
#[derive(Debug, Args)]
pub(crate) struct Retention {
    #[command(flatten)]
    of: Of,
}

impl Retention {
    /// Shows it.
    ///
    /// # Errors
    /// What the node says, or that it cannot be reached.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let mut shown = self.of.find(global)?.get("/retention")?;
        if global.output == Format::Table {
            put_time(&mut shown, "ended_ms");
            shown["keep"] = Value::String(in_words(&shown["keep"]));
        }
        output::single(global.output, &RETENTION, &shown)
    }
}

/// Each state with how long it stays.
fn in_words(keep: &Value) -> String {
    let of_state = |entry: &Value| {
        let state = entry["state"].as_str().unwrap_or_default();
        match entry["keep_ms"].as_u64() {
            Some(ms) => format!("{state} {}", duration_text(ms)),
            None => format!("{state} always"),
        }
    };
    keep.as_array().into_iter().flatten().map(of_state).collect::<Vec<String>>().join(", ")
}
